// SPDX-License-Identifier: BSD-3-Clause
/* Hash map: finding, putting, erasing. */
#include "hash.h"

#include "../alloc/alloc.h"

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

uint64_t hash_of(const struct twz_hash *h, const void *key, size_t klen)
{
	const unsigned char *p = key;
	uint64_t hash = h->seed + klen, word;

	for (; klen > sizeof(word); klen -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		hash = mix(hash + word);
	}
	word = 0;
	memcpy(&word, p, klen);
	return mix(hash + word);
}

/* --- slots */

/*
 * A bit for each slot whose hash is the key's. Without a branch, as which slot it is cannot be
 * guessed: so the CPU goes on, to the next lookup even, while it waits for the line.
 */
static inline unsigned same_hash(const uint64_t *slot, uint64_t hash)
{
	unsigned found = 0;

#pragma GCC unroll 8
	for (unsigned i = SLOTS; i-- > 0;) {
		uint64_t word = __atomic_load_n(&slot[i], __ATOMIC_RELAXED);

		found = found << 1 | ((word ^ hash) <= DS_OFFSET_MASK);
	}
	return found;
}

/* The record of the key in one bucket, and its slot; or NULL. Its value may still be anywhere. */
static inline struct ds_record *find_in(const twzobj *o, uint64_t *bucket, const struct hash_key *k,
    uint64_t **slot)
{
	for (unsigned found = same_hash(bucket, k->hash); found; found &= found - 1) {
		uint64_t *at = &bucket[__builtin_ctz(found)];
		uint64_t offset = ds_load(at) & DS_OFFSET_MASK;
		struct ds_record *r = ds_at(o, offset);

		__builtin_prefetch((char *)r + 64);
		if (ds_inside(offset, ds_record_size(k->len, 0), 8) &&
		    ds_record_has_key(r, k->bytes, k->len)) {
			*slot = at;
			return r;
		}
	}
	return NULL;
}

static inline struct ds_record *find_record(const twzobj *o, struct segment *s,
    const struct hash_key *k, uint64_t **slot)
{
	struct ds_record *r = find_in(o, hash_bucket(s, k->hash, 0), k, slot);

	return r ? r : find_in(o, hash_bucket(s, k->hash, 1), k, slot);
}

uint64_t *hash_find_slot(const twzobj *o, struct segment *s, const struct hash_key *k)
{
	uint64_t *slot;
	struct ds_record *r = find_record(o, s, k, &slot);

	return r && ds_record_at(o, ds_offset(o, r)) ? slot : NULL;
}

uint64_t *hash_free_slot(struct segment *s, uint64_t hash)
{
	for (unsigned which = 0; which < 2; which++) {
		uint64_t *slot = hash_bucket(s, hash, which);
		for (unsigned i = 0; i < SLOTS; i++)
			if (!slot[i])
				return &slot[i];
	}
	return NULL;
}

static struct segment *segment_of(const twzobj *o, struct twz_hash *h, uint64_t hash)
{
	struct directory *d = hash_directory(o, &h->dir);

	return d ? hash_segment(o, &d->segments[directory_index(d->depth, hash)]) : NULL;
}

static struct ds_record *slot_record(const twzobj *o, const uint64_t *slot)
{
	return ds_record_at(o, *slot & DS_OFFSET_MASK);
}

/* --- locks */

static void lock_stripe(twzobj *o, struct twz_hash_stripe *s)
{
	ds_lock(o, &s->guard);
}

void hash_lock_all(twzobj *o, struct twz_hash *h)
{
	for (unsigned i = 0; i < TWZ_HASH_STRIPES; i++)
		lock_stripe(o, &h->stripes[i]);
}

void hash_unlock_all(struct twz_hash *h)
{
	for (unsigned i = TWZ_HASH_STRIPES; i-- > 0;)
		ds_unlock(&h->stripes[i].guard);
}

/* --- beginning */

static int start_using(twzobj *o, struct twz_hash *h)
{
	int r;

	hash_lock_all(o, h);
	r = ds_head_check(&h->head, TWZ_DS_HASH);
	if (r == -ENOENT) {
		/* With the head alone a cut leaves another seed, of an empty map. */
		h->seed = mix(ID_LO(o->id) ^ ds_offset(o, h));
		ds_flush(o, &h->seed, sizeof(h->seed));
		ds_head_write(o, &h->head, TWZ_DS_HASH, 0);
		r = 0;
	}
	hash_unlock_all(h);
	return r;
}

static int drain(twzobj *o, struct twz_hash *h)
{
	int r;

	hash_lock_all(o, h);
	r = hash_drain(o, h);
	hash_unlock_all(h);
	return r;
}

/* Before anything is changed. */
static int begin_change(twzobj *o, struct twz_hash *h)
{
	int r;

	if (!ds_root_ok(o, h, sizeof(*h)))
		return -EINVAL;
	r = ds_head_check(&h->head, TWZ_DS_HASH);
	if (r == -ENOENT)
		r = start_using(o, h);
	if (r == 0 && h->trash)
		r = drain(o, h);
	return r;
}

static int begin_read(twzobj *o, const struct twz_hash *h)
{
	return ds_root_ok(o, h, sizeof(*h)) ? ds_head_check(&h->head, TWZ_DS_HASH) : -EINVAL;
}

int twz_hash_init(twzobj *o, struct twz_hash *h)
{
	if (!ds_root_ok(o, h, sizeof(*h)))
		return -EINVAL;
	memset(h, 0, sizeof(*h));
	ds_flush(o, h, sizeof(*h));
	ds_fence(o);
	return 0;
}

/* --- putting */

static int put_new(twzobj *o, struct segment *s, const struct hash_key *k, struct ds_value value)
{
	uint64_t *slot = s ? hash_free_slot(s, k->hash) : NULL;
	struct ds_record *r;
	int error;

	if (!slot)
		return -ENOSPC;
	r = ds_record_new(o, k->bytes, k->len, value, &error);
	if (!r)
		return error;
	return ds_publish_words(o, (struct twz_alloc_action[]){
	    ds_keep(r, ds_record_size(k->len, value.len)),
	    ds_set(slot, hash_slot_word(o, k->hash, r)) }, 2);
}

static int put_old(twzobj *o, struct twz_hash_stripe *stripe, uint64_t *slot,
    const struct hash_key *k, struct ds_value value)
{
	struct ds_record *old = slot_record(o, slot), *r;
	int error;

	if (ds_record_fits(old, value.len)) {
		ds_record_overwrite(o, old, value);
		return 0;
	}
	__twz_alloc_prefetch_drop(old, ds_record_size(k->len, old->vlen));
	r = ds_record_new(o, k->bytes, k->len, value, &error);
	if (!r)
		return error;
	ds_seq_begin(&stripe->guard.seq);
	error = ds_publish_words(o, (struct twz_alloc_action[]){
	    ds_keep(r, ds_record_size(k->len, value.len)),
	    ds_set(slot, hash_slot_word(o, k->hash, r)), ds_drop(old) }, 3);
	ds_seq_end(&stripe->guard.seq);
	return error;
}

/* With the stripe locked. -ENOSPC: there is no slot for a new key. */
static int put_locked(twzobj *o, struct twz_hash *h, const struct hash_key *k,
    struct ds_value value, unsigned flags)
{
	struct segment *s = segment_of(o, h, k->hash);
	uint64_t *slot = s ? hash_find_slot(o, s, k) : NULL;

	if (slot && flags & TWZ_DS_NEW)
		return -EEXIST;
	if (!slot && flags & TWZ_DS_OLD)
		return -ENOENT;
	if (slot)
		return put_old(o, hash_stripe(h, k->hash), slot, k, value);
	return put_new(o, s, k, value);
}

static int put(twzobj *o, struct twz_hash *h, const struct hash_key *k, struct ds_value value,
    unsigned flags)
{
	struct twz_hash_stripe *stripe = hash_stripe(h, k->hash);
	int r;

	for (;;) {
		lock_stripe(o, stripe);
		r = put_locked(o, h, k, value, flags);
		ds_unlock(&stripe->guard);
		if (r != -ENOSPC)
			return r;
		r = hash_grow(o, h, k->hash);
		if (r < 0)
			return r;
	}
}

int twz_hash_put(twzobj *o, struct twz_hash *h, const void *key, size_t klen, const void *value,
    size_t len, unsigned flags)
{
	struct hash_key k = { key, klen, 0 };
	int r = begin_change(o, h);

	if (r < 0)
		return r;
	if (!ds_key_ok(key, klen, len) || (len && !value))
		return -EINVAL;
	k.hash = hash_of(h, key, klen);
	return put(o, h, &k, (struct ds_value){ value, len }, flags);
}

int twz_hash_put_u64(twzobj *o, struct twz_hash *h, uint64_t key, const void *value, size_t len,
    unsigned flags)
{
	struct hash_key k = { &key, sizeof(key), 0 };
	int r = begin_change(o, h);

	if (r < 0)
		return r;
	if (len > TWZ_DS_VALUE_MAX || (len && !value))
		return -EINVAL;
	k.hash = hash_u64(h->seed, key);
	return put(o, h, &k, (struct ds_value){ value, len }, flags);
}

/* --- erasing */

static int erase_locked(twzobj *o, struct twz_hash *h, const struct hash_key *k)
{
	struct twz_hash_stripe *stripe = hash_stripe(h, k->hash);
	struct segment *s = segment_of(o, h, k->hash);
	uint64_t *slot = s ? hash_find_slot(o, s, k) : NULL;
	int r;

	if (!slot)
		return -ENOENT;
	ds_seq_begin(&stripe->guard.seq);
	r = ds_publish_words(o, (struct twz_alloc_action[]){ ds_set(slot, 0),
	    ds_drop(slot_record(o, slot)) }, 2);
	ds_seq_end(&stripe->guard.seq);
	return r;
}

int twz_hash_erase(twzobj *o, struct twz_hash *h, const void *key, size_t klen)
{
	struct hash_key k = { key, klen, 0 };
	struct twz_hash_stripe *stripe;
	int r = begin_change(o, h);

	if (r < 0)
		return r;
	if (!ds_key_ok(key, klen, 0))
		return -EINVAL;
	k.hash = hash_of(h, key, klen);
	stripe = hash_stripe(h, k.hash);
	lock_stripe(o, stripe);
	r = erase_locked(o, h, &k);
	ds_unlock(&stripe->guard);
	return r;
}

int twz_hash_erase_u64(twzobj *o, struct twz_hash *h, uint64_t key)
{
	return twz_hash_erase(o, h, &key, sizeof(key));
}

/* --- getting */

static inline struct ds_record *lookup(twzobj *o, struct twz_hash *h, const struct hash_key *k)
{
	struct segment *s = segment_of(o, h, k->hash);
	uint64_t *slot;

	return s ? find_record(o, s, k, &slot) : NULL;
}

/*
 * Copy up to size bytes of the value of a key that was found. Where it stands, and if it is as long
 * as expected how much is copied, does not come from the record: so its second line is on its way
 * while the first one is waited for.
 */
static inline ssize_t copy_value(const twzobj *o, const struct ds_record *r, size_t klen, void *buf,
    size_t size)
{
	const unsigned char *value = r->bytes + ds_round8(klen);
	uint32_t len = __atomic_load_n(&r->vlen, __ATOMIC_RELAXED);

	if (len == size && ds_inside(ds_offset(o, value), size, 8))
		ds_copy(buf, value, size);
	else if (ds_inside(ds_offset(o, value), len, 8))
		ds_copy(buf, value, len < size ? len : size);
	else
		return -EINVLOBJ;
	return len;
}

static inline ssize_t get(twzobj *o, struct twz_hash *h, const struct hash_key *k, void *buf,
    size_t size)
{
	struct twz_hash_stripe *stripe = hash_stripe(h, k->hash);
	struct ds_record *r;
	uint64_t seq;
	ssize_t len;

	do {
		len = ds_seq_read(o, &stripe->guard, &seq);
		if (len < 0)
			return len;
		r = lookup(o, h, k);
		len = r ? copy_value(o, r, k->len, buf, size) : -ENOENT;
	} while (!ds_seq_valid(&stripe->guard.seq, seq));
	return len;
}

ssize_t twz_hash_get(twzobj *o, struct twz_hash *h, const void *key, size_t klen, void *buf,
    size_t size)
{
	struct hash_key k = { key, klen, 0 };
	int r = begin_read(o, h);

	if (r < 0)
		return r;
	if (!ds_key_ok(key, klen, 0) || (size && !buf))
		return -EINVAL;
	k.hash = hash_of(h, key, klen);
	return get(o, h, &k, buf, size);
}

ssize_t twz_hash_get_u64(twzobj *o, struct twz_hash *h, uint64_t key, void *buf, size_t size)
{
	struct hash_key k = { &key, sizeof(key), 0 };
	int r = begin_read(o, h);

	if (r < 0)
		return r;
	k.hash = hash_u64(h->seed, key);
	return get(o, h, &k, buf, size);
}

static void *find(twzobj *o, struct twz_hash *h, const struct hash_key *k, size_t *len)
{
	struct ds_record *r = NULL;
	uint64_t seq;

	if (ds_seq_read(o, &hash_stripe(h, k->hash)->guard, &seq) == 0)
		r = lookup(o, h, k);
	r = r ? ds_record_at(o, ds_offset(o, r)) : NULL;
	if (!r)
		return NULL;
	if (len)
		*len = r->vlen;
	return ds_record_value(r);
}

void *twz_hash_find(twzobj *o, struct twz_hash *h, const void *key, size_t klen, size_t *len)
{
	struct hash_key k = { key, klen, 0 };

	if (begin_read(o, h) < 0 || !ds_key_ok(key, klen, 0))
		return NULL;
	k.hash = hash_of(h, key, klen);
	return find(o, h, &k, len);
}

void *twz_hash_find_u64(twzobj *o, struct twz_hash *h, uint64_t key, size_t *len)
{
	struct hash_key k = { &key, sizeof(key), 0 };

	if (begin_read(o, h) < 0)
		return NULL;
	k.hash = hash_u64(h->seed, key);
	return find(o, h, &k, len);
}
