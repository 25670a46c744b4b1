/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exception vectors.
 *
 * In user mode SP_EL1 points at cpu->current->regs, so the entry stores the user's registers with
 * no register to spare; then the kernel stack is taken, which always begins empty. In the kernel
 * SP_EL0 (saved by then) and TPIDRRO_EL0 (0 for users) are free for the entry's use.
 *
 * After the entry from user mode: x19 = regs, x20 = this CPU. They survive calls.
 */
#include <cpu_layout.h>
#include <machine/layout.h>

#define EMERGENCY_STACK_SIZE 8192

/* \op = stp or ldp: x2 … x29 to or from where sp points, x0 … x30 being the first thing there. */
.macro x2_to_x17 op
	\op	x2, x3, [sp, #16]
	\op	x4, x5, [sp, #32]
	\op	x6, x7, [sp, #48]
	\op	x8, x9, [sp, #64]
	\op	x10, x11, [sp, #80]
	\op	x12, x13, [sp, #96]
	\op	x14, x15, [sp, #112]
	\op	x16, x17, [sp, #128]
.endm

.macro x18_to_x29 op
	\op	x18, x19, [sp, #144]
	\op	x20, x21, [sp, #160]
	\op	x22, x23, [sp, #176]
	\op	x24, x25, [sp, #192]
	\op	x26, x27, [sp, #208]
	\op	x28, x29, [sp, #224]
.endm

/* Store the user state; take the kernel stack; end the chain of frames. 25 instructions. */
.macro save_user
	stp	x0, x1, [sp, #REGS_X]
	x2_to_x17 stp
	x18_to_x29 stp
	mrs	x9, sp_el0
	mrs	x10, elr_el1
	mrs	x11, spsr_el1
	stp	x30, x9, [sp, #REGS_X30]
	stp	x10, x11, [sp, #REGS_PC]
	mov	x19, sp
	mrs	x20, tpidr_el1
	ldr	x9, [x20, #CPU_STACK_TOP]
	mov	sp, x9
	mov	x29, xzr
.endm

.macro kernel_vector kind
	.balign	128
	msr	sp_el0, x0
	msr	tpidrro_el0, x1
	b	kernel_\kind
.endm

	.section .text.vectors, "ax"
	.global vectors
	.balign	2048
vectors:
	/* In the kernel, on SP_EL0: never selected. */
	kernel_vector wrong_stack
	kernel_vector wrong_stack
	kernel_vector wrong_stack
	kernel_vector wrong_stack

	/* In the kernel. */
	kernel_vector sync
	kernel_vector irq
	kernel_vector fiq
	kernel_vector serror

	/* In user mode. At a system call x0 … x5 and x8 are still the user's. */
	.balign	128
	save_user
	mrs	x9, esr_el1
	lsr	x10, x9, #26
	cmp	x10, #0x15			/* SVC in AArch64 state */
	b.eq	system_call
	b	user_sync

	.balign	128
	save_user
	bl	arch_irq_poll
	b	user_return

	.balign	128
	save_user
	mov	x0, #VECTOR_FIQ
	b	user_other

	.balign	128
	save_user
	mov	x0, #VECTOR_SERROR
	b	user_other

	/* In user mode, AArch32 state, which is never entered. */
	.rept	4
	.balign	128
	save_user
	mov	x0, #VECTOR_IRQ
	b	user_other
	.endr
	.balign 128

/*
 * The system call leaves in the CPU what C functions preserve (x21 … x28; x19, x20 and x29 are
 * ours) and SP_EL0; arch/upcall.h says what that asks of a call. All else is loaded again: the
 * kernel's leavings are in the rest, and ELR_EL1 and SPSR_EL1 may be a copy fault's.
 */
system_call:
	sub	x9, x8, #ENTRY_SYSCALL_BASE
	cmp	x9, #ENTRY_SYSCALL_COUNT
	b.hs	1f
	ldr	x10, [x20, #CPU_SYSCALLS]
	ldr	x10, [x10, x8, lsl #3]
	blr	x10
	cmn	x0, #ENTRY_SYSCALL_UNPARKED		/* SYSCALL_PARKED: leave x0 alone */
	b.eq	user_return
	ldr	w9, [x20, #CPU_RESCHED]
	cbnz	w9, 2f
	mov	sp, x19
	ldp	x10, x11, [sp, #REGS_PC]
	msr	elr_el1, x10
	msr	spsr_el1, x11
	ldr	x1, [sp, #REGS_X + 8]
	x2_to_x17 ldp
	ldp	x18, x19, [sp, #REGS_X + 144]
	ldr	x20, [sp, #REGS_X + 160]
	ldp	x29, x30, [sp, #REGS_X + 232]
	eret

1:	mov	x0, x8
	bl	upcall_bad_syscall
	cmn	x0, #ENTRY_SYSCALL_UNPARKED
	b.eq	user_return
2:	str	x0, [x19, #REGS_X]

/* Back to the thread whose registers x19 names, unless there is something to settle. */
user_return:
	ldr	w9, [x20, #CPU_RESCHED]
	cbz	w9, restore_user
	bl	upcall_return
	mov	x19, x0

restore_user:
	mov	sp, x19
	ldp	x22, x23, [sp, #REGS_PC]
	ldp	x30, x21, [sp, #REGS_X30]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	msr	sp_el0, x21
	ldp	x0, x1, [sp, #REGS_X]
	x2_to_x17 ldp
	x18_to_x29 ldp
	eret

user_sync:
	mov	x0, x19
	mov	x1, x9
	bl	exception_user_sync
	b	user_return

user_other:
	bl	exception_user_other
	b	user_return

/* _Noreturn void arch_user_enter(struct thread *): the registers come first in the structure. */
	.global arch_user_enter
arch_user_enter:
	mov	x19, x0
	b	restore_user

/*
 * In the kernel: a struct kernel_frame on the stack in use, or on an emergency stack when that one
 * is exhausted or no stack at all. x0 and x1 stand in SP_EL0 and TPIDRRO_EL0.
 */
.macro kernel_entry name, kind
kernel_\name:
	mrs	x0, tpidr_el1
	ldr	x0, [x0, #CPU_STACK_TOP]
	mov	x1, sp
	sub	x0, x0, x1
	lsr	x0, x0, #10			/* KiB in use; the last one is kept free */
	cmp	x0, #(KERNEL_STACK_SIZE / 1024 - 2)
	b.ls	1f
	adrp	x0, emergency_stack + EMERGENCY_STACK_SIZE
	add	x0, x0, :lo12:(emergency_stack + EMERGENCY_STACK_SIZE)
	mov	sp, x0
1:	sub	sp, sp, #FRAME_SIZE
	str	x1, [sp, #FRAME_SP]
	mov	x1, #\kind
	b	kernel_exception
.endm


	kernel_entry sync, VECTOR_SYNC
	kernel_entry irq, VECTOR_IRQ
	kernel_entry fiq, VECTOR_FIQ
	kernel_entry serror, VECTOR_SERROR
	kernel_entry wrong_stack, 4

kernel_exception:
	x2_to_x17 stp
	x18_to_x29 stp
	str	x30, [sp, #FRAME_X30]
	mrs	x2, sp_el0
	mrs	x3, tpidrro_el0
	stp	x2, x3, [sp]
	msr	tpidrro_el0, xzr
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #FRAME_PC]
	mrs	x2, esr_el1
	mrs	x3, far_el1
	stp	x2, x3, [sp, #FRAME_ESR]
	mov	x0, sp
	bl	exception_kernel

	/*
	 * Came back: a fault of the user-copy routines. pc may have been moved to their fix-up.
	 * SP_EL0 goes back to what the system call's fast return expects in it.
	 */
	mrs	x2, tpidr_el1
	ldr	x2, [x2, #CPU_CURRENT]
	cbz	x2, 1f
	ldr	x2, [x2, #REGS_SP]
	msr	sp_el0, x2
1:
	ldp	x2, x3, [sp, #FRAME_PC]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x0, x1, [sp]
	x2_to_x17 ldp
	x18_to_x29 ldp
	ldr	x30, [sp, #FRAME_X30]
	add	sp, sp, #FRAME_SIZE
	eret

	.section .bss.emergency_stack, "aw", %nobits
	.balign	16
emergency_stack:
	.skip	EMERGENCY_STACK_SIZE
