// SPDX-License-Identifier: BSD-3-Clause
/*
 * The user state of a thread: inline half of arch/thread.h.
 *
 * sstatus is not part of it: all of its bits that a thread can see are the same for every
 * thread, but for FS, which stays in the CPU while the thread is current and is settled by
 * arch_thread_out() and arch_thread_in().
 */
#ifndef MACHINE_THREAD_H
#define MACHINE_THREAD_H

#include <stdbool.h>
#include <stddef.h>

#include <abi/frame.h>
#include <machine/layout.h>

struct cpu;

struct arch_regs {
	uint64_t pc;
	uint64_t x[31];  /* x1 … x31 */
	struct cpu *cpu; /* where it runs; set by the way out to user mode, for the way back in */
};

/* Register n of the architecture, 1 … 31. */
#define REG_X(regs, n) ((regs)->x[(n)-1])
#define REG_RA 1
#define REG_SP 2
#define REG_TP 4
#define REG_FP 8
#define REG_A0 10
#define REG_A7 17

struct arch_fp {
	uint64_t f[32];
	uint64_t fcsr;
	bool used; /* the thread has written them; else they are all zero */
};

/* fs0 … fs11 and fcsr, as fp.S stores them. */
struct arch_fp_kept {
	uint64_t fs[12];
	uint64_t fcsr;
};

struct arch_call {
	struct arch_regs regs;
	struct arch_fp_kept fp;
	bool fp_used; /* else they are all 0 */
};

#define ARCH_FRAME_FP offsetof(struct twz_fault_frame, f)

_Static_assert(offsetof(struct arch_regs, pc) == REGS_PC, "saved pc");
_Static_assert(offsetof(struct arch_regs, x) == REGS_X(1), "saved registers");
_Static_assert(offsetof(struct arch_regs, cpu) == REGS_CPU, "saved registers");
_Static_assert(sizeof(struct arch_regs) == REGS_SIZE, "saved registers");

static inline uintptr_t arch_regs_pc(const struct arch_regs *regs)
{
	return regs->pc;
}

static inline uintptr_t arch_regs_sp(const struct arch_regs *regs)
{
	return REG_X(regs, REG_SP);
}

static inline void arch_regs_set_result(struct arch_regs *regs, long result)
{
	REG_X(regs, REG_A0) = (uint64_t)result;
}

static inline void arch_regs_set_argument(struct arch_regs *regs, unsigned int n, unsigned long value)
{
	REG_X(regs, REG_A0 + n) = value;
}

/* The entry moved the pc past the ecall, which has no compressed form. */
static inline void arch_regs_restart(struct arch_regs *regs)
{
	regs->pc -= 4;
}

static inline unsigned long arch_regs_syscall(const struct arch_regs *regs)
{
	return REG_X(regs, REG_A7);
}

static inline uintptr_t arch_regs_syscall_pc(const struct arch_regs *regs)
{
	return regs->pc - 4;
}

static inline bool arch_pc_aligned(uintptr_t pc)
{
	return pc % 2 == 0;
}

#endif
