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
	call __twz_start
	unimp
	.size _start, . - _start
