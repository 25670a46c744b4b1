// SPDX-License-Identifier: BSD-3-Clause
/* Copying many bytes: 128 at a time through the vector registers, wherever they stand. */
#include "../../src/stream.h"

#define BLOCK 128u

static void copy_block(char *to, const char *from)
{
	__asm__ volatile("ldp q0, q1, [%1]\n\t"
			 "ldp q2, q3, [%1, 32]\n\t"
			 "ldp q4, q5, [%1, 64]\n\t"
			 "ldp q6, q7, [%1, 96]\n\t"
			 "stp q0, q1, [%0]\n\t"
			 "stp q2, q3, [%0, 32]\n\t"
			 "stp q4, q5, [%0, 64]\n\t"
			 "stp q6, q7, [%0, 96]"
			 :
			 : "r"(to), "r"(from)
			 : "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7");
}

void __twz_copy(void *to, const void *from, size_t n)
{
	const char *s = from;
	char *d = to;

	for (; n >= BLOCK; n -= BLOCK, s += BLOCK, d += BLOCK)
		copy_block(d, s);
	memcpy(d, s, n);
}
