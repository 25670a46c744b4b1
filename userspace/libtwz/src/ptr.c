// SPDX-License-Identifier: BSD-3-Clause
/* From persistent pointers to pointers: the way through the FOT. */
#include "runtime.h"

#include <twz/name.h>

#define ACCESS (FE_READ | FE_WRITE | FE_EXEC)

/* What stopped a lea: a FAULT_PPTR_* and an error. */
struct lea_failure {
	uint32_t info;
	int error;
};

static struct fotentry *valid_entry(twzobj *o, uint64_t fote)
{
	struct metainfo *mi = twz_object_meta(o);
	struct fotentry *fe;

	if (fote >= OBJ_MAXFOTE || fote >= __atomic_load_n(&mi->fotentries, __ATOMIC_ACQUIRE))
		return NULL;
	fe = (void *)((char *)o->base - OBJ_NULLPAGE_SIZE + OBJ_FOTE_OFFSET(fote));
	return __atomic_load_n(&fe->flags, __ATOMIC_ACQUIRE) & _FE_VALID ? fe : NULL;
}

static int resolve_name(twzobj *o, const struct fotentry *fe, objid_t *id)
{
	const char *name = twz_object_lea(o, (char *)(uintptr_t)fe->name.data);

	if (!name || !twz_ptr_islocal((void *)(uintptr_t)fe->name.data))
		return -EINVAL;
	if (fe->name.nresolver != TWZ_NAME_RESOLVER_DFL)
		return -ENOTSUP;
	return twz_name_dfl_resolve(name, 0, id);
}

/* The object and permissions an entry asks for. */
static bool entry_target(twzobj *o, const struct fotentry *fe, uint32_t mask, objid_t *id,
    uint32_t *flags, struct lea_failure *why)
{
	uint64_t f = __atomic_load_n(&fe->flags, __ATOMIC_ACQUIRE);

	*why = (struct lea_failure){ FAULT_PPTR_DERIVE, -ENOTSUP };
	if (f & FE_DERIVE)
		return false;
	*id = fe->id;
	why->info = FAULT_PPTR_RESOLVE;
	if (f & FE_NAME && (why->error = resolve_name(o, fe, id)) < 0)
		return false;
	*why = (struct lea_failure){ FAULT_PPTR_INVALID, -EINVAL };
	*flags = f & mask & ACCESS;
	if (*flags & FE_WRITE)
		*flags &= ~FE_EXEC;
	return *id && *flags;
}

/* The slot for an entry, from the cache or anew; the cache owns the reference. */
static ssize_t entry_slot(twzobj *o, struct fotcache *_Atomic *cache, uint64_t fote, uint32_t mask,
    struct lea_failure *why)
{
	struct fotentry *fe;
	uint32_t flags;
	objid_t id;
	ssize_t slot = __twz_fotcache_find(cache, fote, mask & ACCESS);
	int r;

	if (slot >= 0)
		return slot;
	*why = (struct lea_failure){ FAULT_PPTR_INVALID, -ENOFOT };
	fe = valid_entry(o, fote);
	if (!fe || !entry_target(o, fe, mask, &id, &flags, why))
		return -1;
	*why = (struct lea_failure){ FAULT_PPTR_RESOURCES, -ENOSPC };
	slot = twz_view_allocate_slot(NULL, id, flags);
	if (slot < 0)
		return -1;
	r = __twz_fotcache_add(cache, fote, mask & ACCESS, (size_t)slot);
	if (r < 0)
		twz_view_release_slot(NULL, id, flags, (size_t)slot);
	return r == -ENOMEM ? -1 : slot;
}

/* A borrowed handle does not last: what it maps belongs to the slot it looks at. */
static struct fotcache *_Atomic *cache_of(twzobj *o)
{
	if (o->flags & H_BORROWED)
		return __twz_fotcache_of_slot(VADDR_TO_SLOT(o->base));
	return &o->cache;
}

void *__twz_object_lea_foreign(twzobj *o, const void *p, uint32_t mask)
{
	struct lea_failure why = { FAULT_PPTR_RESOURCES, -ENOMEM };
	struct fotcache *_Atomic *cache;
	ssize_t slot;

	if (!twz_object_base(o) || !p)
		return NULL;
	cache = cache_of(o);
	slot = cache ? entry_slot(o, cache, PPTR_FOTE(p), mask, &why) : -1;
	if (slot < 0) {
		__twz_throw_pptr(twz_object_guid(o), PPTR_FOTE(p), why.info, why.error, p);
		return NULL;
	}
	return (void *)(SLOT_TO_VADDR(slot) + PPTR_OFFSET(p));
}

void *__twz_ptr_lea(const void *lvalue_address, const void *p)
{
	twzobj o;

	twz_object_init_ptr(&o, lvalue_address);
	return __twz_object_lea(&o, p, ~0u);
}
