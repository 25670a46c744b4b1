/* SPDX-License-Identifier: BSD-3-Clause */
/* Another stack for a function, riscv64. */
	.text

	/* void __twix_on_stack(void (*fn)(void *), void *arg, void *top) */
	.globl __twix_on_stack
	.type __twix_on_stack, @function
__twix_on_stack:
	addi a2, a2, -16
	sd ra, 0(a2)
	sd sp, 8(a2)
	mv sp, a2
	mv a2, a0
	mv a0, a1
	jalr a2
	ld ra, 0(sp)
	ld sp, 8(sp)
	ret
	.size __twix_on_stack, . - __twix_on_stack

	.section .note.GNU-stack, "", @progbits
