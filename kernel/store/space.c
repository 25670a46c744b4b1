// SPDX-License-Identifier: BSD-3-Clause
/*
 * Free pages: a bitmap with one bit per page of the store, searched from where the last page was
 * found.
 */
#include <base/bits.h>
#include "internal.h"

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

/* A word with a free page, seen through the transaction; damaged words are passed over. */
static bool find_word(struct store *st, uint64_t *index, uint64_t *bits)
{
	uint64_t full = store_seal(MAP_FULL);

	for (uint64_t n = 0; n < st->bitmap_words; n++) {
		uint64_t at = st->hint + n;

		if (at >= st->bitmap_words)
			at -= st->bitmap_words;
		if (store_raw(st, map_word(st, at)) == full)
			continue;
		if (store_tx_get(st, map_word(st, at), bits) == 0 && *bits < MAP_FULL) {
			*index = at;
			return true;
		}
	}
	return false;
}

int store_space_take(struct store *st, uint64_t *page)
{
	uint64_t index, bits;

	if (st->tx.error)
		return st->tx.error;
	if (!find_word(st, &index, &bits))
		return store_tx_fail(st, store_damaged(st, "free page count", STATE_OFFSET));
	unsigned bit = bit_lowest(~bits);

	*page = index * MAP_PAGES + bit;
	if (*page < st->first_data || *page >= st->pages)
		return store_tx_fail(st, store_damaged(st, "bitmap", map_word(st, index)));
	st->hint = index;
	store_tx_put(st, map_word(st, index), bits | 1ull << bit);
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
	st->hint = page / MAP_PAGES;
	store_tx_put(st, offset, bits & ~bit);
	store_tx_state_add(st, STATE_FREE, 1);
	return 0;
}
