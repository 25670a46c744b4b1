// SPDX-License-Identifier: BSD-3-Clause
/*
 * Freeing an object, a bounded number of pages at a time. Each transaction takes pages out of the
 * object's tree and gives them back to the bitmap, so it can stop anywhere; the orphan list
 * remembers the rest.
 */
#include "internal.h"

#define SIDE_LEAVES (INODE_SIDE_END - INODE_SIDE_LEAF)

/* A release changes at most 5 words: its own, the bitmap's, two free counts, the page count. */
static bool room(const struct store *st)
{
	return st->tx.count + 5 <= STORE_TX_WORDS;
}

/* That of a run has up to 17 words of the bitmap. */
static bool room_for_run(const struct store *st)
{
	return st->tx.count + 21 <= STORE_TX_WORDS;
}

/* Free the page named by the word at `offset`, if any. Part of the transaction. */
static int release_at(struct store *st, uint64_t inode, uint64_t offset)
{
	uint64_t page;
	int error = store_read_page(st, offset, &page);

	if (error || !page)
		return error;
	error = store_page_drop(st, page);
	if (error)
		return error;
	store_tx_put(st, offset, 0);
	store_tx_add(st, inode_word(inode, INODE_PAGES), -1);
	return 0;
}

static int release_run(struct store *st, uint64_t inode, uint64_t offset, uint64_t run)
{
	int error = store_space_release_run(st, run);

	if (error)
		return error;
	store_tx_put(st, offset, 0);
	store_tx_add(st, inode_word(inode, INODE_PAGES), -(int64_t)STORE_RUN_PAGES);
	return 0;
}

static bool free_direct(struct store *st, uint64_t inode, struct store_freeing *at)
{
	for (; at->direct < INODE_DIRECT_END; at->direct++) {
		if (!room(st))
			return false;
		if (release_at(st, inode, inode_word(inode, at->direct)))
			at->damaged = true;
	}
	return true;
}

static bool free_entries(struct store *st, uint64_t inode, uint64_t leaf, struct store_freeing *at)
{
	for (; at->entry < PAGE_WORDS; at->entry++) {
		if (!room(st))
			return false;
		if (release_at(st, inode, leaf * STORE_PAGE_SIZE + 8ull * at->entry))
			at->leaf_damaged = true;
	}
	return room(st);
}

static bool free_leaf(struct store *st, uint64_t inode, uint64_t offset, struct store_freeing *at)
{
	uint64_t leaf, run;

	if (store_tree_leaf(st, offset, &leaf, &run)) {
		at->leaf_damaged = true;
	} else if (run) {
		if (!room_for_run(st))
			return false;
		at->leaf_damaged = release_run(st, inode, offset, run) != 0;
	} else if (leaf && !free_entries(st, inode, leaf, at)) {
		return false;
	} else if (!at->leaf_damaged && release_at(st, inode, offset)) {
		at->leaf_damaged = true;
	}
	at->damaged |= at->leaf_damaged;
	at->leaf_damaged = false;
	at->entry = 0;
	return true;
}

static bool free_side(struct store *st, uint64_t inode, struct store_freeing *at)
{
	for (; at->side < SIDE_LEAVES; at->side++) {
		if (!room(st) ||
		    !free_leaf(st, inode, inode_word(inode, INODE_SIDE_LEAF + at->side), at))
			return false;
	}
	return true;
}

static bool free_tree(struct store *st, uint64_t inode, struct store_freeing *at)
{
	uint64_t offset = inode_word(inode, INODE_NODE);
	uint64_t node;

	if (store_read_page(st, offset, &node)) {
		at->damaged = true;
		return true;
	}
	for (; node && at->leaf < PAGE_WORDS; at->leaf++) {
		if (!room(st) ||
		    !free_leaf(st, inode, node * STORE_PAGE_SIZE + 8ull * at->leaf, at))
			return false;
	}
	if (!room(st))
		return false;
	if (!at->damaged && release_at(st, inode, offset))
		at->damaged = true;
	return true;
}

/* One transaction's worth. 1: more to do, 0: ties and content are gone, or an error. */
static int free_some(struct store *st, uint64_t inode, struct store_freeing *at)
{
	int more = at->ties_damaged ? 0 : store_tie_drop_first(st, inode);

	if (more > 0)
		return more;
	if (more < 0)
		at->ties_damaged = at->damaged = true;
	store_tx_begin(st);
	bool done = free_direct(st, inode, at) && free_side(st, inode, at) &&
		    free_tree(st, inode, at);
	int error = store_tx_commit(st);

	return error ? error : !done;
}

/*
 * Take the object out of its chain; from here on it is hidden, and an orphan. `at_once`: whether it is in use by
 * parents or not marked deleted does not matter.
 */
static int hide(struct store *st, const struct store_handle *h, bool at_once)
{
	struct chain chain;
	uint64_t marks, next, parents;
	int error = store_read(st, inode_word(h->inode, INODE_FLAGS), &marks);

	if (error || marks & INODE_HIDDEN)
		return error;
	if (!(marks & INODE_DELETED) && !at_once)
		return -EINVAL;
	error = store_read(st, inode_word(h->inode, INODE_IN_COUNT), &parents);
	if (error || (parents && !at_once))
		return error ? error : -EBUSY;
	error = store_chain_find(st, h->id, &chain);
	if (!error && chain.page != h->inode)
		error = -ENOENT;
	if (!error)
		error = store_read_page(st, inode_word(h->inode, INODE_NEXT), &next);
	if (error)
		return error == -ENOENT ? store_damaged(st, "object in no chain",
							h->inode * STORE_PAGE_SIZE) : error;
	store_tx_begin(st);
	store_tx_put(st, chain.link, next);
	store_tx_put(st, inode_word(h->inode, INODE_NEXT), 0);
	store_tx_put(st, inode_word(h->inode, INODE_FLAGS), INODE_HIDDEN);
	if (!(marks & INODE_DELETED) || parents)
		store_list_add(st, &store_orphans, h->inode);
	return store_tx_commit(st);
}

/* The last step: the inode itself. */
static int free_inode(struct store *st, uint64_t inode)
{
	store_tx_begin(st);
	store_list_remove(st, &store_orphans, inode);
	int error = store_space_release(st, inode);

	if (error)
		return error;
	store_tx_state_add(st, STATE_OBJECTS, -1);
	return store_tx_commit(st);
}

static int begin(struct store *st, const struct store_handle *h, bool at_once, struct store_freeing *at)
{
	*at = (struct store_freeing){ .direct = INODE_LOW };
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = hide(st, h, at_once);

	store_lock_release(&st->lock);
	return error;
}

int store_free_begin(struct store *st, const struct store_handle *h, struct store_freeing *at)
{
	return begin(st, h, false, at);
}

int store_withdraw_begin(struct store *st, const struct store_handle *h, struct store_freeing *at)
{
	return begin(st, h, true, at);
}

int store_free_more(struct store *st, const struct store_handle *h, struct store_freeing *at)
{
	store_lock_acquire(&st->lock);
	int more = free_some(st, h->inode, at);

	if (more == 0)
		more = at->damaged ? -EUCLEAN : free_inode(st, h->inode);
	store_lock_release(&st->lock);
	return more;
}

int store_free(struct store *st, const struct store_handle *h)
{
	struct store_freeing at;
	int more = store_free_begin(st, h, &at);

	if (more == 0)
		while ((more = store_free_more(st, h, &at)) > 0)
			;
	return more;
}
