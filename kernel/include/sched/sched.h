// SPDX-License-Identifier: BSD-3-Clause
/*
 * The scheduler: a run queue per CPU, time slices only where threads compete, idle CPUs steal.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <stdint.h>

struct thread;
struct cpu;

#define SCHED_SLICE_NS 10000000ull

void sched_init(void); /* boot CPU, before any thread and before cpus_start() */

/* Leave boot and run threads on this CPU for good. Called once by every CPU on its own stack. */
_Noreturn void sched_start(void);

/* A thread that is on no CPU and in no queue becomes runnable. Any context; innermost lock order. */
void sched_wake(struct thread *thread);

/*
 * Take the current thread off this CPU: its state is saved completely, cpu->current becomes NULL.
 * The caller then parks, requeues or frees it, and returns SYSCALL_PARKED or to the trap entry.
 */
struct thread *sched_detach_current(void);

/* Put a thread back that sched_detach_current() returned and that nobody else has seen. */
void sched_attach_current(struct thread *thread);

/* The current thread lets others run. */
void sched_yield(void);

/* Arm this CPU's timer for what is due next (timeouts, end of slice). */
void sched_program_timer(struct cpu *cpu);

/* Bit per idle CPU. */
extern _Atomic uint64_t sched_idle_mask;

#endif
