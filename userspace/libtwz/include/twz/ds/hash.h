// SPDX-License-Identifier: BSD-3-Clause
/*
 * Hash map: keys and values are bytes. Extendible hashing (Fagin et al. 1979) with segments as in
 * CCEH (Nam et al. 2019): a directory of segments of 4 KiB, each 63 buckets of one cache line with
 * 8 slots. A slot is one word: 30 bits of where the record is, 34 bits of the key's hash, so that
 * nothing else is looked at in vain, and splitting a segment looks at no record. A key has two
 * buckets to be in. A full segment is copied into two (at most 504 slots); when it was the only one
 * of its prefix the directory doubles with it.
 *
 * A put publishes the record and the slot in one step of the allocator. A value of up to 8 bytes
 * that keeps its length is overwritten where it stands, others are replaced by a new record.
 *
 * Threads and views: eight stripes by the key's hash, each with a lock (crash-proof); writers of
 * different stripes go on in parallel. What changes the directory holds all of them. Readers take
 * no lock: they read, then look whether something was freed under them (the stripe's sequence), and
 * read again if so. What get returns was the value at one moment of the call.
 */
#ifndef TWZ_DS_HASH_H
#define TWZ_DS_HASH_H

#include <twz/ds/ds.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TWZ_HASH_STRIPES 8u

struct twz_hash_stripe {
	struct twz_ds_guard guard; /* of the slots of the keys of this stripe */
	uint64_t reserved[4];
};

/* Best aligned to 64 bytes. */
struct twz_hash {
	struct twz_ds_head head;
	uint64_t seed; /* of the hash function */
	/* Written with all stripes locked. */
	uint64_t dir;   /* local p-ptr: the directory, 0 while empty */
	uint64_t trash; /* local p-ptr: one whose segments are being freed, or 0 */
	uint64_t epoch; /* how often segments moved; never flushed */
	uint64_t reserved[3];
	struct twz_hash_stripe stripes[TWZ_HASH_STRIPES];
};

_Static_assert(sizeof(struct twz_hash_stripe) == 64, "hash map stripe");
_Static_assert(sizeof(struct twz_hash) == 576, "hash map root");

/* Make *h an empty map; only for memory that is not zeroed. Durable on return. */
int twz_hash_init(twzobj *o, struct twz_hash *h);

/*
 * Bind key (1 … TWZ_DS_KEY_MAX bytes) to a copy of len bytes of value (0 … TWZ_DS_VALUE_MAX),
 * durably. flags: TWZ_DS_NEW, TWZ_DS_OLD, or 0: either. 0; -EEXIST; -ENOENT; and those of ds.h.
 */
int twz_hash_put(twzobj *o, struct twz_hash *h, const void *key, size_t klen, const void *value,
    size_t len, unsigned flags);

/*
 * Copy up to size bytes of the value of key to buf. Returns the value's length, which may be more
 * than size; -ENOENT; -EAGAIN a writer died in the middle and o is mapped read-only.
 */
ssize_t twz_hash_get(twzobj *o, struct twz_hash *h, const void *key, size_t klen, void *buf,
    size_t size);

/*
 * Where the value stands, and its length in *len (NULL: not wanted), or NULL. The bytes stay as
 * they are until the key is put again or erased: for those who keep writers out.
 */
void *twz_hash_find(twzobj *o, struct twz_hash *h, const void *key, size_t klen, size_t *len);

/* Remove key and free its record, in one step. 0; -ENOENT. */
int twz_hash_erase(twzobj *o, struct twz_hash *h, const void *key, size_t klen);

/* The same for keys of 64 bits, which are the 8 bytes in memory: the fast path. */
int twz_hash_put_u64(twzobj *o, struct twz_hash *h, uint64_t key, const void *value, size_t len,
    unsigned flags);
ssize_t twz_hash_get_u64(twzobj *o, struct twz_hash *h, uint64_t key, void *buf, size_t size);
void *twz_hash_find_u64(twzobj *o, struct twz_hash *h, uint64_t key, size_t *len);
int twz_hash_erase_u64(twzobj *o, struct twz_hash *h, uint64_t key);

/* The same for object IDs, which are the 16 bytes in memory. */
static inline int twz_hash_put_id(twzobj *o, struct twz_hash *h, objid_t id, const void *value,
    size_t len, unsigned flags)
{
	return twz_hash_put(o, h, &id, sizeof(id), value, len, flags);
}

static inline ssize_t twz_hash_get_id(twzobj *o, struct twz_hash *h, objid_t id, void *buf,
    size_t size)
{
	return twz_hash_get(o, h, &id, sizeof(id), buf, size);
}

static inline int twz_hash_erase_id(twzobj *o, struct twz_hash *h, objid_t id)
{
	return twz_hash_erase(o, h, &id, sizeof(id));
}

/* How many keys there are. Walks all buckets. */
ssize_t twz_hash_count(twzobj *o, struct twz_hash *h);

/*
 * Erase all keys: the map is empty in one step, and what it held is freed by and by; the next put,
 * erase or clear goes on with that if it was interrupted. Nothing of *h is allocated then.
 */
int twz_hash_clear(twzobj *o, struct twz_hash *h);

/*
 * A walk over all keys, in no order. Under concurrent changes a key that is there all the time is
 * seen at least once, and once exactly if no segment is split meanwhile; one that comes or goes is
 * seen or not.
 */
struct twz_hash_iter {
	twzobj *o;
	struct twz_hash *h;
	uint64_t prefix; /* the segment: where its hashes begin */
	uint64_t epoch;
	uint32_t slot; /* the next one in it */
	bool done;
	/* The entry; what they point at is in the object: as twz_hash_find. */
	const void *key, *value;
	size_t klen, len;
};

/* Stand before the first key. */
void twz_hash_iter_init(struct twz_hash_iter *it, twzobj *o, struct twz_hash *h);

/* Go to the next key: 1 there is one, 0 that was all, or a negative error. */
int twz_hash_next(struct twz_hash_iter *it);

/* Check the whole map, as twz_ds_check. */
int twz_hash_check(twzobj *o, const struct twz_hash *h);

#ifdef __cplusplus
}
#endif

#endif
