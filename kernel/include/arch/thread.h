// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract: the user state of a thread.
 *
 * struct arch_regs is the first member of struct thread. A trap from user mode saves the whole
 * general state there; the kernel never keeps user state on a stack, so a parked thread is pure
 * data. <machine/thread.h> defines struct arch_regs and struct arch_fp.
 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct arch_regs;
struct arch_fp;
struct arch_call;
struct thread;
struct twz_fault_frame;

/* A fresh user state: pc, sp, three arguments, thread pointer; everything else 0, FP initial. */
void arch_regs_init(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, const unsigned long args[3],
		    uintptr_t tls);

static inline uintptr_t arch_regs_pc(const struct arch_regs *regs);  /* inline */
static inline uintptr_t arch_regs_sp(const struct arch_regs *regs);  /* inline */
static inline void arch_regs_set_result(struct arch_regs *regs, long result); /* inline: syscall result */

/*
 * Set argument register n (0 … 7), of a system call that is to be executed again or of a function.
 */
static inline void arch_regs_set_argument(struct arch_regs *regs, unsigned int n, unsigned long value);

/* Make the thread execute its system call instruction again when it next runs. */
static inline void arch_regs_restart(struct arch_regs *regs); /* inline */

/* The system call that saved these registers: its number, and where its instruction stands. */
static inline unsigned long arch_regs_syscall(const struct arch_regs *regs); /* inline */
static inline uintptr_t arch_regs_syscall_pc(const struct arch_regs *regs);  /* inline */

/* Whether an instruction can stand at `pc`. */
static inline bool arch_pc_aligned(uintptr_t pc); /* inline */

/*
 * Send a thread into a function: pc, sp, three arguments, link register 0; everything else stays.
 */
void arch_regs_enter(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, const unsigned long args[3]);

/* Thread pointer of a thread that is current on this CPU or not running. */
void arch_regs_set_tls(struct thread *thread, uintptr_t tls);

/*
 * Called with a thread that leaves (out) or enters (in) this CPU, never from interrupt level.
 * Moves state that the trap entry leaves in the CPU (floating point, thread pointer).
 * After arch_thread_out() returns the thread is pure data and may be run by another CPU.
 */
void arch_thread_out(struct thread *thread);
void arch_thread_in(struct thread *thread);

/* All floating-point registers become 0. The thread is current on this CPU or on none, as below. */
void arch_fp_reset(struct thread *thread);

/*
 * The user state as programs see it, without the frame's head: into a frame, and out of one that
 * may hold anything. Saving sets TWZ_FRAME_FP in the flags, or leaves everything from ARCH_FRAME_FP
 * (an offset) on as it is. Loading takes what a program may change, and makes the floating-point
 * registers initial without that flag; the caller has checked the pc.
 */
void arch_frame_save(struct twz_fault_frame *frame, struct thread *thread);
void arch_frame_load(struct thread *thread, const struct twz_fault_frame *frame);

/*
 * What a call keeps of its caller, the current thread: all general registers and the floating-point
 * registers that functions preserve. Restoring makes the others 0.
 */
void arch_call_save(struct arch_call *call, struct thread *thread);
void arch_call_restore(struct thread *thread, const struct arch_call *call);

/* Print the registers through the kernel log (LOG_ERROR), for fault reports. */
void arch_regs_print(const struct arch_regs *regs);

/*
 * Load the thread's registers and enter user mode. The CPU's current thread is set and
 * arch_thread_in() and arch_mmu_switch() have been called for it. The kernel stack is abandoned.
 */
_Noreturn void arch_user_enter(struct thread *thread);

#include <machine/thread.h>

#endif
