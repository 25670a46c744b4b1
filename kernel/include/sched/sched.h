// SPDX-License-Identifier: BSD-3-Clause
/*
 * The scheduler: who runs on which CPU. Real-time threads before time-shared ones before idle ones;
 * a run queue per CPU (sched/queue.h); ticks only where threads take turns; CPUs take work from
 * each other.
 *
 * Two promises hold whenever nobody is in the kernel: no thread waits on a CPU while one that it
 * may run on idles, and no real-time thread waits while a CPU that it may run on runs something
 * below it. Whoever puts a thread in a queue, and whoever starts to run something lower or to idle,
 * looks at what the other side has published, after publishing its own; so one of the two sees the
 * other.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <stdbool.h>
#include <stdint.h>

struct thread;
struct cpu;
struct sched_values;
struct twz_sched;

#define SCHED_SLICE_NS 10000000ull    /* a turn where threads compete, unless it says otherwise */
#define SCHED_SLICE_MIN_NS 100000ull  /* shorter turns of real-time threads are made this long */

void sched_init(void); /* boot CPU, before any thread and before cpus_start() */

/* Leave boot and run threads on this CPU for good. Called once by every CPU on its own stack. */
_Noreturn void sched_start(void);

/*
 * A thread that is on no CPU and in no queue becomes runnable. Any context; innermost lock order.
 */
void sched_wake(struct thread *thread);

/*
 * Take the current thread off this CPU: its state is saved completely, cpu->current becomes NULL.
 * The caller then parks, requeues or frees it, and returns SYSCALL_PARKED or to the trap entry.
 */
struct thread *sched_detach_current(void);

/* Put a thread back that sched_detach_current() returned and that nobody else has seen. */
void sched_attach_current(struct thread *thread);

/* The current thread lets others of its level run. */
void sched_yield(void);

/* Arm this CPU's timer for what is due next (timeouts, end of slice). */
void sched_program_timer(struct cpu *cpu);

/* Make a CPU settle what runs, soon: an interrupt unless it is this one. */
void sched_kick(struct cpu *cpu);

/* ---- Parameters ---- */

/* The level at which a thread runs now (sched/queue.h). */
uint32_t sched_level(const struct thread *thread);

/*
 * Set a thread's parameters, checked values. The thread object's lock is held, or nobody knows the
 * thread yet. sched_refresh() makes them count.
 */
void sched_set(struct thread *thread, const struct sched_values *values);

/* Parameters as programs give them, checked; -EINVAL. And back. */
int sched_values_check(const struct twz_sched *from, struct sched_values *to);
void sched_values_tell(const struct sched_values *from, struct twz_sched *to);

/*
 * The thread's parameters, or what was lent to it, changed: if it is in a queue it is queued anew;
 * if it runs its CPU is told to look. Any context but with a run-queue lock held.
 */
void sched_refresh(struct thread *thread);

/* What a thread gets from the one that spawns it (NULL: the kernel). */
void sched_inherit(struct thread *thread, const struct thread *parent);

/* Bit per idle CPU. */
extern _Atomic uint64_t sched_idle_mask;

#endif
