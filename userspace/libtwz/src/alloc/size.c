// SPDX-License-Identifier: BSD-3-Clause
/*
 * Size classes: steps of 16 to 128, then four to each power of two. A region begins at a multiple
 * of the greatest power of two that divides its size, up to a page.
 */
#include "alloc.h"

const struct size_class __twz_alloc_class[CLASSES] = {
	{ 16, 1088, 4028, 63 },
	{ 32, 576, 2030, 32 },
	{ 48, 448, 1356, 22 },
	{ 64, 320, 1019, 16 },
	{ 80, 320, 815, 13 },
	{ 96, 320, 679, 11 },
	{ 112, 320, 582, 10 },
	{ 128, 256, 510, 8 },
	{ 160, 192, 408, 7 },
	{ 192, 192, 340, 6 },
	{ 224, 192, 291, 5 },
	{ 256, 256, 255, 4 },
	{ 320, 192, 204, 4 },
	{ 384, 256, 170, 3 },
	{ 448, 192, 145, 3 },
	{ 512, 512, 127, 2 },
	{ 640, 256, 102, 2 },
	{ 768, 256, 85, 2 },
	{ 896, 256, 72, 2 },
	{ 1024, 1024, 63, 1 },
	{ 1280, 256, 51, 1 },
	{ 1536, 512, 42, 1 },
	{ 1792, 256, 36, 1 },
	{ 2048, 2048, 31, 1 },
	{ 2560, 512, 25, 1 },
	{ 3072, 1024, 21, 1 },
	{ 3584, 512, 18, 1 },
	{ 4096, 4096, 15, 1 },
	{ 5120, 1024, 12, 1 },
	{ 6144, 2048, 10, 1 },
	{ 7168, 1024, 9, 1 },
	{ 8192, 4096, 7, 1 },
};

/* The class for 1 … SMALL_MAX bytes. */
static unsigned class_of(size_t len)
{
	unsigned log;

	if (len <= 128)
		return (unsigned)(len + 15) / 16 - 1;
	log = 63 - (unsigned)__builtin_clzl(len - 1);
	return 8 + (log - 7) * 4 + (unsigned)((len - 1) >> (log - 2) & 3);
}

unsigned __twz_alloc_class_for(size_t len, size_t align)
{
	unsigned class;

	if (len > SMALL_MAX)
		return CLASSES;
	class = class_of(len ? len : 1);
	while (class < CLASSES && __twz_alloc_class[class].size & (align - 1))
		class++;
	return class;
}
