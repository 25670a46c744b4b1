// SPDX-License-Identifier: BSD-3-Clause
/*
 * The pages of an object. The lowest and the highest 64 page numbers have words in the inode; all
 * others are reached over one node of 512 leaves of 512 words each.
 */
#include "internal.h"

static uint64_t direct_word(uint64_t inode, uint64_t pgnr)
{
	if (pgnr < DIRECT_PAGES)
		return inode_word(inode, INODE_LOW + (unsigned)pgnr);
	if (pgnr >= FIRST_HIGH)
		return inode_word(inode, INODE_HIGH + (unsigned)(pgnr - FIRST_HIGH));
	return 0;
}

int store_tree_word(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t *offset)
{
	uint64_t page;

	*offset = direct_word(inode, pgnr);
	if (*offset)
		return 0;
	int error = store_read_page(st, inode_word(inode, INODE_NODE), &page);

	if (error || !page)
		return error;
	error = store_read_page(st, page * STORE_PAGE_SIZE + 8 * (pgnr / PAGE_WORDS), &page);
	if (error || !page)
		return error;
	*offset = page * STORE_PAGE_SIZE + 8 * (pgnr % PAGE_WORDS);
	return 0;
}

static int find_page(struct store *st, uint64_t inode, uint64_t pgnr, void **page)
{
	uint64_t offset, number = 0;
	int error = store_tree_word(st, inode, pgnr, &offset);

	if (!error && offset)
		error = store_read_page(st, offset, &number);
	if (!error)
		*page = number ? store_page_at(st, number) : NULL;
	return error;
}

int store_page_get(struct store *st, const struct store_handle *h, uint64_t pgnr, void **page)
{
	if (pgnr >= STORE_OBJECT_PAGES)
		return -EINVAL;
	return find_page(st, h->inode, pgnr, page);
}

/* The first non-zero one of the words of [*pgnr, end), which stand in a row from `offset` on. */
static int next_word(struct store *st, uint64_t offset, uint64_t end, uint64_t *pgnr, void **page)
{
	uint64_t number;

	for (; *pgnr < end; ++*pgnr, offset += 8) {
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

/* As next_word() for page numbers below FIRST_HIGH that the inode has no words for. */
static int next_in_leaves(struct store *st, uint64_t inode, uint64_t *pgnr, void **page)
{
	uint64_t node, leaf;
	int found = store_read_page(st, inode_word(inode, INODE_NODE), &node);

	while (!found && node && *pgnr < FIRST_HIGH) {
		uint64_t index = *pgnr / PAGE_WORDS;
		uint64_t end = (index + 1) * PAGE_WORDS;

		found = store_read_page(st, node * STORE_PAGE_SIZE + 8 * index, &leaf);
		if (!found && leaf)
			found = next_word(st, leaf * STORE_PAGE_SIZE + 8 * (*pgnr % PAGE_WORDS),
					  end < FIRST_HIGH ? end : FIRST_HIGH, pgnr, page);
		else if (!found)
			*pgnr = end;
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

/* The offset of the word for `pgnr`, with node and leaf made as needed. 0: failed. */
static uint64_t word_for(struct store *st, uint64_t inode, uint64_t pgnr)
{
	uint64_t offset = direct_word(inode, pgnr);

	if (offset)
		return offset;
	uint64_t node = page_for(st, inode, inode_word(inode, INODE_NODE), NULL);

	if (!node)
		return 0;
	uint64_t at = node * STORE_PAGE_SIZE + 8 * (pgnr / PAGE_WORDS);
	uint64_t leaf = page_for(st, inode, at, NULL);

	return leaf ? leaf * STORE_PAGE_SIZE + 8 * (pgnr % PAGE_WORDS) : 0;
}

/* How many pages an allocation at `pgnr` takes: 1 to 3. */
static int pages_needed(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t *count)
{
	uint64_t offset, node;
	int error = store_tree_word(st, inode, pgnr, &offset);

	if (error)
		return error;
	error = store_read_page(st, inode_word(inode, INODE_NODE), &node);
	*count = offset ? 1 : node ? 2 : 3;
	return error;
}

static int alloc_locked(struct store *st, uint64_t inode, uint64_t pgnr, const void *content,
			void **page)
{
	uint64_t need, offset, number = 0;
	int error = find_page(st, inode, pgnr, page);

	if (error || *page)
		return error;
	error = pages_needed(st, inode, pgnr, &need);
	if (error)
		return error;
	store_tx_begin(st);
	if (store_space_need(st, need))
		return st->tx.error;
	offset = word_for(st, inode, pgnr);
	if (offset)
		number = page_for(st, inode, offset, content);
	error = store_tx_commit(st);
	if (!error)
		*page = store_page_at(st, number);
	return error;
}

int store_page_alloc(struct store *st, const struct store_handle *h, uint64_t pgnr,
		     const void *content, void **page)
{
	void *found = NULL;

	if (!pgnr || pgnr >= STORE_OBJECT_PAGES)
		return -EINVAL;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = alloc_locked(st, h->inode, pgnr, content, &found);

	store_lock_release(&st->lock);
	if (!error)
		*page = found;
	return error;
}
