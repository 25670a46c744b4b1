// SPDX-License-Identifier: BSD-3-Clause
/* The register frame on arm64. */
#include "../../src/fault.h"

#include <twz/debug.h>

uintptr_t twz_frame_pc(const struct twz_fault_frame *f)
{
	return f->pc;
}

uintptr_t twz_frame_sp(const struct twz_fault_frame *f)
{
	return f->sp;
}

uintptr_t twz_frame_tp(const struct twz_fault_frame *f)
{
	return f->tpidr_el0;
}

uint64_t twz_frame_arg(const struct twz_fault_frame *f, unsigned int n)
{
	return n < 8 ? f->x[n] : 0;
}

void twz_frame_set_pc(struct twz_fault_frame *f, uintptr_t pc)
{
	f->pc = pc;
}

void twz_frame_set_sp(struct twz_fault_frame *f, uintptr_t sp)
{
	f->sp = sp;
}

void twz_frame_set_tp(struct twz_fault_frame *f, uintptr_t tp)
{
	f->tpidr_el0 = tp;
}

void twz_frame_set_arg(struct twz_fault_frame *f, unsigned int n, uint64_t value)
{
	if (n < 8)
		f->x[n] = value;
}

void twz_frame_skip(struct twz_fault_frame *f)
{
	if (!(f->flags & TWZ_FRAME_SYSCALL))
		f->pc += 4;
}

void __twz_frame_print(const struct twz_fault_frame *f)
{
	debug_printf("  pc  %016lx sp %016lx nzcv %08lx tp %016lx\n", f->pc, f->sp, f->nzcv,
	    f->tpidr_el0);
	for (int i = 0; i < 28; i += 4)
		debug_printf("  x%-2d %016lx %016lx %016lx %016lx\n", i, f->x[i], f->x[i + 1],
		    f->x[i + 2], f->x[i + 3]);
	debug_printf("  x28 %016lx %016lx %016lx\n", f->x[28], f->x[29], f->x[30]);
}
