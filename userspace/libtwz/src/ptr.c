// SPDX-License-Identifier: BSD-3-Clause
/*
 * From persistent pointers to pointers, where the inline part of twz/ptr.h does not know the way:
 * through the FOT, and past resolvers and private copies.
 */
#include "fotmap.h"
#include "locks.h"
#include "resolver.h"

#define ACCESS (FE_READ | FE_WRITE | FE_EXEC)

/* One lea: what is looked for, the entry as it was read, and what stopped it. */
struct lea {
	twzobj *o;
	const void *p;
	uint32_t mask;
	struct fotentry fe;
	const char *name; /* of the entry, if it could be read */
	uint64_t info;    /* FAULT_PPTR_* */
	int error;
};

static bool fail(struct lea *l, uint64_t info, int error)
{
	l->info = info;
	l->error = error;
	return false;
}

/* Read the entry, once. */
static bool read_entry(struct lea *l)
{
	struct metainfo *mi = twz_object_meta(l->o);
	uint64_t fote = PPTR_FOTE(l->p);
	const volatile struct fotentry *fe;
	uint64_t flags;

	if (fote >= OBJ_MAXFOTE || fote >= __atomic_load_n(&mi->fotentries, __ATOMIC_ACQUIRE))
		return fail(l, FAULT_PPTR_INVALID, -ENOFOT);
	fe = (void *)((char *)l->o->base - OBJ_NULLPAGE_SIZE + OBJ_FOTE_OFFSET(fote));
	flags = __atomic_load_n(&fe->flags, __ATOMIC_ACQUIRE);
	if (!(flags & _FE_VALID) || flags & ~(uint64_t)FE_ALL)
		return fail(l, FAULT_PPTR_INVALID, -ENOFOT);
	l->fe.id = fe->id;
	l->fe.flags = flags;
	return true;
}

static uint32_t access_of(const struct lea *l)
{
	uint32_t access = l->fe.flags & l->mask & ACCESS;

	return access & FE_WRITE ? access & ~FE_EXEC : access;
}

/* Remember where p leads; the slot's reference is the map's, or given back. */
static void *remember(struct lea *l, struct __twz_fotmap **map, void *d)
{
	int r = map ? __twz_fotmap_add(map, l->p, &d) : -ENOMEM;

	if (r < 0)
		__twz_slot_put(VADDR_TO_SLOT((uintptr_t)d));
	if (r != -ENOMEM)
		return d;
	fail(l, FAULT_PPTR_RESOURCES, -ENOMEM);
	return NULL;
}

static void *map_object(struct lea *l, struct __twz_fotmap **map, objid_t id, enum slot_life life)
{
	ssize_t slot;

	if (!id || !access_of(l)) {
		fail(l, FAULT_PPTR_INVALID, -EINVAL);
		return NULL;
	}
	slot = __twz_slot_get(id, access_of(l), life);
	if (slot < 0) {
		fail(l, FAULT_PPTR_RESOURCES, (int)slot);
		return NULL;
	}
	return remember(l, map, (void *)(SLOT_TO_VADDR(slot) + PPTR_OFFSET(l->p)));
}

/* --- entries with a name */

/* The object that a named entry leads to; what is no object (*d) needs none. */
static bool resolve_name(struct lea *l, objid_t *id, void **d)
{
	uint64_t info = FAULT_PPTR_RESOLVE;
	int r = __twz_resolve(l->o, &l->fe, l->p, &l->name, id, d, &info);

	return r < 0 ? fail(l, info, r) : true;
}

/* Where a resolver of the object's own choice leads: a slot that is counted is kept. */
static void *keep_resolved(struct lea *l, struct __twz_fotmap **map, void *d)
{
	size_t slot = VADDR_TO_SLOT(d);
	int r;

	if (!__twz_slot_ref(slot)) {
		r = map ? __twz_fotmap_add(map, l->p, &d) : 0;
		return r == -ENOMEM ? NULL : d;
	}
	return remember(l, map, d);
}

/* --- private copies */

static objid_t this_view(void)
{
	twzobj v;

	twz_view_object_init(&v);
	return twz_object_guid(&v);
}

/* A copy that goes with the view unless the handle drops it first. */
static bool make_copy(struct lea *l, objid_t *id)
{
	uint64_t dfl = TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE;
	int r;

	if (l->fe.flags & FE_EXEC)
		dfl |= TWZ_OC_DFL_EXEC;
	r = __twz_create_child(this_view(), dfl, *id, id);
	return r < 0 ? fail(l, FAULT_PPTR_DERIVE, r) : true;
}

static bool copy_of_handle(struct lea *l, objid_t *id)
{
	for (uint32_t access = FE_READ; access <= ACCESS; access += FE_READ) {
		struct __twz_fotmap **map = __twz_fotmap_derived(l->o, access);
		void *d = map ? __twz_fotmap_find(map, l->p) : NULL;

		if (d && twz_vaddr_to_obj(d, id, NULL) == 0)
			return true;
	}
	return false;
}

/* One copy a handle, whatever the mask, and whoever comes at the same time. */
static void *derive(struct lea *l, objid_t id)
{
	struct __twz_fotmap **map = __twz_fotmap_derived(l->o, l->mask);
	void *d = NULL;
	bool made = false;

	mutex_acquire(&__twz_locks[LOCK_DERIVE]);
	if (map && (d = __twz_fotmap_find(map, l->p)) == NULL &&
	    (copy_of_handle(l, &id) || (made = make_copy(l, &id))))
		d = map_object(l, map, id, SLOT_TRANSIENT);
	mutex_release(&__twz_locks[LOCK_DERIVE]);
	if (!d && made)
		sys_otie(this_view(), id, OTIE_UNTIE);
	if (!map)
		fail(l, FAULT_PPTR_RESOURCES, -ENOMEM);
	return d;
}

/* --- the way through the entry */

static void *follow(struct lea *l, struct __twz_fotmap **map)
{
	objid_t id;
	void *d = NULL;

	if (!read_entry(l))
		return NULL;
	id = l->fe.id;
	if (l->fe.flags & FE_NAME && !resolve_name(l, &id, &d))
		return NULL;
	if (d)
		return keep_resolved(l, map, d);
	if (!id || !access_of(l)) {
		fail(l, FAULT_PPTR_INVALID, -EINVAL);
		return NULL;
	}
	return l->fe.flags & FE_DERIVE ? derive(l, id) : map_object(l, map, id, SLOT_KEPT);
}

static void throw(const struct lea *l, const void *ip)
{
	struct fault_pptr_info f = twz_fault_build_pptr_info(twz_object_guid(l->o),
	    PPTR_FOTE(l->p), (void *)ip, (uint32_t)l->info, (uint32_t)l->error, 0, l->name, l->p);

	twz_fault_raise(FAULT_PPTR, &f);
}

/* The handle is open, p is foreign. */
static void *find(struct lea *l)
{
	struct __twz_fotmap **map = __twz_fotmap_shared(l->o, l->mask);
	void *d = map ? __twz_fotmap_find(map, l->p) : NULL;

	if (!d)
		d = follow(l, map);
	if (d && map && !(l->o->flags & H_BORROWED) && (l->mask & ACCESS) == ACCESS)
		__atomic_store_n(&l->o->cache, __atomic_load_n(map, __ATOMIC_ACQUIRE),
		    __ATOMIC_RELAXED);
	return d;
}

/* ip: who asks. */
static void *lea(twzobj *o, const void *p, uint32_t mask, const void *ip)
{
	struct lea l = { .o = o, .p = p, .mask = mask };
	void *d;

	if (!twz_object_base(o) || !p)
		return NULL;
	if (twz_ptr_islocal(p))
		return (char *)o->base - OBJ_NULLPAGE_SIZE + (uintptr_t)p;
	d = find(&l);
	if (!d)
		throw(&l, ip);
	return d;
}

void *__twz_lea_quiet(twzobj *o, const void *p, uint32_t mask)
{
	struct lea l = { .o = o, .p = p, .mask = mask };

	if (!o->base || !p)
		return NULL;
	return twz_ptr_islocal(p) ? (char *)o->base - OBJ_NULLPAGE_SIZE + (uintptr_t)p : find(&l);
}

void *__twz_object_lea_foreign(twzobj *o, const void *p, uint32_t mask)
{
	return lea(o, p, mask, __builtin_return_address(0));
}

void *__twz_ptr_lea_foreign(const void *lvalue_address, const void *p)
{
	twzobj o;

	twz_object_init_ptr(&o, lvalue_address);
	return lea(&o, p, ~0u, __builtin_return_address(0));
}
