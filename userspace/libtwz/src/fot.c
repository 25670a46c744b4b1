// SPDX-License-Identifier: BSD-3-Clause
/*
 * Adding entries to an object's FOT, so that after a crash an entry is absent, a hole, or whole,
 * and a stored p-ptr never names one that is missing. Concurrent adders may make duplicates.
 */
#include "fot.h"

#include "fothash.h"

struct fotentry *__twz_fot_entry(twzobj *o, uint64_t e)
{
	return (void *)((char *)o->base - OBJ_NULLPAGE_SIZE + OBJ_FOTE_OFFSET(e));
}

static uint32_t entry_count(const struct metainfo *mi)
{
	uint32_t n = __atomic_load_n(&mi->fotentries, __ATOMIC_ACQUIRE);

	return n ? n : 1;
}

/* A few are looked through, more than that are hashed. */
#define FEW 8u

static ssize_t find(twzobj *o, const struct metainfo *mi, objid_t id, uint64_t flags)
{
	const uint64_t whole = flags | _FE_ALLOC | _FE_VALID;
	uint32_t n = entry_count(mi);
	ssize_t found = n > FEW ? __twz_fothash_find(o, id, whole, n) : -ENOMEM;

	if (found != -ENOMEM)
		return found;
	for (uint32_t i = 1; i < n && i < OBJ_MAXFOTE; i++) {
		struct fotentry *fe = __twz_fot_entry(o, i);

		if (__atomic_load_n(&fe->flags, __ATOMIC_ACQUIRE) == whole && fe->id == id)
			return i;
	}
	return -ENOENT;
}

/* Step 1: hand out an index. */
static ssize_t take_index(twzobj *o, struct metainfo *mi)
{
	uint32_t old = __atomic_load_n(&mi->fotentries, __ATOMIC_ACQUIRE), n;

	do {
		n = old ? old : 1;
		if (n >= OBJ_MAXFOTE)
			return -ENOSPC;
	} while (!__atomic_compare_exchange_n(&mi->fotentries, &old, n + 1, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_ACQUIRE));
	__twz_obj_flush(o, &mi->fotentries, sizeof(mi->fotentries));
	__twz_obj_fence(o);
	return n;
}

ssize_t __twz_fot_claim(twzobj *o)
{
	struct metainfo *mi = twz_object_meta(o);

	while (mi) {
		ssize_t i = take_index(o, mi);
		uint64_t old = 0;

		if (i > 0)
			old = __atomic_fetch_or(&__twz_fot_entry(o, (uint64_t)i)->flags, _FE_ALLOC,
			    __ATOMIC_ACQ_REL);
		if (!(old & _FE_ALLOC))
			return i;
	}
	return -EINVAL;
}

void __twz_fot_unclaim(twzobj *o, uint64_t index)
{
	struct metainfo *mi = twz_object_meta(o);
	struct fotentry *e = __twz_fot_entry(o, index);
	uint32_t last = (uint32_t)index + 1;

	__atomic_store_n(&e->flags, 0, __ATOMIC_RELEASE);
	__twz_obj_flush(o, e, sizeof(*e));
	__twz_obj_fence(o);
	__atomic_compare_exchange_n(&mi->fotentries, &last, (uint32_t)index, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	__twz_obj_flush(o, &mi->fotentries, sizeof(mi->fotentries));
	__twz_obj_fence(o);
}

void __twz_fot_publish(twzobj *o, uint64_t index)
{
	struct fotentry *e = __twz_fot_entry(o, index);

	__atomic_fetch_or(&e->flags, _FE_VALID, __ATOMIC_RELEASE);
	__twz_obj_flush(o, &e->flags, sizeof(e->flags));
	__twz_obj_fence(o);
}

static ssize_t add(twzobj *o, const struct fotentry *fe)
{
	struct fotentry *e;
	ssize_t i = __twz_fot_claim(o);

	if (i < 0)
		return i;
	e = __twz_fot_entry(o, (uint64_t)i);
	e->id = fe->id;
	e->info = 0;
	__atomic_fetch_or(&e->flags, fe->flags & (FOT_PERMS | FE_NAME), __ATOMIC_RELEASE);
	__twz_obj_flush(o, e, sizeof(*e));
	__twz_obj_fence(o);
	__twz_fot_publish(o, (uint64_t)i);
	__twz_fothash_added(o, (uint32_t)i);
	return i;
}

ssize_t twz_object_addfot(twzobj *o, objid_t id, uint64_t flags)
{
	struct fotentry fe = { .id = id, .flags = flags };
	struct metainfo *mi;
	ssize_t i;

	if (!id || flags & ~(uint64_t)FOT_PERMS)
		return -EINVAL;
	mi = twz_object_meta(o);
	if (!mi)
		return -EINVAL;
	i = find(o, mi, id, flags);
	return i > 0 ? i : add(o, &fe);
}

void __twz_fot_store(twzobj *o, void *loc, uint64_t index, const void *p)
{
	__atomic_store_n((uintptr_t *)loc, (uintptr_t)twz_ptr_rebase(index, p), __ATOMIC_RELEASE);
	__twz_obj_flush(o, loc, sizeof(uintptr_t));
	__twz_obj_fence(o);
}

bool __twz_fot_can_store(twzobj *o, const void *loc)
{
	objid_t id;

	if (!o->base || (uintptr_t)loc % sizeof(uintptr_t))
		return false;
	if (VADDR_TO_SLOT(loc) == VADDR_TO_SLOT(o->base))
		return true;
	return twz_vaddr_to_obj(loc, &id, NULL) == 0 && id == twz_object_guid(o);
}

int __twz_ptr_store_fote(twzobj *o, void *loc, const struct fotentry *fe, const void *p)
{
	ssize_t i;

	if (!__twz_fot_can_store(o, loc) || fe->flags & ~(uint64_t)FE_ALL || !fe->id)
		return -EINVAL;
	i = add(o, fe);
	if (i < 0)
		return (int)i;
	__twz_fot_store(o, loc, (uint64_t)i, p);
	return 0;
}

int __twz_ptr_store_guid(twzobj *o, void *loc, twzobj *target, const void *p, uint64_t flags)
{
	uint32_t access = FE_READ | FE_WRITE;
	ssize_t i = 0;
	objid_t id;

	if (!__twz_fot_can_store(o, loc) ||
	    (flags != TWZ_PTR_FLAGS_COPY && flags & ~(uint64_t)FOT_PERMS))
		return -EINVAL;
	if (p && target)
		id = twz_object_guid(target);
	else if (p && twz_vaddr_to_obj(p, &id, &access) < 0)
		return -ENOENT;
	if (flags == TWZ_PTR_FLAGS_COPY)
		flags = access;
	if (p && id != twz_object_guid(o))
		i = twz_object_addfot(o, id, flags);
	if (i < 0)
		return (int)i;
	__twz_fot_store(o, loc, (uint64_t)i, p);
	return 0;
}

void *__twz_ptr_swizzle(twzobj *o, const void *p, uint64_t flags)
{
	objid_t id;
	uint32_t access;
	ssize_t i = 0;

	if (!p)
		return NULL;
	if (twz_vaddr_to_obj(p, &id, &access) < 0) {
		__twz_throw_pptr(twz_object_guid(o), 0, FAULT_PPTR_INVALID, -ENOENT, p);
		return NULL;
	}
	if (id != twz_object_guid(o))
		i = twz_object_addfot(o, id, flags == TWZ_PTR_FLAGS_COPY ? access : flags);
	if (i < 0) {
		__twz_throw_pptr(twz_object_guid(o), 0,
		    i == -ENOSPC ? FAULT_PPTR_RESOURCES : FAULT_PPTR_INVALID, (int)i, p);
		return NULL;
	}
	return (void *)twz_ptr_rebase(i, p);
}
