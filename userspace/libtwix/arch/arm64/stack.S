/* SPDX-License-Identifier: BSD-3-Clause */
/* Another stack for a function, arm64. */
	.text

	/* void __twix_on_stack(void (*fn)(void *), void *arg, void *top) */
	.globl __twix_on_stack
	.type __twix_on_stack, %function
__twix_on_stack:
	mov x3, sp
	stp x30, x3, [x2, #-16]!
	mov sp, x2
	mov x2, x0
	mov x0, x1
	blr x2
	ldp x30, x3, [sp]
	mov sp, x3
	ret
	.size __twix_on_stack, . - __twix_on_stack

	.section .note.GNU-stack, "", %progbits
