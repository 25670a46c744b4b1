// SPDX-License-Identifier: BSD-3-Clause
/*
 * The user state of a thread. While the thread runs in user mode SP_EL1 points at its arch_regs, so
 * that the trap entry can store there with no register to spare; that is why it is aligned to 16.
 */
#ifndef MACHINE_THREAD_H
#define MACHINE_THREAD_H

#include <stdbool.h>
#include <stddef.h>

#include <abi/frame.h>
#include <machine/layout.h>

struct arch_regs {
	_Alignas(16) uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;  /* SPSR_EL1 form; only NZCV ever differs from 0 */
	uint64_t tls;     /* TPIDR_EL0; that register is newer while the thread is on a CPU */
	uint64_t fp_live; /* the thread has used FP/SIMD: its registers are in struct arch_fp, or in
			     the CPU while the thread is on one. 0: all FP registers are 0 */
};

/* FP/SIMD registers of a thread that is on no CPU; meaningful when regs.fp_live is set. */
struct arch_fp {
	_Alignas(16) uint8_t v[32][16];
	uint64_t fpsr;
	uint64_t fpcr;
};

/* The lower halves of v8 … v15 and the control registers, as fp.S stores them. */
struct arch_fp_kept {
	uint64_t d[8];
	uint64_t fpsr;
	uint64_t fpcr;
};

struct arch_call {
	struct arch_regs regs; /* regs.fp_live: whether fp holds anything */
	struct arch_fp_kept fp;
};

#define ARCH_FRAME_FP offsetof(struct twz_fault_frame, v)

_Static_assert(offsetof(struct arch_regs, x) == REGS_X, "regs layout");
_Static_assert(offsetof(struct arch_regs, sp) == REGS_SP, "regs layout");
_Static_assert(offsetof(struct arch_regs, pc) == REGS_PC, "regs layout");
_Static_assert(offsetof(struct arch_regs, pstate) == REGS_PSTATE, "regs layout");
_Static_assert(offsetof(struct arch_fp, fpsr) == FP_CONTROL, "fp layout");

static inline uintptr_t arch_regs_pc(const struct arch_regs *regs)
{
	return regs->pc;
}

static inline uintptr_t arch_regs_sp(const struct arch_regs *regs)
{
	return regs->sp;
}

static inline void arch_regs_set_result(struct arch_regs *regs, long result)
{
	regs->x[0] = (uint64_t)result;
}

static inline void arch_regs_set_argument(struct arch_regs *regs, unsigned int n, unsigned long value)
{
	regs->x[n] = value;
}

/* SVC leaves the address after itself; x0 still holds the first argument. */
static inline void arch_regs_restart(struct arch_regs *regs)
{
	regs->pc -= 4;
}

static inline unsigned long arch_regs_syscall(const struct arch_regs *regs)
{
	return regs->x[8];
}

static inline uintptr_t arch_regs_syscall_pc(const struct arch_regs *regs)
{
	return regs->pc - 4;
}

static inline bool arch_pc_aligned(uintptr_t pc)
{
	return pc % 4 == 0;
}

#endif
