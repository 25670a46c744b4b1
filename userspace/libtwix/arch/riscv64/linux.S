/* SPDX-License-Identifier: BSD-3-Clause */
/* Into programs that were linked for Linux, riscv64. */
	.text

	/* _Noreturn void __twix_enter(uintptr_t pc, void *sp): as Linux enters a program. */
	.globl __twix_enter
	.type __twix_enter, @function
__twix_enter:
	mv sp, a1
	mv t0, a0
	li a0, 0
	li ra, 0
	li gp, 0
	li tp, 0
	li fp, 0
	jr t0
	.size __twix_enter, . - __twix_enter

	/*
	 * void __twix_call_in(void *fn, int sig, void *info, void *context, frame): fn(sig, info, context)
	 * with the global and the thread pointer of a fault's frame (abi/frame.h).
	 */
	.globl __twix_call_in
	.type __twix_call_in, @function
__twix_call_in:
	addi sp, sp, -32
	sd ra, 0(sp)
	sd gp, 8(sp)
	sd tp, 16(sp)
	mv t0, a0
	mv a0, a1
	mv a1, a2
	mv a2, a3
	ld gp, 88(a4)
	ld tp, 96(a4)
	jalr t0
	ld ra, 0(sp)
	ld gp, 8(sp)
	ld tp, 16(sp)
	addi sp, sp, 32
	ret
	.size __twix_call_in, . - __twix_call_in

	.section .note.GNU-stack, "", @progbits
