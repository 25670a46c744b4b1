// SPDX-License-Identifier: BSD-3-Clause
/*
 * Making an allocator in an object, finding it, and making it ready after a reset. Where everything
 * stands follows from where the header does.
 */
#include "alloc.h"

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) & ~(to - 1);
}

uint64_t __twz_alloc_stamp(twzobj *o)
{
	objid_t id = twz_object_guid(o);

	return ((__twz_rt.sysinfo.boot_code * 0x9e3779b97f4a7c15ull) ^ ID_LO(id) ^ ID_HI(id)) | 1;
}

uint64_t __twz_alloc_offset(twzobj *o, const void *p)
{
	objid_t id;

	if (twz_ptr_islocal(p))
		return (uintptr_t)p;
	if (VADDR_TO_SLOT(p) != VADDR_TO_SLOT(o->base) &&
	    (twz_vaddr_to_obj(p, &id, NULL) < 0 || id != twz_object_guid(o)))
		return 0;
	return (uintptr_t)p & (OBJ_MAXSIZE - 1);
}

bool __twz_alloc_is_word(const struct arena *a, uint64_t offset)
{
	uint64_t header = (uint64_t)((char *)a->h - a->zero);

	return offset % 8 == 0 && offset >= OBJ_NULLPAGE_SIZE && offset < OBJ_METAPAGE &&
	    (offset < header || offset >= a->first);
}

/*
 * A page that cannot be had shows before anything is promised. It is there if anything beside the
 * word is not zero; only else it is written.
 */
void __twz_alloc_touch(const struct arena *a, uint64_t offset)
{
	volatile uint64_t *word = (volatile void *)(a->zero + offset);
	const volatile uint64_t *line = (const volatile void *)(a->zero + offset / 64 * 64);

	for (unsigned i = 0; i < 8; i++)
		if (line[i])
			return;
	*word = *word;
}

/* An arena whose header is at this object offset; false: there is no room for one. */
static bool place(struct arena *a, twzobj *o, uint64_t header)
{
	uint64_t first = round_up(header + TABLES_SIZE, TWZ_ALLOC_RUN_SIZE);

	if (header < OBJ_NULLPAGE_SIZE || header % TWZ_PAGE_SIZE || header >= OBJ_TOPDATA ||
	    first + TWZ_ALLOC_RUN_SIZE > OBJ_TOPDATA)
		return false;
	a->o = o;
	a->zero = (char *)o->base - OBJ_NULLPAGE_SIZE;
	a->h = (void *)(a->zero + header);
	a->states = (uint8_t *)a->h + STATES_OFFSET;
	a->finder = (void *)((char *)a->h + FINDER_OFFSET);
	a->first = first;
	a->pages = (uint32_t)((OBJ_TOPDATA - first) / TWZ_PAGE_SIZE);
	return true;
}

/* --- making one */

/* Durable before the extension that leads here is. */
static void write_header(struct arena *a)
{
	memset(a->h, 0, sizeof(*a->h));
	a->h->magic = ALLOC_MAGIC;
	a->h->version = ALLOC_VERSION;
	a->h->lanes = LANES;
	a->h->first = a->first;
	a->h->pages = a->pages;
	__twz_obj_flush(a->o, a->h, sizeof(*a->h));
}

int twz_object_init_alloc(twzobj *o, size_t offset)
{
	struct arena a;

	if (!twz_object_base(o) || offset > OBJ_MAXDATA)
		return -EINVAL;
	if (twz_object_getext(o, ALLOC_METAINFO_TAG))
		return -EEXIST;
	if (!place(&a, o, round_up(OBJ_NULLPAGE_SIZE + offset, TWZ_PAGE_SIZE)))
		return -EINVAL;
	write_header(&a);
	return twz_object_addext(o, ALLOC_METAINFO_TAG, a.h);
}

/* --- finding it */

int __twz_alloc_find(struct arena *a, twzobj *o)
{
	char *h;

	if (!twz_object_base(o))
		return -EINVAL;
	h = twz_object_getext(o, ALLOC_METAINFO_TAG);
	if (!h)
		return -EINVAL;
	if (VADDR_TO_SLOT(h) != VADDR_TO_SLOT(o->base) ||
	    !place(a, o, (uintptr_t)h & (OBJ_MAXSIZE - 1)))
		return -EINVLOBJ;
	return a->h->magic == ALLOC_MAGIC && a->h->version == ALLOC_VERSION &&
	    a->h->lanes == LANES && a->h->first == a->first &&
	    a->h->pages == a->pages ? 0 : -EINVLOBJ;
}

static bool is_ready(const struct arena *a)
{
	return __atomic_load_n(&a->h->stamp, __ATOMIC_ACQUIRE) == __twz_alloc_stamp(a->o);
}

static bool has_records(const struct arena *a)
{
	for (unsigned l = 0; l < LANES; l++)
		if (__twz_alloc_has_record(a, l))
			return true;
	return false;
}

/* What the records say happens, or never will. */
static void replay_lanes(struct arena *a)
{
	for (unsigned l = 0; l < LANES; l++)
		__twz_alloc_replay(a, l);
	__twz_obj_fence(a->o);
}

static void retire_lanes(struct arena *a)
{
	for (unsigned l = 0; l < LANES; l++)
		if (__twz_alloc_has_record(a, l))
			__twz_alloc_retire(a, l);
	__twz_alloc_fence_for_others(a);
}

/* The first use in this boot: nobody else is in here. */
static void make_ready(struct arena *a)
{
	if (has_records(a)) {
		replay_lanes(a);
		retire_lanes(a);
	}
	for (unsigned l = 0; l < LANES; l++) {
		mutex_init(&a->h->lane[l].lock);
		memset(a->h->lane[l].pending, 0, sizeof(a->h->lane[l].pending));
		a->h->lane[l].active = 0;
	}
	memset(a->h->done, 0, sizeof(a->h->done));
	memset(a->h->settled, 0, sizeof(a->h->settled));
	__twz_alloc_rebuild_pages(a);
	__twz_alloc_find_runs(a, true);
	__atomic_store_n(&a->h->stamp, __twz_alloc_stamp(a->o), __ATOMIC_RELEASE);
}

int __twz_alloc_open(struct arena *a, twzobj *o)
{
	int r = __twz_alloc_find(a, o);

	if (r == 0 && !is_ready(a)) {
		if (!__twz_alloc_is_mine(&a->h->lock))
			mutex_acquire(&a->h->lock);
		if (!is_ready(a))
			make_ready(a);
		mutex_release(&a->h->lock);
	}
	return r;
}

/* Who ended in the middle of it has left a summary that is not exact. */
void __twz_alloc_lock(struct arena *a)
{
	uint32_t end = __twz_alloc_end(a);

	if (!__twz_alloc_is_mine(&a->h->lock) && mutex_acquire_r(&a->h->lock) == 0)
		return;
	if (end)
		__twz_alloc_note(a, 0, end);
	__twz_alloc_find_runs(a, false);
}

void __twz_alloc_unlock(struct arena *a)
{
	mutex_release(&a->h->lock);
}

int twz_alloc_recover(twzobj *o)
{
	struct arena a;
	int r = __twz_alloc_open(&a, o);

	for (unsigned l = 0; r == 0 && l < LANES; l++) {
		struct mutex *lock = &a.h->lane[l].lock;
		int gone = __atomic_load_n(&lock->sleep, __ATOMIC_RELAXED) == MUTEX_FREE ? -EBUSY :
		    mutex_try_r(lock);

		if (gone == 1)
			__twz_alloc_finish_lane(&a, l);
		if (gone >= 0)
			mutex_release(lock);
	}
	return r;
}
