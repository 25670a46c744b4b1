// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads. A thread is pure data: its user state is in regs (and fp when it is on no CPU), it has no
 * kernel stack, and while it is parked a continuation says what the kernel has left to do for it.
 */
#ifndef SCHED_THREAD_H
#define SCHED_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/thread.h>
#include <abi/types.h>
#include <arch/thread.h>
#include <base/heap.h>
#include <base/list.h>
#include <cpu.h>

struct addrspace;
struct become_frame;
struct object;
struct seccontext;

/* A place in the wait queue of one word; guarded by the word's bucket lock while `queued`. */
struct sync_wait {
	struct list link;
	struct object *object; /* holds a reference while the thread sleeps */
	uint64_t offset;
	struct thread *thread;
	uint32_t index; /* of the operation */
	bool queued;
};

/* Where a sleeping thread is between arming its waits and running again. */
enum { WAIT_NONE, WAIT_ARMING, WAIT_PARKED, WAIT_WOKEN };

#define WAIT_NOT_WOKEN (-1) /* sleep.winner: nothing has happened yet */
#define WAIT_TIMEOUT (-2)
#define WAIT_DELETED (-3)

struct sleep {
	_Atomic int state;
	_Atomic int winner;      /* index of the wait that woke it, or WAIT_* */
	unsigned int count;      /* waits in use */
	unsigned int allocated;  /* waits there is room for */
	struct sync_wait *waits; /* = &single, or an array in pages of its own */
	struct sync_wait single;
	uintptr_t user_ops;      /* user address of the operations, for the results */
	struct heap_node timer;  /* guarded by timer_cpu->timer_lock */
	struct cpu *timer_cpu;   /* NULL = no timeout */
};

struct thread {
	struct arch_regs regs; /* first: the trap entry knows */
	struct arch_fp fp;

	objid_t id;
	struct object *repr; /* holds references */
	struct addrspace *space; /* of its view and its active context; changed by the thread itself only */

	/* Scheduling: owned by whoever runs or queues the thread; run_link by that queue's lock. */
	struct cpu *cpu; /* last ran or queued here */
	struct list run_link;

	/* What is left to do before it returns to user mode; NULL = nothing. Called by upcall_return(). */
	void (*resume)(struct thread *thread);

	struct sleep sleep;

	/* Protected calls (fault/become.h); the thread itself only. */
	struct become_frame *become_top; /* NULL = no frame */
	unsigned int become_depth;
	/* A sleeping system call was ended with -EINTR: the next frame says so. Set before it runs. */
	bool call_interrupted;

	/* Counted by the CPU that runs it. */
	uint64_t faults;
	uint64_t switches;
	uint64_t cpu_ticks;
	uint64_t started_at; /* counter when it was last put on a CPU */

	struct list all_link; /* guarded by threads_lock */
};

extern struct spinlock threads_lock;
extern struct list threads_all; /* for debuggers and panic reports */

/*
 * Make and start a thread in a view, with the rights of a context. `repr` and `view` are referenced by the
 * caller; the thread takes references of its own.
 * The object's state fields are written. -EBUSY repr is a running thread or another KSO; -ENOMEM.
 */
int thread_spawn(struct object *repr, struct object *view, struct seccontext *context,
		 const struct thrd_spawn_args *args);

/* End the current thread: exit point set, waiters woken, references dropped. The caller must return to
 * the trap entry with SYSCALL_PARKED. `code` is stored if `set_code`. */
void thread_exit(uint64_t exit_fault, bool set_code, uint64_t code);

static inline struct thread *current_thread(void)
{
	return this_cpu()->current;
}

#endif
