// SPDX-License-Identifier: BSD-3-Clause
/*
 * The memory and string functions, see base/string.h. The memory functions move whole words,
 * always aligned, because they also run where an unaligned access faults or is emulated.
 */
#include <base/string.h>
#include <stdbool.h>
#include <stdint.h>

/* Words that may alias any object. */
typedef uint64_t __attribute__((may_alias)) word;

#define WORD sizeof(word)
#define REPEAT_BYTE (~(word)0 / 0xff)

/*
 * Compilers recognise a copying, filling or scanning loop and replace it with a call to the very
 * function that contains it. A pointer that passes through this is one they know nothing about.
 */
#define OPAQUE(p) __asm__("" : "+r"(p))

static bool word_aligned(const void *p)
{
	return ((uintptr_t)p & (WORD - 1)) == 0;
}

static bool same_alignment(const void *a, const void *b)
{
	return (((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1)) == 0;
}

/* Copy upwards between two aligned pointers: whole words only. Returns bytes done. */
static size_t copy_words(unsigned char *dst, const unsigned char *src, size_t n)
{
	word *d = (word *)dst;
	const word *s = (const word *)src;
	size_t words = n / WORD;

	for (; words >= 8; words -= 8, d += 8, s += 8) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			d[i] = s[i];
		OPAQUE(d);
	}
	for (; words > 0; words--) {
		*d++ = *s++;
		OPAQUE(d);
	}
	return n & ~(WORD - 1);
}

/*
 * Copy upwards to an aligned dst from an unaligned src, joining each word from two aligned loads.
 * The WORD bytes before src must belong to the source. Returns bytes done.
 */
static size_t copy_shifted(unsigned char *dst, const unsigned char *src, size_t n)
{
	unsigned int skew = (uintptr_t)src & (WORD - 1);
	const word *s = (const word *)(src - skew);
	word *d = (word *)dst;
	word low = *s++;
	size_t done = 0;

	for (; n - done >= 2 * WORD; done += WORD) {
		word high = *s++;

		*d++ = low >> (8 * skew) | high << (64 - 8 * skew);
		OPAQUE(d);
		low = high;
	}
	return done;
}

static void copy_bytes(unsigned char *d, const unsigned char *s, size_t n)
{
	for (; n > 0; n--) {
		*d++ = *s++;
		OPAQUE(d);
	}
}

/* Copy upwards; right for overlapping ranges if dst is below src. */
static void copy_up(unsigned char *d, const unsigned char *s, size_t n)
{
	size_t done;

	if (n >= 4 * WORD) {
		/* The extra word lets copy_shifted look back without leaving the source. */
		done = (-(uintptr_t)d & (WORD - 1)) + (same_alignment(d, s) ? 0 : WORD);
		copy_bytes(d, s, done);
		d += done;
		s += done;
		n -= done;
		done = word_aligned(s) ? copy_words(d, s, n) : copy_shifted(d, s, n);
		d += done;
		s += done;
		n -= done;
	}
	copy_bytes(d, s, n);
}

/* Copy downwards; right for overlapping ranges if dst is above src. */
static void copy_down(unsigned char *dst, const unsigned char *src, size_t n)
{
	unsigned char *d = dst + n;
	const unsigned char *s = src + n;

	while (n > 0 && !(same_alignment(d, s) && word_aligned(d))) {
		*--d = *--s;
		OPAQUE(d);
		n--;
	}
	for (; n >= WORD; n -= WORD) {
		d -= WORD;
		s -= WORD;
		*(word *)d = *(const word *)s;
		OPAQUE(d);
	}
	for (; n > 0; n--) {
		*--d = *--s;
		OPAQUE(d);
	}
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		copy_up(dst, src, n);
	else
		copy_down(dst, src, n);
	return dst;
}

static void fill_words(unsigned char *dst, word value, size_t words)
{
	word *d = (word *)dst;

	/* Pages are zeroed here: few instructions beside the stores. */
	for (; words >= 16; words -= 16, d += 16) {
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++)
			d[i] = value;
		OPAQUE(d);
	}
	for (; words > 0; words--) {
		*d++ = value;
		OPAQUE(d);
	}
}

void *memset(void *dst, int c, size_t n)
{
	unsigned char *d = dst;

	for (; n > 0 && !word_aligned(d); n--) {
		*d++ = (unsigned char)c;
		OPAQUE(d);
	}
	fill_words(d, REPEAT_BYTE * (unsigned char)c, n / WORD);
	d += n & ~(WORD - 1);
	for (n &= WORD - 1; n > 0; n--) {
		*d++ = (unsigned char)c;
		OPAQUE(d);
	}
	return dst;
}

/* Bytes at the start of two ranges, in whole words, that are equal. */
static size_t equal_words(const unsigned char *a, const unsigned char *b, size_t n)
{
	size_t done = 0;

	if (!word_aligned(a) || !word_aligned(b))
		return 0;
	while (n - done >= WORD && *(const word *)(a + done) == *(const word *)(b + done))
		done += WORD;
	return done;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = equal_words(x, y, n); i < n; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const unsigned char *p = s;

	for (; n > 0; n--, p++) {
		OPAQUE(p);
		if (*p == (unsigned char)c)
			return (void *)(uintptr_t)p;
	}
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p != '\0') {
		p++;
		OPAQUE(p);
	}
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0') {
		n++;
		OPAQUE(s);
	}
	return n;
}

int strcmp(const char *a, const char *b)
{
	const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;

	for (; *x == *y && *x != '\0'; x++, y++)
		OPAQUE(x);
	return (*x > *y) - (*x < *y);
}

int strncmp(const char *a, const char *b, size_t n)
{
	const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;

	for (; n > 0; n--, x++, y++) {
		OPAQUE(x);
		if (*x != *y)
			return *x < *y ? -1 : 1;
		if (*x == '\0')
			break;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (*s == '\0')
			return NULL;
		OPAQUE(s);
	}
	return (char *)(uintptr_t)s;
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		OPAQUE(s);
		if (*s == (char)c)
			found = s;
		if (*s == '\0')
			return (char *)(uintptr_t)found;
	}
}
