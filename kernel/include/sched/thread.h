// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads. A thread is pure data: its user state is in regs (and fp when it is on no CPU), it has
 * no kernel stack, and while it is parked a continuation says what the kernel has left to do for
 * it.
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
struct sec_set;
struct seccontext;

/* A place in the wait queue of one word; guarded by the word's bucket lock while `queued`. */
struct sync_wait {
	struct list link;
	struct object *object; /* holds a reference while the thread sleeps */
	uint64_t offset;
	struct thread *thread;
	uint32_t level; /* of the thread when it went to sleep */
	uint16_t index; /* of the operation */
	bool queued;
};

/* Where a sleeping thread is between arming its waits and running again. */
enum { WAIT_NONE, WAIT_ARMING, WAIT_PARKED, WAIT_WOKEN };

#define WAIT_NOT_WOKEN (-1) /* sleep.winner: nothing has happened yet */
#define WAIT_TIMEOUT (-2)
#define WAIT_DELETED (-3)
#define WAIT_INTERRUPTED (-4)
#define WAIT_MOVED (-5)
#define WAIT_OVER (-6)

#define SYNC_FEW 4u /* words that a sleep has room for without looking for it */

struct sleep {
	_Atomic int state;
	_Atomic int winner;      /* index of the wait that woke it, or WAIT_* */
	unsigned int count;      /* waits in use */
	unsigned int allocated;  /* waits there is room for */
	struct sync_wait *waits; /* = few, or an array in pages of its own */
	struct sync_wait few[SYNC_FEW];
	uintptr_t user_ops;      /* user address of the operations, for the results */
	struct heap_node timer;  /* guarded by timer_cpu->timer_lock */
	struct cpu *timer_cpu;   /* NULL = no timeout */
};

/* A thread's scheduling parameters, checked. */
struct sched_values {
	uint32_t klass; /* TWZ_SCHED_* */
	uint32_t prio;
	uint64_t slice_ns;
	uint64_t affinity; /* AFFINITY_ALL: every CPU */
};

#define AFFINITY_ALL UINT64_MAX

/* Work for a thread to do before it returns to user mode: bits of thread->pending. */
#define PENDING_SIGNAL 1u
#define PENDING_STOP 2u /* suspended */
#define PENDING_KILL 4u

struct signal;

struct thread {
	struct arch_regs regs; /* first: the trap entry knows */
	struct arch_fp fp;

	objid_t id;
	struct object *repr; /* holds references */
	uint64_t listed;     /* its place in the directory of threads, 0 = none */
	uint64_t rooted;     /* and in the root's, if it is attached there (kso/resume.c) */
	struct addrspace *space; /* of its view and its active context; changed by the thread itself only */

	/* What is to be done of it at the next boot (kso/resume.h). Guarded by repr->lock. */
	struct {
		objid_t view, active; /* active 0: none that outlives a reset */
		bool persistent;      /* the view */
	} home;
	uint32_t resume_place;

	/* Attached contexts (sec/attach.h). NULL: it never had any, and is unrestricted. */
	struct sec_set *_Atomic attached;
	_Atomic uint32_t unsettled; /* others changed them */
	_Atomic uint32_t late;      /* some are to be detached at a system call (sec/late.h) */
	unsigned int late_call;     /* the one under way, where there is something left to do after it */
	uintptr_t late_pc;          /* and where it was made; 0 = nothing is */
	bool context_fixed; /* what the kernel writes for it switches no context; the thread itself only */

	/*
	 * What it may ask of the scheduler: written under repr->lock (sched_set()), read by anyone.
	 */
	struct sched_values sched;
	uint32_t sched_floor;      /* NORMAL priority it was spawned with; fixed */
	_Atomic uint32_t level;    /* from class and priority, see sched/queue.h */
	_Atomic uint64_t affinity; /* a bit for each CPU it may run on */
	_Atomic uint64_t slice;    /* ticks of a turn; 0 = until it sleeps (RT) */
	_Atomic uint32_t rate;     /* how fast a NORMAL thread's virtual time passes, see sched.c */
	_Atomic uint32_t lent;     /* the highest level of those who wait for what it holds (sched/lend.c) */
	_Atomic uint32_t urgent;      /* is to stop or end: goes before everything until it has noticed */

	/* Its place: guarded by the queue's lock of `cpu` while it is queued, else its own. */
	_Atomic(struct cpu *) cpu; /* where it last ran or was queued */
	struct list run_link;      /* and the list of whoever parked it */
	struct heap_node fair_link;
	_Atomic(struct run_queue *) queue; /* that it is in, changed under that queue's lock; or NULL */
	uint32_t queued_level;     /* and its level there */
	bool bound;                /* which heap fair_link is in */
	struct cpu *fair_cpu;      /* whose virtual time its own is to be compared with */
	uint64_t slice_left;       /* of a turn that was cut short; 0 = the next is a whole one */
	uint64_t virtual_time;
	uint64_t virtual_base;     /* that CPU's, when the thread left it */

	/*
	 * What is left to do before it returns to user mode; NULL = nothing. Called by
	 * upcall_return().
	 */
	void (*resume)(struct thread *thread);

	struct sleep sleep;
	struct making *making; /* a large object, over several calls (sys/making.h); or NULL */
	struct object *verifying; /* what it waits for while it is verified in steps; holds a reference */

	/* What others want of it; the rest guarded by repr->lock (sched/control.c). */
	_Atomic uint32_t pending;
	uint32_t suspend_count;
	bool suspended;         /* off its CPU for good, until somebody resumes it */
	uint32_t signal_count;
	struct list signals;    /* struct signal.link, oldest first */
	uint64_t kill_code;

	/*
	 * The handler of its last signal: the stack it runs on, and the thread's CPU time when it
	 * began.
	 */
	uintptr_t handler_low, handler_high;
	uint64_t handler_ticks;
	uint32_t handler_looks; /* how often the next signal was held back since */

	/*
	 * How to make it runnable before its time, while it is parked other than on words; called
	 * with repr->lock held.
	 */
	_Atomic(void (*)(struct thread *)) interrupt;

	/* Who waits for whom to stop; guarded by the lock of all stops (sched/control.c). */
	struct list stop_waiters; /* struct thread.stop_link */
	struct list stop_link;
	struct list input_link; /* its place among those who wait for the console (sys/console.c) */

	/* What it lends and is lent (sched/lend.c), with the lock there. */
	struct thread *lend_next; /* in the table by name */
	struct thread *lends_to;  /* whom it lends its level while it sleeps */
	struct list lend_link;
	struct list lenders;      /* struct thread.lend_link: who lends to it */

	/*
	 * The word it slept on last until a holder let go; of the thread itself. A key of wait queues,
	 * not a reference: the object may be gone.
	 */
	struct object *wanted_object;
	uint64_t wanted_offset;

	/* What it waits for itself in sched/control.c. */
	struct object *watched; /* a thread object, until its thread has stopped; holds a reference */
	struct cpu *watch_cpu;  /* or until this CPU no longer runs watch_thread or has settled again */
	const struct thread *watch_thread;
	uint64_t watch_count;

	/* Protected calls (fault/become.h); the thread itself only. */
	struct become_frame *become_top; /* NULL = no frame */
	struct become_frame *become_spare; /* not in use, kept for the next call */
	unsigned int become_depth;
	/*
	 * A sleeping system call was ended with -EINTR: the next frame says so. Set before it runs.
	 */
	bool call_interrupted;

	uint32_t reserve; /* pages of mm/reserve.h that it asked for. The CPU that runs it */

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
 * Make and start a thread in a view, with the rights of a context. `repr` and `view` are referenced
 * by the caller; the thread takes references of its own. The object's state fields are written.
 * -EBUSY repr is a running thread or another KSO; -ENOMEM.
 */
int thread_spawn(struct object *repr, struct object *view, struct seccontext *context,
		 const struct thrd_spawn_args *args);

/* The same in two steps: the thread that is prepared is launched or discarded. Errors as above. */
int thread_prepare(struct object *repr, struct object *view, struct seccontext *context,
		   const struct thrd_spawn_args *args, struct thread **out);
void thread_launch(struct thread *thread);
void thread_discard(struct thread *thread);

/* End the current thread: exit point set, waiters woken, references dropped. The caller must return to
 * the trap entry with SYSCALL_PARKED. `code` is stored if `set_code`. */
void thread_exit(uint64_t exit_fault, bool set_code, uint64_t code);

/* The state word of a thread object. Its lock held: set it; no lock held: wake who sleeps on it. */
void thread_write_state(struct object *repr, uint64_t state);
void thread_wake_state(struct object *repr);

static inline struct thread *current_thread(void)
{
	return this_cpu()->current;
}

#endif
