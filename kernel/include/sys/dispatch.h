// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which table of system calls a CPU uses: the plain one, or the one that traces; and for threads
 * that have contexts to be detached at calls (sec/late.h) one that does that and then goes on to
 * whichever it is.
 */
#ifndef SYS_DISPATCH_H
#define SYS_DISPATCH_H

#include <arch/upcall.h>

struct cpu;
struct thread;

/*
 * The table for all threads but those with late detaches, on all CPUs from soon on. No lock held.
 */
void dispatch_use(const syscall_fn *table);

/* This CPU is about to run a thread: use the table for it. */
void dispatch_for(struct cpu *cpu, const struct thread *thread);

#endif
