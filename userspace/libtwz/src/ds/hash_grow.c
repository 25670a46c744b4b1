// SPDX-License-Identifier: BSD-3-Clause
/* Hash map: segments that become two, directories that double, and clearing. All stripes locked. */
#include "hash.h"

#define BATCH 10u /* records freed in one step */

static void begin_all(struct twz_hash *h)
{
	for (unsigned i = 0; i < TWZ_HASH_STRIPES; i++)
		ds_seq_begin(&h->stripes[i].guard.seq);
}

static void end_all(struct twz_hash *h)
{
	for (unsigned i = 0; i < TWZ_HASH_STRIPES; i++)
		ds_seq_end(&h->stripes[i].guard.seq);
}

/* Publish what moves segments; readers on the way start again. */
static int publish(twzobj *o, struct twz_hash *h, const struct twz_alloc_action *actions, size_t n)
{
	int r;

	begin_all(h);
	r = ds_publish(o, actions, n);
	ds_store(&h->epoch, h->epoch + 1);
	end_all(h);
	return r;
}

/* --- segments and directories that nobody sees yet */

static struct segment *new_segment(twzobj *o, uint64_t prefix, unsigned depth, int *error)
{
	struct segment *s = twz_alloc_reserve(o, sizeof(*s), TWZ_ALLOC_ALIGN(64), error);

	if (!s)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->magic = SEGMENT_MAGIC;
	s->prefix = prefix | (depth + 1);
	return s;
}

static struct directory *new_directory(twzobj *o, unsigned depth, int *error)
{
	struct directory *d = twz_alloc_reserve(o, directory_size(depth), 0, error);

	if (d) {
		d->magic = DIRECTORY_MAGIC;
		d->depth = depth;
	}
	return d;
}

static int cancel(twzobj *o, int error, void *a, void *b)
{
	if (a)
		twz_alloc_cancel(o, a);
	if (b)
		twz_alloc_cancel(o, b);
	return error;
}

static int create(twzobj *o, struct twz_hash *h)
{
	int error = 0;
	struct segment *s = new_segment(o, 0, 0, &error);
	struct directory *d = s ? new_directory(o, 0, &error) : NULL;

	if (!d)
		return cancel(o, error, s, NULL);
	d->segments[0] = ds_offset(o, s);
	return publish(o, h, (struct twz_alloc_action[]){ ds_keep(s, sizeof(*s)),
	    ds_keep(d, directory_size(0)), ds_set(&h->dir, ds_offset(o, d)) }, 3);
}

/* --- splitting */

struct split {
	struct directory *d;
	struct segment *old, *half[2];
	unsigned depth; /* of old */
	size_t first;   /* directory entries that lead to old */
	size_t count;
};

static bool can_split(struct split *sp, uint64_t hash)
{
	uint64_t prefix = segment_prefix(sp->old);

	sp->depth = segment_depth(sp->old);
	if (sp->old->magic != SEGMENT_MAGIC || sp->depth > sp->d->depth ||
	    (prefix ^ hash) >> 1 >> (63 - sp->depth))
		return false;
	sp->first = directory_index(sp->d->depth, prefix);
	sp->count = (size_t)1 << (sp->d->depth - sp->depth);
	return true;
}

static void distribute(const struct split *sp)
{
	for (unsigned i = 0; i < RECORD_SLOTS; i++) {
		uint64_t word = sp->old->slots[i];
		if (word)
			sp->half[word >> (63 - sp->depth) & 1]->slots[i] = word;
	}
}

static int make_halves(twzobj *o, struct split *sp)
{
	uint64_t prefix = segment_prefix(sp->old), bit = 1ull << (63 - sp->depth);
	int error = 0;

	sp->half[0] = new_segment(o, prefix, sp->depth + 1, &error);
	sp->half[1] = sp->half[0] ? new_segment(o, prefix | bit, sp->depth + 1, &error) : NULL;
	if (!sp->half[1])
		return cancel(o, error, sp->half[0], NULL);
	distribute(sp);
	return 0;
}

/* The entries change in the directory. */
static int split_in_place(twzobj *o, struct twz_hash *h, const struct split *sp)
{
	struct twz_alloc_action actions[3 + SAME_SETS];
	size_t n = 0;

	actions[n++] = ds_keep(sp->half[0], sizeof(struct segment));
	actions[n++] = ds_keep(sp->half[1], sizeof(struct segment));
	for (size_t i = 0; i < sp->count; i++)
		actions[n++] = ds_set(&sp->d->segments[sp->first + i],
		    ds_offset(o, sp->half[i >= sp->count / 2]));
	actions[n++] = ds_drop(sp->old);
	return publish(o, h, actions, n);
}

static void fill_directory(twzobj *o, const struct split *sp, struct directory *d)
{
	unsigned shift = d->depth - sp->d->depth;
	size_t first = sp->first << shift, count = sp->count << shift;

	for (size_t i = 0; i < (size_t)1 << d->depth; i++)
		d->segments[i] = sp->d->segments[i >> shift];
	for (size_t i = 0; i < count; i++)
		d->segments[first + i] = ds_offset(o, sp->half[i >= count / 2]);
}

/* The entries change in a copy of the directory, which is twice as large if need be. */
static int split_and_copy(twzobj *o, struct twz_hash *h, const struct split *sp)
{
	unsigned depth = sp->count == 1 ? sp->d->depth + 1 : sp->d->depth;
	int error = 0;
	struct directory *d = new_directory(o, depth, &error);

	if (!d)
		return cancel(o, error, sp->half[0], sp->half[1]);
	fill_directory(o, sp, d);
	return publish(o, h, (struct twz_alloc_action[]){
	    ds_keep(sp->half[0], sizeof(struct segment)),
	    ds_keep(sp->half[1], sizeof(struct segment)), ds_keep(d, directory_size(depth)),
	    ds_set(&h->dir, ds_offset(o, d)), ds_drop(sp->old), ds_drop(sp->d) }, 6);
}

static int split(twzobj *o, struct twz_hash *h, struct split *sp, uint64_t hash)
{
	int r;

	if (!can_split(sp, hash))
		return -EINVLOBJ;
	if (sp->depth >= MAX_DEPTH)
		return -ENOSPC;
	r = make_halves(o, sp);
	if (r < 0)
		return r;
	if (sp->count == 1 || sp->count > SAME_SETS)
		return split_and_copy(o, h, sp);
	return split_in_place(o, h, sp);
}

static int grow_locked(twzobj *o, struct twz_hash *h, uint64_t hash)
{
	struct split sp = { .d = hash_directory(o, &h->dir) };

	if (!h->dir)
		return create(o, h);
	if (sp.d)
		sp.old = hash_segment(o, &sp.d->segments[directory_index(sp.d->depth, hash)]);
	if (!sp.old)
		return -EINVLOBJ;
	return hash_free_slot(sp.old, hash) ? 0 : split(o, h, &sp, hash);
}

int hash_grow(twzobj *o, struct twz_hash *h, uint64_t hash)
{
	int r;

	hash_lock_all(o, h);
	r = grow_locked(o, h, hash);
	hash_unlock_all(h);
	return r;
}

/* --- clearing */

static int drain_records(twzobj *o, struct segment *s)
{
	struct twz_alloc_action actions[2 * BATCH];
	size_t n = 0;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < RECORD_SLOTS; i++) {
		if (s->slots[i]) {
			actions[n++] = ds_set(&s->slots[i], 0);
			actions[n++] = ds_drop(ds_at(o, s->slots[i] & DS_OFFSET_MASK));
		}
		if (n == 2 * BATCH || (n && i == RECORD_SLOTS - 1)) {
			r = ds_publish(o, actions, n);
			n = 0;
		}
	}
	return r;
}

/* The first entry of several that lead to the segment is the last one to go. */
static int drain_segment(twzobj *o, struct directory *d, size_t first)
{
	struct segment *s = hash_segment(o, &d->segments[first]);
	size_t count;
	int r;

	if (!s || s->magic != SEGMENT_MAGIC || segment_depth(s) > d->depth)
		return -EINVLOBJ;
	count = (size_t)1 << (d->depth - segment_depth(s));
	r = first & (count - 1) ? -EINVLOBJ : drain_records(o, s);
	if (r < 0)
		return r;
	if (count > 1) {
		memset(&d->segments[first + 1], 0, (count - 1) * sizeof(uint64_t));
		ds_flush(o, &d->segments[first + 1], (count - 1) * sizeof(uint64_t));
		ds_fence(o);
	}
	return ds_publish(o, (struct twz_alloc_action[]){ ds_set(&d->segments[first], 0),
	    ds_drop(s) }, 2);
}

int hash_drain(twzobj *o, struct twz_hash *h)
{
	struct directory *d = hash_directory(o, &h->trash);
	int r = 0;

	if (!h->trash)
		return 0;
	if (!d)
		return -EINVLOBJ;
	for (size_t i = 0; r == 0 && i < (size_t)1 << d->depth; i++)
		if (d->segments[i])
			r = drain_segment(o, d, i);
	if (r < 0)
		return -EINVLOBJ;
	return ds_publish(o, (struct twz_alloc_action[]){ ds_set(&h->trash, 0), ds_drop(d) }, 2);
}

static int clear_locked(twzobj *o, struct twz_hash *h)
{
	int r = hash_drain(o, h);

	if (r < 0 || !h->dir)
		return r;
	r = publish(o, h, (struct twz_alloc_action[]){ ds_set(&h->trash, h->dir),
	    ds_set(&h->dir, 0) }, 2);
	return r < 0 ? r : hash_drain(o, h);
}

int twz_hash_clear(twzobj *o, struct twz_hash *h)
{
	int r;

	if (!ds_root_ok(o, h, sizeof(*h)))
		return -EINVAL;
	r = ds_head_check(&h->head, TWZ_DS_HASH);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	hash_lock_all(o, h);
	r = clear_locked(o, h);
	hash_unlock_all(h);
	return r;
}
