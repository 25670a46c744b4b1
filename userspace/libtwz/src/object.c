// SPDX-License-Identifier: BSD-3-Clause
/* Object handles. */
#include "fotmap.h"

#include <twz/name.h>
#include <twz/persist.h>

#define INIT_FLAGS (FE_READ | FE_WRITE | FE_EXEC)

static int check_init(objid_t id, uint32_t flags)
{
	if (!id || !(flags & INIT_FLAGS) || flags & ~(INIT_FLAGS | FE_DERIVE))
		return -EINVAL;
	return (flags & (FE_WRITE | FE_EXEC)) == (FE_WRITE | FE_EXEC) ? -EACCES : 0;
}

/* Replaces *id by that of a private copy, which lives as long as this thread. */
static int derive(objid_t *id, uint32_t flags)
{
	uint64_t dfl = TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | (flags & FE_EXEC ? TWZ_OC_DFL_EXEC : 0);

	return __twz_create_child(twz_thread_id(), dfl, *id, id);
}

static int open_as(twzobj *o, objid_t id, uint32_t flags, enum slot_life life)
{
	ssize_t slot = __twz_slot_get(id, flags & INIT_FLAGS, life);

	if (slot < 0)
		return (int)slot;
	o->id = id;
	o->vf = flags & INIT_FLAGS;
	o->base = (void *)(SLOT_TO_VADDR(slot) + OBJ_NULLPAGE_SIZE);
	return 0;
}

static int open_derived(twzobj *o, objid_t id, uint32_t flags)
{
	int r = derive(&id, flags);

	if (r < 0)
		return r;
	r = open_as(o, id, flags, SLOT_TRANSIENT);
	if (r < 0)
		sys_otie(twz_thread_id(), id, OTIE_UNTIE);
	return r;
}

int twz_object_init_guid(twzobj *o, objid_t id, uint32_t flags)
{
	int r;

	memset(o, 0, sizeof(*o));
	r = check_init(id, flags);
	if (r < 0)
		return r;
	return flags & FE_DERIVE ? open_derived(o, id, flags) : open_as(o, id, flags, SLOT_KEPT);
}

int __twz_object_init_transient(twzobj *o, objid_t id, uint32_t flags)
{
	memset(o, 0, sizeof(*o));
	return open_as(o, id, flags, SLOT_TRANSIENT);
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
		__twz_fotmap_release(o);
		__twz_slot_release(o->id, (uint32_t)o->vf, VADDR_TO_SLOT(o->base));
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
	int r = (int)sys_odelete(id, (uint64_t)flags);

	/* Somebody else may have deleted it; an idle slot must not keep it for that. */
	if (r == 0 || r == -ENOENT)
		__twz_slot_forget(id);
	return r;
}

int twz_object_delete(twzobj *o, int flags)
{
	return twz_object_delete_guid(twz_object_guid(o), flags);
}

int twz_object_tie_guid(objid_t parent, objid_t child, int flags)
{
	return (int)sys_otie(parent, child, (uint64_t)flags);
}

int twz_object_tie(twzobj *parent, twzobj *child, int flags)
{
	objid_t parent_id = parent ? twz_object_guid(parent) : twz_thread_id();

	return twz_object_tie_guid(parent_id, twz_object_guid(child), flags);
}

static objid_t view_id(twzobj *view)
{
	twzobj current;

	if (view)
		return twz_object_guid(view);
	twz_view_object_init(&current);
	return twz_object_guid(&current);
}

int twz_object_wire_guid(twzobj *view, objid_t id)
{
	return twz_object_tie_guid(view_id(view), id, 0);
}

int twz_object_wire(twzobj *view, twzobj *o)
{
	return twz_object_wire_guid(view, twz_object_guid(o));
}

int twz_object_unwire(twzobj *view, twzobj *o)
{
	return twz_object_tie_guid(view_id(view), twz_object_guid(o), TIE_UNTIE);
}

/* The kernel tells where object offset 0 is; programs count from the base. */
int twz_object_pin(twzobj *o, uintptr_t *addr, int flags)
{
	uint64_t at = 0;
	int r = (int)sys_opin(twz_object_guid(o), addr ? &at : NULL, (uint64_t)flags);

	if (r == 0 && addr)
		*addr = at + OBJ_NULLPAGE_SIZE;
	return r;
}

uint32_t __twz_kinds = 1;

int(twz_object_ctl)(twzobj *o, int cmd, long a1, long a2, long a3)
{
	int r = (int)sys_octl(twz_object_guid(o), cmd, a1, a2, a3);

	if (cmd == OCO_PERSIST)
		__atomic_fetch_add(&__twz_kinds, 1, __ATOMIC_RELEASE);
	return r;
}

int(twz_object_kaction)(twzobj *o, long cmd, long arg)
{
	struct sys_kaction_args op = {
		.id = twz_object_guid(o),
		.cmd = cmd,
		.arg = (uint64_t)arg,
		.flags = KACTION_VALID,
	};
	long r = sys_kaction(1, &op);

	return (int)(r < 0 ? r : op.result);
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
	(void)o;
	if (__twz_have_store())
		_clwb_len(p, len);
}

void __twz_obj_fence(twzobj *o)
{
	(void)o;
	if (!__twz_have_store())
		atomic_thread_fence(memory_order_seq_cst);
	else
		_pfence();
}
