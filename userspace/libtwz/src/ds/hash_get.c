// SPDX-License-Identifier: BSD-3-Clause
/* Hash map: getting. No lock is taken: what was read counts if nothing was freed meanwhile. */
#include "hash_find.h"

#define SELDOM(x) __builtin_expect((x), 0)

INLINE struct ds_record *lookup(twzobj *o, struct twz_hash *h, const struct hash_key *k)
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
INLINE ssize_t copy_value(const twzobj *o, const struct ds_record *r, size_t klen, void *buf,
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

static __attribute__((noinline)) ssize_t get(twzobj *o, struct twz_hash *h,
    const struct hash_key *k, void *buf, size_t size)
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

/*
 * What nearly every get is: a key of 64 bits in its first bucket, a value as long as expected, and
 * nobody in the way. False: it is not, and get_u64() says what it is. The CPU comes to the next
 * lookups while it waits for the lines of this one, as far as it can look ahead: every instruction
 * counts. So the size is a constant, and nothing is asked here that the key in the record answers:
 * a guard that is of this boot stands in a structure that was a map then, and an entry behind the
 * end of a damaged directory is in the object still.
 */
INLINE bool get_at_once(const twzobj *o, struct twz_hash *h, uint64_t key, void *buf,
    const uint32_t size)
{
	uint64_t hash = hash_u64(h->seed, key), at;
	uint64_t seq = ds_load(&hash_stripe(h, hash)->guard.seq); /* before anything it vouches for */
	const struct directory *d;
	const struct ds_record *r;
	const uint64_t *bucket;
	unsigned found;

	_Static_assert(OBJ_TOPDATA + (sizeof(uint64_t) << MAX_DEPTH) <= OBJ_MAXSIZE, "entries");
	if (SELDOM(seq & 1 || !ds_is_ready(&hash_stripe(h, hash)->guard)))
		return false;
	at = ds_load(&h->dir);
	d = ds_at(o, at);
	if (SELDOM(!ds_inside(at, sizeof(*d), 16) || d->depth > MAX_DEPTH))
		return false;
	at = ds_load(&d->segments[hash >> 1 >> (~d->depth & 63)]);
	if (SELDOM(!ds_inside(at, sizeof(struct segment), 64)))
		return false;
	bucket = hash_bucket(ds_at(o, at), hash, 0);
	found = machine_match(bucket, hash);
	if (SELDOM(!found))
		return false;
	at = ds_load(&bucket[__builtin_ctz(found)]) & DS_OFFSET_MASK & ~7ull;
	r = ds_at(o, at);
	if (SELDOM(!ds_inside(at, sizeof(*r) + sizeof(key) + size, 1) || r->klen != sizeof(key) ||
	    r->vlen != size || *(const uint64_t *)(const void *)r->bytes != key))
		return false;
	memcpy(buf, r->bytes + sizeof(key), size);
	return ds_seq_valid(&hash_stripe(h, hash)->guard.seq, seq);
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

static __attribute__((noinline)) ssize_t get_u64(twzobj *o, struct twz_hash *h, uint64_t key,
    void *buf, size_t size)
{
	struct hash_key k = { &key, sizeof(key), 0 };
	int r = begin_read(o, h);

	if (r < 0)
		return r;
	k.hash = hash_u64(h->seed, key);
	return get(o, h, &k, buf, size);
}

static __attribute__((noinline)) ssize_t get_line(twzobj *o, struct twz_hash *h, uint64_t key,
    void *buf)
{
	return get_at_once(o, h, key, buf, 64) ? 64 : get_u64(o, h, key, buf, 64);
}

static __attribute__((noinline)) ssize_t get_word(twzobj *o, struct twz_hash *h, uint64_t key,
    void *buf)
{
	return get_at_once(o, h, key, buf, 8) ? 8 : get_u64(o, h, key, buf, 8);
}

ssize_t twz_hash_get_u64(twzobj *o, struct twz_hash *h, uint64_t key, void *buf, size_t size)
{
	bool inside = ds_inside(ds_offset(o, h), sizeof(*h), 8);

	if (inside && size == 64)
		return get_line(o, h, key, buf);
	if (inside && size == 8)
		return get_word(o, h, key, buf);
	return get_u64(o, h, key, buf, size);
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
