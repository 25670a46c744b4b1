// SPDX-License-Identifier: BSD-3-Clause
/*
 * Faults: brought to the thread's handlers, or reported (docs/faults.md).
 *
 * All functions are for the current thread: its user state is saved completely, its address space
 * is installed, no lock is held. Each may end the thread (then this CPU has no current thread, and
 * the caller goes the way of SYSCALL_PARKED), and changes all of the saved registers otherwise.
 */
#ifndef FAULT_FAULT_H
#define FAULT_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include <abi/fault.h>
#include <abi/types.h>

struct fault_report;
struct thread;

/*
 * Deliver fault `number` (FAULT_*) with its information, `length` bytes of a structure of
 * abi/fault.h, at most FAULT_INFO_MAX: to the thread object's handler, the view's, or its
 * double-fault handler. Nobody takes it: the innermost become frame is popped, or the thread ends
 * with a report.
 */
#define FAULT_INFO_MAX 64u
void fault_raise(struct thread *thread, int number, const void *info, size_t length);

/* What space_fault() found, raised. */
void fault_raise_access(struct thread *thread, const struct fault_report *report);

/* FAULT_SIGNAL, at the thread's return to user mode. `args` are the signal's. */
void fault_signal(struct thread *thread, const long args[4]);

/*
 * FAULT_RESUME, for a thread that is to begin there: all registers become zero, sp the top of its
 * fault stack, then the fault is delivered.
 */
void fault_resume(struct thread *thread, const struct fault_resume_info *info);

/* Print the report of a fault that nobody handles. The thread goes on; see thread_exit(). */
void fault_report_print(struct thread *thread, int number, const void *info);

#endif
