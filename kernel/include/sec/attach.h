// SPDX-License-Identifier: BSD-3-Clause
/*
 * The contexts that are attached to a thread, and which of them is active.
 *
 * The active one is that of thread->space; only the thread itself changes it. Others may add to the
 * set and take from it; what follows from that is settled by the thread before it next returns to
 * user mode.
 */
#ifndef SEC_ATTACH_H
#define SEC_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/thread.h>
#include <abi/types.h>

struct object;
struct seccontext;
struct thread;

/*
 * Every thread begins with no set and is unrestricted (sec_bootstrap); the first attach makes one,
 * which stays, empty or not. Children get the like.
 */
static inline bool sec_has_attached(const struct thread *thread);

/* The context in a place (0 … TWZ_THRD_MAX_SCS-1), with a reference, or NULL. */
struct seccontext *sec_attached_at(struct thread *thread, unsigned int place);

/* The attached context that object `id` is, with a reference, or NULL. */
struct seccontext *sec_attached_by_id(struct thread *thread, objid_t id);

/* Of these two the thread is the current one, or the lock of its object is held. */

/*
 * Put a context into the thread's set; one that is there stays, without a pending detach. The set
 * takes a reference of its own. The thread has to settle. 1 it was there; -ENOSPC, -ENOMEM.
 */
int sec_add(struct thread *thread, struct seccontext *context);

/*
 * Take the context that object `id` is from the set, 0: all of them. Returns how many went to
 * removed[], with the references, for the caller to put. The thread has to settle.
 */
unsigned int sec_remove(struct thread *thread, objid_t id, struct seccontext *removed[]);

/* The same of the current thread, no lock held: the references are put. False: there was none. */
bool sec_shed(struct thread *thread, objid_t id);

/* Bit per place: what was added and not settled; and that this is settled now. There is a set. */
uint32_t sec_fresh(struct thread *thread);
void sec_fresh_settled(struct thread *thread, uint32_t places);

/*
 * What the set is now decides what is active: bootstrap privilege ends, an active context that was
 * removed is followed by the first in which the executed code may run, and one that was added acts
 * if none did. The current thread, no lock held. -ENOMEM: nothing changed, try again.
 */
int sec_settle(struct thread *thread);

/* The same of the current thread, if not now then before it returns to user mode. */
void sec_settle_surely(struct thread *thread);

/*
 * The current thread came back to an address space that it had left: the context of that counts
 * only if it is still attached.
 */
void sec_recheck(struct thread *thread);

/* Have another thread settle before it returns to user mode. The lock of its object is held. */
void sec_settle_soon(struct thread *thread);

/* Do what was asked by sec_settle_soon(). The current thread, on its way to user mode. */
void sec_settle_now(struct thread *thread);

/*
 * The current thread goes on in a view with a context active, both referenced by the caller; no
 * rule is asked. No lock held. -ENOMEM, -EBUSY (the object is another kind of KSO): nothing
 * changed.
 */
int sec_enter(struct thread *thread, struct object *view, struct seccontext *context);

/*
 * Make an attached context active, as a data access might. -ENOENT, -EACCES, -ENOMEM. Current
 * thread.
 */
int sec_set_active(struct thread *thread, objid_t id);

/*
 * Whether everything that acts for `target` acts for the current thread, too: all contexts attached
 * there are attached here. The lock of the target's object is held.
 */
bool sec_covers(struct thread *thread, struct thread *target);

/* A new thread gets a set, empty: it is restricted. -ENOMEM. */
int sec_make_set(struct thread *thread);

/* A new thread gets what the current one has attached. -ENOMEM. */
int sec_inherit(struct thread *thread);

/* The thread ends, or never began: let go of the set. Nobody else can reach the thread. */
void sec_release(struct thread *thread);

/*
 * Write view, active and attached contexts into the thread's object, for information. No lock held.
 */
void sec_tell(struct thread *thread);

#include <sched/thread.h>

static inline bool sec_has_attached(const struct thread *thread)
{
	return atomic_load_explicit(&thread->attached, memory_order_acquire) != NULL;
}

#endif
