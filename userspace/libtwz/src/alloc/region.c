// SPDX-License-Identifier: BSD-3-Clause
/* Regions of either kind: what begins at a pointer, and reserving one. */
#include "alloc.h"

/* A region of a run, `in` bytes from its begin. */
static bool small_region(struct arena *a, unsigned class, uint64_t in, struct region *r)
{
	const struct size_class *c = &__twz_alloc_class[class];
	struct run *run = __twz_alloc_run(a, r->chunk);
	uint64_t bit;

	r->block = (uint32_t)(in - c->first) / c->size;
	r->size = c->size;
	if (in < c->first || (in - c->first) % c->size || r->block >= c->blocks)
		return false;
	bit = 1ull << r->block % 64;
	r->live = __atomic_load_n(&run->bits[r->block / 64], __ATOMIC_ACQUIRE) & bit;
	return r->live || (run->stamp == __twz_alloc_stamp(a->o) &&
	    __twz_alloc_busy(run, class)[r->block / 64] & bit);
}

bool __twz_alloc_region(struct arena *a, const void *p, struct region *r)
{
	unsigned class;
	uint64_t in;

	*r = (struct region){ .offset = __twz_alloc_offset(a->o, p) };
	if (r->offset < a->first || r->offset >= OBJ_TOPDATA)
		return false;
	in = r->offset - a->first;
	r->page = (uint32_t)(in / TWZ_PAGE_SIZE);
	r->chunk = r->page / CHUNK_PAGES;
	class = __twz_alloc_run_class(a, r->chunk);
	if (class < CLASSES)
		return small_region(a, class, in % TWZ_ALLOC_RUN_SIZE, r);
	r->count = in % TWZ_PAGE_SIZE || r->page >= a->pages ? 0 : __twz_alloc_extent(a, r->page);
	r->size = (size_t)r->count * TWZ_PAGE_SIZE;
	r->live = r->count && __twz_alloc_state(a, r->page) == PAGE_LARGE;
	return r->count != 0;
}

static int take_large(struct arena *a, size_t len, struct region *r)
{
	r->count = (uint32_t)((len + TWZ_PAGE_SIZE - 1) / TWZ_PAGE_SIZE);
	r->offset = 0;
	if (__twz_alloc_take_pages(a, r->count, &r->page) < 0)
		return -ENOMEM;
	r->offset = a->first + (uint64_t)r->page * TWZ_PAGE_SIZE;
	r->size = (size_t)r->count * TWZ_PAGE_SIZE;
	return 0;
}

static int take_small(struct arena *a, unsigned l, unsigned class, struct region *r)
{
	const struct size_class *c = &__twz_alloc_class[class];
	int64_t at = __twz_alloc_take_block(a, l, class);

	if (at < 0)
		return (int)at;
	r->chunk = (uint32_t)(at >> 12);
	r->block = (uint32_t)at & 0xfff;
	r->offset = a->first + (uint64_t)r->chunk * TWZ_ALLOC_RUN_SIZE + c->first +
	    (uint64_t)r->block * c->size;
	r->size = c->size;
	return 0;
}

int __twz_alloc_take(struct arena *a, size_t len, size_t align, struct region *r, unsigned *l)
{
	unsigned class = __twz_alloc_class_for(len, align);
	int error = -ENOMEM;

	*r = (struct region){ 0 };
	if (len > OBJ_TOPDATA)
		return -ENOMEM;
	for (unsigned turn = 0; turn < 2; turn++) {
		if (turn)
			__twz_alloc_settle(a);
		*l = __twz_alloc_lane_acquire(a);
		error = class < CLASSES ? take_small(a, *l, class, r) : take_large(a, len, r);
		if (error == 0)
			return 0;
		__twz_alloc_lane_release(a, *l);
		if (error != -ENOMEM)
			break;
	}
	return error;
}

void __twz_alloc_give(struct arena *a, const struct region *r)
{
	if (r->count)
		__twz_alloc_drop_pages(a, r->page, r->count);
	else
		__twz_alloc_drop_block(a, r->chunk, r->block);
}

uint64_t __twz_alloc_entry_live(const struct region *r)
{
	return r->count ? __twz_alloc_entry_pages(r->page, r->count, PAGE_LARGE) :
	    __twz_alloc_entry_block(ENTRY_SET, r->chunk, r->block);
}

uint64_t __twz_alloc_entry_free(const struct region *r)
{
	return r->count ? __twz_alloc_entry_pages(r->page, r->count, PAGE_FREE) :
	    __twz_alloc_entry_block(ENTRY_CLEAR, r->chunk, r->block);
}

int __twz_alloc_align(uint64_t flags, uint64_t allowed)
{
	uint64_t align = flags >> 32 ? flags >> 32 : 16;

	if ((flags & 0xffffffff & ~allowed) || align & (align - 1) || align > TWZ_PAGE_SIZE)
		return -EINVAL;
	return (int)align;
}

bool __twz_alloc_content(struct arena *a, const struct region *r, size_t len, uint64_t *words,
    unsigned *n)
{
	len = len < r->size ? len : r->size;
	if (len > CONTENT_MAX) {
		__twz_obj_flush(a->o, a->zero + r->offset, len);
		return true;
	}
	if (len)
		words[(*n)++] = __twz_alloc_entry(ENTRY_CONTENT,
		    (len + 7) / 8 << 27 | r->offset / 8);
	return false;
}
