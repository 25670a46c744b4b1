// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host as a machine: the user state of a thread that never runs. Inline half of arch/thread.h.
 */
#ifndef MACHINE_THREAD_H
#define MACHINE_THREAD_H

struct arch_regs {
	uintptr_t pc, sp;
	unsigned long arguments[6];
	long result;
};

struct arch_fp {
	uint64_t unused;
};

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
	regs->result = result;
}

static inline void arch_regs_set_argument(struct arch_regs *regs, unsigned int n, unsigned long value)
{
	regs->arguments[n] = value;
}

static inline void arch_regs_restart(struct arch_regs *regs)
{
	regs->pc -= 4;
}

static inline unsigned long arch_regs_syscall(const struct arch_regs *regs)
{
	return regs->arguments[0];
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
