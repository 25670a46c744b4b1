// SPDX-License-Identifier: BSD-3-Clause
/*
 * Freeing an object: a small one in one transaction, others a bounded number of pages at a time.
 * Each transaction takes pages out of the object's tree and gives them back to the bitmap, so it
 * can stop anywhere; the orphan list remembers the rest.
 */
#include "internal.h"

#define FREEING_START (struct store_freeing){ .direct = INODE_LOW, .side = INODE_SIDE_LEAF }

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
static int release_at(struct store *st, uint64_t inode, uint64_t offset, const struct store_freeing *at)
{
	uint64_t page;
	int error = store_read_page(st, offset, &page);

	if (error || !page)
		return error;
	error = store_page_drop(st, page);
	if (error || at->whole)
		return error;
	store_tx_put(st, offset, 0);
	store_tx_add(st, inode_word(inode, INODE_PAGES), -1);
	return 0;
}

static int release_run(struct store *st, uint64_t inode, uint64_t offset, uint64_t run,
		       const struct store_freeing *at)
{
	int error = store_space_release_run(st, run);

	if (error || at->whole)
		return error;
	store_tx_put(st, offset, 0);
	store_tx_add(st, inode_word(inode, INODE_PAGES), -(int64_t)STORE_RUN_PAGES);
	return 0;
}

/* The first of the words first … end-1 of a page that is not zero, or `end`. */
static unsigned next_used(struct store *st, uint64_t page, unsigned first, unsigned end)
{
	return first + (unsigned)store_zeroes(st, page * STORE_PAGE_SIZE + 8ull * first, end - first);
}

static bool free_direct(struct store *st, uint64_t inode, struct store_freeing *at)
{
	while ((at->direct = next_used(st, inode, at->direct, INODE_DIRECT_END)) < INODE_DIRECT_END) {
		if (!room(st))
			return false;
		if (release_at(st, inode, inode_word(inode, at->direct++), at))
			at->damaged = true;
	}
	return true;
}

static bool free_entries(struct store *st, uint64_t inode, uint64_t leaf, struct store_freeing *at)
{
	while ((at->entry = next_used(st, leaf, at->entry, PAGE_WORDS)) < PAGE_WORDS) {
		if (!room(st))
			return false;
		if (release_at(st, inode, leaf * STORE_PAGE_SIZE + 8ull * at->entry++, at))
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
		at->leaf_damaged = release_run(st, inode, offset, run, at) != 0;
	} else if (leaf && !free_entries(st, inode, leaf, at)) {
		return false;
	} else if (!at->leaf_damaged && release_at(st, inode, offset, at)) {
		at->leaf_damaged = true;
	}
	at->damaged |= at->leaf_damaged;
	at->leaf_damaged = false;
	at->entry = 0;
	return true;
}

static bool free_side(struct store *st, uint64_t inode, struct store_freeing *at)
{
	while ((at->side = next_used(st, inode, at->side, INODE_SIDE_END)) < INODE_SIDE_END) {
		if (!room(st) || !free_leaf(st, inode, inode_word(inode, at->side), at))
			return false;
		at->side++;
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
	while (node && (at->leaf = next_used(st, node, at->leaf, PAGE_WORDS)) < PAGE_WORDS) {
		if (!room(st) ||
		    !free_leaf(st, inode, node * STORE_PAGE_SIZE + 8ull * at->leaf, at))
			return false;
		at->leaf++;
	}
	if (!room(st))
		return false;
	if (!at->damaged && release_at(st, inode, offset, at))
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

/* Where an object stands that is to go. */
struct place {
	uint64_t link, next; /* the word of its chain that names it, 0 if it is in none; what it names instead */
	bool orphan;         /* on the orphan list */
};

/* `at_once`: whether it is in use by parents or not marked deleted does not matter. */
static int find_place(struct store *st, const struct store_handle *h, bool at_once, struct place *place)
{
	struct chain chain;
	uint64_t marks, parents;
	int error = store_read(st, inode_word(h->inode, INODE_FLAGS), &marks);

	*place = (struct place){ .orphan = true };
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
		error = store_read_page(st, inode_word(h->inode, INODE_NEXT), &place->next);
	place->link = chain.link;
	place->orphan = marks & INODE_DELETED && !parents;
	return error == -ENOENT ? store_damaged(st, "object in no chain",
						h->inode * STORE_PAGE_SIZE) : error;
}

/* Take the object out of its chain; from here on it is hidden, and an orphan. */
static int hide(struct store *st, uint64_t inode, const struct place *place)
{
	if (!place->link)
		return 0;
	store_tx_begin(st);
	store_tx_put(st, place->link, place->next);
	store_tx_put(st, inode_word(inode, INODE_NEXT), 0);
	store_tx_put(st, inode_word(inode, INODE_FLAGS), INODE_HIDDEN);
	if (!place->orphan)
		store_list_add(st, &store_orphans, inode);
	return store_tx_commit(st);
}

/* The inode itself. Part of the transaction. */
static void release_inode(struct store *st, uint64_t inode)
{
	store_list_remove(st, &store_orphans, inode);
	int error = store_space_release(st, inode);

	if (error)
		store_tx_fail(st, error);
	store_tx_state_add(st, STATE_OBJECTS, -1);
}

static int free_inode(struct store *st, uint64_t inode)
{
	store_tx_begin(st);
	release_inode(st, inode);
	return store_tx_commit(st);
}

static bool has_ties(const struct store *st, uint64_t inode)
{
	return store_raw(st, inode_word(inode, INODE_TIES_OUT)) ||
	       store_raw(st, inode_word(inode, INODE_TIES_IN));
}

/* All of an orphan in one transaction, if that is enough. False: nothing has changed. */
static bool free_whole(struct store *st, uint64_t inode, const struct place *place)
{
	struct store_freeing at = FREEING_START;

	if (has_ties(st, inode))
		return false;
	at.whole = true;
	store_tx_begin(st);
	if (place->link)
		store_tx_put(st, place->link, place->next);
	if (!free_direct(st, inode, &at) || !free_side(st, inode, &at) || !free_tree(st, inode, &at) ||
	    at.damaged)
		return false;
	release_inode(st, inode);
	return store_tx_commit(st) == 0;
}

int store_free_begin(struct store *st, const struct store_handle *h, struct store_freeing *at)
{
	struct place place;

	*at = FREEING_START;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = find_place(st, h, false, &place);

	if (!error)
		at->done = free_whole(st, h->inode, &place);
	if (!error && !at->done)
		error = hide(st, h->inode, &place);
	store_lock_release(&st->lock);
	return error;
}

/* Its pages stay until the next step. */
int store_withdraw_begin(struct store *st, const struct store_handle *h, struct store_freeing *at)
{
	struct place place;

	*at = FREEING_START;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = find_place(st, h, true, &place);

	if (!error)
		error = hide(st, h->inode, &place);
	store_lock_release(&st->lock);
	return error;
}

int store_free_more(struct store *st, const struct store_handle *h, struct store_freeing *at)
{
	if (at->done)
		return 0;
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
