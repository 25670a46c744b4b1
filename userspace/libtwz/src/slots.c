// SPDX-License-Identifier: BSD-3-Clause
/*
 * The slot table of a view: which slots of the allocation range are in use, for which (id,
 * flags), and by how many. It stands in the view object, so that every program that can write
 * the view agrees, and is guarded by its own mutex. References that outlived a crash are dropped
 * at the first use in another boot.
 */
#include "runtime.h"

#define TABLE_MAGIC 0x3162617430c75a54ull
#define TABLE_VERSION 1u
#define BUCKETS 4096u
#define NONE 0u /* slot 0 is never allocated */

struct slot_record {
	uint32_t refs; /* 0 = free */
	uint32_t next; /* in the bucket, or in the list of free slots */
};

struct slot_table {
	uint64_t magic;
	uint32_t version;
	uint32_t unused;
	struct mutex lock;
	uint64_t boot_code; /* guarded by lock, as all below */
	uint32_t free;      /* slots given back */
	uint32_t fresh;     /* allocations that never were: an index, see slot_of_index */
	uint32_t buckets[BUCKETS];
	struct slot_record records[];
};

static struct slot_table *table_of(twzobj *v)
{
	return (void *)((char *)__twz_view_repr(v) + VIEW_SLOT_TABLE_OFFSET);
}

/* The slots that may be allocated, in order; NONE past the last. */
static size_t slot_of_index(size_t i)
{
	size_t upper = TWZSLOT_ALLOC_MAX + 1 - TWZSLOT_ALLOC_START;
	size_t n = twz_nslots();

	if (i < upper)
		return TWZSLOT_ALLOC_START + i;
	i = i - upper + 16;
	return n < 4096 && i < n / 2 ? i : NONE;
}

static uint32_t *bucket_of(struct slot_table *t, objid_t id, uint32_t flags)
{
	uint64_t h = ID_LO(id) ^ ID_HI(id) ^ (uint64_t)flags << 7;

	h ^= h >> 32;
	h ^= h >> 16;
	return &t->buckets[h % BUCKETS];
}

/* Forget what another boot left, or make a first table. Caller holds the lock. */
static void table_prepare(twzobj *v, struct slot_table *t)
{
	uint64_t boot = __twz_rt.sysinfo.boot_code;
	size_t slot;

	if (t->boot_code == boot && t->magic == TABLE_MAGIC)
		return;
	for (size_t i = 0; i < t->fresh && (slot = slot_of_index(i)) != NONE; i++) {
		if (t->records[slot].refs)
			twz_view_set(v, slot, 0, 0);
		t->records[slot] = (struct slot_record){ 0, 0 };
	}
	memset(t->buckets, 0, sizeof(t->buckets));
	t->free = NONE;
	t->fresh = 0;
	t->version = TABLE_VERSION;
	t->magic = TABLE_MAGIC;
	t->boot_code = boot;
}

static struct slot_table *lock_table(twzobj *v)
{
	struct slot_table *t = table_of(v);

	mutex_acquire(&t->lock);
	table_prepare(v, t);
	return t;
}

static size_t find(twzobj *v, struct slot_table *t, objid_t id, uint32_t flags)
{
	struct viewentry *ves = __twz_view_repr(v)->ves;

	for (size_t s = *bucket_of(t, id, flags); s != NONE; s = t->records[s].next)
		if (ves[s].id == id && (ves[s].flags & VE_ACCESS) == flags)
			return s;
	return NONE;
}

static size_t take_free(struct slot_table *t)
{
	size_t s = t->free;

	if (s != NONE) {
		t->free = t->records[s].next;
		return s;
	}
	s = slot_of_index(t->fresh);
	if (s != NONE)
		t->fresh++;
	return s;
}

static void enter(struct slot_table *t, size_t slot, objid_t id, uint32_t flags)
{
	uint32_t *bucket = bucket_of(t, id, flags);

	t->records[slot] = (struct slot_record){ 1, *bucket };
	*bucket = (uint32_t)slot;
}

static void unlink_slot(struct slot_table *t, size_t slot, objid_t id, uint32_t flags)
{
	uint32_t *link = bucket_of(t, id, flags);

	while (*link != slot && *link != NONE)
		link = &t->records[*link].next;
	if (*link == slot)
		*link = t->records[slot].next;
}

ssize_t twz_view_allocate_slot(twzobj *v, objid_t id, uint32_t flags)
{
	struct slot_table *t;
	size_t slot;

	flags &= VE_ACCESS;
	if (!id || !flags)
		return -EINVAL;
	if (flags & VE_WRITE)
		flags &= ~VE_EXEC;
	t = lock_table(v);
	slot = find(v, t, id, flags);
	if (slot != NONE) {
		t->records[slot].refs++;
	} else if ((slot = take_free(t)) != NONE) {
		enter(t, slot, id, flags);
		twz_view_set(v, slot, id, flags);
	}
	mutex_release(&t->lock);
	return slot == NONE ? -ENOSPC : (ssize_t)slot;
}

bool __twz_slot_unref(twzobj *v, objid_t id, uint32_t flags, size_t slot)
{
	struct slot_table *t = lock_table(v);
	struct viewentry *ve = &__twz_view_repr(v)->ves[slot];
	bool freed = false;

	flags &= VE_ACCESS;
	if (ve->id == id && (ve->flags & VE_ACCESS) == flags && t->records[slot].refs) {
		freed = --t->records[slot].refs == 0;
		if (freed) {
			unlink_slot(t, slot, id, flags);
			twz_view_set(v, slot, 0, 0);
			t->records[slot].next = t->free;
			t->free = (uint32_t)slot;
		}
	}
	mutex_release(&t->lock);
	return freed;
}

void twz_view_release_slot(twzobj *v, objid_t id, uint32_t flags, size_t slot)
{
	if (slot >= twz_nslots() || !__twz_slot_unref(v, id, flags, slot))
		return;
	if (!v) {
		struct fotcache *_Atomic *cache = __twz_fotcache_of_slot(slot);

		if (cache)
			__twz_fotcache_drop(cache);
	}
}

static void clone_entry(twzobj *old, twzobj *nv, size_t slot,
    bool (*fn)(twzobj *, size_t, objid_t, uint32_t, objid_t *, uint32_t *))
{
	objid_t id, nid;
	uint32_t flags, nflags;

	twz_view_get(old, slot, &id, &flags);
	if (!(flags & VE_VALID))
		return;
	nid = id;
	nflags = flags & VE_ACCESS;
	if (!fn || fn(old, slot, id, flags, &nid, &nflags))
		twz_view_set(nv, slot, nid, nflags);
}

/* Entries outside the allocation range stand in the few fixed slots. */
static void clone_entries(twzobj *old, twzobj *nv, size_t fresh,
    bool (*fn)(twzobj *, size_t, objid_t, uint32_t, objid_t *, uint32_t *))
{
	size_t n = twz_nslots(), slot;

	for (slot = 0; slot < 16; slot++)
		clone_entry(old, nv, slot, fn);
	for (slot = n / 2; slot < n / 2 + 16; slot++)
		clone_entry(old, nv, slot, fn);
	for (slot = n - 16; slot < n; slot++)
		clone_entry(old, nv, slot, fn);
	for (size_t i = 0; i < fresh && (slot = slot_of_index(i)) != NONE; i++)
		clone_entry(old, nv, slot, fn);
}

/* The program's image is there too, so that its handlers are at the same addresses. */
static void clone_handlers(twzobj *old, twzobj *nv)
{
	struct twzview_repr *from = __twz_view_repr(old), *to = __twz_view_repr(nv);

	to->fault_handler = from->fault_handler;
	to->dbl_fault_handler = from->dbl_fault_handler;
	to->fault_mask = from->fault_mask;
	to->fault_flags = from->fault_flags;
}

static void clone_table(const struct slot_table *from, struct slot_table *to)
{
	size_t slot;

	for (size_t i = 0; i < from->fresh && (slot = slot_of_index(i)) != NONE; i++)
		to->records[slot] = from->records[slot];
	memcpy(to->buckets, from->buckets, sizeof(to->buckets));
	to->free = from->free;
	to->fresh = from->fresh;
	to->version = from->version;
	to->boot_code = from->boot_code;
	to->magic = from->magic;
}

int twz_view_clone(twzobj *old, twzobj *nv, int flags,
    bool (*fn)(twzobj *, size_t, objid_t, uint32_t, objid_t *, uint32_t *))
{
	struct slot_table *t;

	if (!nv || flags & ~(VIEW_CLONE_ENTRIES | VIEW_CLONE_BITMAP))
		return -EINVAL;
	t = lock_table(old);
	if (flags & VIEW_CLONE_ENTRIES) {
		clone_entries(old, nv, t->fresh, fn);
		clone_handlers(old, nv);
	}
	if (flags & VIEW_CLONE_BITMAP)
		clone_table(t, table_of(nv));
	mutex_release(&t->lock);
	twz_view_set(nv, TWZSLOT_CVIEW, twz_object_guid(nv), VE_READ | VE_WRITE);
	return 0;
}
