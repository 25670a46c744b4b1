// SPDX-License-Identifier: BSD-3-Clause
/*
 * Objects by ID: a hash table of buckets, each the head of a chain of inodes. Creation, lookup,
 * listing.
 */
#include "internal.h"

static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 33) * 0xff51afd7ed558ccdull;
	value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53ull;
	return value ^ value >> 33;
}

/* Salted with the store's uuid: whoever can choose IDs cannot aim at one bucket of every store. */
uint64_t store_bucket(const struct store *st, objid_t id)
{
	uint64_t hash = mix(mix(ID_LO(id) ^ st->salt[0]) ^ ID_HI(id) ^ st->salt[1]);

	return st->buckets + 8 * (hash & st->bucket_mask);
}

void store_chain_start(struct chain *chain, uint64_t bucket)
{
	*chain = (struct chain){ .link = bucket, .next_mark = 1 };
}

/* Brent's method: a marked page met again means a circle. */
int store_chain_step(struct store *st, struct chain *chain)
{
	uint64_t page;

	if (chain->page)
		chain->link = inode_word(chain->page, INODE_NEXT);
	int error = store_read_page(st, chain->link, &page);

	if (error)
		return error;
	if (page && page == chain->mark)
		return store_damaged(st, "chain that runs in a circle", chain->link);
	if (++chain->steps == chain->next_mark) {
		chain->mark = page;
		chain->next_mark *= 2;
	}
	chain->page = page;
	return page != 0;
}

/* A damaged inode is stepped over; but then "not found" would be a guess. */
int store_chain_find(struct store *st, objid_t id, struct chain *chain)
{
	bool damaged = false;
	objid_t have;
	int more;

	store_chain_start(chain, store_bucket(st, id));
	while ((more = store_chain_step(st, chain)) > 0) {
		if (store_inode_id(st, chain->page, &have))
			damaged = true;
		else if (have == id)
			return 0;
	}
	return more < 0 || damaged ? -EUCLEAN : -ENOENT;
}

static void fill_inode(struct store *st, objid_t id, uint64_t inode, uint64_t metapage,
		       uint64_t birth)
{
	uint64_t *words = store_page_at(st, inode);
	struct inode_header header = {
		.magic = INODE_MAGIC,
		.id_lo = ID_LO(id),
		.id_hi = ID_HI(id),
		.self = inode,
		.birth = birth,
	};

	header.sum = store_inode_sum(st, &header);
	pm_zero(words, STORE_PAGE_SIZE);
	pm_copy(words, &header, sizeof(header));
	pm_store64(&words[INODE_PAGES], store_seal(2));
	pm_store64(&words[INODE_HIGH + DIRECT_PAGES - 1], store_seal(metapage));
	store_fresh_done(st, inode, 1);
}

/* Put an inode in front of its chain. Part of the transaction. */
static void link_inode(struct store *st, objid_t id, uint64_t inode)
{
	uint64_t bucket = store_bucket(st, id);
	uint64_t head;
	int error = store_read_page(st, bucket, &head);

	if (error)
		store_tx_fail(st, error);
	store_tx_put(st, inode_word(inode, INODE_NEXT), error ? 0 : head);
	store_tx_put(st, bucket, inode);
}

static int create_locked(struct store *st, objid_t id, const void *metapage, unsigned flags,
			 uint64_t *inode)
{
	uint64_t meta, boots;

	store_tx_begin(st);
	if (store_space_need(st, 2) || store_space_take(st, inode) ||
	    store_space_take(st, &meta) || store_state(st, STATE_BOOTS, &boots))
		return st->tx.error ? st->tx.error : -EUCLEAN;
	store_fresh_fill(st, meta, metapage);
	fill_inode(st, id, *inode, meta, boots);
	if (!(flags & STORE_CREATE_HIDDEN))
		link_inode(st, id, *inode);
	if (flags) {
		uint64_t mark = flags & STORE_CREATE_HIDDEN ? INODE_HIDDEN : INODE_DELETED;

		store_tx_put(st, inode_word(*inode, INODE_FLAGS), mark);
		store_list_add(st, &store_orphans, *inode);
	}
	store_tx_state_add(st, STATE_OBJECTS, 1);
	return store_tx_commit(st);
}

int store_create(struct store *st, objid_t id, const void *metapage, unsigned flags,
		 struct store_handle *h)
{
	struct chain chain;
	uint64_t inode;

	if (!id || flags & ~(STORE_CREATE_DELETED | STORE_CREATE_HIDDEN))
		return -EINVAL;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = store_chain_find(st, id, &chain);

	if (error == 0)
		error = -EEXIST;
	else if (error == -ENOENT)
		error = create_locked(st, id, metapage, flags, &inode);
	store_lock_release(&st->lock);
	if (!error)
		*h = (struct store_handle){ .id = id, .inode = inode };
	return error;
}

static int publish_locked(struct store *st, const struct store_handle *h, unsigned flags)
{
	struct chain chain;
	uint64_t marks, parents;
	int error = store_read(st, inode_word(h->inode, INODE_FLAGS), &marks);

	if (!error)
		error = store_read(st, inode_word(h->inode, INODE_IN_COUNT), &parents);
	if (error)
		return error;
	if (!(marks & INODE_HIDDEN))
		return -EINVAL;
	error = store_chain_find(st, h->id, &chain);
	if (error != -ENOENT)
		return error ? error : -EEXIST;
	store_tx_begin(st);
	link_inode(st, h->id, h->inode);
	bool deleted = flags & STORE_CREATE_DELETED;
	store_tx_put(st, inode_word(h->inode, INODE_FLAGS), deleted ? INODE_DELETED : 0);
	if (!deleted || parents)
		store_list_remove(st, &store_orphans, h->inode);
	if (flags & STORE_CREATE_SYSTEM)
		store_tx_state_id(st, STATE_SYSTEM0, h->id);
	return store_tx_commit(st);
}

/*
 * The ties come first, while the object is hidden: a cut leaves it on the orphan list, and freeing
 * it removes them. Nobody else sees them before the lock is given back.
 */
static int publish_tied_locked(struct store *st, const struct store_handle *h, unsigned flags,
			       const struct store_relatives *ties)
{
	uint64_t marks;
	int error = store_read(st, inode_word(h->inode, INODE_FLAGS), &marks);

	if (!error && !(marks & INODE_HIDDEN))
		error = -EINVAL;
	if (error)
		return error;
	for (unsigned i = 0; i < ties->parent_count && !error; i++)
		error = store_tie_locked(st, ties->parents[i].inode, h->inode, h->inode);
	for (unsigned i = 0; i < ties->child_count && !error; i++)
		error = store_tie_locked(st, h->inode, ties->children[i].inode, h->inode);
	if (!error)
		error = publish_locked(st, h, flags);
	while (error && store_tie_drop_first(st, h->inode) > 0)
		;
	return error;
}

int store_publish_tied(struct store *st, const struct store_handle *h, unsigned flags,
		       const struct store_relatives *ties)
{
	if (flags & ~(STORE_CREATE_DELETED | STORE_CREATE_SYSTEM) ||
	    ties->parent_count > STORE_PUBLISH_TIES || ties->child_count > STORE_PUBLISH_TIES)
		return -EINVAL;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = publish_tied_locked(st, h, flags, ties);

	store_lock_release(&st->lock);
	return error;
}

int store_publish(struct store *st, const struct store_handle *h, unsigned flags)
{
	return store_publish_tied(st, h, flags, &(struct store_relatives){ .parent_count = 0 });
}

/* On a read-only mount nobody has freed the orphans; they are gone all the same. */
static int findable(struct store *st, uint64_t inode)
{
	uint64_t marks, parents;

	if (!st->rdonly)
		return 1;
	int error = store_read(st, inode_word(inode, INODE_FLAGS), &marks);

	if (!error)
		error = store_read(st, inode_word(inode, INODE_IN_COUNT), &parents);
	return error ? error : !(marks & INODE_HIDDEN) && (!(marks & INODE_DELETED) || parents);
}

int store_lookup(struct store *st, objid_t id, struct store_handle *h)
{
	struct chain chain;

	store_lock_acquire(&st->lock);
	int error = store_chain_find(st, id, &chain);

	if (!error) {
		int found = findable(st, chain.page);

		error = found < 0 ? found : found ? 0 : -ENOENT;
	}
	store_lock_release(&st->lock);
	if (!error)
		*h = (struct store_handle){ .id = id, .inode = chain.page };
	return error;
}

/* One step of the cursor: an object (1), nothing here (0), or a damaged place (-EUCLEAN). */
static int next_step(struct store *st, struct store_cursor *cursor, struct store_handle *h)
{
	struct chain chain;
	int more;

	store_chain_start(&chain, st->buckets + 8 * cursor->bucket);
	do {
		more = store_chain_step(st, &chain);
	} while (more > 0 && chain.steps <= cursor->depth);
	if (more <= 0) { /* the end of the chain, or a link that leads nowhere */
		cursor->bucket++;
		cursor->depth = 0;
		return more;
	}
	cursor->depth++;
	h->inode = chain.page;
	return store_inode_id(st, chain.page, &h->id) ? -EUCLEAN : findable(st, chain.page);
}

int store_next(struct store *st, struct store_cursor *cursor, struct store_handle *h)
{
	int found = 0;

	while (!found && cursor->bucket <= st->bucket_mask) {
		store_lock_acquire(&st->lock);
		found = next_step(st, cursor, h);
		store_lock_release(&st->lock);
	}
	return found;
}
