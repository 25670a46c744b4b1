/* SPDX-License-Identifier: BSD-3-Clause */
/* The last instructions of a thread, riscv64. */
/* Of abi/syscall.h and abi/thread.h; thread.c asserts them. */
#define SYS_THRD_SYNC 0x1007
#define SYS_THRD_CTL 0x100a
#define THRD_CTL_EXIT 0x100

	.text

	/*
	 * void __twix_vanish(int *word, struct sys_thread_sync_args *wake): from the first store on
	 * somebody else may use the stack.
	 */
	.globl __twix_vanish
	.type __twix_vanish, @function
__twix_vanish:
	fence rw, w
	sw zero, 0(a0)
	li a0, 1
	li a2, 0
	li a3, 0
	li a7, SYS_THRD_SYNC
	ecall
1:	li a0, THRD_CTL_EXIT
	li a1, 0
	li a7, SYS_THRD_CTL
	ecall
	j 1b
	.size __twix_vanish, . - __twix_vanish

	.section .note.GNU-stack, "", @progbits
