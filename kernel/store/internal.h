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
bool store_unseal(uint64_t word, uint64_t *payload);     /* false: the check fails */
uint64_t store_sum(uint64_t seed, const uint64_t *words, size_t count);

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

/* The raw word at `offset`, as the log record of a read-only mount would have it. */
uint64_t store_raw(const struct store *st, uint64_t offset);

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
void store_tx_put(struct store *st, uint64_t offset, uint64_t payload);
void store_tx_add(struct store *st, uint64_t offset, int64_t delta);
void store_tx_state(struct store *st, enum state_word index, uint64_t payload);
void store_tx_state_add(struct store *st, enum state_word index, int64_t delta);
int store_tx_fail(struct store *st, int error);                         /* returns error */
int store_tx_commit(struct store *st);

/* Fill a page that nothing reaches yet (NULL: zeroes); durable before the transaction commits. */
void store_fresh_fill(struct store *st, uint64_t page, const void *content);
void store_fresh_done(struct store *st, uint64_t page); /* the caller filled it, with pm_*() */

/* At mount, before all else: redo the last transaction, or (read-only) remember it. -EUCLEAN. */
int store_log_recover(struct store *st);
bool store_log_sound(const struct store *st);

/* ---- space.c: the allocation bitmap ---- */

int store_space_need(struct store *st, uint64_t pages);          /* -ENOSPC, -EUCLEAN */
int store_space_take(struct store *st, uint64_t *page);          /* part of the transaction */
int store_space_release(struct store *st, uint64_t page);        /* same; -EUCLEAN */

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

/* ---- tree.c: from page number to page ---- */

/* The offset of the word for `pgnr`, 0 if the tree does not reach that far. No lock needed. */
int store_tree_word(struct store *st, uint64_t inode, uint64_t pgnr, uint64_t *offset);

/* ---- orphan.c ---- */

void store_orphan_add(struct store *st, uint64_t inode);         /* part of the transaction */
void store_orphan_remove(struct store *st, uint64_t inode);      /* part of the transaction */

/* Free all on the orphan list. Lock not held. */
void store_reap(struct store *st);

/* ---- super.c ---- */

/* The whole header of a store of so many pages but uuid, features, self and sum. */
void store_geometry(struct super_header *super, uint64_t pages);
uint64_t store_usable_pages(size_t len);   /* 0: the region is too small or too large */
uint64_t store_super_sum(const struct super_header *super);
bool store_super_sound(const struct super_header *super, uint64_t self);

#endif
