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
	bl __twz_start
	udf #0
	.size _start, . - _start
