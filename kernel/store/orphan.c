// SPDX-License-Identifier: BSD-3-Clause
/*
 * The orphan list: objects that will not outlive the mount, so that no power cut can leak them.
 * It is doubly linked through the inodes; its head is a state word.
 */
#include "internal.h"

void store_orphan_add(struct store *st, uint64_t inode)
{
	uint64_t head;
	int error = store_state(st, STATE_ORPHANS, &head);

	if (error) {
		store_tx_fail(st, error);
		return;
	}
	store_tx_put(st, inode_word(inode, INODE_ORPHAN_NEXT), head);
	store_tx_put(st, inode_word(inode, INODE_ORPHAN_PREV), 0);
	if (head)
		store_tx_put(st, inode_word(head, INODE_ORPHAN_PREV), inode);
	store_tx_state(st, STATE_ORPHANS, inode);
}

void store_orphan_remove(struct store *st, uint64_t inode)
{
	uint64_t next_at = inode_word(inode, INODE_ORPHAN_NEXT);
	uint64_t prev_at = inode_word(inode, INODE_ORPHAN_PREV);
	uint64_t next, prev, head;

	if (store_read_page(st, next_at, &next) || store_read_page(st, prev_at, &prev) ||
	    store_state(st, STATE_ORPHANS, &head)) {
		store_tx_fail(st, -EUCLEAN);
		return;
	}
	if (!prev && head != inode) {
		store_tx_fail(st, store_damaged(st, "orphan list", prev_at));
		return;
	}
	if (prev)
		store_tx_put(st, inode_word(prev, INODE_ORPHAN_NEXT), next);
	else
		store_tx_state(st, STATE_ORPHANS, next);
	if (next)
		store_tx_put(st, inode_word(next, INODE_ORPHAN_PREV), prev);
	store_tx_put(st, next_at, 0);
	store_tx_put(st, prev_at, 0);
}

static int mark_locked(struct store *st, uint64_t inode)
{
	uint64_t marks;
	int error = store_read(st, inode_word(inode, INODE_FLAGS), &marks);

	if (error)
		return error;
	if (marks & INODE_HIDDEN)
		return -EINVAL;
	if (marks & INODE_DELETED)
		return 0;
	store_tx_begin(st);
	store_tx_put(st, inode_word(inode, INODE_FLAGS), marks | INODE_DELETED);
	store_orphan_add(st, inode);
	return store_tx_commit(st);
}

int store_mark_deleted(struct store *st, const struct store_handle *h)
{
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = mark_locked(st, h->inode);

	store_lock_release(&st->lock);
	return error;
}

int store_is_deleted(struct store *st, const struct store_handle *h)
{
	uint64_t marks;
	int error = store_read(st, inode_word(h->inode, INODE_FLAGS), &marks);

	return error ? error : (marks & INODE_DELETED) != 0;
}

/* The list's next element is read before an element is freed; damaged ones stay on the list. */
void store_reap(struct store *st)
{
	struct store_handle h;
	uint64_t inode, next, left, freed = 0, kept = 0;

	if (store_state(st, STATE_ORPHANS, &inode) || store_state(st, STATE_OBJECTS, &left))
		return;
	for (; inode && left; left--, inode = next) {
		bool stop = store_read_page(st, inode_word(inode, INODE_ORPHAN_NEXT), &next) != 0;

		h.inode = inode;
		if (store_inode_id(st, inode, &h.id) || store_free(st, &h))
			kept++;
		else
			freed++;
		if (stop)
			break;
	}
	if (freed)
		store_log(STORE_LOG_INFO, "freed %llu deleted objects", (unsigned long long)freed);
	if (kept)
		store_log(STORE_LOG_WARN, "%llu deleted objects are damaged and stay",
			  (unsigned long long)kept);
}
