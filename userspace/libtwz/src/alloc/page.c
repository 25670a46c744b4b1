// SPDX-License-Identifier: BSD-3-Clause
/*
 * Whole pages: their states, and finding free ones. States are bytes, stored by compare-and-swap of
 * the eight that share a word, so that lanes can change neighbours. What finds free pages is a
 * summary of the states, exact while the arena's lock is held.
 */
#include "alloc.h"

#define WORD_PAGES 8u

static uint64_t *state_word(const struct arena *a, uint32_t page)
{
	return (uint64_t *)(void *)(a->states + page / WORD_PAGES * WORD_PAGES);
}

static uint64_t load_states(const struct arena *a, uint32_t page)
{
	return __atomic_load_n(state_word(a, page), __ATOMIC_RELAXED);
}

uint8_t __twz_alloc_state(const struct arena *a, uint32_t page)
{
	return (uint8_t)(load_states(a, page) >> page % WORD_PAGES * 8);
}

uint32_t __twz_alloc_end(const struct arena *a)
{
	uint64_t zones = __atomic_load_n(&a->h->zones, __ATOMIC_RELAXED);

	return zones < a->pages / ZONE_PAGES ? (uint32_t)zones * ZONE_PAGES : a->pages;
}

/* States of pages [from, to) of one word. */
static void put_word(struct arena *a, uint32_t from, uint32_t to, uint64_t bytes)
{
	uint64_t *word = state_word(a, from);
	unsigned low = from % WORD_PAGES * 8, high = (to - 1) % WORD_PAGES * 8 + 8;
	uint64_t mask = ~0ull >> (64 - (high - low)) << low, old;

	old = __atomic_load_n(word, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(word, &old, (old & ~mask) | (bytes & mask), false,
	    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void put(struct arena *a, uint32_t page, uint32_t count, uint8_t state, uint8_t more)
{
	uint64_t all = more * 0x0101010101010101ull, first = (uint64_t)(state ^ more)
	    << page % WORD_PAGES * 8;
	uint32_t end = page + count;

	while (page < end) {
		uint32_t next = (page / WORD_PAGES + 1) * WORD_PAGES;

		next = next < end ? next : end;
		put_word(a, page, next, all ^ first);
		first = 0;
		page = next;
	}
}

void __twz_alloc_put_states(struct arena *a, uint32_t page, uint32_t count, uint8_t state)
{
	put(a, page, count, state, state ? PAGE_MORE : PAGE_FREE);
}

/* --- the summary of a group */

/* A bit for each free page of a group. */
static uint64_t free_of_group(const struct arena *a, uint32_t group)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < GROUP_PAGES / WORD_PAGES; i++) {
		uint32_t page = group * GROUP_PAGES + i * WORD_PAGES;
		uint64_t states = load_states(a, page);

		if (!states && page + WORD_PAGES <= a->pages) {
			bits |= 0xffull << i * WORD_PAGES;
			continue;
		}
		for (unsigned j = 0; j < WORD_PAGES; j++)
			if (page + j < a->pages && !(states >> j * 8 & 0xff))
				bits |= 1ull << (i * WORD_PAGES + j);
	}
	return bits;
}

static uint8_t longest_run(uint64_t bits)
{
	uint8_t n = 0;

	if (bits == ~0ull)
		return GROUP_PAGES;
	for (; bits; bits &= bits << 1)
		n++;
	return n;
}

static bool has_chunk(uint64_t bits)
{
	for (unsigned i = 0; i < GROUP_PAGES; i += CHUNK_PAGES)
		if ((bits >> i & 0xffff) == 0xffff)
			return true;
	return false;
}

static void note_group(struct arena *a, uint32_t group)
{
	struct alloc_finder *f = a->finder;
	uint64_t bits = free_of_group(a, group), bit = 1ull << group % 64;

	f->longest[group] = longest_run(bits);
	if (has_chunk(bits))
		f->chunk_groups[group / 64] |= bit;
	else
		f->chunk_groups[group / 64] &= ~bit;
}

static void note_64_groups(struct arena *a, uint32_t first)
{
	const uint8_t *longest = a->finder->longest + first;
	uint8_t most = 0;

	for (unsigned i = 0; i < 64; i++)
		most = longest[i] > most ? longest[i] : most;
	a->finder->longest_of_64[first / 64] = most;
}

void __twz_alloc_note(struct arena *a, uint32_t page, uint32_t count)
{
	uint32_t first = page / GROUP_PAGES, last = (page + count - 1) / GROUP_PAGES;

	for (uint32_t g = first; g <= last; g++)
		note_group(a, g);
	for (uint32_t g = first / 64 * 64; g <= last; g += 64)
		note_64_groups(a, g);
}

/* --- growing */

/* What the object held before it had an allocator does not matter. */
static void clear_states(struct arena *a, uint32_t page, uint32_t count)
{
	bool cleared = false;

	for (uint32_t p = page; p < page + count; p += WORD_PAGES) {
		if (!load_states(a, p))
			continue;
		__atomic_store_n(state_word(a, p), 0, __ATOMIC_RELAXED);
		__twz_obj_flush(a->o, state_word(a, p), sizeof(uint64_t));
		cleared = true;
	}
	if (cleared)
		__twz_obj_fence(a->o);
}

/* Let pages of one more zone be used; they are free. Durable before any state of them is. */
static int grow(struct arena *a)
{
	uint32_t end = __twz_alloc_end(a), left = a->pages - end;

	if (!left)
		return -ENOMEM;
	clear_states(a, end, left < ZONE_PAGES ? left : ZONE_PAGES);
	__twz_alloc_clear_zone(a, end / ZONE_PAGES);
	__atomic_store_n(&a->h->zones, end / ZONE_PAGES + 1, __ATOMIC_RELEASE);
	__twz_obj_flush(a->o, &a->h->zones, sizeof(a->h->zones));
	__twz_alloc_note(a, end, left < ZONE_PAGES ? left : ZONE_PAGES);
	return 0;
}

/* --- finding */

static int find_in_group(const struct arena *a, uint32_t group, uint32_t count, uint32_t *page)
{
	uint64_t bits = free_of_group(a, group);

	for (uint32_t n = 1; n < count; n++)
		bits &= bits >> 1;
	if (!bits)
		return -ENOMEM;
	*page = group * GROUP_PAGES + (uint32_t)__builtin_ctzl(bits);
	return 0;
}

/* Up to a group's pages, within one. */
static int find_few(const struct arena *a, uint32_t count, uint32_t *page)
{
	uint32_t groups = __twz_alloc_end(a) / GROUP_PAGES;

	for (uint32_t i = 0; i * 64 < groups; i++) {
		if (a->finder->longest_of_64[i] < count)
			continue;
		for (uint32_t g = i * 64; g < i * 64 + 64 && g < groups; g++)
			if (a->finder->longest[g] >= count && find_in_group(a, g, count, page) == 0)
				return 0;
	}
	return -ENOMEM;
}

/* Any number, one page after the other. */
static int find_many(const struct arena *a, uint32_t count, uint32_t *page)
{
	uint32_t end = __twz_alloc_end(a), run = 0;

	for (uint32_t p = 0; p < end; p++) {
		if (p % WORD_PAGES == 0 && end - p >= WORD_PAGES && load_states(a, p) == 0 &&
		    run + WORD_PAGES < count) {
			run += WORD_PAGES;
			p += WORD_PAGES - 1;
			continue;
		}
		run = __twz_alloc_state(a, p) == PAGE_FREE ? run + 1 : 0;
		if (run == count) {
			*page = p + 1 - count;
			return 0;
		}
	}
	return -ENOMEM;
}

static int find(const struct arena *a, uint32_t count, uint32_t *page)
{
	if (count <= GROUP_PAGES && find_few(a, count, page) == 0)
		return 0;
	return count > 1 ? find_many(a, count, page) : -ENOMEM;
}

/* Reserve what was found; it is only a summary that said it is free. */
static void reserve(struct arena *a, uint32_t page, uint32_t count)
{
	put(a, page, count, PAGE_RESERVED, PAGE_RESERVED_MORE);
	__twz_alloc_note(a, page, count);
}

int __twz_alloc_take_pages(struct arena *a, uint32_t count, uint32_t *page)
{
	int r = -ENOMEM;

	if (count > a->pages)
		return r;
	__twz_alloc_lock(a);
	while ((r = find(a, count, page)) == -ENOMEM && grow(a) == 0)
		;
	if (r == 0)
		reserve(a, *page, count);
	__twz_alloc_unlock(a);
	return r;
}

static int find_chunk(const struct arena *a, uint32_t *chunk)
{
	for (uint32_t i = 0; i < GROUPS_MAX / 64; i++) {
		uint64_t groups = a->finder->chunk_groups[i];

		for (; groups; groups &= groups - 1) {
			uint32_t g = i * 64 + (uint32_t)__builtin_ctzl(groups);
			uint64_t bits = (g + 1) * GROUP_PAGES <= a->pages ? free_of_group(a, g) : 0;

			for (unsigned c = 0; c < GROUP_PAGES / CHUNK_PAGES; c++) {
				*chunk = g * (GROUP_PAGES / CHUNK_PAGES) + c;
				if ((bits >> c * CHUNK_PAGES & 0xffff) == 0xffff)
					return 0;
			}
		}
	}
	return -ENOMEM;
}

int __twz_alloc_take_chunk(struct arena *a, uint32_t *chunk)
{
	int r;

	while ((r = find_chunk(a, chunk)) == -ENOMEM && grow(a) == 0)
		;
	if (r == 0)
		reserve(a, *chunk * CHUNK_PAGES, CHUNK_PAGES);
	return r;
}

void __twz_alloc_drop_pages(struct arena *a, uint32_t page, uint32_t count)
{
	__twz_alloc_lock(a);
	put(a, page, count, PAGE_FREE, PAGE_FREE);
	__twz_alloc_note(a, page, count);
	__twz_alloc_unlock(a);
}

uint32_t __twz_alloc_extent(const struct arena *a, uint32_t page)
{
	uint8_t state = __twz_alloc_state(a, page);
	uint8_t more = state == PAGE_LARGE ? PAGE_MORE : PAGE_RESERVED_MORE;
	uint64_t eight = more * 0x0101010101010101ull;
	uint32_t p = page + 1;

	if (state != PAGE_LARGE && state != PAGE_RESERVED)
		return 0;
	while (p < a->pages && __twz_alloc_state(a, p) == more) {
		if (p % WORD_PAGES == 0 && a->pages - p >= WORD_PAGES && load_states(a, p) == eight)
			p += WORD_PAGES;
		else
			p++;
	}
	return p - page;
}

uint32_t __twz_alloc_next(const struct arena *a, uint32_t page, uint32_t end)
{
	while (page < end && page % WORD_PAGES == 0 && !load_states(a, page))
		page += WORD_PAGES;
	return page < end ? page : end;
}

/* --- after a reset */

static bool is_reserved(uint8_t state)
{
	return state == PAGE_RESERVED || state == PAGE_RESERVED_MORE;
}

/* What was reserved is free. */
static void forget_reserved(struct arena *a, uint32_t page)
{
	uint64_t states = load_states(a, page);

	for (unsigned i = 0; i < WORD_PAGES; i++)
		if (is_reserved((uint8_t)(states >> i * 8)))
			states &= ~(0xffull << i * 8);
	__atomic_store_n(state_word(a, page), states, __ATOMIC_RELAXED);
}

void __twz_alloc_rebuild_pages(struct arena *a)
{
	uint32_t end = __twz_alloc_end(a);

	memset(a->finder->longest, 0, sizeof(a->finder->longest));
	memset(a->finder->chunk_groups, 0, sizeof(a->finder->chunk_groups));
	memset(a->finder->longest_of_64, 0, sizeof(a->finder->longest_of_64));
	for (uint32_t p = 0; p < end; p += WORD_PAGES)
		if (load_states(a, p))
			forget_reserved(a, p);
	if (end)
		__twz_alloc_note(a, 0, end);
}
