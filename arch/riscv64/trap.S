/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trap entry and return.
 *
 * While user mode runs, sscratch holds the current thread, whose struct arch_regs comes first;
 * in the kernel it is 0, and tp holds the CPU's structure. A trap from user mode saves all
 * registers in the thread, which also says what CPU it is on, and takes that CPU's stack from
 * its top. sstatus is not saved: what user mode can see of it never changes, but for FS, which
 * belongs to whoever is current (thread.c).
 *
 * The system call is the path to keep short. It reads and writes the thread, three words of the CPU's
 * structure and one of the table; on the way back it trusts C functions to have kept s1 … s11.
 */
#include <cpu_layout.h>
#include <machine/layout.h>

	.text
	.balign	4 /* stvec's low bits are its mode: 0, all traps come to one place */
	.globl	trap_entry
trap_entry:
	csrrw	sp, sscratch, sp
	beqz	sp, from_kernel
	.irp	n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
			22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd	x\n, REGS_X(\n)(sp)
	.endr
	csrrw	t0, sscratch, zero
	sd	t0, REGS_X(2)(sp)
	ld	tp, REGS_CPU(sp)
	csrr	t0, scause
	csrr	t1, sepc
	mv	s0, sp /* not in the stack: a backtrace ends here */
	ld	sp, CPU_STACK_TOP(tp)
	li	t2, CAUSE_USER_ECALL
	bne	t0, t2, not_syscall

	addi	t1, t1, 4
	sd	t1, REGS_PC(s0)
	/* Base and count are powers of two: one comparison checks both ends. */
	srli	t0, a7, LAYOUT_SYSCALL_SHIFT
	li	t1, LAYOUT_SYSCALL_BASE >> LAYOUT_SYSCALL_SHIFT
	bne	t0, t1, unknown_syscall
	slli	t0, a7, 3
	ld	t1, CPU_SYSCALLS(tp)
	add	t1, t1, t0
	ld	t1, 0(t1)
	jalr	t1
syscall_done:
	li	t0, LAYOUT_SYSCALL_PARKED
	lw	t1, CPU_RESCHED(tp)
	beq	a0, t0, user_return
	bnez	t1, settle_result

	/* The same thread goes on, and nobody changed its registers. */
	ld	t0, REGS_PC(s0)
	csrw	sscratch, s0
	csrw	sepc, t0
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
	ld	x\n, REGS_X(\n)(s0)
	.endr
	ld	s0, REGS_X(8)(s0)
	sret

settle_result:
	sd	a0, REGS_X(10)(s0)
user_return:
	lw	t0, CPU_RESCHED(tp)
	bnez	t0, reschedule

	/*
	 * s0 = the thread to continue: cpu->current, which only upcall_return() changes. From
	 * the write of sscratch to sret no trap may happen: it would be taken for user mode's.
	 */
user_exit:
	sd	tp, REGS_CPU(s0)
	ld	t0, REGS_PC(s0)
	csrw	sscratch, s0
	csrw	sepc, t0
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
			22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	x\n, REGS_X(\n)(s0)
	.endr
	ld	s0, REGS_X(8)(s0)
	sret

unknown_syscall:
	mv	a0, a7
	call	upcall_bad_syscall
	j	syscall_done

not_syscall:
	sd	t1, REGS_PC(s0)
	mv	a0, t0
	csrr	a1, stval
	call	user_trap
	j	user_return

reschedule:
	call	upcall_return
	mv	s0, a0
	j	user_exit

	.globl	arch_user_enter
arch_user_enter:
	mv	s0, a0
	j	user_exit

	/*
	 * A trap in the kernel: a page fault in the user copy, an instruction tried out, or a
	 * bug. The frame goes below sp, if that is in this CPU's stack with room to spare.
	 */
from_kernel:
	csrrw	sp, sscratch, sp
	sd	t0, (CPU_SCRATCH + 8)(tp)
	sd	t1, (CPU_SCRATCH + 16)(tp)
	ld	t0, CPU_STACK_TOP(tp)
	sub	t0, t0, sp
	li	t1, KERNEL_STACK_SIZE - 2 * FRAME_SIZE
	bgtu	t0, t1, bad_stack
	addi	sp, sp, -FRAME_SIZE
	addi	t0, sp, FRAME_SIZE
	sd	t0, REGS_X(2)(sp)
save_kernel_frame: /* sp = the frame, its x2 filled in */
	ld	t0, (CPU_SCRATCH + 8)(tp)
	ld	t1, (CPU_SCRATCH + 16)(tp)
	.irp	n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
			22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd	x\n, REGS_X(\n)(sp)
	.endr
	csrr	t0, sepc
	csrr	t1, sstatus
	sd	t0, REGS_PC(sp)
	sd	t1, FRAME_SSTATUS(sp)
	mv	a0, sp
	csrr	a1, scause
	csrr	a2, stval
	call	kernel_trap
	ld	t0, REGS_PC(sp)
	ld	t1, FRAME_SSTATUS(sp)
	csrw	sepc, t0
	csrw	sstatus, t1
	.irp	n, 1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, \
			23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	x\n, REGS_X(\n)(sp)
	.endr
	ld	sp, REGS_X(2)(sp)
	sret

	/*
	 * The stack ran over, or sp is wild. There is only the panic left to run, on a stack
	 * kept for it.
	 */
bad_stack:
	sd	sp, CPU_SCRATCH(tp)
	lla	sp, panic_stack_top - FRAME_SIZE
	ld	t0, CPU_SCRATCH(tp)
	sd	t0, REGS_X(2)(sp)
	lla	t0, panic_stack_top
	sd	t0, CPU_STACK_TOP(tp)
	j	save_kernel_frame

	.section .bss.page, "aw", %nobits
	.balign	16
	.skip	KERNEL_STACK_SIZE
panic_stack_top:

	.section .note.GNU-stack, "", %progbits
