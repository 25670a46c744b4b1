// SPDX-License-Identifier: BSD-3-Clause
/* Registers as signal handlers see them, riscv64. */
#include "../../src/twix.h"

#include <string.h>
#include <twz/sys/fault.h>
#include <ucontext.h>

void twix_context_save(ucontext_t *u, const struct twz_fault_frame *f)
{
	memset(u, 0, sizeof(*u));
	if (!f) {
		u->uc_mcontext.__gregs[REG_PC] = (uintptr_t)__twix_syscall;
		u->uc_mcontext.__gregs[REG_SP] = (uintptr_t)__builtin_frame_address(0);
		return;
	}
	u->uc_mcontext.__gregs[REG_PC] = f->pc;
	memcpy(&u->uc_mcontext.__gregs[1], f->x, sizeof(f->x));
	if (f->flags & TWZ_FRAME_FP) {
		memcpy(u->uc_mcontext.__fpregs.__d.__f, f->f, sizeof(f->f));
		u->uc_mcontext.__fpregs.__d.__fcsr = (unsigned int)f->fcsr;
	}
}

void twix_context_load(struct twz_fault_frame *f, const ucontext_t *u)
{
	f->pc = u->uc_mcontext.__gregs[REG_PC];
	memcpy(f->x, &u->uc_mcontext.__gregs[1], sizeof(f->x));
	if (f->flags & TWZ_FRAME_FP) {
		memcpy(f->f, u->uc_mcontext.__fpregs.__d.__f, sizeof(f->f));
		f->fcsr = u->uc_mcontext.__fpregs.__d.__fcsr;
	}
}

uintptr_t twix_context_pc(const ucontext_t *u)
{
	return u->uc_mcontext.__gregs[REG_PC];
}
