/* SPDX-License-Identifier: BSD-3-Clause */
/* The last instructions of a thread, arm64. */
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
	.type __twix_vanish, %function
__twix_vanish:
	stlr wzr, [x0]
	mov x0, #1
	mov x2, #0
	mov x3, #0
	mov x8, #SYS_THRD_SYNC
	svc #0
1:	mov x0, #THRD_CTL_EXIT
	mov x1, #0
	mov x8, #SYS_THRD_CTL
	svc #0
	b 1b
	.size __twix_vanish, . - __twix_vanish

	.section .note.GNU-stack, "", %progbits
