// SPDX-License-Identifier: BSD-3-Clause
/* Hash map: putting, erasing. */
#include "hash_find.h"

#include "../alloc/alloc.h"

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
