// SPDX-License-Identifier: BSD-3-Clause
/*
 * Free pages: a bitmap with one bit per page of the store, and how to search it quickly.
 *
 * The words of the bitmap are divided into at most 4096 groups, each of one or more runs. A
 * volatile summary has a bit for each group that says "may have a free page", another "may have a
 * free run". A search in vain clears the bit, a release sets it: so every search in vain is paid
 * for by a release, or happens once after a mount.
 *
 * Single pages are taken from the low end of the store, runs from the high end.
 */
#include <base/bits.h>
#include "internal.h"

/* ---- The summary ---- */

static void summary_set(struct store_summary *summary, uint64_t group)
{
	summary->low[group / 64] |= 1ull << group % 64;
	summary->top |= 1ull << group / 64;
}

static void summary_clear(struct store_summary *summary, uint64_t group)
{
	summary->low[group / 64] &= ~(1ull << group % 64);
	if (!summary->low[group / 64])
		summary->top &= ~(1ull << group / 64);
}

/* The first `count` groups, at least one; the summary is empty. */
static void summary_fill(struct store_summary *summary, uint64_t count)
{
	uint64_t full = count / 64, rest = count % 64;

	for (uint64_t i = 0; i < full; i++)
		summary->low[i] = ~0ull;
	if (rest)
		summary->low[full] = (1ull << rest) - 1;
	summary->top = full + (rest != 0) == 64 ? ~0ull : (1ull << (full + (rest != 0))) - 1;
}

/* The first set group at or behind *group. */
static bool summary_up(const struct store_summary *summary, uint64_t *group)
{
	uint64_t word = *group / 64;

	if (word >= 64)
		return false;
	uint64_t bits = summary->low[word] >> *group % 64;

	if (bits) {
		*group += bit_lowest(bits);
		return true;
	}
	uint64_t above = word == 63 ? 0 : summary->top >> (word + 1);

	if (!above)
		return false;
	word += 1 + bit_lowest(above);
	*group = word * 64 + bit_lowest(summary->low[word]);
	return true;
}

/* The last set group. */
static bool summary_last(const struct store_summary *summary, uint64_t *group)
{
	if (!summary->top)
		return false;
	uint64_t word = ilog2(summary->top);

	*group = word * 64 + ilog2(summary->low[word]);
	return true;
}

static uint64_t group_words(const struct store *st)
{
	return (STORE_RUN_PAGES / MAP_PAGES) << st->group_shift;
}

static uint64_t group_of(const struct store *st, uint64_t page)
{
	return page / MAP_PAGES / group_words(st);
}

/* The first page a run could start at: runs are aligned as the machine counts, not the store. */
static uint64_t first_run(const struct store *st)
{
	uint64_t shift = (uintptr_t)st->base / STORE_PAGE_SIZE % STORE_RUN_PAGES;

	return (STORE_RUN_PAGES - shift) % STORE_RUN_PAGES;
}

void store_space_init(struct store *st)
{
	st->hint = st->first_data / MAP_PAGES;
	while ((st->bitmap_words - 1) / group_words(st) >= STORE_GROUPS)
		st->group_shift++;
	summary_fill(&st->may_page, (st->bitmap_words - 1) / group_words(st) + 1);
	st->may_run = st->may_page;
}

/* Tell the summary that the `count` pages from `page` on are free now. */
static void note_free(struct store *st, uint64_t page, uint64_t count)
{
	uint64_t offset = (page - first_run(st)) % STORE_RUN_PAGES; /* in the run around it */

	st->hint = page / MAP_PAGES;
	summary_set(&st->may_page, group_of(st, page));
	summary_set(&st->may_page, group_of(st, page + count - 1));
	if (page >= offset)
		summary_set(&st->may_run, group_of(st, page - offset));
}

/* ---- Words of the bitmap ---- */

static uint64_t map_word(const struct store *st, uint64_t index)
{
	return st->bitmap + 8 * index;
}

/* Refuse early, so that a full store is not searched in vain. */
int store_space_need(struct store *st, uint64_t pages)
{
	uint64_t free_pages;
	int error = store_state(st, STATE_FREE, &free_pages);

	if (error)
		return store_tx_fail(st, error);
	return free_pages < pages ? store_tx_fail(st, -ENOSPC) : 0;
}

/* A word of [from, to) with a free page, seen through the transaction; damaged ones are passed. */
static bool scan(struct store *st, uint64_t from, uint64_t to, bool *any, uint64_t *bits)
{
	uint64_t full = store_seal(MAP_FULL);

	for (uint64_t at = from; at < to && at < st->bitmap_words; at++) {
		if (store_raw(st, map_word(st, at)) == full)
			continue;
		*any = true;
		if (store_tx_get(st, map_word(st, at), bits) == 0 && *bits < MAP_FULL) {
			st->hint = at;
			return true;
		}
	}
	return false;
}

/* Sets the hint to a word with a free page. */
static bool find_word(struct store *st, uint64_t *bits)
{
	uint64_t words = group_words(st), group = st->hint / words;
	bool any;

	if (scan(st, st->hint, (group + 1) * words, &any, bits))
		return true;
	for (group = 0; summary_up(&st->may_page, &group); group++) {
		any = false;
		if (scan(st, group * words, (group + 1) * words, &any, bits))
			return true;
		if (!any)
			summary_clear(&st->may_page, group);
	}
	return false;
}

int store_space_take(struct store *st, uint64_t *page)
{
	uint64_t bits;

	if (st->tx.error)
		return st->tx.error;
	if (!find_word(st, &bits))
		return store_tx_fail(st, store_damaged(st, "free page count", STATE_OFFSET));
	unsigned bit = bit_lowest(~bits);

	*page = st->hint * MAP_PAGES + bit;
	if (*page < st->first_data || *page >= st->pages)
		return store_tx_fail(st, store_damaged(st, "bitmap", map_word(st, st->hint)));
	store_tx_put(st, map_word(st, st->hint), bits | 1ull << bit);
	store_tx_state_add(st, STATE_FREE, -1);
	return st->tx.error;
}

int store_space_release(struct store *st, uint64_t page)
{
	uint64_t offset = map_word(st, page / MAP_PAGES);
	uint64_t bit = 1ull << page % MAP_PAGES;
	uint64_t bits;
	int error = store_tx_get(st, offset, &bits);

	if (error)
		return error;
	if (!(bits & bit))
		return store_damaged(st, "page freed twice", page * STORE_PAGE_SIZE);
	note_free(st, page, 1);
	store_tx_put(st, offset, bits & ~bit);
	store_tx_state_add(st, STATE_FREE, 1);
	return 0;
}

/* ---- Runs ---- */

/* The bits that the run at `first` has in bitmap word `index`. */
static uint64_t run_bits(uint64_t first, uint64_t index)
{
	uint64_t low = index * MAP_PAGES < first ? first - index * MAP_PAGES : 0;
	uint64_t end = first + STORE_RUN_PAGES - index * MAP_PAGES;
	uint64_t bits = end >= MAP_PAGES ? MAP_FULL : (1ull << end) - 1;

	return bits & ~((1ull << low) - 1);
}

static uint64_t run_last_word(uint64_t first)
{
	return (first + STORE_RUN_PAGES - 1) / MAP_PAGES;
}

/* Whether all pages of the run are free (`want` 0) or in use (all ones). */
static bool run_is(struct store *st, uint64_t first, uint64_t want)
{
	uint64_t bits;

	for (uint64_t i = first / MAP_PAGES; i <= run_last_word(first); i++) {
		uint64_t mine = run_bits(first, i);

		if (store_tx_get(st, map_word(st, i), &bits) || (bits & mine) != (want & mine))
			return false;
	}
	return true;
}

static void mark_run(struct store *st, uint64_t first, bool in_use)
{
	for (uint64_t i = first / MAP_PAGES; i <= run_last_word(first); i++) {
		uint64_t mine = run_bits(first, i), bits = 0;
		int error = store_tx_get(st, map_word(st, i), &bits);

		if (error)
			store_tx_fail(st, error);
		store_tx_put(st, map_word(st, i), in_use ? bits | mine : bits & ~mine);
	}
	store_tx_state_add(st, STATE_FREE,
			   in_use ? -(int64_t)STORE_RUN_PAGES : (int64_t)STORE_RUN_PAGES);
}

/* The highest free run that starts in the group. */
static bool find_in_group(struct store *st, uint64_t group, uint64_t *first)
{
	uint64_t pages = group_words(st) * MAP_PAGES;
	uint64_t at = group * pages;

	at += (first_run(st) - at) % STORE_RUN_PAGES;
	for (uint64_t last = at + pages; last > at; last -= STORE_RUN_PAGES) {
		*first = last - STORE_RUN_PAGES;
		if (*first >= st->first_data && *first + STORE_RUN_PAGES <= st->pages &&
		    run_is(st, *first, 0))
			return true;
	}
	return false;
}

int store_space_take_run(struct store *st, uint64_t *first)
{
	uint64_t group;

	if (st->tx.error)
		return st->tx.error;
	while (summary_last(&st->may_run, &group)) {
		if (find_in_group(st, group, first)) {
			mark_run(st, *first, true);
			return st->tx.error;
		}
		summary_clear(&st->may_run, group);
	}
	return store_tx_fail(st, -ENOSPC);
}

int store_space_release_run(struct store *st, uint64_t first)
{
	if (!run_is(st, first, MAP_FULL))
		return store_damaged(st, "run freed twice", first * STORE_PAGE_SIZE);
	mark_run(st, first, false);
	note_free(st, first, STORE_RUN_PAGES);
	return 0;
}
