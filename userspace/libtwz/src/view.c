// SPDX-License-Identifier: BSD-3-Clause
/* View entries: reading, writing, invalidation. The slot table is slots.c. */
#include "runtime.h"

#include <machine/view.h>

/* Of an entry that changes all the time somebody makes fun; it says nothing. */
#define READ_TRIES 10000u

struct twzview_repr *__twz_view_repr(twzobj *v)
{
	if (v)
		return twz_object_base(v);
	return (void *)(SLOT_TO_VADDR(TWZSLOT_CVIEW) + OBJ_NULLPAGE_SIZE);
}

void twz_view_object_init(twzobj *o)
{
	twz_object_init_ptr(o, __twz_view_repr(NULL));
}

void __twz_view_invalidate(twzobj *v, size_t slot)
{
	struct sys_invalidate_op op = {
		.id = v ? twz_object_guid(v) : KSO_CURRENT_VIEW,
		.offset = SLOT_TO_VADDR(slot),
		.length = 1,
		.flags = KSOI_VALID | (v ? 0 : KSOI_CURRENT),
	};

	/* A view that never ran is unknown to the kernel, and nothing of it is cached. */
	sys_invalidate(&op, 1);
}

void twz_view_set(twzobj *v, size_t slot, objid_t id, uint32_t flags)
{
	struct viewentry *ve;
	uint32_t old;

	if (slot >= twz_nslots()) {
		__twz_throw_pptr(id, slot, FAULT_PPTR_INVALID, -EINVAL, NULL);
		return;
	}
	if (flags & VE_WRITE && !(flags & VE_EITHER))
		flags &= ~VE_EXEC;
	ve = &__twz_view_repr(v)->ves[slot];
	old = __atomic_exchange_n(&ve->flags, 0, __ATOMIC_SEQ_CST);
	ve->id = id;
	ve->res0 = 0;
	if (id)
		__atomic_store_n(&ve->flags, (flags & (VE_ACCESS | VE_EITHER)) | VE_VALID, __ATOMIC_RELEASE);
	if (old & VE_VALID)
		__twz_view_invalidate(v, slot);
	machine_view_entry(__twz_view_repr(v), slot);
}

void twz_view_get(twzobj *v, size_t slot, objid_t *id, uint32_t *flags)
{
	uint32_t f = 0, again, tries = READ_TRIES;
	objid_t i = 0;

	if (slot < twz_nslots()) {
		struct viewentry *ve = &__twz_view_repr(v)->ves[slot];

		do {
			f = __atomic_load_n(&ve->flags, __ATOMIC_ACQUIRE);
			i = *(volatile objid_t *)&ve->id;
			__atomic_thread_fence(__ATOMIC_ACQUIRE);
			again = __atomic_load_n(&ve->flags, __ATOMIC_RELAXED);
		} while (f != again && --tries);
		f = tries ? f : 0;
	}
	if (id)
		*id = i;
	if (flags)
		*flags = f;
}

int twz_vaddr_to_obj(const void *p, objid_t *id, uint32_t *flags)
{
	objid_t i;
	uint32_t f;

	twz_view_get(NULL, VADDR_TO_SLOT(p), &i, &f);
	if (!(f & VE_VALID) || !i)
		return -ENOENT;
	if (id)
		*id = i;
	if (flags)
		*flags = f & VE_ACCESS;
	return 0;
}
