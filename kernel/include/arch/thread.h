// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract: the user state of a thread.
 *
 * struct arch_regs is the first member of struct thread. A trap from user mode saves the whole
 * general state there; the kernel never keeps user state on a stack, so a parked thread is pure data.
 * <machine/thread.h> defines struct arch_regs and struct arch_fp.
 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include <stdint.h>

struct arch_regs;
struct arch_fp;
struct thread;

/* A fresh user state: pc, sp, three arguments, thread pointer; everything else 0, FP initial. */
void arch_regs_init(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, const unsigned long args[3],
		    uintptr_t tls);

static inline uintptr_t arch_regs_pc(const struct arch_regs *regs);  /* inline */
static inline uintptr_t arch_regs_sp(const struct arch_regs *regs);  /* inline */
static inline void arch_regs_set_result(struct arch_regs *regs, long result); /* inline: syscall result */

/* Change argument n (0 … 5) of the system call that is to be executed again. */
static inline void arch_regs_set_argument(struct arch_regs *regs, unsigned int n, unsigned long value);

/* Make the thread execute its system call instruction again when it next runs. */
static inline void arch_regs_restart(struct arch_regs *regs); /* inline */

/* Thread pointer of a thread that is current on this CPU or not running. */
void arch_regs_set_tls(struct thread *thread, uintptr_t tls);

/*
 * Called with a thread that leaves (out) or enters (in) this CPU, never from interrupt level.
 * Moves state that the trap entry leaves in the CPU (floating point, thread pointer).
 * After arch_thread_out() returns the thread is pure data and may be run by another CPU.
 */
void arch_thread_out(struct thread *thread);
void arch_thread_in(struct thread *thread);

/* Print the registers through the kernel log (LOG_ERROR), for fault reports. */
void arch_regs_print(const struct arch_regs *regs);

/*
 * Load the thread's registers and enter user mode. The CPU's current thread is set and
 * arch_thread_in() and arch_mmu_switch() have been called for it. The kernel stack is abandoned.
 */
_Noreturn void arch_user_enter(struct thread *thread);

#include <machine/thread.h>

#endif
