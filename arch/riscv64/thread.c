// SPDX-License-Identifier: BSD-3-Clause
/*
 * The user state of a thread, and the floating-point registers, which stay in the CPU across traps.
 *
 * sstatus.FS tells what they hold: Initial, all zero and nobody's; Clean, equal to the current
 * thread's saved copy; Dirty, newer than that. It is never Off while a thread runs, so no
 * instruction traps to ask for them, and a thread never finds another's values: one that has
 * saved registers gets them back, any other gets zeroes.
 */
#include <arch/thread.h>

#include <base/string.h>
#include <log.h>
#include <machine/csr.h>
#include <sched/thread.h>

#include "cpu.h"

#define LOG_PREFIX "regs"

/* fp.S */
void fp_save(struct arch_fp *fp);
void fp_load(const struct arch_fp *fp);
void fp_zero(void);
void fp_save_kept(struct arch_fp_kept *kept);
void fp_load_kept(const struct arch_fp_kept *kept);

_Static_assert(offsetof(struct thread, regs) == 0, "a thread begins with its registers");
_Static_assert(offsetof(struct arch_fp, fcsr) == 256, "fp.S");
_Static_assert(offsetof(struct arch_fp_kept, fcsr) == 96, "fp.S");

#define FCSR_MASK 0xffu

static unsigned long fs(void)
{
	return csr_read(sstatus) & SSTATUS_FS;
}

static void set_fs(unsigned long state)
{
	csr_clear(sstatus, SSTATUS_FS);
	csr_set(sstatus, state);
}

/* A hart without the registers keeps FS at Off whatever is written. */
void fp_init(void)
{
	set_fs(SSTATUS_FS_DIRTY);
	if (fs()) {
		fp_zero();
		set_fs(SSTATUS_FS_INITIAL);
	}
}

void arch_thread_out(struct thread *thread)
{
	if (fs() != SSTATUS_FS_DIRTY)
		return;
	fp_save(&thread->fp);
	thread->fp.used = true;
	set_fs(SSTATUS_FS_CLEAN);
}

void arch_thread_in(struct thread *thread)
{
	unsigned long state = fs();

	if (state == 0)
		return;
	if (thread->fp.used) {
		fp_load(&thread->fp);
		set_fs(SSTATUS_FS_CLEAN);
	} else if (state != SSTATUS_FS_INITIAL) {
		fp_zero();
		set_fs(SSTATUS_FS_INITIAL);
	}
}

void arch_regs_init(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, const unsigned long args[3],
		    uintptr_t tls)
{
	memset(regs, 0, sizeof *regs);
	regs->pc = pc;
	REG_X(regs, REG_SP) = sp;
	REG_X(regs, REG_TP) = tls;
	for (unsigned int i = 0; i < 3; i++)
		REG_X(regs, REG_A0 + i) = args[i];
}

void arch_regs_set_tls(struct thread *thread, uintptr_t tls)
{
	REG_X(&thread->regs, REG_TP) = tls;
}

void arch_regs_enter(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, const unsigned long args[3])
{
	regs->pc = pc;
	REG_X(regs, REG_RA) = 0;
	REG_X(regs, REG_SP) = sp;
	for (unsigned int i = 0; i < 3; i++)
		REG_X(regs, REG_A0 + i) = args[i];
}

static bool is_current(const struct thread *thread)
{
	return this_cpu()->current == thread;
}

void arch_fp_reset(struct thread *thread)
{
	thread->fp.used = false;
	if (is_current(thread))
		arch_thread_in(thread);
}

/* ---- Frames ---- */

void arch_frame_save(struct twz_fault_frame *frame, struct thread *thread)
{
	frame->pc = thread->regs.pc;
	memcpy(frame->x, thread->regs.x, sizeof(frame->x));
	frame->fcsr = 0;
	frame->reserved = 0;
	if (is_current(thread))
		arch_thread_out(thread);
	if (!thread->fp.used)
		return;
	frame->flags |= TWZ_FRAME_FP;
	frame->fcsr = thread->fp.fcsr;
	memcpy(frame->f, thread->fp.f, sizeof(frame->f));
}

void arch_frame_load(struct thread *thread, const struct twz_fault_frame *frame)
{
	thread->regs.pc = frame->pc;
	memcpy(thread->regs.x, frame->x, sizeof(frame->x));
	thread->fp.used = frame->flags & TWZ_FRAME_FP;
	if (thread->fp.used) {
		memcpy(thread->fp.f, frame->f, sizeof(frame->f));
		thread->fp.fcsr = frame->fcsr & FCSR_MASK;
	}
	if (is_current(thread))
		arch_thread_in(thread);
}

/* ---- Calls ---- */

void arch_call_save(struct arch_call *call, struct thread *thread)
{
	unsigned long state = fs();

	call->regs = thread->regs;
	call->fp_used = state == SSTATUS_FS_DIRTY || state == SSTATUS_FS_CLEAN;
	if (call->fp_used)
		fp_save_kept(&call->fp);
}

/* The loaded registers are nobody's copy: Dirty. */
void arch_call_restore(struct thread *thread, const struct arch_call *call)
{
	thread->regs = call->regs;
	if (call->fp_used) {
		fp_load_kept(&call->fp);
		set_fs(SSTATUS_FS_DIRTY);
	} else {
		arch_fp_reset(thread);
	}
}

void arch_regs_print(const struct arch_regs *regs)
{
	static const char names[31][4] = {
		"ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1",
		"a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6",
		"s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};

	log_error("pc  %016lx", regs->pc);
	for (unsigned int i = 0; i < 31; i += 3) {
		if (i + 2 < 31)
			log_error("%-3s %016lx  %-3s %016lx  %-3s %016lx", names[i], regs->x[i],
				  names[i + 1], regs->x[i + 1], names[i + 2], regs->x[i + 2]);
		else
			log_error("%-3s %016lx", names[i], regs->x[i]);
	}
}
