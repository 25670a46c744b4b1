/* SPDX-License-Identifier: BSD-3-Clause */
/* Program header and first instructions of a program, arm64. */
#define PROGRAM_MACHINE 2
#include "../../src/program_header.h"

	.text
	.globl _start
	.type _start, %function
/* x0 = argument, x1/x2 = thread ID, sp = stack, all else 0. */
_start:
	mov x29, #0
	mov x30, #0
	/* Relocate: what was linked for slots 0 and 1 stands this much higher. */
	adrp x3, __twz_program
	add x3, x3, :lo12:__twz_program
	sub x3, x3, #0x1000
	adrp x4, __rela_start
	add x4, x4, :lo12:__rela_start
	adrp x5, __rela_end
	add x5, x5, :lo12:__rela_end
1:	cmp x4, x5
	b.hs 3f
	ldp x6, x7, [x4], #16 /* where; what; the value */
	ldr x8, [x4], #8
	cmp x7, #1027 /* R_AARCH64_RELATIVE */
	b.ne 1b
	add x8, x8, x3
	str x8, [x6, x3]
	b 1b
3:	bl __twz_start
	udf #0
	.size _start, . - _start
