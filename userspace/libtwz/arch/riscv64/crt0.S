/* SPDX-License-Identifier: BSD-3-Clause */
/* Program header and first instructions of a program, riscv64. */
#define PROGRAM_MACHINE 1
#include "../../src/program_header.h"

	.text
	.globl _start
	.type _start, @function
/* a0 = argument, a1/a2 = thread ID, sp = stack, all else 0. */
_start:
	.option push
	.option norelax
	la gp, __global_pointer$
	.option pop
	li fp, 0
	/* Relocate: what was linked for slots 0 and 1 stands this much higher. */
	lla t0, __twz_program
	li t1, 0x1000
	sub t0, t0, t1
	lla t1, __rela_start
	lla t2, __rela_end
	li t6, 3 /* R_RISCV_RELATIVE */
	li a3, 11 /* R_RISCV_TLS_TPREL64: from the thread pointer on, as it is */
1:	bgeu t1, t2, 3f
	ld t3, 0(t1) /* where; what; the value */
	ld t4, 8(t1)
	ld t5, 16(t1)
	addi t1, t1, 24
	add t3, t3, t0
	beq t4, a3, 2f
	bne t4, t6, 1b
	add t5, t5, t0
2:	sd t5, 0(t3)
	j 1b
3:	call __twz_start
	unimp
	.size _start, . - _start
