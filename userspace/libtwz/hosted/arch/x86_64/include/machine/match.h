// SPDX-License-Identifier: BSD-3-Clause
/* Eight words compared at once, by what every 64-bit x86 has. */
#ifndef MACHINE_MATCH_H
#define MACHINE_MATCH_H

#include <emmintrin.h>
#include <stdint.h>

/* The upper halves of four words. */
static inline __m128i machine_upper(const uint64_t *words)
{
	__m128 low = _mm_castsi128_ps(_mm_load_si128((const __m128i *)(const void *)words));
	__m128 high = _mm_castsi128_ps(_mm_load_si128((const __m128i *)(const void *)(words + 2)));

	return _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1)));
}

/*
 * A bit for each of eight words, a line, whose upper 32 bits are those of `like`; the bits above the
 * eighth repeat them. Others may store to the words meanwhile: each is read as it was at some time.
 */
static inline unsigned machine_match(const uint64_t *words, uint64_t like)
{
	__m128i half = _mm_shuffle_epi32(_mm_cvtsi64_si128((long long)like), _MM_SHUFFLE(1, 1, 1, 1));
	__m128i a = _mm_cmpeq_epi32(machine_upper(words), half);
	__m128i b = _mm_cmpeq_epi32(machine_upper(words + 4), half);

	a = _mm_packs_epi32(a, b);
	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(a, a));
}

#endif
