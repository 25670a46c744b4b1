/* SPDX-License-Identifier: BSD-3-Clause */
/* Into programs that were linked for Linux, arm64. */
	.text

	/* _Noreturn void __twix_enter(uintptr_t pc, void *sp): as Linux enters a program. */
	.globl __twix_enter
	.type __twix_enter, %function
__twix_enter:
	mov sp, x1
	mov x16, x0
	mov x0, #0
	mov x29, #0
	mov x30, #0
	msr tpidr_el0, xzr
	br x16
	.size __twix_enter, . - __twix_enter

	/*
	 * void __twix_call_in(void *fn, int sig, void *info, void *context, frame): fn(sig, info, context)
	 * with the thread pointer of a fault's frame (abi/frame.h).
	 */
	.globl __twix_call_in
	.type __twix_call_in, %function
__twix_call_in:
	mrs x9, tpidr_el0
	stp x29, x30, [sp, #-32]!
	str x9, [sp, #16]
	mov x29, sp
	mov x16, x0
	mov w0, w1
	mov x1, x2
	mov x2, x3
	ldr x9, [x4, #344]
	msr tpidr_el0, x9
	blr x16
	ldr x9, [sp, #16]
	msr tpidr_el0, x9
	ldp x29, x30, [sp], #32
	ret
	.size __twix_call_in, . - __twix_call_in

	.section .note.GNU-stack, "", %progbits
