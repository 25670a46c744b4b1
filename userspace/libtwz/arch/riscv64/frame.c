// SPDX-License-Identifier: BSD-3-Clause
/* The register frame on riscv64. */
#include "../../src/fault.h"

#include <twz/debug.h>

#define X(f, n) ((f)->x[(n)-1])
#define SP 2
#define TP 4
#define A0 10

uintptr_t twz_frame_pc(const struct twz_fault_frame *f)
{
	return f->pc;
}

uintptr_t twz_frame_sp(const struct twz_fault_frame *f)
{
	return X(f, SP);
}

uintptr_t twz_frame_tp(const struct twz_fault_frame *f)
{
	return X(f, TP);
}

uint64_t twz_frame_arg(const struct twz_fault_frame *f, unsigned int n)
{
	return n < 8 ? X(f, A0 + n) : 0;
}

void twz_frame_set_pc(struct twz_fault_frame *f, uintptr_t pc)
{
	f->pc = pc;
}

void twz_frame_set_sp(struct twz_fault_frame *f, uintptr_t sp)
{
	X(f, SP) = sp;
}

void twz_frame_set_tp(struct twz_fault_frame *f, uintptr_t tp)
{
	X(f, TP) = tp;
}

void twz_frame_set_arg(struct twz_fault_frame *f, unsigned int n, uint64_t value)
{
	if (n < 8)
		X(f, A0 + n) = value;
}

/* The two lowest bits of an instruction tell whether it is compressed. */
void twz_frame_skip(struct twz_fault_frame *f)
{
	if (!(f->flags & TWZ_FRAME_SYSCALL))
		f->pc += (*(const uint16_t *)f->pc & 3) == 3 ? 4 : 2;
}

void __twz_frame_print(const struct twz_fault_frame *f)
{
	debug_printf("  pc  %016lx\n", f->pc);
	for (int i = 1; i < 29; i += 4)
		debug_printf("  x%-2d %016lx %016lx %016lx %016lx\n", i, X(f, i), X(f, i + 1),
		    X(f, i + 2), X(f, i + 3));
	debug_printf("  x29 %016lx %016lx %016lx\n", X(f, 29), X(f, 30), X(f, 31));
}
