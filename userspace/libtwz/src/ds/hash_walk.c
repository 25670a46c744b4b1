// SPDX-License-Identifier: BSD-3-Clause
/* Hash map: counting, walking, checking. */
#include "hash.h"

#define TRIES 1000u /* of a count that others interfere with */

/* The segment in which hashes that begin with a prefix are; NULL: none, or none that can be. */
static struct segment *segment_at(const twzobj *o, const struct directory *d, uint64_t prefix)
{
	struct segment *s = hash_segment(o, &d->segments[directory_index(d->depth, prefix)]);

	if (!s || s->magic != SEGMENT_MAGIC || segment_depth(s) > d->depth ||
	    (segment_prefix(s) ^ prefix) >> 1 >> (63 - segment_depth(s)))
		return NULL;
	return s;
}

/* Where the next segment's hashes begin; 0 after the last. */
static uint64_t next_prefix(const struct segment *s)
{
	unsigned depth = segment_depth(s);

	return depth ? segment_prefix(s) + (1ull << (64 - depth)) : 0;
}

static ssize_t count_in(const struct segment *s)
{
	ssize_t count = 0;

	for (unsigned i = 0; i < RECORD_SLOTS; i++)
		count += s->slots[i] != 0;
	return count;
}

static ssize_t count_once(const twzobj *o, const struct twz_hash *h)
{
	struct directory *d = hash_directory(o, &h->dir);
	uint64_t prefix = 0;
	ssize_t count = 0;

	if (!d)
		return h->dir ? -EINVLOBJ : 0;
	do {
		struct segment *s = segment_at(o, d, prefix);
		if (!s)
			return -EINVLOBJ;
		count += count_in(s);
		prefix = next_prefix(s);
	} while (prefix);
	return count;
}

static int begin(const twzobj *o, const struct twz_hash *h)
{
	return ds_root_ok(o, h, sizeof(*h)) ? ds_head_check(&h->head, TWZ_DS_HASH) : -EINVAL;
}

ssize_t twz_hash_count(twzobj *o, struct twz_hash *h)
{
	ssize_t count = begin(o, h);
	uint64_t epoch;

	if (count < 0)
		return count == -ENOENT ? 0 : count;
	for (unsigned i = 0; i < TRIES; i++) {
		epoch = ds_load(&h->epoch);
		count = count_once(o, h);
		if (ds_seq_valid(&h->epoch, epoch))
			break;
	}
	return count;
}

/* --- walking */

void twz_hash_iter_init(struct twz_hash_iter *it, twzobj *o, struct twz_hash *h)
{
	memset(it, 0, sizeof(*it));
	it->o = o;
	it->h = h;
}

static bool take_entry(struct twz_hash_iter *it, uint64_t word)
{
	struct ds_record *r = ds_record_at(it->o, word & DS_OFFSET_MASK);

	if (!r)
		return false;
	it->key = r->bytes;
	it->klen = r->klen;
	it->value = ds_record_value(r);
	it->len = r->vlen;
	return true;
}

static int next_in(struct twz_hash_iter *it, struct segment *s)
{
	while (it->slot < RECORD_SLOTS) {
		uint64_t word = ds_load(&s->slots[it->slot++]);
		if (word && take_entry(it, word))
			return 1;
	}
	it->slot = 0;
	it->prefix = next_prefix(s);
	it->done = !it->prefix;
	return 0;
}

/* The segment the walk is in: from its start if segments moved. */
static struct segment *current(struct twz_hash_iter *it)
{
	uint64_t epoch = ds_load(&it->h->epoch);
	struct directory *d = hash_directory(it->o, &it->h->dir);

	if (epoch != it->epoch)
		it->slot = 0;
	it->epoch = epoch;
	return d ? segment_at(it->o, d, it->prefix) : NULL;
}

int twz_hash_next(struct twz_hash_iter *it)
{
	int r = begin(it->o, it->h);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while (!it->done) {
		struct segment *s = current(it);
		if (!s && !ds_seq_valid(&it->h->epoch, it->epoch))
			continue;
		if (!s)
			return ds_load(&it->h->dir) ? -EINVLOBJ : 0;
		if (next_in(it, s))
			return 1;
	}
	return 0;
}

/* --- checking */

static bool slot_is_sound(twzobj *o, const struct twz_hash *h, struct segment *s, unsigned i)
{
	uint64_t word = s->slots[i];
	struct ds_record *r = ds_record_at(o, word & DS_OFFSET_MASK);
	struct hash_key k;

	if (!r || twz_alloc_usable(o, r) < ds_record_size(r->klen, r->vlen))
		return false;
	k = (struct hash_key){ r->bytes, r->klen, hash_of(h, r->bytes, r->klen) };
	return !((word ^ k.hash) >> OBJ_SHIFT) && hash_find_slot(o, s, &k) == &s->slots[i];
}

static bool segment_is_sound(twzobj *o, const struct twz_hash *h, struct segment *s)
{
	unsigned shift = 63 - segment_depth(s);

	if (twz_alloc_usable(o, s) < sizeof(*s))
		return false;
	for (unsigned i = 0; i < RECORD_SLOTS; i++) {
		if (!s->slots[i])
			continue;
		if ((s->slots[i] ^ segment_prefix(s)) >> 1 >> shift || !slot_is_sound(o, h, s, i))
			return false;
	}
	return true;
}

/* All entries of its range lead to the segment. */
static bool entries_agree(const twzobj *o, const struct directory *d, const struct segment *s)
{
	size_t first = directory_index(d->depth, segment_prefix(s));

	for (size_t i = 0; i < (size_t)1 << (d->depth - segment_depth(s)); i++)
		if (d->segments[first + i] != ds_offset(o, s))
			return false;
	return true;
}

static bool directory_is_sound(twzobj *o, const struct twz_hash *h, struct directory *d)
{
	uint64_t prefix = 0;

	if (twz_alloc_usable(o, d) < directory_size(d->depth))
		return false;
	do {
		struct segment *s = segment_at(o, d, prefix);
		if (!s || segment_prefix(s) != prefix || !entries_agree(o, d, s) ||
		    !segment_is_sound(o, h, s))
			return false;
		prefix = next_prefix(s);
	} while (prefix);
	return true;
}

int twz_hash_check(twzobj *o, const struct twz_hash *h)
{
	struct directory *d;
	int r = begin(o, h);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (h->trash && !hash_directory(o, &h->trash))
		return -EINVLOBJ;
	d = hash_directory(o, &h->dir);
	if (!d)
		return h->dir ? -EINVLOBJ : 0;
	return directory_is_sound(o, h, d) ? 0 : -EINVLOBJ;
}
