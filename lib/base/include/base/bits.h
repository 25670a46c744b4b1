// SPDX-License-Identifier: BSD-3-Clause
/*
 * Arithmetic on sizes and addresses: alignment, powers of two, checked sums.
 * Macros evaluate each argument once.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIN(a, b)                      \
	({                             \
		__typeof__(a) min_a_ = (a); \
		__typeof__(b) min_b_ = (b); \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})

#define MAX(a, b)                      \
	({                             \
		__typeof__(a) max_a_ = (a); \
		__typeof__(b) max_b_ = (b); \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

/* Elements of a true array; a pointer does not compile. */
#define ARRAY_SIZE(a)                                                                      \
	(sizeof(a) / sizeof((a)[0]) +                                                      \
	 0 * sizeof(struct {                                                               \
		 int not_an_array : 1 - 2 * __builtin_types_compatible_p(__typeof__(a),    \
									 __typeof__(&(a)[0])); \
	 }))

/* The structure of the given type whose member ptr points at. */
#define container_of(ptr, type, member)                               \
	({                                                            \
		const __typeof__(((type *)0)->member) *member_ptr_ = (ptr); \
		(type *)(uintptr_t)((const char *)member_ptr_ - offsetof(type, member)); \
	})

/* Is x a power of two? (0 is not.) */
static inline bool is_pow2(uint64_t x)
{
	return x != 0 && (x & (x - 1)) == 0;
}

/* Is x a multiple of align? align must be a power of two, here and below. */
static inline bool is_aligned(uint64_t x, uint64_t align)
{
	return (x & (align - 1)) == 0;
}

static inline uint64_t align_down(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}

/* Rounds up; wraps to 0 beyond the last multiple. For untrusted x use align_up_checked. */
static inline uint64_t align_up(uint64_t x, uint64_t align)
{
	return (x + align - 1) & ~(align - 1);
}

/* *out = a + b; true = it did not fit, and *out is not to be used. */
static inline bool add_overflow(uint64_t a, uint64_t b, uint64_t *out)
{
	return __builtin_add_overflow(a, b, out);
}

/* *out = a - b; true = b was greater than a. */
static inline bool sub_overflow(uint64_t a, uint64_t b, uint64_t *out)
{
	return __builtin_sub_overflow(a, b, out);
}

/* *out = a * b; true = it did not fit. */
static inline bool mul_overflow(uint64_t a, uint64_t b, uint64_t *out)
{
	return __builtin_mul_overflow(a, b, out);
}

/* *out = x rounded up to a multiple of align; true = it did not fit. */
static inline bool align_up_checked(uint64_t x, uint64_t align, uint64_t *out)
{
	if (add_overflow(x, align - 1, out))
		return true;
	*out = align_down(*out, align);
	return false;
}

/* Does [start, start + len) lie within [0, limit)? Right for every value of the three. */
static inline bool range_within(uint64_t start, uint64_t len, uint64_t limit)
{
	return start <= limit && len <= limit - start;
}

/* Does [start, start + len) lie within [lo, hi)? */
static inline bool range_between(uint64_t start, uint64_t len, uint64_t lo, uint64_t hi)
{
	return start >= lo && range_within(start, len, hi);
}

/* Do two ranges share a byte? Neither may wrap. */
static inline bool ranges_overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return alen != 0 && blen != 0 && a < b + blen && b < a + alen;
}

/* ⌈x / d⌉, d > 0, without overflow. */
static inline uint64_t div_round_up(uint64_t x, uint64_t d)
{
	return x / d + (x % d != 0);
}

/*
 * Index of the highest (ilog2) and of the lowest (bit_lowest) set bit; x must not be 0. Not the
 * compiler's builtins: where the instruction is missing those are calls into its library.
 */
static inline unsigned int ilog2(uint64_t x)
{
	unsigned int n = 0;

	for (unsigned int s = 32; s != 0; s >>= 1) {
		if (x >> s) {
			x >>= s;
			n += s;
		}
	}
	return n;
}

static inline unsigned int bit_lowest(uint64_t x)
{
	return ilog2(x & -x);
}

/* Number of set bits. */
static inline unsigned int bit_count(uint64_t x)
{
	x -= (x >> 1) & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + ((x >> 2) & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (unsigned int)((x * 0x0101010101010101ull) >> 56);
}

/* A bit for each of eight words whose upper 32 bits are those of `like`. Without a branch. */
static inline unsigned int bits_match(const uint64_t *words, uint64_t like)
{
	unsigned int found = 0;

#pragma GCC unroll 8
	for (unsigned int i = 8; i-- > 0;) {
		uint64_t word = __atomic_load_n(&words[i], __ATOMIC_RELAXED);

		found = found << 1 | ((word ^ like) >> 32 == 0);
	}
	return found;
}

#endif
