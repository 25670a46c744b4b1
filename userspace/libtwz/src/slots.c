// SPDX-License-Identifier: BSD-3-Clause
/*
 * The slot table of a view: which slots of the allocation range are in use, for which (id, flags),
 * and by how many. It stands in the view object, so that every program that can write the view
 * agrees, and is guarded by its own mutex. References that outlived a crash are dropped at the
 * first use in another boot.
 *
 * A slot that nobody refers to stays mapped, so that opening the object again costs no system
 * call. Such idle slots form a list by age: the oldest is given up when there are IDLE_MAX, or when
 * a slot is needed. Slots of objects that are to go (transient) are unmapped at once.
 *
 * Whoever can write the view can write the table: no number read from it leads out of it or into an
 * endless loop. A thread that ends while it holds the lock leaves the table mid-change; it is then
 * made again from the view's entries.
 */
#include "slots.h"

#include "fotmap.h"
#include "locks.h"

#define TABLE_MAGIC 0x3262617430c75a54ull
#define TABLE_VERSION 3u
#define BUCKETS 512u /* with what is before them, within a page */
#define NONE 0u /* slot 0 is never allocated */
#define IDLE_MAX 32u

/* slot_record.refs */
#define REFS 0x3fffffffu
#define IDLE (1u << 30)
#define TRANSIENT (1u << 31)

struct slot_record {
	uint32_t refs;  /* 0 = free */
	uint32_t next;  /* in the bucket, or in the list of free slots */
	uint32_t newer; /* both: of idle ones */
	uint32_t older;
};

struct slot_table {
	uint64_t magic;
	uint32_t version;
	uint32_t unused;
	struct mutex lock;
	uint64_t boot_code; /* guarded by lock, as all below */
	uint32_t free;      /* slots given back */
	uint32_t fresh;     /* allocations that never were: an index, see slot_of_index */
	uint32_t newest;    /* idle slots */
	uint32_t oldest;
	uint32_t idle;
	uint32_t unused2;
	uint32_t buckets[BUCKETS];
	struct slot_record records[];
};

/* A view whose table is locked, and what is to be done once it is not. */
struct locked {
	twzobj *view;
	struct slot_table *t;
	struct viewentry *ves;
	struct __twz_fotmap *maps; /* of slots that nobody refers to any more */
};

/* The slots that may be allocated: upper ones, and on machines with few, lower ones. */
static struct {
	size_t upper, upper_count; /* 0 until first asked for */
	size_t lower_count;
} range;

#define LOWER 16u

static void find_range(void)
{
	size_t n = twz_nslots();

	range.upper = TWZSLOT_ALLOC_START;
	range.lower_count = n < 4096 ? n / 2 - LOWER : 0;
	__atomic_store_n(&range.upper_count, TWZSLOT_ALLOC_MAX + 1 - TWZSLOT_ALLOC_START,
	    __ATOMIC_RELEASE);
}

/* In order; NONE past the last. */
static size_t slot_of_index(size_t i)
{
	if (i < range.upper_count)
		return range.upper + i;
	i -= range.upper_count;
	return i < range.lower_count ? LOWER + i : NONE;
}

static bool allocatable(size_t slot)
{
	return slot - range.upper < range.upper_count || slot - LOWER < range.lower_count;
}

/* The record of a slot that the table names; NULL if it is none. */
static struct slot_record *record(struct slot_table *t, size_t slot)
{
	return allocatable(slot) ? &t->records[slot] : NULL;
}

static uint32_t *bucket_of(struct slot_table *t, objid_t id)
{
	uint64_t h = ID_LO(id) ^ ID_HI(id);

	h ^= h >> 32;
	h ^= h >> 16;
	return &t->buckets[h % BUCKETS];
}

/* --- idle slots */

static void idle_remove(struct slot_table *t, struct slot_record *r)
{
	struct slot_record *newer = record(t, r->newer), *older = record(t, r->older);

	*(newer ? &newer->older : &t->newest) = r->older;
	*(older ? &older->newer : &t->oldest) = r->newer;
	r->refs &= ~IDLE;
	t->idle--;
}

static void idle_add(struct slot_table *t, size_t slot)
{
	struct slot_record *r = record(t, slot), *second = record(t, t->newest);

	r->refs |= IDLE;
	r->newer = NONE;
	r->older = t->newest;
	*(second ? &second->newer : &t->oldest) = (uint32_t)slot;
	t->newest = (uint32_t)slot;
	t->idle++;
}

/* --- making the table */

static void table_clear(struct slot_table *t)
{
	memset(t->buckets, 0, sizeof(t->buckets));
	t->free = t->newest = t->oldest = NONE;
	t->idle = 0;
}

/* Forget what another boot left, or make a first table. */
static void table_make(struct locked *l)
{
	struct slot_table *t = l->t;
	size_t slot;

	for (size_t i = 0; i < t->fresh && (slot = slot_of_index(i)) != NONE; i++) {
		if (t->records[slot].refs)
			twz_view_set(l->view, slot, 0, 0);
		t->records[slot] = (struct slot_record){ .refs = 0 };
	}
	table_clear(t);
	t->fresh = 0;
	t->version = TABLE_VERSION;
	t->magic = TABLE_MAGIC;
	t->boot_code = __twz_rt.sysinfo.boot_code;
}

static void enter(struct slot_table *t, size_t slot, objid_t id, uint32_t refs)
{
	uint32_t *bucket = bucket_of(t, id);

	t->records[slot] = (struct slot_record){ .refs = refs, .next = *bucket };
	*bucket = (uint32_t)slot;
}

/* Whoever held the lock ended: make the lists again from what the view says. */
static void table_mend(struct locked *l)
{
	struct slot_table *t = l->t;
	size_t slot;

	table_clear(t);
	for (size_t i = 0; i < t->fresh && (slot = slot_of_index(i)) != NONE; i++) {
		struct viewentry *ve = &l->ves[slot];
		uint32_t refs = t->records[slot].refs & ~IDLE;

		if ((ve->flags & VE_VALID) && ve->id) {
			enter(t, slot, ve->id, refs);
			if (!(refs & REFS))
				idle_add(t, slot);
		} else {
			t->records[slot] = (struct slot_record){ .next = t->free };
			t->free = (uint32_t)slot;
			/* It may have been cleared and the kernel not told. Not so the others: some
			 * objects are there only because they are mapped. */
			__twz_view_invalidate(l->view, slot);
		}
	}
}

static struct locked table_of(twzobj *v)
{
	struct twzview_repr *repr = __twz_view_repr(v);

	return (struct locked){
		.view = v,
		.t = (void *)((char *)repr + VIEW_SLOT_TABLE_OFFSET),
		.ves = repr->ves,
	};
}

static struct locked lock_table(twzobj *v)
{
	struct locked l = table_of(v);
	int mid_change;

	if (!range.upper_count)
		find_range();
	if (!v)
		__twz_fotmap_view_known();
	mid_change = mutex_acquire_r(&l.t->lock);

	if (l.t->boot_code != __twz_rt.sysinfo.boot_code || l.t->magic != TABLE_MAGIC ||
	    l.t->version != TABLE_VERSION)
		table_make(&l);
	else if (mid_change)
		table_mend(&l);
	return l;
}

static void unlock_table(struct locked *l)
{
	mutex_release(&l->t->lock);
	__twz_fotmap_drop(l->maps);
}

/* --- looking up, entering, removing; the table is locked */

/* The slots of one bucket, one after the other; at most as many as there are. */
#define EACH_IN_BUCKET(s, l, id)                                                    \
	(size_t s = *bucket_of((l)->t, id), left = range.upper;                     \
	    left && allocatable(s); s = (l)->t->records[s].next, left--)

static size_t find(struct locked *l, objid_t id, uint32_t flags)
{
	for EACH_IN_BUCKET(s, l, id)
		if (l->ves[s].id == id && (l->ves[s].flags & VE_ACCESS) == flags &&
		    l->ves[s].flags & VE_VALID)
			return s;
	return NONE;
}

static void unlink_slot(struct locked *l, size_t slot)
{
	uint32_t *link = bucket_of(l->t, l->ves[slot].id);

	for (size_t left = range.upper; left && *link != slot && allocatable(*link); left--)
		link = &l->t->records[*link].next;
	if (*link == slot)
		*link = l->t->records[slot].next;
}

/* Take an idle slot out of the table; its entry in the view stands until another is written. */
static void evict(struct locked *l, size_t slot)
{
	idle_remove(l->t, record(l->t, slot));
	unlink_slot(l, slot);
	if (!l->view)
		__twz_fotmap_detach(slot, &l->maps);
}

static void unmap(struct locked *l, size_t slot)
{
	unlink_slot(l, slot);
	twz_view_set(l->view, slot, 0, 0);
	l->t->records[slot] = (struct slot_record){ .next = l->t->free };
	l->t->free = (uint32_t)slot;
}

static void unmap_idle(struct locked *l, size_t slot)
{
	idle_remove(l->t, record(l->t, slot));
	if (!l->view)
		__twz_fotmap_detach(slot, &l->maps);
	unmap(l, slot);
}

static size_t take_free(struct locked *l)
{
	struct slot_table *t = l->t;
	size_t s = t->free;

	if (allocatable(s) && !(l->ves[s].flags & VE_VALID)) {
		t->free = t->records[s].next;
		return s;
	}
	t->free = NONE;
	s = slot_of_index(t->fresh);
	if (s != NONE) {
		t->fresh++;
		return s;
	}
	s = t->oldest;
	if (!allocatable(s) || !(t->records[s].refs & IDLE))
		return NONE;
	evict(l, s);
	return s;
}

static size_t map_new(struct locked *l, objid_t id, uint32_t flags)
{
	size_t slot = take_free(l);

	if (slot != NONE) {
		enter(l->t, slot, id, 1);
		twz_view_set(l->view, slot, id, flags);
	}
	return slot;
}

static void add_ref(struct slot_table *t, size_t slot)
{
	struct slot_record *r = &t->records[slot];

	if (r->refs & IDLE)
		idle_remove(t, r);
	r->refs++;
}

static ssize_t get(twzobj *v, objid_t id, uint32_t flags, enum slot_life life)
{
	struct locked l;
	size_t slot;

	flags &= VE_ACCESS;
	if (!id || !flags)
		return -EINVAL;
	if (flags & VE_WRITE)
		flags &= ~VE_EXEC;
	l = lock_table(v);
	slot = find(&l, id, flags);
	if (slot != NONE)
		add_ref(l.t, slot);
	else
		slot = map_new(&l, id, flags);
	if (slot != NONE && life == SLOT_TRANSIENT)
		l.t->records[slot].refs |= TRANSIENT;
	unlock_table(&l);
	return slot == NONE ? -ENOSPC : (ssize_t)slot;
}

/* The program's own text works only where it was linked to stand. */
static bool is_own_text(objid_t id, uint32_t flags)
{
	objid_t text;
	uint32_t ve;

	if ((flags & VE_ACCESS) != (VE_READ | VE_EXEC))
		return false;
	twz_view_get(NULL, PROGRAM_TEXT_SLOT, &text, &ve);
	return text == id && (ve & (VE_VALID | VE_ACCESS)) == (VE_VALID | VE_READ | VE_EXEC);
}

ssize_t __twz_slot_get(objid_t id, uint32_t flags, enum slot_life life)
{
	return is_own_text(id, flags) ? PROGRAM_TEXT_SLOT : get(NULL, id, flags, life);
}

ssize_t twz_view_allocate_slot(twzobj *v, objid_t id, uint32_t flags)
{
	return get(v, id, flags, SLOT_KEPT);
}

bool __twz_slot_ref(size_t slot)
{
	struct locked l;
	bool there;

	l = lock_table(NULL);
	there = allocatable(slot) && l.t->records[slot].refs & (REFS | IDLE);
	if (there)
		add_ref(l.t, slot);
	unlock_table(&l);
	return there;
}

/* Any slot of an object that is to go makes all of them go. */
static bool is_transient(struct locked *l, objid_t id)
{
	for EACH_IN_BUCKET(s, l, id)
		if (l->ves[s].id == id && l->t->records[s].refs & TRANSIENT)
			return true;
	return false;
}

/* Unmap what of the object is idle. A slot's removal changes its bucket: start again. */
static void unmap_all_idle(struct locked *l, objid_t id)
{
	size_t found;

	do {
		found = NONE;
		for EACH_IN_BUCKET(s, l, id)
			if (l->ves[s].id == id && l->t->records[s].refs & IDLE)
				found = s;
		if (found != NONE)
			unmap_idle(l, found);
	} while (found != NONE);
}

/* Whether some slot of the object is open: as long, idle ones keep nothing that would go. */
static bool is_open(struct locked *l, objid_t id)
{
	for EACH_IN_BUCKET(s, l, id)
		if (l->ves[s].id == id && l->t->records[s].refs & REFS)
			return true;
	return false;
}

static void fall_idle(struct locked *l, size_t slot, enum slot_life life)
{
	objid_t id = l->ves[slot].id;
	bool goes = is_transient(l, id) && !is_open(l, id);

	if (goes || life == SLOT_TRANSIENT)
		unmap(l, slot);
	else
		idle_add(l->t, slot);
	if (goes)
		unmap_all_idle(l, id);
	if (l->t->idle > IDLE_MAX && allocatable(l->t->oldest))
		unmap_idle(l, l->t->oldest);
}

/* Drop one of the slot's references, if it has any. */
static void put_locked(struct locked *l, size_t slot, enum slot_life life)
{
	struct slot_record *r = record(l->t, slot);

	if (!r || !(r->refs & REFS))
		return;
	r->refs--;
	if (r->refs & REFS)
		return;
	if (!l->view)
		__twz_fotmap_detach(slot, &l->maps);
	fall_idle(l, slot, life);
}

void __twz_slot_drop(size_t slot, struct __twz_fotmap **maps)
{
	struct locked l = lock_table(NULL);

	l.maps = *maps;
	put_locked(&l, slot, SLOT_KEPT);
	*maps = l.maps;
	mutex_release(&l.t->lock);
}

void __twz_slot_put(size_t slot)
{
	struct locked l = lock_table(NULL);

	put_locked(&l, slot, SLOT_KEPT);
	unlock_table(&l);
}

static void release(twzobj *v, objid_t id, uint32_t flags, size_t slot, enum slot_life life)
{
	struct locked l = lock_table(v);

	if (allocatable(slot) && l.ves[slot].id == id && (l.ves[slot].flags & VE_ACCESS) == (flags & VE_ACCESS))
		put_locked(&l, slot, life);
	unlock_table(&l);
}

void __twz_slot_release(objid_t id, uint32_t flags, size_t slot)
{
	release(NULL, id, flags, slot, SLOT_KEPT);
}

void twz_view_release_slot(twzobj *v, objid_t id, uint32_t flags, size_t slot)
{
	release(v, id, flags, slot, SLOT_TRANSIENT);
}

void __twz_slot_forget(objid_t id)
{
	struct locked l = lock_table(NULL);

	for EACH_IN_BUCKET(s, &l, id)
		if (l.ves[s].id == id && l.t->records[s].refs & REFS)
			l.t->records[s].refs |= TRANSIENT;
	unmap_all_idle(&l, id);
	unlock_table(&l);
}

size_t __twz_slots_kept(void)
{
	struct locked l = lock_table(NULL);
	size_t n = l.t->idle;

	unlock_table(&l);
	return n;
}

/* --- copies */

static void clone_entry(struct locked *l, twzobj *nv, size_t slot,
    bool (*fn)(twzobj *, size_t, objid_t, uint32_t, objid_t *, uint32_t *))
{
	twzobj *old = l->view;
	objid_t id, nid;
	uint32_t flags, nflags;

	/* Most of them are not there. */
	if (!(__atomic_load_n(&l->ves[slot].flags, __ATOMIC_RELAXED) & VE_VALID))
		return;
	twz_view_get(old, slot, &id, &flags);
	if (!(flags & VE_VALID))
		return;
	nid = id;
	nflags = flags & (VE_ACCESS | VE_EITHER);
	if (!fn || fn(old, slot, id, flags, &nid, &nflags))
		twz_view_set(nv, slot, nid, nflags);
}

/* Entries outside the allocation range stand in the few fixed slots. Idle ones stay behind. */
static void clone_entries(struct locked *l, twzobj *nv,
    bool (*fn)(twzobj *, size_t, objid_t, uint32_t, objid_t *, uint32_t *))
{
	size_t n = twz_nslots(), slot;

	for (slot = 0; slot < 16; slot++)
		clone_entry(l, nv, slot, fn);
	for (slot = n / 2; slot < n / 2 + 16; slot++)
		clone_entry(l, nv, slot, fn);
	for (slot = n - 16; slot < n; slot++)
		clone_entry(l, nv, slot, fn);
	for (size_t i = 0; i < l->t->fresh && (slot = slot_of_index(i)) != NONE; i++)
		if (!(l->t->records[slot].refs & IDLE))
			clone_entry(l, nv, slot, fn);
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

/* Lists are made again from the records: idle ones are free in the copy. */
static void clone_table(struct locked *from, twzobj *nv)
{
	struct twzview_repr *repr = __twz_view_repr(nv);
	struct slot_table *to = (void *)((char *)repr + VIEW_SLOT_TABLE_OFFSET);
	size_t slot;

	if (to->magic) /* else it is new, and all zeroes */
		table_clear(to);
	to->fresh = from->t->fresh;
	for (size_t i = 0; i < to->fresh && (slot = slot_of_index(i)) != NONE; i++) {
		uint32_t refs = from->t->records[slot].refs;

		if (refs & REFS) {
			bool set = repr->ves[slot].flags & VE_VALID;

			enter(to, slot, set ? repr->ves[slot].id : from->ves[slot].id, refs);
		} else {
			to->records[slot] = (struct slot_record){ .next = to->free };
			to->free = (uint32_t)slot;
		}
	}
	to->version = TABLE_VERSION;
	to->boot_code = from->t->boot_code;
	to->magic = TABLE_MAGIC;
}

static void clone(struct locked *l, twzobj *nv, int flags,
    bool (*fn)(twzobj *, size_t, objid_t, uint32_t, objid_t *, uint32_t *))
{
	if (flags & VIEW_CLONE_ENTRIES) {
		clone_entries(l, nv, fn);
		clone_handlers(l->view, nv);
	}
	if (flags & VIEW_CLONE_BITMAP)
		clone_table(l, nv);
}

int twz_view_clone(twzobj *old, twzobj *nv, int flags,
    bool (*fn)(twzobj *, size_t, objid_t, uint32_t, objid_t *, uint32_t *))
{
	struct locked l;

	if (!nv || flags & ~(VIEW_CLONE_ENTRIES | VIEW_CLONE_BITMAP | VIEW_CLONE_LOCKED))
		return -EINVAL;
	l = flags & VIEW_CLONE_LOCKED ? table_of(old) : lock_table(old);
	clone(&l, nv, flags, fn);
	if (!(flags & VIEW_CLONE_LOCKED))
		unlock_table(&l);
	twz_view_set(nv, TWZSLOT_CVIEW, twz_object_guid(nv), VE_READ | VE_WRITE);
	return 0;
}

void __twz_slots_hold(void)
{
	lock_table(NULL);
}

void __twz_slots_let_go(void)
{
	struct locked l = table_of(NULL);

	unlock_table(&l);
}
