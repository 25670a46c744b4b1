// SPDX-License-Identifier: BSD-3-Clause
/*
 * One structure per CPU. cpus[0] is the boot CPU, whatever its hardware number.
 */
#ifndef CPU_H
#define CPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arch/cpu.h>
#include <base/heap.h>
#include <base/list.h>
#include <cpu_layout.h>
#include <sched/queue.h>
#include <spinlock.h>

struct addrspace;
struct object;
struct thread;
struct twz_cpu_stats;

/* Free order-0 pages kept by a CPU; touched only by that CPU. */
#define PAGE_CACHE_MAX 64 /* about what a small program takes, and gives back when it ends */
struct page_cache {
	unsigned int count;
	void *pages[PAGE_CACHE_MAX];
};

struct cpu {
	/* Known to trap entry code (cpu_layout.h). Written by this CPU only, but for resched. */
	struct thread *current;
	void *stack_top;
	uint64_t scratch[4];
	_Atomic uint32_t resched; /* leave the fast return path: something to settle. Any CPU sets it */
	uint32_t id;
	uint64_t hwid;
	_Atomic uintptr_t syscalls; /* address that the entry of call number 0 in the table would have. Any CPU */

	bool takes_late;       /* syscalls is the table of sys/dispatch.h; this CPU only */
	int fdt_node;          /* offset of the CPU's node; set at discovery */
	_Atomic uint32_t online;
	struct addrspace *space; /* user address space installed here; this CPU only */
	struct page_cache page_cache;

	/* Scheduling (sched/sched.c). */
	struct run_queue queue;
	_Atomic uint32_t running_level; /* of the current thread, LEVEL_NONE: idle. This CPU writes, others read */
	_Atomic uint32_t preempt;       /* a NORMAL thread woke that has had much less than the current one */
	_Atomic uint64_t slice_end;     /* counter value at which the current thread has had its turn; 0 = no
					   one waits for it. This CPU writes */
	_Atomic uint64_t settled;       /* how often this CPU has looked at what it runs. This CPU writes */
	/*
	 * What the current NORMAL thread has had: fair_time at counter fair_stamp, growing at
	 * fair_rate.
	 */
	_Atomic uint64_t fair_time, fair_stamp, fair_rate;
	uint64_t timer_armed;  /* deadline the hardware timer is set to; this CPU only */

	/* Timeouts of threads that went to sleep on this CPU; guarded by timer_lock. */
	struct spinlock timer_lock;
	struct heap timers;
	_Atomic uint64_t next_timeout; /* the earliest key of timers; changed under timer_lock, read by this CPU */

	/* Whose time passes here: the current thread's view (a key, nothing more; NULL: nobody's) and since
	 * when. Written by this CPU, read by anyone. */
	struct object *_Atomic run_view;
	_Atomic uint64_t run_since;

	struct twz_cpu_stats *stats; /* counters for programs to read, see trace.h; this CPU writes */
};

_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "cpu layout");
_Static_assert(offsetof(struct cpu, stack_top) == CPU_STACK_TOP, "cpu layout");
_Static_assert(offsetof(struct cpu, scratch) == CPU_SCRATCH, "cpu layout");
_Static_assert(offsetof(struct cpu, resched) == CPU_RESCHED, "cpu layout");
_Static_assert(offsetof(struct cpu, id) == CPU_ID, "cpu layout");
_Static_assert(offsetof(struct cpu, hwid) == CPU_HWID, "cpu layout");
_Static_assert(offsetof(struct cpu, syscalls) == CPU_SYSCALLS, "cpu layout");

extern struct cpu cpus[CONFIG_MAX_CPUS];
extern unsigned int cpu_count; /* discovered, at most CONFIG_MAX_CPUS; fixed after discovery */
extern _Atomic unsigned int cpu_online_count;

static inline struct cpu *this_cpu(void)
{
	return arch_this_cpu();
}

/*
 * Start every discovered CPU and wait until each is online or reported as failed. Boot CPU, once.
 */
void cpus_start(void);

#endif
