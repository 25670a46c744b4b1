// SPDX-License-Identifier: BSD-3-Clause
/*
 * From page number to page: an object's tree. The lowest and the highest 64 page numbers have words
 * in the inode; all others are reached over one node of 512 leaves of 512 words each, or of runs
 * of 512 pages. Side pages are numbers behind all others: 64 words and 16 leaves of the inode.
 */
#include "internal.h"

static uint64_t direct_word(uint64_t inode, uint64_t pgnr)
{
	if (pgnr < DIRECT_PAGES)
		return inode_word(inode, INODE_LOW + (unsigned)pgnr);
	if (pgnr >= FIRST_HIGH && pgnr < SIDE_FIRST)
		return inode_word(inode, INODE_HIGH + (unsigned)(pgnr - FIRST_HIGH));
	if (pgnr >= SIDE_FIRST && pgnr < SIDE_FIRST + DIRECT_PAGES)
		return inode_word(inode, INODE_SIDE + (unsigned)(pgnr - SIDE_FIRST));
	return 0;
}

/* Where the word that names the leaf of `pgnr` is, given the node (0 for none). */
static uint64_t leaf_word(uint64_t inode, uint64_t node, uint64_t pgnr)
{
	if (pgnr >= SIDE_FIRST)
		return inode_word(inode, INODE_SIDE_LEAF +
						 (unsigned)((pgnr - SIDE_FIRST) / PAGE_WORDS));
	return node ? node * STORE_PAGE_SIZE + 8 * (pgnr / PAGE_WORDS) : 0;
}

int store_tree_leaf(struct store *st, uint64_t offset, uint64_t *page, uint64_t *run)
{
	int error = store_read(st, offset, page);

	*run = 0;
	if (error || !*page)
		return error;
	if (*page & LEAF_RUN)
		*run = *page &= ~LEAF_RUN;
	uint64_t count = *run ? STORE_RUN_PAGES : 1;

	if (*page < st->first_data || *page > st->pages - count)
		return store_damaged(st, "page number out of range", offset);
	return 0;
}

int store_tree_find(struct store *st, uint64_t inode, uint64_t pgnr, struct slot *slot)
{
	uint64_t node = 0, leaf;
	int error = 0;

	*slot = (struct slot){ .word = direct_word(inode, pgnr) };
	if (slot->word)
		return store_read_page(st, slot->word, &slot->page);
	if (pgnr < SIDE_FIRST)
		error = store_read_page(st, inode_word(inode, INODE_NODE), &node);
	slot->leaf = leaf_word(inode, node, pgnr);
	if (error || !slot->leaf)
		return error;
	error = store_tree_leaf(st, slot->leaf, &leaf, &slot->run);
	if (error || !leaf)
		return error;
	if (slot->run) {
		slot->page = slot->run + pgnr % PAGE_WORDS;
		return 0;
	}
	slot->word = leaf * STORE_PAGE_SIZE + 8 * (pgnr % PAGE_WORDS);
	return store_read_page(st, slot->word, &slot->page);
}

static int get_page(struct store *st, uint64_t inode, uint64_t pgnr, void **page)
{
	struct slot slot;
	int error = store_tree_find(st, inode, pgnr, &slot);

	if (!error)
		*page = slot.page ? store_page_at(st, slot.page) : NULL;
	return error;
}

int store_page_get(struct store *st, const struct store_handle *h, uint64_t pgnr, void **page)
{
	return pgnr < STORE_OBJECT_PAGES ? get_page(st, h->inode, pgnr, page) : -EINVAL;
}

int store_side_get(struct store *st, const struct store_handle *h, uint64_t n, void **page)
{
	return n < STORE_SIDE_PAGES ? get_page(st, h->inode, SIDE_FIRST + n, page) : -EINVAL;
}

/* The first non-zero one of the words of [*pgnr, end), which stand in a row from `offset` on. */
static int next_word(struct store *st, uint64_t offset, uint64_t end, uint64_t *pgnr, void **page)
{
	uint64_t number;

	for (; *pgnr < end; ++*pgnr, offset += 8) {
		uint64_t zeroes = st->overlay ? 0 : store_zeroes(st, offset, end - *pgnr);

		*pgnr += zeroes;
		offset += 8 * zeroes;
		if (*pgnr == end)
			break;
		int error = store_read_page(st, offset, &number);

		if (error)
			return error;
		if (number) {
			*page = store_page_at(st, number);
			return 1;
		}
	}
	return 0;
}

/* As next_word() within one leaf or run, up to `end`. */
static int next_in_leaf(struct store *st, uint64_t offset, uint64_t end, uint64_t *pgnr,
			void **page)
{
	uint64_t leaf, run;
	int error = store_tree_leaf(st, offset, &leaf, &run);

	if (error)
		return error;
	if (run) {
		*page = store_page_at(st, run + *pgnr % PAGE_WORDS);
		return 1;
	}
	if (leaf)
		return next_word(st, leaf * STORE_PAGE_SIZE + 8 * (*pgnr % PAGE_WORDS), end, pgnr,
				 page);
	*pgnr = end;
	return 0;
}

/* As next_word() for page numbers below FIRST_HIGH that the inode has no words for. */
static int next_in_leaves(struct store *st, uint64_t inode, uint64_t *pgnr, void **page)
{
	uint64_t node;
	int found = store_read_page(st, inode_word(inode, INODE_NODE), &node);

	while (!found && node && *pgnr < FIRST_HIGH) {
		uint64_t end = (*pgnr / PAGE_WORDS + 1) * PAGE_WORDS;

		found = next_in_leaf(st, leaf_word(inode, node, *pgnr),
				     end < FIRST_HIGH ? end : FIRST_HIGH, pgnr, page);
	}
	return found;
}

int store_page_next(struct store *st, const struct store_handle *h, uint64_t *pgnr, void **page)
{
	int found = 0;

	if (*pgnr < DIRECT_PAGES)
		found = next_word(st, direct_word(h->inode, *pgnr), DIRECT_PAGES, pgnr, page);
	if (!found && *pgnr < FIRST_HIGH)
		found = next_in_leaves(st, h->inode, pgnr, page);
	if (!found && *pgnr < FIRST_HIGH)
		*pgnr = FIRST_HIGH;
	if (!found && *pgnr < STORE_OBJECT_PAGES)
		found = next_word(st, direct_word(h->inode, *pgnr), STORE_OBJECT_PAGES, pgnr, page);
	return found;
}

/*
 * The page number in the word at `offset`; if there is none, a new page for it, filled from
 * `content`. Part of the transaction; 0 when that failed.
 */
static uint64_t page_for(struct store *st, uint64_t inode, uint64_t offset, const void *content)
{
	uint64_t page;
	int error = store_read_page(st, offset, &page);

	if (error)
		store_tx_fail(st, error);
	if (error || page)
		return error ? 0 : page;
	if (store_space_take(st, &page))
		return 0;
	store_fresh_fill(st, page, content);
	store_tx_put(st, offset, page);
	store_tx_add(st, inode_word(inode, INODE_PAGES), 1);
	return page;
}

uint64_t store_tree_leaf_word(struct store *st, uint64_t inode, uint64_t pgnr)
{
	uint64_t node = 0;

	if (pgnr < SIDE_FIRST)
		node = page_for(st, inode, inode_word(inode, INODE_NODE), NULL);
	return leaf_word(inode, node, pgnr);
}

uint64_t store_tree_word(struct store *st, uint64_t inode, uint64_t pgnr)
{
	uint64_t offset = direct_word(inode, pgnr);

	if (offset)
		return offset;
	uint64_t at = store_tree_leaf_word(st, inode, pgnr);
	uint64_t leaf = at ? page_for(st, inode, at, NULL) : 0;

	return leaf ? leaf * STORE_PAGE_SIZE + 8 * (pgnr % PAGE_WORDS) : 0;
}

int store_tree_missing(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t *count)
{
	struct slot slot;
	int error = store_tree_find(st, inode, pgnr, &slot);

	*count = slot.word || slot.run ? 0 : slot.leaf ? 1 : 2;
	return error;
}

static int alloc_locked(struct store *st, uint64_t inode, uint64_t pgnr, const void *content,
			void **page)
{
	uint64_t missing, offset, number = 0;
	int error = get_page(st, inode, pgnr, page);

	if (error || *page)
		return error;
	error = store_tree_missing(st, inode, pgnr, &missing);
	if (error)
		return error;
	store_tx_begin(st);
	if (store_space_need(st, 1 + missing))
		return st->tx.error;
	offset = store_tree_word(st, inode, pgnr);
	if (offset)
		number = page_for(st, inode, offset, content);
	error = store_tx_commit(st);
	if (!error)
		*page = store_page_at(st, number);
	return error;
}

static int alloc(struct store *st, uint64_t inode, uint64_t pgnr, const void *content, void **page)
{
	void *found = NULL;

	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = alloc_locked(st, inode, pgnr, content, &found);

	store_lock_release(&st->lock);
	if (!error)
		*page = found;
	return error;
}

int store_page_alloc(struct store *st, const struct store_handle *h, uint64_t pgnr,
		     const void *content, void **page)
{
	if (!pgnr || pgnr >= STORE_OBJECT_PAGES)
		return -EINVAL;
	return alloc(st, h->inode, pgnr, content, page);
}

int store_side_alloc(struct store *st, const struct store_handle *h, uint64_t n,
		     const void *content, void **page)
{
	return n < STORE_SIDE_PAGES ? alloc(st, h->inode, SIDE_FIRST + n, content, page) : -EINVAL;
}
