// SPDX-License-Identifier: BSD-3-Clause
/* Hash map: from a key to its record, for those who change it and those who only look. */
#ifndef DS_HASH_FIND_H
#define DS_HASH_FIND_H

#include "hash.h"

#include <machine/match.h>

/* Into each of the functions of the interface: a key of 64 bits is compared as what it is. */
#define INLINE __attribute__((always_inline)) static inline

#define MIX1 0x9e3779b97f4a7c15ull
#define MIX2 0xbf58476d1ce4e5b9ull

/* --- the hash function: a word at a time, after splitmix64 */

static inline uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= MIX1;
	h ^= h >> 29;
	h *= MIX2;
	return h ^ h >> 32;
}

static inline uint64_t hash_u64(uint64_t seed, uint64_t key)
{
	return mix(seed + sizeof(key) + key);
}

/* --- slots */

/* The record of the key in one bucket, and its slot; or NULL. Its value may still be anywhere. */
INLINE struct ds_record *find_in(const twzobj *o, uint64_t *bucket, const struct hash_key *k,
    uint64_t **slot)
{
	for (unsigned found = machine_match(bucket, k->hash) & 0xff; found; found &= found - 1) {
		uint64_t *at = &bucket[__builtin_ctz(found)];
		uint64_t offset = ds_load(at) & DS_OFFSET_MASK;
		struct ds_record *r = ds_at(o, offset);

		if (ds_inside(offset, ds_record_size(k->len, 0), 8) &&
		    ds_record_has_key(r, k->bytes, k->len)) {
			*slot = at;
			return r;
		}
	}
	return NULL;
}

INLINE struct ds_record *find_record(const twzobj *o, struct segment *s,
    const struct hash_key *k, uint64_t **slot)
{
	struct ds_record *r = find_in(o, hash_bucket(s, k->hash, 0), k, slot);

	return r ? r : find_in(o, hash_bucket(s, k->hash, 1), k, slot);
}

INLINE struct segment *segment_of(const twzobj *o, struct twz_hash *h, uint64_t hash)
{
	struct directory *d = hash_directory(o, &h->dir);

	return d ? hash_segment(o, &d->segments[directory_index(d->depth, hash)]) : NULL;
}

INLINE int begin_read(const twzobj *o, const struct twz_hash *h)
{
	return ds_root_ok(o, h, sizeof(*h)) ? ds_head_check(&h->head, TWZ_DS_HASH) : -EINVAL;
}

#endif
