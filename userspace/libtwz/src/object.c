// SPDX-License-Identifier: BSD-3-Clause
/* Object handles. */
#include "runtime.h"

#include <twz/name.h>
#include <twz/persist.h>

#define INIT_FLAGS (FE_READ | FE_WRITE | FE_EXEC)

int twz_object_init_guid(twzobj *o, objid_t id, uint32_t flags)
{
	ssize_t slot;

	memset(o, 0, sizeof(*o));
	if (!id || !(flags & INIT_FLAGS) || flags & ~(INIT_FLAGS | FE_DERIVE))
		return -EINVAL;
	if ((flags & (FE_WRITE | FE_EXEC)) == (FE_WRITE | FE_EXEC))
		return -EACCES;
	if (flags & FE_DERIVE)
		return -ENOTSUP;
	slot = twz_view_allocate_slot(NULL, id, flags);
	if (slot < 0)
		return (int)slot;
	o->id = id;
	o->vf = flags;
	o->base = (void *)(SLOT_TO_VADDR(slot) + OBJ_NULLPAGE_SIZE);
	return 0;
}

int twz_object_init_name(twzobj *o, const char *name, uint32_t flags)
{
	objid_t id;
	int r;

	memset(o, 0, sizeof(*o));
	r = twz_name_dfl_resolve(name, 0, &id);
	return r < 0 ? r : twz_object_init_guid(o, id, flags);
}

int twz_object_init_ptr(twzobj *o, const void *p)
{
	memset(o, 0, sizeof(*o));
	o->base = (void *)(((uintptr_t)p & ~(OBJ_MAXSIZE - 1)) + OBJ_NULLPAGE_SIZE);
	o->flags = H_BORROWED;
	return 0;
}

twzobj twz_object_from_ptr(const void *p)
{
	twzobj o;

	twz_object_init_ptr(&o, p);
	return o;
}

int twz_object_release(twzobj *o)
{
	if (o->base && !(o->flags & H_BORROWED)) {
		__twz_fotcache_drop(&o->cache);
		twz_view_release_slot(NULL, o->id, (uint32_t)o->vf, VADDR_TO_SLOT(o->base));
	}
	memset(o, 0, sizeof(*o));
	return 0;
}

void *twz_object_base(twzobj *o)
{
	if (!o->base)
		__twz_throw_pptr(0, 0, FAULT_PPTR_INVALID, 0, NULL);
	return o->base;
}

struct metainfo *twz_object_meta(twzobj *o)
{
	char *base = twz_object_base(o);

	return base ? (struct metainfo *)(base - OBJ_NULLPAGE_SIZE + OBJ_METAPAGE) : NULL;
}

objid_t twz_object_guid(twzobj *o)
{
	objid_t id;

	if (o->id)
		return o->id;
	if (o->base && twz_vaddr_to_obj(o->base, &id, NULL) == 0)
		return id;
	__twz_throw_object(FAULT_OBJECT_UNKNOWN, o->base);
	return 0;
}

int twz_object_delete_guid(objid_t id, int flags)
{
	return (int)sys_odelete(id, (uint64_t)flags);
}

int twz_object_delete(twzobj *o, int flags)
{
	return twz_object_delete_guid(twz_object_guid(o), flags);
}

int twz_object_kstat(twzobj *o, struct kernel_ostat *st)
{
	return (int)sys_ostat(TWZ_OSTAT_OBJECT, twz_object_guid(o), 0, st);
}

int twz_object_kstat_page(twzobj *o, size_t pgnr, struct kernel_ostat_page *st)
{
	return (int)sys_ostat(TWZ_OSTAT_PAGE, twz_object_guid(o), pgnr, st);
}

void __twz_obj_flush(twzobj *o, const void *p, size_t len)
{
	if (!(o->flags & H_VOLATILE))
		_clwb_len(p, len);
}

void __twz_obj_fence(twzobj *o)
{
	if (o->flags & H_VOLATILE)
		atomic_thread_fence(memory_order_seq_cst);
	else
		_pfence();
}
