// SPDX-License-Identifier: BSD-3-Clause
/*
 * Functions the store's own files share. The store lock is held in all of them unless said.
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <abi/errno.h>
#include <base/string.h>

#include "layout.h"

/* ---- word.c: checks, no lock ---- */

uint64_t store_seal(uint64_t payload);                   /* payload < 2^48 */
bool store_unseal_word(uint64_t word, uint64_t *payload);
uint64_t store_sum(uint64_t seed, const uint64_t *words, size_t count);

/* False: the check fails. */
static inline bool store_unseal(uint64_t word, uint64_t *payload)
{
	*payload = 0;
	return !word || store_unseal_word(word, payload);
}

/* ---- media.c: reading what stands on the media; no lock needed ---- */

static inline uint64_t *store_word_at(const struct store *st, uint64_t offset)
{
	return (uint64_t *)(st->base + offset);
}

static inline void *store_page_at(const struct store *st, uint64_t page)
{
	return st->base + page * STORE_PAGE_SIZE;
}

static inline uint64_t inode_word(uint64_t inode, unsigned index)
{
	return inode * STORE_PAGE_SIZE + 8ull * index;
}

/* Counts and logs damage (the first few times) and returns -EUCLEAN. */
int store_damaged(struct store *st, const char *what, uint64_t where);

/* The word at `offset` as the log record has it, or else as the media. */
uint64_t store_overlaid(const struct store *st, uint64_t offset);

/* The raw word at `offset`, as the log record would have it if it was not carried out. */
static inline uint64_t store_raw(const struct store *st, uint64_t offset)
{
	if (st->overlay)
		return store_overlaid(st, offset);
	/* Pairs with the release store of pm_store64(): pages are filled before they are named. */
	return __atomic_load_n(store_word_at(st, offset), __ATOMIC_ACQUIRE);
}

/*
 * How many of the `count` words from `offset` on are zero before the first that is not. Not under
 * an overlay.
 */
static inline uint64_t store_zeroes(const struct store *st, uint64_t offset, uint64_t count)
{
	const uint64_t *word = store_word_at(st, offset);
	uint64_t zeroes = 0;

	while (zeroes < count && !__atomic_load_n(&word[zeroes], __ATOMIC_RELAXED))
		zeroes++;
	return zeroes;
}

/* The payload of the sealed word at `offset`. -EUCLEAN. */
int store_read(struct store *st, uint64_t offset, uint64_t *payload);

/* As store_read() for a word that holds 0 or the number of an object page. -EUCLEAN. */
int store_read_page(struct store *st, uint64_t offset, uint64_t *page);

/* Check the header of the inode in `page` and return its ID. -EUCLEAN. */
int store_inode_id(struct store *st, uint64_t page, objid_t *id);
uint64_t store_inode_sum(const struct store *st, const struct inode_header *header);

/* A state word, from whichever copy is sound. -EUCLEAN: neither is. */
int store_state(struct store *st, enum state_word index, uint64_t *payload);

static inline uint64_t state_offset(uint64_t super_page, enum state_word index)
{
	return super_page * STORE_PAGE_SIZE + STATE_OFFSET + 8ull * index;
}

/* ---- tx.c: transactions ---- */

/*
 * Build with begin and put/add, then commit or begin anew. Errors met while building stick;
 * commit returns the first one, having written nothing.
 */
void store_tx_begin(struct store *st);
int store_tx_get(struct store *st, uint64_t offset, uint64_t *payload); /* sees the transaction */
int store_tx_state_get(struct store *st, enum state_word index, uint64_t *payload);
void store_tx_put(struct store *st, uint64_t offset, uint64_t payload);
void store_tx_add(struct store *st, uint64_t offset, int64_t delta);
void store_tx_state(struct store *st, enum state_word index, uint64_t payload);
void store_tx_state_id(struct store *st, enum state_word first, objid_t id); /* three words */
void store_tx_state_add(struct store *st, enum state_word index, int64_t delta);
int store_tx_fail(struct store *st, int error);                         /* returns error */
int store_tx_commit(struct store *st);

/* Fill a page that nothing reaches yet (NULL: zeroes); durable before the transaction commits. */
void store_fresh_fill(struct store *st, uint64_t page, const void *content);
/* The same, the caller having filled `count` pages with pm_*(). */
void store_fresh_done(struct store *st, uint64_t page, uint64_t count);

/*
 * At mount, before all else: let the last transaction stand in for the media. Writes nothing.
 * -EUCLEAN.
 */
int store_log_load(struct store *st);
/* Then, once the store is known to be sound: redo it. */
void store_log_apply(struct store *st);
bool store_log_sound(const struct store *st);

/* ---- space.c: the allocation bitmap ---- */

void store_space_init(struct store *st);
int store_space_need(struct store *st, uint64_t pages);          /* -ENOSPC, -EUCLEAN */
int store_space_take(struct store *st, uint64_t *page);          /* part of the transaction */
int store_space_release(struct store *st, uint64_t page);        /* same; -EUCLEAN */
int store_space_take_run(struct store *st, uint64_t *first);     /* same; -ENOSPC */
int store_space_release_run(struct store *st, uint64_t first);   /* same; -EUCLEAN */

/* ---- list.c: doubly linked lists; all part of the transaction ---- */

struct list {
	uint64_t head;       /* offset of the head; a state word (of superblock A) means both copies */
	uint64_t unit;       /* an element's number times this is its byte offset */
	unsigned next, prev; /* its link words, counted from there */
};

/* 0 = none. -EUCLEAN: damaged, or no element. */
int store_list_first(struct store *st, const struct list *list, uint64_t *element);
int store_list_next(struct store *st, const struct list *list, uint64_t element, uint64_t *next);
void store_list_add(struct store *st, const struct list *list, uint64_t element);
void store_list_remove(struct store *st, const struct list *list, uint64_t element);

extern const struct list store_orphans; /* elements: inode pages */
extern const struct list store_roomy;   /* elements: tie pages with a free record */

/* ---- index.c: from ID to inode ---- */

/* A walk along one bucket's chain. Notices when the chain runs in a circle. */
struct chain {
	uint64_t link;  /* offset of the word that names `page` */
	uint64_t page;
	uint64_t mark, steps, next_mark;
};

uint64_t store_bucket(const struct store *st, objid_t id);       /* offset of the bucket word */
void store_chain_start(struct chain *chain, uint64_t bucket);
/* 1: at an inode; 0: behind the last; -EUCLEAN: the link leads nowhere. */
int store_chain_step(struct store *st, struct chain *chain);

/* Find an object and the word that holds its inode page. -ENOENT, or -EUCLEAN. */
int store_chain_find(struct store *st, objid_t id, struct chain *chain);

/* ---- tree.c: from page number to page. Side page n has the number SIDE_FIRST + n ---- */

struct slot {
	uint64_t word; /* offset of the word that names the page; 0: no leaf, or in a run */
	uint64_t leaf; /* offset of the word that names the leaf or run; 0: no node, or no leaf needed */
	uint64_t run;  /* first page of the run; 0: not in one */
	uint64_t page; /* 0: a hole */
};

/* No lock needed. -EUCLEAN. */
int store_tree_find(struct store *st, uint64_t inode, uint64_t pgnr, struct slot *slot);

/* The page or run a node word names; `run` 0 for a leaf. No lock needed. -EUCLEAN. */
int store_tree_leaf(struct store *st, uint64_t offset, uint64_t *page, uint64_t *run);

/* How many new pages (node, leaf) a word for this slot takes. -EUCLEAN. */
int store_tree_missing(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t *count);

/* Part of the transaction: the offset of the word for `pgnr`, node and leaf made. 0: failed. */
uint64_t store_tree_word(struct store *st, uint64_t inode, uint64_t pgnr);

/* Part of the transaction: the offset of the node word for `pgnr`. 0: failed. */
uint64_t store_tree_leaf_word(struct store *st, uint64_t inode, uint64_t pgnr);

/* ---- share.c ---- */

int store_refs(struct store *st, uint64_t page, uint64_t *owners); /* beyond the first; -EUCLEAN */
/* Part of the transaction: one owner less; the last one frees the page. -EUCLEAN. */
int store_page_drop(struct store *st, uint64_t page);

/* ---- run.c ---- */

/* Make the run around `pgnr`, if there is one, 512 pages of a leaf; takes a page. -EUCLEAN. */
int store_run_split(struct store *st, uint64_t inode, uint64_t pgnr);

/* ---- tie.c ---- */

struct list store_ties_out(uint64_t inode);
struct list store_ties_in(uint64_t inode);
uint64_t store_tie_page_sum(const struct store *st, const uint64_t *page);

/* Undo the first tie of an object in one transaction: 1 done, 0 there is none, -EUCLEAN. */
int store_tie_drop_first(struct store *st, uint64_t inode);

/* Tie, with the lock held; `hidden` is one of the two that may be hidden, or 0. See store_tie(). */
int store_tie_locked(struct store *st, uint64_t parent, uint64_t child, uint64_t hidden);

/* Free all on the orphan list. Lock not held. */
void store_reap(struct store *st);

/* ---- super.c ---- */

/* The whole header of a store of so many pages but uuid, features, self and sum. */
void store_geometry(struct super_header *super, uint64_t pages);
uint64_t store_usable_pages(size_t len);   /* 0: the region is too small or too large */
uint64_t store_super_sum(const struct super_header *super);
bool store_super_sound(const struct super_header *super, uint64_t self);

#endif
