// SPDX-License-Identifier: BSD-3-Clause
/*
 * Where FOT entries lead to, see fotmap.h. A map is an array by index, of what is to be added to a
 * p-ptr; one that becomes too small is replaced by a larger one that has all it had, and stays
 * readable until both are dropped. Adding is done under one lock, LOCK_FOTMAP, each change a single store: a thread that ends in there costs a reference at most.
 *
 * A thread in another view than the program's first one has maps of that view.
 */
#include "fotmap.h"

#include "fothash.h"
#include "locks.h"
#include "pool.h"

#define ACCESS_SETS 8u /* of READ, WRITE, EXEC */
#define ALL_ACCESS 7u

/* struct __twz_fotmap.kind */
#define SHARED 0u
#define DERIVED 1u

/* What one handle has for itself; a borrowed handle, the slot it looks at. */
struct own_maps {
	struct __twz_fotmap *derived[ACCESS_SETS];
	struct __twz_fotmap *held; /* slots that are kept, one after the other */
};

/* What a slot has that is not needed often. */
struct slot_side {
	struct __twz_fotmap *masked[ACCESS_SETS];
	struct own_maps own;
	struct fothash *hash;
};

struct view_maps {
	struct __twz_fotmap *full[VIEW_MAX_SLOTS]; /* first: __twz_fotmaps points here */
	struct slot_side *side[VIEW_MAX_SLOTS];
	struct view_maps *next;
	objid_t view; /* but of the first */
};

static _Alignas(TWZ_PAGE_SIZE) struct view_maps first_maps; /* of the program's first view */
static objid_t first_view;                                /* set once */
static _Alignas(TWZ_PAGE_SIZE) struct __twz_fotmap *no_maps[VIEW_MAX_SLOTS]; /* never written */
static struct view_maps *other_views;                     /* guarded by LOCK_FOTMAP; only grows */

__thread struct __twz_fotmap **__twz_fotmaps = first_maps.full;

static objid_t this_view(void)
{
	objid_t id;

	twz_view_get(NULL, TWZSLOT_CVIEW, &id, NULL);
	return id;
}

void __twz_fotmap_thread_begin(void)
{
	if (first_view && this_view() != first_view)
		__twz_fotmaps = no_maps;
}

void __twz_fotmap_view_known(void)
{
	if (!first_view)
		first_view = this_view();
}

static struct view_maps *maps_of_view(objid_t id)
{
	struct view_maps *v;

	mutex_acquire(&__twz_locks[LOCK_FOTMAP]);
	for (v = other_views; v && v->view != id; v = v->next)
		;
	if (!v && (v = __twz_pages(sizeof(*v)))) {
		v->view = id;
		v->next = other_views;
		other_views = v;
	}
	mutex_release(&__twz_locks[LOCK_FOTMAP]);
	return v;
}

/* The maps of the view this thread is in; NULL without memory. */
static struct view_maps *maps(void)
{
	if (__twz_fotmaps == no_maps) {
		struct view_maps *v = maps_of_view(this_view());

		if (!v)
			return NULL;
		__twz_fotmaps = v->full;
	}
	return (struct view_maps *)__twz_fotmaps;
}

static struct slot_side *side_of(size_t slot)
{
	struct view_maps *v = maps();
	struct slot_side *s = v ? __atomic_load_n(&v->side[slot], __ATOMIC_ACQUIRE) : NULL, *none = NULL;

	if (!v || s)
		return s;
	s = __twz_pool_get(sizeof(*s));
	if (s && !__atomic_compare_exchange_n(&v->side[slot], &none, s, false, __ATOMIC_ACQ_REL,
		     __ATOMIC_ACQUIRE)) {
		__twz_pool_put(s, sizeof(*s));
		s = none;
	}
	return s;
}

static unsigned access_set(uint32_t mask)
{
	return mask / FE_READ % ACCESS_SETS;
}

struct __twz_fotmap **__twz_fotmap_shared(twzobj *o, uint32_t mask)
{
	size_t slot = VADDR_TO_SLOT(o->base);
	struct slot_side *side;
	struct view_maps *v;

	if (access_set(mask) == ALL_ACCESS) {
		v = maps();
		return v ? &v->full[slot] : NULL;
	}
	side = side_of(slot);
	return side ? &side->masked[access_set(mask)] : NULL;
}

/* Made when it is first needed; two threads may both try. */
static struct own_maps *own_of(twzobj *o)
{
	struct own_maps *own = (void *)__atomic_load_n(&o->lock[0], __ATOMIC_ACQUIRE);
	uint64_t none = 0;

	if (o->flags & H_BORROWED) {
		struct slot_side *side = side_of(VADDR_TO_SLOT(o->base));

		return side ? &side->own : NULL;
	}
	if (own)
		return own;
	own = __twz_pool_get(sizeof(*own));
	if (own && !__atomic_compare_exchange_n(&o->lock[0], &none, (uintptr_t)own, false,
		       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		__twz_pool_put(own, sizeof(*own));
		own = (void *)(uintptr_t)none;
	}
	return own;
}

struct __twz_fotmap **__twz_fotmap_derived(twzobj *o, uint32_t mask)
{
	struct own_maps *own = own_of(o);

	return own ? &own->derived[access_set(mask)] : NULL;
}

struct fothash **__twz_fotmap_hash(twzobj *o)
{
	struct slot_side *side = side_of(VADDR_TO_SLOT(o->base));

	return side ? &side->hash : NULL;
}

/* --- finding and adding */

void *__twz_fotmap_find(struct __twz_fotmap **map, const void *p)
{
	return __twz_fotmap_lea(__atomic_load_n(map, __ATOMIC_ACQUIRE), p);
}

static size_t map_bytes(uint64_t count)
{
	return sizeof(struct __twz_fotmap) + count * sizeof(uint64_t);
}

/* A map with room for index fote, with all that old has. Caller holds the lock. */
static struct __twz_fotmap *grown(struct __twz_fotmap *old, uint64_t fote)
{
	size_t bytes = __twz_pool_size(map_bytes(fote + 1 < 12 ? 12 : fote + 1));
	struct __twz_fotmap *m = __twz_pool_get(bytes);

	if (!m)
		return NULL;
	m->count = (bytes - sizeof(*m)) / sizeof(uint64_t);
	m->older = old;
	if (old)
		memcpy(m->delta, old->delta, old->count * sizeof(uint64_t));
	return m;
}

static int add_locked(struct __twz_fotmap **map, uint64_t fote, uint64_t delta)
{
	struct __twz_fotmap *m = *map;

	if (!m || fote >= m->count) {
		m = grown(m, fote);
		if (!m)
			return -ENOMEM;
		__atomic_store_n(map, m, __ATOMIC_RELEASE);
	}
	if (m->delta[fote])
		return -EEXIST;
	__atomic_store_n(&m->delta[fote], delta, __ATOMIC_RELEASE);
	return 0;
}

int __twz_fotmap_add(struct __twz_fotmap **map, const void *p, void **d)
{
	int r;

	mutex_acquire(&__twz_locks[LOCK_FOTMAP]);
	r = add_locked(map, PPTR_FOTE(p), (uintptr_t)*d - (uintptr_t)p - 1);
	mutex_release(&__twz_locks[LOCK_FOTMAP]);
	if (r == -EEXIST)
		*d = __twz_fotmap_find(map, p);
	return r;
}

static size_t slot_of(uint64_t fote, uint64_t delta)
{
	return VADDR_TO_SLOT((fote << OBJ_SHIFT) + delta + 1);
}

/* Where in a list of slots this one is, or the first free place. */
static uint64_t place_of(const struct __twz_fotmap *m, size_t slot)
{
	uint64_t i = 0;

	while (m && i < m->count && m->delta[i] && slot_of(i, m->delta[i]) != slot)
		i++;
	return i;
}

int __twz_fotmap_hold(twzobj *o, size_t slot)
{
	struct own_maps *own = own_of(o);
	uint64_t i;
	int r;

	if (!own)
		return -ENOMEM;
	mutex_acquire(&__twz_locks[LOCK_FOTMAP]);
	i = place_of(own->held, slot);
	r = add_locked(&own->held, i, SLOT_TO_VADDR(slot) - (i << OBJ_SHIFT) - 1);
	mutex_release(&__twz_locks[LOCK_FOTMAP]);
	if (r == -EEXIST)
		__twz_slot_put(slot);
	return r == -ENOMEM ? r : 0;
}

/* --- dropping */

static void list_put(struct __twz_fotmap **map, uint64_t kind, struct __twz_fotmap **list)
{
	struct __twz_fotmap *m = __atomic_exchange_n(map, NULL, __ATOMIC_ACQ_REL);

	if (m) {
		m->kind = kind;
		m->next = *list;
		*list = m;
	}
}

static void detach_own(struct own_maps *own, struct __twz_fotmap **list)
{
	for (unsigned i = 0; i < ACCESS_SETS; i++)
		list_put(&own->derived[i], DERIVED, list);
	list_put(&own->held, SHARED, list);
}

static void detach_side(struct slot_side *side, struct __twz_fotmap **list)
{
	for (unsigned i = 0; i < ACCESS_SETS; i++)
		list_put(&side->masked[i], SHARED, list);
	detach_own(&side->own, list);
}

void __twz_fotmap_detach(size_t slot, struct __twz_fotmap **list)
{
	struct view_maps *v = (struct view_maps *)__twz_fotmaps;
	struct slot_side *side;

	if (__twz_fotmaps == no_maps)
		return;
	side = __atomic_load_n(&v->side[slot], __ATOMIC_ACQUIRE);
	if (!side && !__atomic_load_n(&v->full[slot], __ATOMIC_ACQUIRE))
		return;
	mutex_acquire(&__twz_locks[LOCK_FOTMAP]);
	list_put(&v->full[slot], SHARED, list);
	if (side)
		detach_side(side, list);
	mutex_release(&__twz_locks[LOCK_FOTMAP]);
}

/* One entry: what it leads to loses a reference, and a private copy what keeps it. */
static void drop_entry(uint64_t fote, uint64_t delta, uint64_t kind, struct __twz_fotmap **list)
{
	size_t slot = slot_of(fote, delta);
	objid_t id = 0;

	if (kind == DERIVED)
		twz_view_get(NULL, slot, &id, NULL);
	__twz_slot_drop(slot, list);
	if (id)
		sys_otie(this_view(), id, OTIE_UNTIE);
}

static void free_map(struct __twz_fotmap *m)
{
	while (m) {
		struct __twz_fotmap *older = m->older;

		__twz_pool_put(m, map_bytes(m->count));
		m = older;
	}
}

/* A list, not recursion: maps may form chains as long as there are slots. */
void __twz_fotmap_drop(struct __twz_fotmap *list)
{
	while (list) {
		struct __twz_fotmap *m = list;

		list = m->next;
		for (uint64_t i = 0; i < m->count; i++)
			if (m->delta[i])
				drop_entry(i, m->delta[i], m->kind, &list);
		free_map(m);
	}
}

void __twz_fotmap_release(twzobj *o)
{
	struct own_maps *own = (void *)__atomic_exchange_n(&o->lock[0], 0, __ATOMIC_ACQ_REL);
	struct __twz_fotmap *list = NULL;

	if (!own)
		return;
	detach_own(own, &list);
	__twz_pool_put(own, sizeof(*own));
	__twz_fotmap_drop(list);
}
