// SPDX-License-Identifier: BSD-3-Clause
/*
 * The orphan list: objects that will not outlive the mount, so that no power cut can leak them.
 * These are the hidden ones, and the deleted ones without a parent.
 */
#include "internal.h"

const struct list store_orphans = {
	.head = STATE_OFFSET + 8 * STATE_ORPHANS,
	.unit = STORE_PAGE_SIZE,
	.next = INODE_ORPHAN_NEXT,
	.prev = INODE_ORPHAN_PREV,
};

static int mark_locked(struct store *st, uint64_t inode)
{
	uint64_t marks, parents;
	int error = store_read(st, inode_word(inode, INODE_FLAGS), &marks);

	if (!error)
		error = store_read(st, inode_word(inode, INODE_IN_COUNT), &parents);
	if (error)
		return error;
	if (marks & INODE_HIDDEN)
		return -EINVAL;
	if (marks & INODE_DELETED)
		return 0;
	store_tx_begin(st);
	store_tx_put(st, inode_word(inode, INODE_FLAGS), marks | INODE_DELETED);
	if (!parents)
		store_list_add(st, &store_orphans, inode);
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

/* Once along the list. Whatever is freed may have put its children in front. */
static uint64_t reap_pass(struct store *st, uint64_t *kept)
{
	struct store_handle h;
	uint64_t inode, next, left, freed = 0;

	*kept = 0;
	if (store_state(st, STATE_ORPHANS, &inode) || store_state(st, STATE_OBJECTS, &left))
		return 0;
	for (; inode && left; left--, inode = next) {
		/* read before the element is freed; damaged ones stay on the list */
		bool stop = store_read_page(st, inode_word(inode, INODE_ORPHAN_NEXT), &next) != 0;

		h.inode = inode;
		if (store_inode_id(st, inode, &h.id) || store_free(st, &h))
			++*kept;
		else
			freed++;
		if (stop)
			break;
	}
	return freed;
}

void store_reap(struct store *st)
{
	uint64_t freed, all = 0, kept;

	do {
		freed = reap_pass(st, &kept);
		all += freed;
	} while (freed);
	if (all)
		store_log(STORE_LOG_INFO, "freed %llu deleted objects", (unsigned long long)all);
	if (kept)
		store_log(STORE_LOG_WARN, "%llu deleted objects are damaged and stay",
			  (unsigned long long)kept);
}
