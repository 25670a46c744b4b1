/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first instructions of every CPU.
 *
 * The boot hart comes here from the boot loader as the Linux boot protocol has it: supervisor mode,
 * translation off, a0 = hart ID, a1 = physical address of the device tree, the image at a multiple
 * of 2 MiB. The other harts come to secondary_start from the SBI firmware, in the same state.
 *
 * Until translation is on, addresses are formed relative to the pc (lla) and are physical.
 */
#include <cpu_layout.h>
#include <machine/layout.h>

#define PTE_TABLE 0x01 /* V */
#define PTE_IMAGE 0xef /* D A G X W R V: the early tables cannot tell text from data */
#define PTE_TREE 0x63  /* A G R V */

	.section .text.start, "ax"
	.option norelax

	/* The header that boot loaders look for. */
	.globl _start
_start:
	j	boot_start
	.balign	8
	.8byte	0x200000                    /* offset from the start of memory */
	.8byte	__kernel_end - __kernel_start /* with .bss */
	.8byte	0                           /* little-endian */
	.4byte	2                           /* header version 0.2 */
	.4byte	0
	.8byte	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\005"
	.4byte	0

	/*
	 * One hart boots: the first. OpenSBI before 1.3 lets a hart that it is just starting for us
	 * go to the address the boot hart was given, when that hart reads the new address too early.
	 * Such a hart, and any that firmware sends here uninvited, waits until arch_cpu_start() has
	 * said what it is to be.
	 */
boot_start:
	csrw	sie, zero
	lla	t0, boot_taken
	li	t1, 1
	amoswap.w.aqrl	t1, t1, (t0)
	bnez	t1, strayed
	mv	s0, a0
	mv	s1, a1
	lla	s2, _start
	slli	t0, s2, 64 - 21
	bnez	t0, misaligned

	lla	t0, __bss_start
	lla	t1, __bss_end
1:	sd	zero, 0(t0)
	sd	zero, 8(t0)
	sd	zero, 16(t0)
	sd	zero, 24(t0)
	addi	t0, t0, 32
	bltu	t0, t1, 1b

	/* The early root's entry for the image's GiB. */
	lla	s3, early_root
	lla	s4, early_image
	srli	t0, s4, 12 - 10
	ori	t0, t0, PTE_TABLE
	li	t1, (LAYOUT_KERNEL_BASE >> 30) & 511
	slli	t1, t1, 3
	add	t1, t1, s3
	sd	t0, 0(t1)

	/* The image, 2 MiB at a time. */
	mv	t0, s4
	mv	t1, s2
	lla	t2, __kernel_end
	li	t4, 0x200000
1:	srli	t3, t1, 12 - 10
	ori	t3, t3, PTE_IMAGE
	sd	t3, 0(t0)
	addi	t0, t0, 8
	add	t1, t1, t4
	bltu	t1, t2, 1b

	/* The device tree: 4 MiB hold 2 MiB that begin anywhere in the first half. */
	li	t0, EARLY_TREE_INDEX * 8
	add	t0, t0, s4
	srli	t1, s1, 21
	slli	t1, t1, 21
	add	t4, t4, t1
	srli	t1, t1, 12 - 10
	ori	t1, t1, PTE_TREE
	sd	t1, 0(t0)
	srli	t4, t4, 12 - 10
	ori	t4, t4, PTE_TREE
	sd	t4, 8(t0)

	srli	a0, s3, 12
	li	t0, SATP_SV39
	slli	t0, t0, SATP_MODE_SHIFT
	or	a0, a0, t0
	lla	a1, boot_mapped
	j	enable_translation

	/* Now at the linked addresses. */
	.balign	4
boot_mapped:
	lla	t0, trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero
	lla	sp, boot_stack_top
	lla	tp, cpus
	sd	sp, CPU_STACK_TOP(tp)
	lla	t0, riscv_image_phys
	sd	s2, 0(t0)
	li	a0, EARLY_TREE_BASE
	slli	t0, s1, 64 - 21
	srli	t0, t0, 64 - 21
	add	a0, a0, t0
	mv	a1, s1
	mv	a2, s2
	mv	a3, s0
	li	s0, 0
	li	ra, 0
	tail	kernel_main

strayed:
	addi	a0, a0, 1
1:	lla	t0, riscv_mailbox
	lla	t1, riscv_mailbox_end
2:	ld	t2, 0(t0)
	beq	t2, a0, 3f
	addi	t0, t0, 16
	bltu	t0, t1, 2b
	j	1b
3:	fence	r, rw
	ld	a1, 8(t0)

	/*
	 * From the SBI firmware: a1 = struct cpu, whose address is valid once translation is on.
	 * The final tables hold the image at the same place as the early ones did.
	 */
	.balign	4
	.globl	secondary_start
secondary_start:
	csrw	sie, zero
	lla	s2, _start
	mv	s1, a1
	lla	t0, riscv_kernel_satp
	ld	a0, 0(t0)
	lla	a1, secondary_mapped
	j	enable_translation

	.balign	4
secondary_mapped:
	lla	t0, trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero
	mv	tp, s1
	ld	sp, CPU_STACK_TOP(tp)
	mv	a0, tp
	li	s0, 0
	li	ra, 0
	tail	upcall_secondary

	/*
	 * a0 = satp, a1 = physical address to continue at, s2 = the image's. The instruction
	 * after the write of satp is not mapped where it stands: it faults, and the "trap
	 * handler" is the continuation. What the TLB holds from before goes first, and what it
	 * may have picked up while satp was being written goes when the tables are next changed
	 * (arch_mmu_install) or, for tables that are final, was right.
	 */
enable_translation:
	sub	a1, a1, s2
	li	t0, LAYOUT_KERNEL_BASE
	add	a1, a1, t0
	csrw	stvec, a1
	sfence.vma
	csrw	satp, a0
1:	wfi
	j	1b

	/* Not a multiple of 2 MiB: say so through the oldest firmware console, and stop. */
misaligned:
	lla	s3, misaligned_text
1:	lbu	a0, 0(s3)
	beqz	a0, 2f
	li	a7, 1
	ecall
	addi	s3, s3, 1
	j	1b
2:	wfi
	j	2b
misaligned_text:
	.asciz	"panic: the kernel was not loaded at a multiple of 2 MiB\r\n"

	.section .data
	.balign	8
	.globl	riscv_image_phys
riscv_image_phys:
	.8byte	0

	/* For every CPU that was told to start: hart ID + 1, struct cpu. Not in .bss: read while that is zeroed. */
	.globl	riscv_mailbox
riscv_mailbox:
	.skip	16 * CONFIG_MAX_CPUS
riscv_mailbox_end:
boot_taken:
	.4byte	0
	.4byte	0

	.section .bss.page, "aw", %nobits
	.balign	4096
	.globl	early_root
early_root:
	.skip	4096
early_image:
	.skip	4096
	.skip	KERNEL_STACK_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", %progbits
