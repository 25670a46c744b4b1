// SPDX-License-Identifier: BSD-3-Clause
/*
 * Replacing pages, and pages with several owners. The reference map has a count for each page of
 * the
 * store: its owners beyond the first. Only content pages are ever shared, never those of a run.
 */
#include "internal.h"

static uint64_t ref_word(const struct store *st, uint64_t page)
{
	return st->refs + 8 * (page / REF_PAGES);
}

static unsigned ref_shift(uint64_t page)
{
	return (unsigned)(page % REF_PAGES) * REF_BITS;
}

int store_refs(struct store *st, uint64_t page, uint64_t *owners)
{
	uint64_t word;
	int error = store_tx_get(st, ref_word(st, page), &word);

	*owners = error ? 0 : word >> ref_shift(page) & REF_MAX;
	return error;
}

/* Part of the transaction. */
static void set_refs(struct store *st, uint64_t page, uint64_t owners)
{
	uint64_t word;
	int error = store_tx_get(st, ref_word(st, page), &word);

	if (error)
		store_tx_fail(st, error);
	else
		store_tx_put(st, ref_word(st, page),
			     (word & ~(REF_MAX << ref_shift(page))) | owners << ref_shift(page));
}

int store_page_drop(struct store *st, uint64_t page)
{
	uint64_t owners;
	int error = store_refs(st, page, &owners);

	if (error)
		return error;
	if (!owners)
		return store_space_release(st, page);
	set_refs(st, page, owners - 1);
	return 0;
}

/* Part of the transaction: `page` (0: none) takes the place of `old` as page `pgnr`. */
static void put_page(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t old, uint64_t page)
{
	uint64_t offset = store_tree_word(st, inode, pgnr);
	int error = old ? store_page_drop(st, old) : 0;

	if (error)
		store_tx_fail(st, error);
	if (!offset)
		return; /* the transaction has failed */
	store_tx_put(st, offset, page);
	if (!page != !old)
		store_tx_add(st, inode_word(inode, INODE_PAGES), page ? 1 : -1);
}

/* Whether `extra` pages are free, and one for splitting each run in which a slot lies. */
static int enough(struct store *st, uint64_t extra, const struct slot *a, const struct slot *b)
{
	extra += (a->run != 0) + (b && b->run && b->run != a->run);
	if (!extra)
		return 0;
	store_tx_begin(st);
	return store_space_need(st, extra);
}

static int replace_locked(struct store *st, uint64_t inode, uint64_t pgnr, const void *content,
			  uint64_t *page)
{
	struct slot slot;
	uint64_t missing;
	int error = store_tree_find(st, inode, pgnr, &slot);

	*page = 0;
	if (!error)
		error = store_tree_missing(st, inode, pgnr, &missing);
	if (error || (!content && !slot.page))
		return error;
	error = enough(st, content ? 1 + missing : 0, &slot, NULL);
	if (!error)
		error = store_run_split(st, inode, pgnr);
	if (error)
		return error;
	store_tx_begin(st);
	if (content) {
		if (store_space_take(st, page))
			return st->tx.error;
		store_fresh_fill(st, *page, content);
	}
	put_page(st, inode, pgnr, slot.page, *page);
	return store_tx_commit(st);
}

int store_page_replace(struct store *st, const struct store_handle *h, uint64_t pgnr,
		       const void *content, void **page)
{
	uint64_t number;

	if (!pgnr || pgnr >= STORE_OBJECT_PAGES ||
	    (!content && pgnr == STORE_OBJECT_PAGES - 1))
		return -EINVAL;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = replace_locked(st, h->inode, pgnr, content, &number);

	store_lock_release(&st->lock);
	if (!error)
		*page = number ? store_page_at(st, number) : NULL;
	return error;
}

/* One owner more for `page`, as page `pgnr` of `inode`, in one transaction. */
static int add_owner(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t old, uint64_t page)
{
	uint64_t owners;

	store_tx_begin(st);
	int error = store_refs(st, page, &owners);

	if (error)
		return error;
	set_refs(st, page, owners + 1);
	put_page(st, inode, pgnr, old, page);
	return store_tx_commit(st);
}

static int share_locked(struct store *st, uint64_t to, uint64_t to_pgnr, uint64_t from,
			uint64_t from_pgnr, uint64_t *page)
{
	struct slot target, source;
	uint64_t missing, owners;
	int error = store_tree_find(st, from, from_pgnr, &source);

	if (!error)
		error = store_tree_find(st, to, to_pgnr, &target);
	if (!error)
		error = store_tree_missing(st, to, to_pgnr, &missing);
	if (error || !source.page)
		return error ? error : -ENOENT;
	*page = source.page;
	if (target.page == source.page)
		return 0;
	store_tx_begin(st);
	error = store_refs(st, source.page, &owners);
	if (error || owners == REF_MAX)
		return error ? error : -EMLINK;
	error = enough(st, missing, &source, &target);
	if (!error)
		error = store_run_split(st, from, from_pgnr);
	if (!error)
		error = store_run_split(st, to, to_pgnr);
	return error ? error : add_owner(st, to, to_pgnr, target.page, source.page);
}

int store_page_share(struct store *st, const struct store_handle *to, uint64_t to_pgnr,
		     const struct store_handle *from, uint64_t from_pgnr, void **page)
{
	uint64_t number;

	if (!to_pgnr || to_pgnr >= STORE_OBJECT_PAGES || !from_pgnr ||
	    from_pgnr >= STORE_OBJECT_PAGES)
		return -EINVAL;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = share_locked(st, to->inode, to_pgnr, from->inode, from_pgnr, &number);

	store_lock_release(&st->lock);
	if (!error)
		*page = store_page_at(st, number);
	return error;
}

/* Reads the media, not the transaction: needs no lock. */
int store_page_shared(struct store *st, const struct store_handle *h, uint64_t pgnr)
{
	struct slot slot;
	uint64_t word = 0;

	if (pgnr >= STORE_OBJECT_PAGES)
		return -EINVAL;
	int error = store_tree_find(st, h->inode, pgnr, &slot);

	if (!error && slot.page)
		error = store_read(st, ref_word(st, slot.page), &word);
	return error ? error : (word >> ref_shift(slot.page) & REF_MAX) != 0;
}

static int unshare_locked(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t *page)
{
	struct slot slot;
	uint64_t owners;
	int error = store_tree_find(st, inode, pgnr, &slot);

	if (error || !slot.page)
		return error ? error : -ENOENT;
	store_tx_begin(st);
	error = store_refs(st, slot.page, &owners);
	*page = slot.page;
	if (error || !owners)
		return error;
	return replace_locked(st, inode, pgnr, store_page_at(st, slot.page), page);
}

int store_page_unshare(struct store *st, const struct store_handle *h, uint64_t pgnr, void **page)
{
	uint64_t number;

	if (!pgnr || pgnr >= STORE_OBJECT_PAGES)
		return -EINVAL;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = unshare_locked(st, h->inode, pgnr, &number);

	store_lock_release(&st->lock);
	if (!error)
		*page = store_page_at(st, number);
	return error;
}
