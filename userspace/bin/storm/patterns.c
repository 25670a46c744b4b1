// SPDX-License-Identifier: BSD-3-Clause
/*
 * What storm writes. Each word of a page says which write it comes from (high half) and proves
 * it (low half), so that a page torn between two writes can be told from one that is damaged.
 */
#include "storm.h"

/* Both ends of the pages that a store keeps close, the first of the next leaves, and far ones. */
const uint32_t places[PLACES] = {
	1, 2, 3, 4, 5, 6, 7, 8, 63, 64, 65, 66, 511, 512, 513, 1024, 5000, 5001, 100000, 200000, 253951,
};

uint64_t pattern_word(uint32_t pattern, unsigned place, unsigned index)
{
	uint32_t h = pattern * 0x9e3779b1u ^ (place * 0x85ebca6bu + index * 0xc2b2ae35u);

	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	h ^= h >> 13;
	return (uint64_t)pattern << 32 | h;
}

void record_fill(struct record *r, unsigned thread, uint64_t number)
{
	uint64_t sum = number ^ STORM_MAGIC;

	r->number = number;
	for (unsigned i = 0; i < 6; i++) {
		r->words[i] = pattern_word((uint32_t)number, thread, i);
		sum = (sum ^ r->words[i]) * 0x9e3779b97f4a7c15ull;
	}
	r->sum = sum;
}
