// SPDX-License-Identifier: BSD-3-Clause
/*
 * Allocating, freeing and resizing: a region is reserved, filled in, and published with the word
 * that owns it. See twz/alloc.h.
 */
#include "alloc.h"

/* What a call wants. */
struct request {
	size_t len, align;
	uint64_t owner; /* object offset, 0: none */
	bool durable;
	void (*ctor)(void *, void *);
	void *data;
	const struct region *from; /* contents come from there */
	const struct region *old;  /* freed with it */
};

static void throw_invalid(twzobj *o, const void *p)
{
	__twz_throw_pptr(twz_object_guid(o), 0, FAULT_PPTR_INVALID, -EINVAL, p);
}

/* --- filling in */

static void construct(struct arena *a, const struct request *q, const struct region *r)
{
	void *p = a->zero + r->offset;

	if (q->from)
		memcpy(p, a->zero + q->from->offset,
		    q->from->size < q->len ? q->from->size : q->len);
	else if (q->ctor == TWZ_ALLOC_CTOR_ZERO)
		memset(p, 0, q->len);
	else if (q->ctor)
		q->ctor(p, q->data);
}

/* A constructor of the caller's may allocate: no lane is held while it runs. */
static unsigned construct_in_lane(struct arena *a, const struct request *q, const struct region *r,
    unsigned l)
{
	bool foreign = q->ctor && q->ctor != TWZ_ALLOC_CTOR_ZERO;

	if (foreign)
		__twz_alloc_lane_release(a, l);
	construct(a, q, r);
	return foreign ? __twz_alloc_lane_acquire(a) : l;
}

/* --- publishing */

static unsigned entries(const struct request *q, const struct region *r, uint64_t *words)
{
	unsigned n = 0;

	words[n++] = __twz_alloc_entry_live(r);
	if (q->owner)
		words[n++] = __twz_alloc_entry_ptr(q->owner, r->offset);
	if (q->old)
		words[n++] = __twz_alloc_entry_free(q->old);
	return n;
}

static void publish(struct arena *a, const struct request *q, const struct region *r, unsigned l)
{
	uint64_t words[4];
	unsigned n = entries(q, r, words);

	if ((q->ctor || q->from) && __twz_alloc_content(a, r, q->len, words, &n))
		__twz_obj_fence(a->o);
	__twz_alloc_commit(a, l, words, n);
	__twz_alloc_lane_release(a, l);
}

/* The whole of it: the object offset, or negative. */
static int64_t allocate(struct arena *a, const struct request *q)
{
	struct region r;
	uint64_t words[4];
	unsigned l;
	int error = __twz_alloc_take(a, q->len, q->align, &r, &l);

	if (error < 0)
		return error;
	l = construct_in_lane(a, q, &r, l);
	if (q->durable) {
		publish(a, q, &r, l);
	} else {
		__twz_alloc_lane_release(a, l);
		__twz_alloc_do(a, words, entries(q, &r, words));
	}
	return (int64_t)r.offset;
}

/* --- checking what callers give */

static int check_request(struct arena *a, twzobj *o, void **owner, uint64_t flags,
    struct request *q)
{
	int align = __twz_alloc_align(flags, TWZ_ALLOC_VOLATILE);
	int r = __twz_alloc_open(a, o);

	q->durable = !(flags & TWZ_ALLOC_VOLATILE);
	q->owner = owner ? __twz_alloc_offset(o, owner) : 0;
	if (r < 0)
		return r;
	if (align < 0 || (owner ? !__twz_alloc_is_word(a, q->owner) : q->durable))
		return -EINVAL;
	q->align = (size_t)align;
	if (owner)
		__twz_alloc_touch(a, q->owner);
	return 0;
}

static bool is_live(struct arena *a, const void *p, struct region *r)
{
	return __twz_alloc_region(a, p, r) && r->live;
}

int twz_alloc(twzobj *o, size_t len, void **owner, uint64_t flags, void (*ctor)(void *, void *),
    void *data)
{
	struct request q = { .len = len, .ctor = ctor, .data = data };
	bool to_data = !owner && (!ctor || ctor == TWZ_ALLOC_CTOR_ZERO);
	struct arena a;
	int64_t at;
	int r = check_request(&a, o, owner, flags, &q);

	if (r < 0)
		return r;
	if (!owner && (!to_data || !data))
		return -EINVAL;
	at = allocate(&a, &q);
	if (at < 0)
		return (int)at;
	if (to_data)
		*(void **)data = (void *)(uintptr_t)at;
	return 0;
}

/* --- freeing */

static void free_region(struct arena *a, const struct region *r, uint64_t owner, bool durable)
{
	uint64_t words[2];
	unsigned n = 0, l;

	if (owner)
		words[n++] = __twz_alloc_entry_ptr(owner, 0);
	words[n++] = __twz_alloc_entry_free(r);
	if (!durable) {
		__twz_alloc_do(a, words, n);
		return;
	}
	l = __twz_alloc_lane_acquire(a);
	__twz_alloc_commit(a, l, words, n);
	__twz_alloc_lane_release(a, l);
}

void twz_free(twzobj *o, void *p, void **owner, uint64_t flags)
{
	uint64_t word = owner ? __twz_alloc_offset(o, owner) : 0;
	struct region r;
	struct arena a;

	if (!p)
		return;
	if (__twz_alloc_open(&a, o) < 0 || (owner && !__twz_alloc_is_word(&a, word)) ||
	    flags & ~TWZ_ALLOC_VOLATILE & 0xffffffff || !is_live(&a, p, &r)) {
		throw_invalid(o, p);
		return;
	}
	free_region(&a, &r, word, !(flags & TWZ_ALLOC_VOLATILE));
}

/* --- resizing */

/* Whether a region of the new size would be no other. */
static bool fits(const struct region *old, const struct request *q)
{
	unsigned class = __twz_alloc_class_for(q->len, q->align);

	if (old->offset & (q->align - 1))
		return false;
	if (class < CLASSES)
		return !old->count && __twz_alloc_class[class].size == old->size;
	return old->count && q->len <= old->size;
}

/* Entries that keep the region where it is, shorter by whole pages where it can be. */
static unsigned keep_entries(struct arena *a, const struct region *old, const struct request *q,
    uint64_t *words)
{
	uint32_t pages = (uint32_t)((q->len + TWZ_PAGE_SIZE - 1) / TWZ_PAGE_SIZE);
	unsigned n = 0;

	if (old->count > pages)
		words[n++] = __twz_alloc_entry_pages(old->page + pages, old->count - pages,
		    PAGE_FREE);
	if (q->owner && *(uint64_t *)(void *)(a->zero + q->owner) != old->offset)
		words[n++] = __twz_alloc_entry_ptr(q->owner, old->offset);
	return n;
}

static int keep(struct arena *a, const struct region *old, const struct request *q)
{
	uint64_t words[2];
	unsigned n = keep_entries(a, old, q, words), l;

	if (!q->durable)
		__twz_alloc_do(a, words, n);
	if (!q->durable || !n)
		return 0;
	l = __twz_alloc_lane_acquire(a);
	__twz_alloc_commit(a, l, words, n);
	__twz_alloc_lane_release(a, l);
	return 0;
}

int twz_realloc(twzobj *o, void *p, void **owner, size_t newlen, uint64_t flags)
{
	struct request q = { .len = newlen };
	struct region old;
	struct arena a;
	int64_t at;
	int r;

	if (!p)
		return twz_alloc(o, newlen, owner, flags, NULL, NULL);
	r = check_request(&a, o, owner, flags, &q);
	if (r < 0 || !owner)
		return r < 0 ? r : -EINVAL;
	if (!is_live(&a, p, &old)) {
		throw_invalid(o, p);
		return -EINVAL;
	}
	if (fits(&old, &q))
		return keep(&a, &old, &q);
	q.from = q.old = &old;
	at = allocate(&a, &q);
	return at < 0 ? (int)at : 0;
}

int twz_alloc_replace(twzobj *o, void **owner, size_t len, uint64_t flags,
    void (*ctor)(void *, void *), void *data)
{
	struct request q = { .len = len, .ctor = ctor, .data = data };
	struct region old;
	struct arena a;
	void *p;
	int64_t at;
	int r = check_request(&a, o, owner, flags, &q);

	if (r < 0 || !owner)
		return r < 0 ? r : -EINVAL;
	p = *(void **)(void *)(a.zero + q.owner);
	if (p && (!twz_ptr_islocal(p) || !is_live(&a, p, &old))) {
		throw_invalid(o, p);
		return -EINVAL;
	}
	q.old = p ? &old : NULL;
	at = allocate(&a, &q);
	return at < 0 ? (int)at : 0;
}

/* --- the early form */

void *twz_object_alloc(twzobj *o, size_t sz)
{
	struct request q = { .len = sz, .align = 16, .durable = true };
	struct arena a;
	int64_t at;

	if (__twz_alloc_open(&a, o) < 0)
		return NULL;
	at = allocate(&a, &q);
	return at < 0 ? NULL : (void *)(uintptr_t)at;
}

void twz_object_free(twzobj *o, void *p)
{
	twz_free(o, p, NULL, 0);
}
