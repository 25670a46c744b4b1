// SPDX-License-Identifier: BSD-3-Clause
/*
 * What libtwz rests on, for the crash explorer: write-back and fences go to the model, slots and
 * IDs are the world's, there is one thread, and a sleeper would sleep for ever. A test that links
 * the real thing gets that: everything here is weak.
 */
#include "../unit.h"

#include "../../../userspace/libtwz/src/fotmap.h"
#include "../../../userspace/libtwz/src/locks.h"
#include "../../../userspace/libtwz/src/resolver.h"
#include "../../../userspace/libtwz/src/runtime.h"
#include "../../../userspace/libtwz/src/slots.h"

#include <twz/name.h>
#include <twz/persist.h>

#include "explore.h"

UNSEEN_BEGIN

#define WEAK __attribute__((weak))

#define PAGES_BYTES (1ul << 20)

WEAK struct twz_runtime __twz_rt = { .sysinfo = { .boot_code = 1 } };

/* Of a program that is not explored: nobody is cut while holding one. */
WEAK struct mutex __twz_locks[LOCKS];

void explore_set_boot(uint64_t code)
{
	__twz_rt.sysinfo.boot_code = code;
}

/* --- persist.c, create.c */

WEAK void _clwb_len(const void *p, size_t len)
{
	explore_flush(p, len, __builtin_return_address(0));
}

WEAK void _clwb(const void *p)
{
	explore_flush(p, 1, __builtin_return_address(0));
}

WEAK void _pfence(void)
{
	explore_fence(__builtin_return_address(0));
}

WEAK bool __twz_have_store(void)
{
	return true;
}

/* --- threads: one, another after each cut */

WEAK objid_t twz_thread_id(void)
{
	return MKID(0x7472, __twz_rt.sysinfo.boot_code << 8 | 0x10);
}

WEAK long sys_thread_sync(size_t count, struct sys_thread_sync_args *args, struct timespec *timeout)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t word = *(uint64_t *)(uintptr_t)args[i].addr;
		uint64_t me = (ID_LO(twz_thread_id()) ^ __twz_rt.sysinfo.boot_code << 2) & ~3ul;

		if (args[i].op != THREAD_SYNC_SLEEP || word != args[i].arg)
			continue;
		if (args[i].flags & THREAD_SYNC_OWNED && (word & ~3ul) != me)
			return -EOWNERDEAD;
		if (!timeout)
			explore_fail("sleeps for ever");
		return -ETIMEDOUT;
	}
	return 0;
}

/* Nobody sleeps for long here: when does not matter. */
WEAK long sys_thread_sync_abs(size_t count, struct sys_thread_sync_args *args,
    struct timespec *until)
{
	return sys_thread_sync(count, args, until);
}

/* --- slots and views */

WEAK int twz_vaddr_to_obj(const void *p, objid_t *id, uint32_t *flags)
{
	int object = explore_at(p);

	if (object < 0)
		return -ENOENT;
	*id = explore_id((unsigned)object);
	if (flags)
		*flags = FE_READ | FE_WRITE;
	return 0;
}

WEAK size_t twz_nslots(void)
{
	return VIEW_MAX_SLOTS;
}

WEAK ssize_t twz_view_allocate_slot(twzobj *v, objid_t id, uint32_t flags)
{
	int object = explore_find(id);

	(void)v, (void)flags;
	return object < 0 ? -ENOSPC :
	    (ssize_t)VADDR_TO_SLOT(explore_object((unsigned)object)->base);
}

WEAK void twz_view_release_slot(twzobj *v, objid_t id, uint32_t flags, size_t slot)
{
	(void)v, (void)id, (void)flags, (void)slot;
}

WEAK ssize_t __twz_slot_get(objid_t id, uint32_t flags, enum slot_life life)
{
	(void)life;
	return twz_view_allocate_slot(NULL, id, flags);
}

WEAK void __twz_slot_release(objid_t id, uint32_t flags, size_t slot)
{
	(void)id, (void)flags, (void)slot;
}

WEAK void __twz_slot_put(size_t slot)
{
	(void)slot;
}

WEAK void __twz_slot_drop(size_t slot, struct __twz_fotmap **maps)
{
	(void)slot, (void)maps;
}

WEAK bool __twz_slot_ref(size_t slot)
{
	(void)slot;
	return true;
}

WEAK void __twz_slot_forget(objid_t id)
{
	(void)id;
}

WEAK void twz_view_object_init(twzobj *o)
{
	memset(o, 0, sizeof(*o));
}

WEAK void twz_view_get(twzobj *v, size_t slot, objid_t *id, uint32_t *flags)
{
	(void)v;
	if (twz_vaddr_to_obj((void *)SLOT_TO_VADDR(slot), id, flags) < 0 && id)
		*id = 0;
}

/* --- nothing has a name */

WEAK int twz_name_dfl_resolve(const char *name, int flags, objid_t *id)
{
	(void)name, (void)flags, (void)id;
	return -ENOENT;
}

WEAK int __twz_resolve(twzobj *o, const struct fotentry *fe, const void *p, const char **name,
    objid_t *id, void **d, uint64_t *info)
{
	(void)o, (void)fe, (void)p, (void)name, (void)id, (void)d;
	*info = FAULT_PPTR_RESOLVE;
	return -ENOENT;
}

/* --- no object is made, none tied */

WEAK int __twz_create_child(objid_t parent, uint64_t flags, objid_t src, objid_t *id)
{
	(void)parent, (void)flags, (void)src, (void)id;
	return -ENOSPC;
}

WEAK long sys_otie(objid_t parent, objid_t child, uint64_t flags)
{
	(void)parent, (void)child, (void)flags;
	return -ENOENT;
}

/* --- memory that is never given back; what a cut leaves unused is not taken again */

WEAK void *__twz_pages(size_t bytes)
{
	static _Alignas(4096) unsigned char pages[PAGES_BYTES];
	static size_t used;
	size_t at = used;

	bytes = (bytes + TWZ_PAGE_SIZE - 1) & ~(TWZ_PAGE_SIZE - 1);
	if (bytes > PAGES_BYTES - at)
		return NULL;
	used += bytes;
	return pages + at;
}

/* --- faults in software: noted, and the handler returns */

WEAK void __twz_throw_pptr(objid_t id, uint64_t fote, uint32_t info, int retval, const void *p)
{
	(void)id, (void)fote, (void)info, (void)retval, (void)p;
	explore_throw("a fault of a pointer");
}

WEAK void __twz_throw_object(uint64_t flags, const void *p)
{
	(void)flags, (void)p;
	explore_throw("a fault of an object");
}

WEAK struct fault_pptr_info twz_fault_build_pptr_info(objid_t id, uint64_t fote, void *ip,
    uint32_t info, uint32_t retval, uint64_t flags, const char *name, const void *ptr)
{
	(void)id, (void)fote, (void)ip, (void)info;
	(void)retval, (void)flags, (void)name, (void)ptr;
	return (struct fault_pptr_info){ 0 };
}

WEAK void twz_fault_raise(int fault, void *info)
{
	(void)fault, (void)info;
	explore_throw("a fault");
}

UNSEEN_END
