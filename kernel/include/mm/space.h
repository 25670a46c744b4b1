// SPDX-License-Identifier: BSD-3-Clause
/*
 * Address spaces. An address space is what a view looks like to the hardware with the rights of one
 * security context: a cache, filled by faults and dropped by invalidation. It exists while threads
 * run in it.
 *
 * Mapping an object is one level-2 entry that links the object's subtree. For each such link there
 * is a struct mapping, found by slot through a hash table that grows with their number.
 */
#ifndef MM_SPACE_H
#define MM_SPACE_H

#include <stdatomic.h>
#include <stdint.h>

#include <arch/mmu.h>
#include <base/list.h>
#include <obj/object.h>
#include <spinlock.h>

struct seccontext;

struct mapping {
	struct mapping *next;     /* hash chain; guarded by space->lock */
	struct list object_link;  /* object->mappings; guarded by object->lock */
	struct addrspace *space;
	struct object *object;    /* holds a reference */
	pte_t *link;              /* the entry that links the object's subtree; written under space->lock */
	uint32_t slot;
	enum object_prot prot;
};

#define SPACE_INLINE_BUCKETS 16

struct addrspace {
	struct object *view;    /* holds a reference */
	struct seccontext *context; /* whose rights its mappings have; holds a reference */
	_Atomic uint32_t refs;  /* threads in it, CPUs that have it installed */
	struct list view_link;  /* view->spaces; guarded by view->lock */
	uint64_t number;        /* of the spaces of a view; later ones have higher numbers */
	struct list context_link;   /* context->spaces; guarded by context->lock */
	uint64_t context_number;    /* of the spaces of a context, alike */
	pte_t *root;

	_Atomic uint64_t tag;   /* generation and number; asid.c */
	_Atomic uint64_t cpus;  /* a bit each: has it installed, or is about to. flush.c */
	_Atomic uint64_t stale; /* a bit each: must drop its translations before it installs it */

	struct spinlock lock;
	/* Guarded by lock. */
	uint64_t generation;    /* counts invalidations: a fault that raced with one starts again */
	struct mapping **buckets;
	unsigned int bucket_order; /* log2 of their number */
	unsigned int mapping_count;
	struct mapping *inline_buckets[SPACE_INLINE_BUCKETS];
};

/*
 * Decide how spaces are numbered; boot option asids=N makes numbers scarce. Boot CPU, once, CPUs
 * are counted.
 */
void asids_init(void);

/*
 * The address space of a view and a security context, made if need be, with a new reference.
 * -ENOMEM, -EBUSY (the object is another kind of KSO). No lock held.
 */
int space_get(struct object *view, struct seccontext *context, struct addrspace **out);
void space_put(struct addrspace *space); /* no lock held */

/* Another reference to a space one holds a reference to; returns it. */
static inline struct addrspace *space_ref(struct addrspace *space)
{
	atomic_fetch_add_explicit(&space->refs, 1, memory_order_relaxed);
	return space;
}

/*
 * Make `space` (NULL: none) this CPU's user half. The CPU holds a reference while it is installed.
 * No lock held.
 */
void space_install(struct addrspace *space);

/*
 * Drop what was cached for the slots first … last (inclusive). When it returns, no CPU uses a
 * translation made from the view's earlier contents.
 */
void space_invalidate(struct addrspace *space, uint64_t first, uint64_t last);

/* The same for every address space of a view. No lock held. */
void view_invalidate(struct object *view, uint64_t first, uint64_t last);

/*
 * A user access of the current thread to `va`. 0: the access will succeed now (or is to be
 * retried). Otherwise the number of the fault plus 1, and *info filled.
 */
struct fault_report {
	int fault;         /* FAULT_* */
	objid_t object;    /* 0 = none */
	uintptr_t address;
	uint64_t offset;   /* in the object */
	uint64_t detail;   /* FAULT_OBJECT_* flags, FAULT_PAGE_* info, FAULT_EXCEPTION_* code, SCP_* needed */
	unsigned int access;
};
int space_fault(struct thread *thread, uintptr_t va, unsigned int access, struct fault_report *report);

/*
 * Whether an instruction at pc that writes to va needs its own page executable and writable at once,
 * which no page ever is: it would fault for ever. Then *report says so.
 */
bool space_is_own_page(struct thread *thread, uintptr_t va, uintptr_t pc, struct fault_report *report);

/*
 * What object and offset a user address of the current thread means, checked for `access`.
 * On success a reference is returned in *object. -EFAULT.
 */
int space_resolve(struct thread *thread, uintptr_t va, unsigned int access, struct object **object,
		  uint64_t *offset);

/*
 * Whether the current thread may access `va` as its active context and its view are; nothing
 * changes but the cache.
 */
bool space_allows(struct thread *thread, uintptr_t va, unsigned int access);

/*
 * The object that the thread's view names for a user address, with a reference, or NULL. No lock
 * held.
 */
struct object *space_object_at(struct thread *thread, uintptr_t va);

/*
 * Wake up to `count` sleepers (all if negative) on the word at a user address that the current
 * thread may read; *woken says how many. -EFAULT. No reference to the object is needed for this
 * long.
 */
int space_wake(struct thread *thread, uintptr_t va, long count, uint64_t *woken);

#endif
