/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies between user and kernel memory, and single instructions that may turn out not to exist.
 *
 * Any instruction between usercopy_begin and usercopy_end may fault at a user address;
 * kernel_trap() then retries it or continues at usercopy_failed. SUM is set only in between.
 */
#include <machine/layout.h>

	.text
	.balign	4
	.globl	arch_copy_from_user, arch_copy_to_user
	/* a0 = to, a1 = from, a2 = length; both directions are the same copy. */
arch_copy_from_user:
arch_copy_to_user:
	li	t0, SSTATUS_SUM
	csrs	sstatus, t0
	.globl	usercopy_begin
usercopy_begin:
	add	a3, a0, a2 /* end of the destination */
	xor	t1, a0, a1
	andi	t1, t1, 7
	bnez	t1, bytes /* never both aligned */
	li	t1, 8
	bltu	a2, t1, bytes
1:	andi	t1, a0, 7
	beqz	t1, 2f
	lb	t2, 0(a1)
	sb	t2, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	1b
2:	andi	a4, a3, -8 /* words up to here */
	sub	t1, a4, a0
	andi	t1, t1, -32
	add	a5, a0, t1 /* groups of four up to here */
	beq	a0, a5, 4f
3:	ld	t1, 0(a1)
	ld	t2, 8(a1)
	ld	t3, 16(a1)
	ld	t4, 24(a1)
	sd	t1, 0(a0)
	sd	t2, 8(a0)
	sd	t3, 16(a0)
	sd	t4, 24(a0)
	addi	a1, a1, 32
	addi	a0, a0, 32
	bne	a0, a5, 3b
4:	beq	a0, a4, bytes
	ld	t1, 0(a1)
	sd	t1, 0(a0)
	addi	a1, a1, 8
	addi	a0, a0, 8
	j	4b
bytes:
	beq	a0, a3, 6f
5:	lb	t1, 0(a1)
	sb	t1, 0(a0)
	addi	a1, a1, 1
	addi	a0, a0, 1
	bne	a0, a3, 5b
	.globl	usercopy_end
usercopy_end:
6:	csrc	sstatus, t0
	li	a0, 0
	ret

	.globl	usercopy_failed
usercopy_failed:
	li	t0, SSTATUS_SUM
	csrc	sstatus, t0
	li	a0, -LAYOUT_EFAULT
	ret

	/*
	 * Tried out once at boot: an illegal instruction between probe_begin and probe_end makes
	 * kernel_trap() continue at probe_failed. Each returns 1, or 0 if it did not work.
	 */
	.globl	probe_begin
probe_begin:

	/* The timer compare register of Sstc: write it so that it never fires. */
	.globl	probe_stimecmp
probe_stimecmp:
	li	a0, -1
	csrw	0x14d, a0
	li	a0, 1
	ret

	/* cbo.clean (a0) */
	.globl	probe_cbo_clean
probe_cbo_clean:
	.insn	i 0x0f, 2, x0, a0, 1
	li	a0, 1
	ret

	/* Let user mode use cbo.clean: set senvcfg bits a0. */
	.globl	probe_set_senvcfg
probe_set_senvcfg:
	csrs	0x10a, a0
	li	a0, 1
	ret

	.globl	probe_end
probe_end:

	.globl	probe_failed
probe_failed:
	li	a0, 0
	ret

	.section .note.GNU-stack, "", %progbits
