// SPDX-License-Identifier: BSD-3-Clause
/* Copying many bytes: 256 at a time through the vector registers, wherever they stand. */
#include "../../src/stream.h"

#define BLOCK 256u

#define PAIR(at) "ldp q0, q1, [%1, " #at "]\n\tstp q0, q1, [%0, " #at "]\n\t"

static void copy_block(char *to, const char *from)
{
	__asm__ volatile(PAIR(0) PAIR(32) PAIR(64) PAIR(96) PAIR(128) PAIR(160) PAIR(192) PAIR(224)
			 :
			 : "r"(to), "r"(from)
			 : "memory", "v0", "v1");
}

void __twz_copy(void *to, const void *from, size_t n)
{
	const char *s = from;
	char *d = to;

	for (; n >= BLOCK; n -= BLOCK, s += BLOCK, d += BLOCK)
		copy_block(d, s);
	memcpy(d, s, n);
}
