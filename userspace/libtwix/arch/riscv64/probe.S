/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Touching memory that may not be there, riscv64. A fault between __twix_probe_begin and
 * __twix_probe_end goes on at __twix_probe_bad (pointer.c), so what is here calls nothing and has
 * no stack.
 */
	.text
	.globl __twix_probe_begin, __twix_probe_end, __twix_probe_bad
__twix_probe_begin:

	/* long __twix_probe_read(const void *p): 0: a byte can be read there. */
	.globl __twix_probe_read
	.type __twix_probe_read, @function
__twix_probe_read:
	lbu t0, 0(a0)
	li a0, 0
	ret
	.size __twix_probe_read, . - __twix_probe_read

	/* long __twix_probe_write(void *p): 0: a byte can be written there. What stands there stays. */
	.globl __twix_probe_write
	.type __twix_probe_write, @function
__twix_probe_write:
	andi a0, a0, -4
	amoor.w zero, zero, (a0)
	li a0, 0
	ret
	.size __twix_probe_write, . - __twix_probe_write
__twix_probe_end:

__twix_probe_bad:
	li a0, 1
	ret

	.section .note.GNU-stack, "", @progbits
