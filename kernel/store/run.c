// SPDX-License-Identifier: BSD-3-Clause
/*
 * Runs: 512 pages of an object that lie in a row and aligned, so that one translation maps them
 * all. A node word names a run instead of a leaf. A run that is not whole any more becomes a leaf.
 */
#include "internal.h"

/* The 512 page numbers of the run, as a new leaf; the pages stay where they are. */
int store_run_split(struct store *st, uint64_t inode, uint64_t pgnr)
{
	struct slot slot;
	uint64_t leaf;
	int error = store_tree_find(st, inode, pgnr, &slot);

	if (error || !slot.run)
		return error;
	store_tx_begin(st);
	if (store_space_take(st, &leaf))
		return st->tx.error;
	uint64_t *words = store_page_at(st, leaf);

	for (unsigned i = 0; i < PAGE_WORDS; i++)
		pm_store64(&words[i], store_seal(slot.run + i));
	store_fresh_done(st, leaf, 1);
	store_tx_put(st, slot.leaf, leaf);
	store_tx_add(st, inode_word(inode, INODE_PAGES), 1);
	return store_tx_commit(st);
}

/* A leaf stays even when it is empty: somebody may be reading it without the lock. */
static int no_leaf(struct store *st, uint64_t offset)
{
	uint64_t page, run;
	int error = offset ? store_tree_leaf(st, offset, &page, &run) : 0;

	return error || !offset ? error : page ? -EEXIST : 0;
}

static int alloc_locked(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t *first)
{
	struct slot slot;
	int error = store_tree_find(st, inode, pgnr, &slot);

	if (!error)
		error = no_leaf(st, slot.leaf);
	if (error)
		return error;
	store_tx_begin(st);
	if (store_space_need(st, STORE_RUN_PAGES + !slot.leaf) || store_space_take_run(st, first))
		return st->tx.error;
	uint64_t offset = store_tree_leaf_word(st, inode, pgnr);

	if (!offset)
		return st->tx.error;
	pm_zero(store_page_at(st, *first), STORE_RUN_PAGES * STORE_PAGE_SIZE);
	store_fresh_done(st, *first, STORE_RUN_PAGES);
	store_tx_put(st, offset, LEAF_RUN | *first);
	store_tx_add(st, inode_word(inode, INODE_PAGES), STORE_RUN_PAGES);
	return store_tx_commit(st);
}

int store_run_alloc(struct store *st, const struct store_handle *h, uint64_t first_pgnr,
		    void **run)
{
	uint64_t first;

	if (!first_pgnr || first_pgnr % STORE_RUN_PAGES ||
	    first_pgnr >= STORE_OBJECT_PAGES - STORE_RUN_PAGES)
		return -EINVAL;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = alloc_locked(st, h->inode, first_pgnr, &first);

	store_lock_release(&st->lock);
	if (!error)
		*run = store_page_at(st, first);
	return error;
}

int store_run_get(struct store *st, const struct store_handle *h, uint64_t pgnr, void **run)
{
	struct slot slot;

	if (pgnr >= STORE_OBJECT_PAGES)
		return -EINVAL;
	int error = store_tree_find(st, h->inode, pgnr, &slot);

	if (error || !slot.run)
		return error;
	*run = store_page_at(st, slot.run);
	return (uintptr_t)*run % (STORE_RUN_PAGES * STORE_PAGE_SIZE) == 0;
}
