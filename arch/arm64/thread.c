// SPDX-License-Identifier: BSD-3-Clause
/*
 * The user state of threads: made, moved to and from the CPU, printed.
 */
#define LOG_PREFIX "thread"

#include <arch/thread.h>
#include <base/string.h>
#include <cpu.h>
#include <log.h>
#include <machine/sysreg.h>
#include <sched/thread.h>

#include "fp.h"

#define CPACR_FP_OPEN (3ul << 20) /* FPEN: no traps. SVE and SME (ZEN, SMEN) stay closed */

static void fp_open(void)
{
	sysreg_write(cpacr_el1, CPACR_FP_OPEN);
	isb(); /* the FP instructions that follow are in the kernel */
}

/* Takes effect in user mode at the exception return, which synchronises. */
void fp_close(void)
{
	sysreg_write(cpacr_el1, 0);
}

void fp_first_use(struct arch_regs *regs)
{
	fp_open();
	fp_clear();
	regs->fp_live = 1;
}

/* Whether these are the registers of the thread that this CPU runs. */
static bool is_current(const struct arch_regs *regs)
{
	const struct thread *current = this_cpu()->current;

	return current && &current->regs == regs;
}

static void set_tls(struct arch_regs *regs, uintptr_t tls)
{
	regs->tls = tls;
	if (is_current(regs))
		sysreg_write(tpidr_el0, tls);
}

void arch_regs_init(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, const unsigned long args[3],
		    uintptr_t tls)
{
	memset(regs, 0, sizeof(*regs));
	regs->pc = pc;
	regs->sp = sp;
	for (unsigned int i = 0; i < 3; i++)
		regs->x[i] = args[i];
	set_tls(regs, tls);
	if (is_current(regs))
		fp_close();
}

void arch_regs_set_tls(struct thread *thread, uintptr_t tls)
{
	set_tls(&thread->regs, tls);
}

void arch_thread_out(struct thread *thread)
{
	thread->regs.tls = sysreg_read(tpidr_el0);
	if (thread->regs.fp_live)
		fp_save(&thread->fp);
}

void arch_thread_in(struct thread *thread)
{
	sysreg_write(tpidr_el0, thread->regs.tls);
	if (!thread->regs.fp_live) {
		fp_close();
		return;
	}
	fp_open();
	fp_load(&thread->fp);
}

void arch_regs_print(const struct arch_regs *regs)
{
	log_error("pc %016lx sp %016lx pstate %08lx tls %016lx", regs->pc, regs->sp, regs->pstate,
		  is_current(regs) ? sysreg_read(tpidr_el0) : regs->tls);
	for (unsigned int i = 0; i < 28; i += 4)
		log_error("x%-2u %016lx %016lx %016lx %016lx", i, regs->x[i], regs->x[i + 1],
			  regs->x[i + 2], regs->x[i + 3]);
	log_error("x28 %016lx %016lx %016lx", regs->x[28], regs->x[29], regs->x[30]);
}
