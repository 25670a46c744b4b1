// SPDX-License-Identifier: BSD-3-Clause
/* Copying many bytes: whole words, which stand aligned at both sides or are joined from two. */
#include "../../src/stream.h"

typedef uint64_t __attribute__((may_alias)) word;

#define WORD sizeof(word)

/* An address of which the compiler knows nothing, so that it makes no call of memcpy of a loop. */
#define OPAQUE(p) __asm__("" : "+r"(p))

static void copy_bytes(char *to, const char *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		to[i] = from[i];
		OPAQUE(to);
	}
}

/* Both aligned. Returns the bytes done: whole words. */
static size_t copy_aligned(word *to, const word *from, size_t n)
{
	size_t words = n / WORD;

	for (; words >= 32; words -= 32, to += 32, from += 32) {
#pragma GCC unroll 32
		for (int i = 0; i < 32; i++)
			to[i] = from[i];
		OPAQUE(to);
	}
	for (; words > 0; words--) {
		*to++ = *from++;
		OPAQUE(to);
	}
	return n & ~(WORD - 1);
}

/* Only to is aligned. No word is read that holds no byte of the source. */
static size_t copy_joined(word *to, const char *from, size_t n)
{
	unsigned skew = 8 * ((uintptr_t)from % WORD);
	const word *aligned = (const word *)(from - skew / 8);
	word low = *aligned++;
	size_t words = n / WORD;

	for (; words >= 8; words -= 8, to += 8, aligned += 8) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			word high = aligned[i];
			to[i] = low >> skew | high << (64 - skew);
			low = high;
		}
		OPAQUE(to);
	}
	return (n / WORD - words) * WORD;
}

void __twz_copy(void *to, const void *from, size_t n)
{
	size_t head = -(uintptr_t)to % WORD;
	const char *s = (const char *)from + head;
	char *d = (char *)to + head;
	size_t done;

	copy_bytes(to, from, head);
	n -= head;
	done = (uintptr_t)s % WORD ? copy_joined((word *)d, s, n)
				   : copy_aligned((word *)d, (const word *)s, n);
	if (n - done >= 4 * WORD)
		memcpy(d + done, s + done, n - done);
	else
		copy_bytes(d + done, s + done, n - done);
}
