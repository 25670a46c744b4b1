// SPDX-License-Identifier: BSD-3-Clause
/*
 * The hash map's directory, segments and slots, as they stand in the object.
 *
 * The 64 bits of a key's hash: the upper ones are the index into the directory (as many as its
 * depth); 63-30 stand in the slot; 8-6 and 5-3 are the key's two buckets in its stripe's part of
 * the segment; 2-0 are the stripe. The last two slots of a segment are no slots but say what it is.
 */
#ifndef DS_HASH_H
#define DS_HASH_H

#include "record.h"

#include <twz/ds/hash.h>

#define BUCKETS 8u /* of a stripe in one segment */
#define SLOTS 8u   /* of a bucket */
#define SEGMENT_SLOTS (TWZ_HASH_STRIPES * BUCKETS * SLOTS)
#define RECORD_SLOTS (SEGMENT_SLOTS - 2)
#define SEGMENT_MAGIC (0x2e67658867ull << OBJ_SHIFT) /* no offset: looks like no record */
#define MAX_DEPTH 22u
#define SAME_SETS 16u /* directory entries that one step can change */

struct segment {
	uint64_t slots[RECORD_SLOTS]; /* hash bits 63–30, offset of the record; 0: free */
	uint64_t magic;
	uint64_t prefix; /* upper hash bits of all keys in it | depth + 1 */
};

struct directory {
	uint32_t magic;
	uint32_t depth;
	uint64_t segments[]; /* 2^depth local p-ptrs; 0: no key */
};

#define DIRECTORY_MAGIC 0x72696454u

_Static_assert(sizeof(struct segment) == 4096, "segment");

struct hash_key {
	const void *bytes;
	size_t len;
	uint64_t hash;
};

static inline struct twz_hash_stripe *hash_stripe(struct twz_hash *h, uint64_t hash)
{
	return &h->stripes[hash & (TWZ_HASH_STRIPES - 1)];
}

static inline unsigned segment_depth(const struct segment *s)
{
	return (unsigned)((s->prefix & DS_OFFSET_MASK) - 1);
}

static inline uint64_t segment_prefix(const struct segment *s)
{
	return s->prefix & ~DS_OFFSET_MASK;
}

static inline size_t directory_size(unsigned depth)
{
	return sizeof(struct directory) + (sizeof(uint64_t) << depth);
}

static inline size_t directory_index(unsigned depth, uint64_t hash)
{
	return hash >> 1 >> (63 - depth);
}

/* The directory that a word leads to; NULL: none, or none that can be. */
static inline struct directory *hash_directory(const twzobj *o, const uint64_t *word)
{
	uint64_t offset = ds_load(word);
	struct directory *d = ds_at(o, offset);

	if (!ds_inside(offset, sizeof(*d), 16) || d->magic != DIRECTORY_MAGIC ||
	    d->depth > MAX_DEPTH || !ds_inside(offset, directory_size(d->depth), 16))
		return NULL;
	return d;
}

/* The segment of an entry; NULL: none, or none that can be. */
static inline struct segment *hash_segment(const twzobj *o, const uint64_t *entry)
{
	uint64_t offset = ds_load(entry);

	return ds_inside(offset, sizeof(struct segment), 64) ? ds_at(o, offset) : NULL;
}

/* The first slot of one of the two buckets a hash may be in. */
static inline uint64_t *hash_bucket(struct segment *s, uint64_t hash, unsigned which)
{
	uint64_t first = hash >> 3 & (BUCKETS - 1), second = hash >> 6 & (BUCKETS - 1);
	uint64_t bucket = which == 0 ? first : second == first ? first ^ 1 : second;

	return &s->slots[((hash & (TWZ_HASH_STRIPES - 1)) * BUCKETS + bucket) * SLOTS];
}

static inline uint64_t hash_slot_word(const twzobj *o, uint64_t hash, const void *record)
{
	return (hash & ~DS_OFFSET_MASK) | ds_offset(o, record);
}

/* hash.c */
void hash_lock_all(twzobj *o, struct twz_hash *h);
void hash_unlock_all(struct twz_hash *h);
uint64_t hash_of(const struct twz_hash *h, const void *key, size_t klen);
/* The slot of a key in its segment, or NULL. */
uint64_t *hash_find_slot(const twzobj *o, struct segment *s, const struct hash_key *k);
/* A free slot that a hash may be in, or NULL. */
uint64_t *hash_free_slot(struct segment *s, uint64_t hash);

/* hash_grow.c: make room in the segment of a hash, which its stripe found full, or was missing. */
int hash_grow(twzobj *o, struct twz_hash *h, uint64_t hash);
/* With all stripes locked: free what trash leads to. */
int hash_drain(twzobj *o, struct twz_hash *h);

#endif
