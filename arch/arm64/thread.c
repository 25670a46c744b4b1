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
#include "registers.h"

#define CPACR_FP_OPEN (3ul << 20) /* FPEN: no traps. SVE and SME (ZEN, SMEN) stay closed */

#define PSTATE_NZCV 0xf0000000u

/* What user mode can make of its control registers; anything else in them reads as 0. */
#define FPSR_MASK 0xf800009fu
#define FPCR_MASK 0x07ff9f00u

_Static_assert(offsetof(struct arch_fp_kept, fpsr) == 64, "fp.S");

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

void arch_regs_enter(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, const unsigned long args[3])
{
	regs->pc = pc;
	regs->sp = sp;
	regs->x[30] = 0;
	for (unsigned int i = 0; i < 3; i++)
		regs->x[i] = args[i];
}

void arch_fp_reset(struct thread *thread)
{
	thread->regs.fp_live = 0;
	if (is_current(&thread->regs))
		fp_close();
}

/* ---- Frames ---- */

void arch_frame_save(struct twz_fault_frame *frame, struct thread *thread)
{
	const struct arch_regs *regs = &thread->regs;

	if (is_current(regs))
		arch_thread_out(thread);
	memcpy(frame->x, regs->x, sizeof(frame->x));
	frame->sp = regs->sp;
	frame->pc = regs->pc;
	frame->nzcv = regs->pstate & PSTATE_NZCV;
	frame->tpidr_el0 = regs->tls;
	frame->fpsr = 0;
	frame->fpcr = 0;
	if (!regs->fp_live)
		return;
	frame->flags |= TWZ_FRAME_FP;
	frame->fpsr = (uint32_t)thread->fp.fpsr;
	frame->fpcr = (uint32_t)thread->fp.fpcr;
	memcpy(frame->v, thread->fp.v, sizeof(frame->v));
}

void arch_frame_load(struct thread *thread, const struct twz_fault_frame *frame)
{
	struct arch_regs *regs = &thread->regs;

	memcpy(regs->x, frame->x, sizeof(frame->x));
	regs->sp = frame->sp;
	regs->pc = frame->pc;
	regs->pstate = frame->nzcv & PSTATE_NZCV;
	regs->tls = frame->tpidr_el0;
	regs->fp_live = frame->flags & TWZ_FRAME_FP;
	if (regs->fp_live) {
		thread->fp.fpsr = frame->fpsr & FPSR_MASK;
		thread->fp.fpcr = frame->fpcr & FPCR_MASK;
		memcpy(thread->fp.v, frame->v, sizeof(frame->v));
	}
	if (is_current(regs))
		arch_thread_in(thread);
}

/* ---- Calls ---- */

void arch_call_save(struct arch_call *call, struct thread *thread)
{
	call->regs = thread->regs;
	call->regs.tls = sysreg_read(tpidr_el0);
	if (call->regs.fp_live)
		fp_save_kept(&call->fp);
}

void arch_call_restore(struct thread *thread, const struct arch_call *call)
{
	thread->regs = call->regs;
	sysreg_write(tpidr_el0, call->regs.tls);
	if (!call->regs.fp_live) {
		fp_close();
		return;
	}
	fp_open();
	fp_clear();
	fp_load_kept(&call->fp);
}

void registers_print(const uint64_t x[31])
{
	for (unsigned int i = 0; i < 28; i += 4)
		log_error("x%-2u %016lx %016lx %016lx %016lx", i, x[i], x[i + 1], x[i + 2], x[i + 3]);
	log_error("x28 %016lx %016lx %016lx", x[28], x[29], x[30]);
}

void arch_regs_print(const struct arch_regs *regs)
{
	log_error("pc %016lx sp %016lx pstate %08lx tls %016lx", regs->pc, regs->sp, regs->pstate,
		  is_current(regs) ? sysreg_read(tpidr_el0) : regs->tls);
	registers_print(regs->x);
}
