// SPDX-License-Identifier: BSD-3-Clause
/*
 * Faults: how a user access turns into a mapping and a page, or into a fault report.
 *
 * Order of the checks as documented in docs/views.md: address, null page, view entry, object,
 * the entry's access bits, metadata, permission, page.
 */
#include <abi/errno.h>
#include <abi/fault.h>
#include <abi/view.h>
#include <mm/phys.h>
#include <mm/reserve.h>
#include <mm/space.h>
#include <mm/space_private.h>
#include <obj/hash.h>
#include <arch/upcall.h>
#include <debug.h>
#include <sched/thread.h>
#include <sched/sync.h>
#include <sec/check.h>
#include <trace.h>

#define ENTRY_READ_TRIES 16
#define FLAGS_IN_ENTRY offsetof(struct viewentry, flags)
#define FAULT_TRIES 4

static int fault(struct fault_report *report, int number, uint64_t detail)
{
	report->fault = number;
	report->detail = detail;
	return number + 1;
}

/* FAULT_OBJECT's access bits equal ours. */
_Static_assert(FAULT_OBJECT_READ == ACCESS_READ && FAULT_OBJECT_WRITE == ACCESS_WRITE &&
	       FAULT_OBJECT_EXEC == ACCESS_EXEC, "access bits");

static bool prot_allows(enum object_prot prot, unsigned int access)
{
	static const unsigned int allowed[OBJ_PROT_COUNT] = {
		[OBJ_PROT_R] = ACCESS_READ,
		[OBJ_PROT_RW] = ACCESS_READ | ACCESS_WRITE,
		[OBJ_PROT_RX] = ACCESS_READ | ACCESS_EXEC,
		[OBJ_PROT_X] = ACCESS_EXEC,
		[OBJ_PROT_EITHER] = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC,
	};
	return (allowed[prot] & access) == access;
}

/* Two words of the view, each within a page although an entry may straddle two. View lock held. */
static void *view_bytes(struct object *view, uint64_t offset)
{
	void *page;

	if (object_page(view, offset / PAGE_SIZE, false, &page) != 0 || !page)
		return NULL;
	return (char *)page + offset % PAGE_SIZE;
}

/*
 * Read an entry that user code may be writing: flags, ID, flags again. 0 flags = not valid.
 * False: it kept changing.
 */
static bool view_entry(struct object *view, uint32_t slot, objid_t *id, uint32_t *flags)
{
	uint64_t offset = OBJ_NULLPAGE_SIZE + __VE_OFFSET + (uint64_t)slot * sizeof(struct viewentry);
	bool stable = false;

	spin_lock(&view->lock);
	const objid_t *id_at = view_bytes(view, offset);
	_Atomic uint32_t *flags_at;
	if (id_at && (offset + FLAGS_IN_ENTRY) / PAGE_SIZE == offset / PAGE_SIZE)
		flags_at = (void *)((uintptr_t)id_at + FLAGS_IN_ENTRY);
	else
		flags_at = view_bytes(view, offset + FLAGS_IN_ENTRY);
	*flags = 0;
	if (!id_at || !flags_at)
		stable = true;
	for (int i = 0; i < ENTRY_READ_TRIES && !stable; i++) {
		*flags = atomic_load_explicit(flags_at, memory_order_acquire);
		*id = *(const volatile objid_t *)id_at;
		atomic_thread_fence(memory_order_acquire);
		stable = atomic_load_explicit(flags_at, memory_order_relaxed) == *flags;
	}
	spin_unlock(&view->lock);
	return stable;
}

/*
 * Rights of an entry: writing implies reading on every machine we know; W and X only together where
 * each page may have either.
 */
static uint32_t entry_rights(uint32_t flags)
{
	uint32_t rights = flags & VE_ACCESS;

	if (rights & VE_WRITE)
		rights = (rights | VE_READ) & (flags & VE_EITHER ? ~0u : ~VE_EXEC);
	return rights;
}

_Static_assert(VE_READ == SEC_READ && VE_WRITE == SEC_WRITE && VE_EXEC == SEC_EXEC, "entry rights");

static uint32_t access_right(unsigned int access)
{
	return access == ACCESS_EXEC ? SEC_EXEC : access == ACCESS_WRITE ? SEC_WRITE : SEC_READ;
}

/* The widest protection that rights allow; they contain the faulting access. */
static enum object_prot widest_prot(uint32_t rights)
{
	if (rights & SEC_WRITE)
		return rights & SEC_EXEC ? OBJ_PROT_EITHER : OBJ_PROT_RW;
	if (rights & SEC_EXEC)
		return rights & SEC_READ ? OBJ_PROT_RX : OBJ_PROT_X;
	return OBJ_PROT_R;
}

/*
 * 0: what is left of objects that are gone took the room, and gave some back, or there was a page in
 * reserve; the access is to be tried again.
 */
static int page_fault(struct thread *thread, struct fault_report *report, int error)
{
	if ((error == -ENOMEM || error == -ENOSPC) && object_remains_step())
		return 0;
	if (error == -ENOMEM && reserve_take(thread))
		return 0;
	if (error == -EBADMSG)
		return fault(report, FAULT_PAGE, FAULT_PAGE_HASH);
	return fault(report, FAULT_PAGE, error == -EUCLEAN ? FAULT_PAGE_MEDIA : FAULT_PAGE_NOMEM);
}

/*
 * The slot is mapped with enough rights: enter the page. 0 or -errno (-EBADMSG: not its content).
 * Space lock held.
 */
static int enter_page(struct mapping *mapping, uint64_t offset, unsigned int access)
{
	struct object *object = mapping->object;

	spin_lock(&object->lock);
	int error = mapping->prot == OBJ_PROT_EITHER
			    ? object_map_either(object, offset / PAGE_SIZE, access)
			    : object_map_page(object, mapping->prot, offset / PAGE_SIZE, access == ACCESS_WRITE);
	if (error == -EUCLEAN && hash_mismatch(object, offset / PAGE_SIZE))
		error = -EBADMSG;
	spin_unlock(&object->lock);
	return error;
}

/*
 * 1: not mapped so; 0: page is in; -errno, with the object's ID in the report. *generation is what
 * the answer is about.
 */
static int try_mapped(struct addrspace *space, uint32_t slot, struct fault_report *report,
		      uint64_t *generation)
{
	int result = 1;

	spin_lock(&space->lock);
	struct mapping *mapping = space_mapping(space, slot);
	*generation = space->generation;
	if (mapping && prot_allows(mapping->prot, report->access)) {
		report->object = mapping->object->id;
		result = enter_page(mapping, report->offset, report->access);
	}
	spin_unlock(&space->lock);
	return result;
}

/*
 * Link the object, unless an invalidation came between reading the view and now: then the answer is
 * stale and the access is to be tried again. A mapping with lesser rights is replaced.
 */
static int link_object(struct addrspace *space, struct object *object, uint32_t slot,
		       enum object_prot prot, uint64_t generation)
{
	int error = 0;

	spin_lock(&space->lock);
	bool current = space->generation == generation;
	struct mapping *old = space_mapping(space, slot);
	if (current && !old) {
		spin_lock(&object->lock);
		error = space_link(space, object, slot, prot);
		spin_unlock(&object->lock);
	}
	spin_unlock(&space->lock);
	if (current && old && (old->prot != prot || old->object != object))
		space_invalidate(space, slot, slot);
	return error;
}

struct object *space_object_at(struct thread *thread, uintptr_t va)
{
	uint64_t slot = va >> OBJ_SHIFT;
	uint32_t flags;
	objid_t id;

	if (slot >= arch_mmu.user_slots || !view_entry(thread->space->view, slot, &id, &flags))
		return NULL;
	return flags & VE_VALID ? object_get(id) : NULL;
}

/*
 * What the view says about the slot, checked. 0 with a referenced object and its protection, or
 * with no object: the access is to be tried again, perhaps with another context active.
 */
static int consult_view(struct thread *thread, uint32_t slot, unsigned int access,
			struct object **out, enum object_prot *prot, struct fault_report *report)
{
	uint32_t flags;
	uint32_t rights;
	uint32_t need = access_right(access);

	if (!view_entry(thread->space->view, slot, &report->object, &flags))
		return 0;
	if (!(flags & VE_VALID) || report->object == 0) {
		report->object = 0;
		return fault(report, FAULT_OBJECT, FAULT_OBJECT_NOMAP | access);
	}
	struct object *object = object_get(report->object);
	if (!object)
		return fault(report, FAULT_OBJECT, FAULT_OBJECT_EXIST | access);
	int error = sec_rights(thread, object, &rights);
	if (error == OBJECT_AGAIN) {
		object_put(object);
		return 0;
	}
	int result = 0;
	if (!error && object->kernel_owned && !object->mmio_pages)
		rights &= SEC_READ;
	if (!(entry_rights(flags) & need))
		result = fault(report, FAULT_OBJECT, access);
	else if (error)
		result = error == -ENOMEM ? page_fault(thread, report, error)
					  : fault(report, FAULT_OBJECT, FAULT_OBJECT_INVALID | access);
	else if (!(rights & need) && !sec_switch_for(thread, object, need))
		result = fault(report, FAULT_SCTX, need);
	if (result || !(rights & need)) {
		object_put(object);
		return result;
	}
	*prot = widest_prot(entry_rights(flags) & rights);
	*out = object;
	return 0;
}

static int resolve_fault(struct thread *thread, uintptr_t va, unsigned int access, struct fault_report *report)
{
	uint64_t slot = va >> OBJ_SHIFT;
	uint64_t offset = va & (OBJ_MAXSIZE - 1);

	*report = (struct fault_report){ .address = va, .offset = offset, .access = access };
	thread->faults++;
	if (slot >= arch_mmu.user_slots)
		return fault(report, FAULT_EXCEPTION, FAULT_EXCEPTION_PAGEFAULT);
	if (offset < OBJ_NULLPAGE_SIZE)
		return fault(report, FAULT_NULL, 0);

	for (int i = 0; i < FAULT_TRIES; i++) {
		struct object *object = NULL;
		enum object_prot prot;
		uint64_t generation;
		int result = try_mapped(thread->space, slot, report, &generation);

		if (result <= 0)
			return result ? page_fault(thread, report, result) : 0;
		result = consult_view(thread, slot, access, &object, &prot, report);
		if (result || !object)
			return result;
		result = link_object(thread->space, object, slot, prot, generation);
		object_put(object);
		if (result)
			return page_fault(thread, report, result);
	}
	/*
	 * The view is being changed under us: let the access fault again, interrupts get their
	 * turn.
	 */
	return 0;
}

bool space_is_own_page(struct thread *thread, uintptr_t va, uintptr_t pc, struct fault_report *report)
{
	struct addrspace *space = thread->space;

	if (va / PAGE_SIZE != pc / PAGE_SIZE || va >> OBJ_SHIFT >= arch_mmu.user_slots)
		return false;
	spin_lock(&space->lock);
	struct mapping *mapping = space_mapping(space, va >> OBJ_SHIFT);
	bool own = mapping && mapping->prot == OBJ_PROT_EITHER;
	if (own)
		*report = (struct fault_report){ .address = va, .offset = va & (OBJ_MAXSIZE - 1),
						 .access = ACCESS_WRITE, .object = mapping->object->id };
	spin_unlock(&space->lock);
	if (own)
		fault(report, FAULT_OBJECT, ACCESS_WRITE);
	return own;
}

int space_fault(struct thread *thread, uintptr_t va, unsigned int access, struct fault_report *report)
{
	uint64_t since = stay_begin();
	int result = resolve_fault(thread, va, access, report);

	stay_end_fault(since);
	return result;
}

/* The object is being verified in steps: another fault, another step. */
static bool is_verifying(const struct thread *thread, objid_t id)
{
	return thread->verifying && thread->verifying->id == id;
}

/*
 * The mapping at a user address, faulted in if need be, with space->lock held; NULL: -EFAULT, not
 * held. A mapping keeps its object as long as the lock is held.
 */
static struct mapping *lock_mapping(struct thread *thread, uintptr_t va, unsigned int access)
{
	struct fault_report report;

	if (va >> OBJ_SHIFT >= arch_mmu.user_slots || (va & (OBJ_MAXSIZE - 1)) < OBJ_NULLPAGE_SIZE)
		return NULL;
	for (int i = 0; i < FAULT_TRIES; i += !is_verifying(thread, report.object)) {
		struct addrspace *space = thread->space; /* the fault may have switched contexts */
		spin_lock(&space->lock);
		struct mapping *mapping = space_mapping(space, va >> OBJ_SHIFT);
		if (mapping && prot_allows(mapping->prot, access))
			return mapping;
		spin_unlock(&space->lock);
		if (space_fault(thread, va, access, &report) != 0)
			return NULL;
	}
	return NULL;
}

int space_resolve(struct thread *thread, uintptr_t va, unsigned int access, struct object **object,
		  uint64_t *offset)
{
	struct mapping *mapping = lock_mapping(thread, va, access);

	if (!mapping)
		return -EFAULT;
	*object = mapping->object;
	*offset = va & (OBJ_MAXSIZE - 1);
	object_ref(*object);
	spin_unlock(&thread->space->lock);
	return 0;
}

bool space_allows(struct thread *thread, uintptr_t va, unsigned int access)
{
	struct mapping *mapping = lock_mapping(thread, va, access);

	if (mapping)
		spin_unlock(&thread->space->lock);
	return mapping != NULL;
}

int space_wake(struct thread *thread, uintptr_t va, long count, uint64_t *woken)
{
	struct mapping *mapping = lock_mapping(thread, va, ACCESS_READ);

	if (!mapping)
		return -EFAULT;
	*woken = sync_wake(mapping->object, va & (OBJ_MAXSIZE - 1), count);
	spin_unlock(&thread->space->lock);
	return 0;
}

bool upcall_copy_fault(uintptr_t va, unsigned int access)
{
	struct fault_report report;

	TRACE(TWZ_TRACE_FAULTS, TWZ_EVENT_FAULT, access, va);
	if (space_fault(current_thread(), va, access, &report) != 0)
		return false;
	arch_tlb_fresh(va);
	return true;
}
