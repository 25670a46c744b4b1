/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The user-copy routines. User memory is only touched with unprivileged loads and stores, which
 * obey the permissions that the user itself has, PAN or not: PAN never has to be opened. A fault
 * in usercopy_begin … usercopy_end continues, if it cannot be resolved, at usercopy_failed. An
 * aligned word of 8, 4, 2 or 1 bytes that is copied alone is read and written in one access.
 */
#include <machine/layout.h>

	.section .text.usercopy, "ax"
	.global usercopy_begin, usercopy_end, usercopy_failed
	.global arch_copy_from_user, arch_copy_to_user
usercopy_begin:

/* int arch_copy_from_user(void *to, uintptr_t from, size_t length) */
	.balign	16
arch_copy_from_user:
	subs	x2, x2, #16
	b.lo	2f
1:	ldtr	x3, [x1]
	ldtr	x4, [x1, #8]
	add	x1, x1, #16
	stp	x3, x4, [x0], #16
	subs	x2, x2, #16
	b.hs	1b
2:	tbz	x2, #3, 3f		/* the low bits are still those of the length */
	ldtr	x3, [x1]
	add	x1, x1, #8
	str	x3, [x0], #8
3:	tbz	x2, #2, 4f
	ldtr	w3, [x1]
	add	x1, x1, #4
	str	w3, [x0], #4
4:	tbz	x2, #1, 5f
	ldtrh	w3, [x1]
	add	x1, x1, #2
	strh	w3, [x0], #2
5:	tbz	x2, #0, 6f
	ldtrb	w3, [x1]
	strb	w3, [x0]
6:	mov	x0, #0
	ret

/* int arch_copy_to_user(uintptr_t to, const void *from, size_t length) */
	.balign	16
arch_copy_to_user:
	subs	x2, x2, #16
	b.lo	2f
1:	ldp	x3, x4, [x1], #16
	sttr	x3, [x0]
	sttr	x4, [x0, #8]
	add	x0, x0, #16
	subs	x2, x2, #16
	b.hs	1b
2:	tbz	x2, #3, 3f
	ldr	x3, [x1], #8
	sttr	x3, [x0]
	add	x0, x0, #8
3:	tbz	x2, #2, 4f
	ldr	w3, [x1], #4
	sttr	w3, [x0]
	add	x0, x0, #4
4:	tbz	x2, #1, 5f
	ldrh	w3, [x1], #2
	sttrh	w3, [x0]
	add	x0, x0, #2
5:	tbz	x2, #0, 6f
	ldrb	w3, [x1]
	sttrb	w3, [x0]
6:	mov	x0, #0
	ret

usercopy_end:

usercopy_failed:
	mov	x0, #-14		/* -EFAULT */
	ret
