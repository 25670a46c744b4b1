// SPDX-License-Identifier: BSD-3-Clause
/* Registers as signal handlers see them, arm64. Those of floating point stand in a record of their own. */
#include "../../src/twix.h"

#include <string.h>
#include <twz/sys/fault.h>
#include <ucontext.h>

static struct fpsimd_context *fp_of(const ucontext_t *u)
{
	return (struct fpsimd_context *)u->uc_mcontext.__reserved;
}

void twix_context_save(ucontext_t *u, const struct twz_fault_frame *f)
{
	struct fpsimd_context *fp = fp_of(u);

	memset(u, 0, sizeof(*u));
	if (!f) {
		u->uc_mcontext.pc = (uintptr_t)__twix_syscall;
		u->uc_mcontext.sp = (uintptr_t)__builtin_frame_address(0);
		return;
	}
	u->uc_mcontext.pc = f->pc;
	u->uc_mcontext.sp = f->sp;
	u->uc_mcontext.pstate = f->nzcv;
	memcpy(u->uc_mcontext.regs, f->x, sizeof(f->x));
	if (f->flags & TWZ_FRAME_FP) {
		fp->head.magic = FPSIMD_MAGIC;
		fp->head.size = sizeof(*fp);
		fp->fpsr = f->fpsr;
		fp->fpcr = f->fpcr;
		memcpy(fp->vregs, f->v, sizeof(f->v));
	}
}

void twix_context_load(struct twz_fault_frame *f, const ucontext_t *u)
{
	const struct fpsimd_context *fp = fp_of(u);

	f->pc = u->uc_mcontext.pc;
	f->sp = u->uc_mcontext.sp;
	f->nzcv = u->uc_mcontext.pstate & 0xf0000000u;
	memcpy(f->x, u->uc_mcontext.regs, sizeof(f->x));
	if (f->flags & TWZ_FRAME_FP && fp->head.magic == FPSIMD_MAGIC) {
		f->fpsr = fp->fpsr;
		f->fpcr = fp->fpcr;
		memcpy(f->v, fp->vregs, sizeof(f->v));
	}
}

uintptr_t twix_context_pc(const ucontext_t *u)
{
	return u->uc_mcontext.pc;
}
