/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the boot loader to C, and from firmware to C on the other CPUs.
 *
 * Entered as the Linux arm64 boot protocol says: at EL2 or EL1, translation and data cache off,
 * interrupts masked, x0 = physical address of the device tree, loaded at any 2 MiB boundary, the
 * image's bytes clean to the point of coherency. All code runs relative to its own address until
 * translation is on.
 */
#include <cpu_layout.h>
#include <machine/layout.h>

	.section .head.text, "ax"

/* The Image header. */
	.global _start
_start:
	b	start
	.long	0
	.quad	0				/* text offset */
	.quad	__image_size			/* bytes of memory from the load address on */
	.quad	0xa				/* little-endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

.macro address reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
.endm

/*
 * Boot CPU. x20 = device tree, x21 = exception level at entry, x22 = device tree's kernel address.
 */
start:
	msr	daifset, #0xf
	mov	x20, x0
	bl	enter_el1
	mov	x21, x0

	/*
	 * What is written with the data cache off goes straight to memory. A dirty line that the
	 * loader left for the same address (bss is not part of what it cleaned) could be
	 * evicted over it later: drop such lines first.
	 */
	address	x0, __bss_start
	address	x1, __boot_end
	bl	invalidate
	address	x0, __bss_start
	address	x1, __boot_end
	bl	zero

	address	x9, boot_stack + KERNEL_STACK_SIZE
	mov	sp, x9
	mov	x29, xzr
	address	x0, _start
	mov	x1, x20
	bl	boot_map
	mov	x22, x0

	/* And drop clean lines fetched speculatively while the tables were being written. */
	address	x0, __bss_start
	address	x1, __boot_end
	bl	invalidate

	address	x0, boot_root
	ldr	x1, =boot_high
	b	translation_on

boot_high:
	address	x9, boot_stack + KERNEL_STACK_SIZE
	mov	sp, x9
	address	x0, __boot_end
	address	x1, __bss_end
	bl	zero
	address	x9, cpus
	msr	tpidr_el1, x9
	address	x9, vectors
	msr	vbar_el1, x9
	isb
	mov	x0, x22
	mov	x1, x20
	mov	x2, x21
	bl	boot_kernel

/*
 * Another CPU, by PSCI or from a spin table. Its structure is found by its hardware number, because
 * a spin table passes no argument. The words read here with the cache off were cleaned to the
 * point of coherency by arch_cpu_start().
 */
	.global secondary_start
secondary_start:
	msr	daifset, #0xf
	bl	enter_el1
	mrs	x19, mpidr_el1
	ldr	x9, =MPIDR_AFFINITY
	and	x19, x19, x9
	address	x20, boot_cpus
	address	x9, boot_cpu_count
	ldr	x9, [x9]
1:	cbz	x9, stop
	ldr	x10, [x20, #BOOT_CPU_HWID]
	cmp	x10, x19
	b.eq	2f
	add	x20, x20, #BOOT_CPU_SIZE
	sub	x9, x9, #1
	b	1b
2:	ldr	x21, [x20, #BOOT_CPU_CPU]
	ldr	x22, [x20, #BOOT_CPU_STACK]
	address	x0, boot_secondary_root
	ldr	x0, [x0]
	ldr	x1, =secondary_high
	b	translation_on

secondary_high:
	mov	sp, x22
	mov	x29, xzr
	msr	tpidr_el1, x21
	address	x9, vectors
	msr	vbar_el1, x9
	isb
	mov	x0, x21
	bl	secondary_kernel

stop:	wfi
	b	stop

/*
 * Turn translation on with x0 = physical root of the kernel half and the identity map as user half;
 * go to kernel address x1.
 */
translation_on:
	address	x9, boot_identity
	msr	ttbr0_el1, x9
	msr	ttbr1_el1, x0
	ldr	x9, =MAIR_VALUE
	msr	mair_el1, x9

	/* The CPU's physical address size, 48 bits at most: more needs a larger granule. */
	mrs	x9, id_aa64mmfr0_el1
	ubfx	x10, x9, #0, #4
	mov	x11, #5
	cmp	x10, x11
	csel	x10, x10, x11, lo
	ldr	x12, =TCR_BASE
	orr	x12, x12, x10, lsl #TCR_IPS_SHIFT
	ubfx	x10, x9, #4, #4			/* ASIDBits: 2 = sixteen */
	cmp	x10, #2
	cset	x10, eq
	orr	x12, x12, x10, lsl #TCR_AS_SHIFT
	mrs	x9, s3_0_c0_c7_2		/* ID_AA64MMFR2_EL1: E0PD, if there */
	ubfx	x10, x9, #60, #4
	cmp	x10, #0
	cset	x10, ne
	orr	x12, x12, x10, lsl #TCR_E0PD1_SHIFT
	msr	tcr_el1, x12

	/* Table stores and register writes before the first walk; nothing stale in the TLB. */
	dsb	sy
	isb
	tlbi	vmalle1
	dsb	nsh
	isb

	ldr	x12, =SCTLR_ON
	mrs	x9, id_aa64mmfr1_el1		/* no PAN: SPAN reads as 1 */
	ubfx	x10, x9, #20, #4
	ldr	x11, =SCTLR_SPAN
	cmp	x10, #0
	csel	x11, x11, xzr, eq
	orr	x12, x12, x11
	msr	sctlr_el1, x12
	isb
	/* The loader wrote the image as data. */
	ic	iallu
	dsb	nsh
	isb
	br	x1

/*
 * arch_mmu_install(): x0 = new root, x1 = an empty table, both physical. Runs in the identity map,
 * called by its physical address with TTBR0 already there. The early tables map the image in
 * pages, the new ones perhaps in blocks: changing between them without an empty table in
 * between and an invalidation could leave two entries for one address in the TLB, which the
 * architecture does not forgive (break before make).
 */
	.global mmu_replace_root
mmu_replace_root:
	msr	ttbr1_el1, x1
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	msr	ttbr1_el1, x0
	isb
	ret

/* Drop cache lines of x0 … x1 (line-aligned by the linker) to the point of coherency. */
invalidate:
	mrs	x9, ctr_el0
	ubfx	x9, x9, #16, #4
	mov	x10, #4
	lsl	x10, x10, x9
	dsb	sy				/* uncached stores before are in memory */
1:	dc	ivac, x0
	add	x0, x0, x10
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

/* Zero x0 … x1, multiples of 16. */
zero:
	cmp	x0, x1
	b.hs	2f
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
2:	ret

/*
 * Continue at EL1 with translation off; returns the level entered at, 1 or 2. At EL2, what the
 * kernel needs at EL1 is opened, everything else that could trap to EL2 is closed to
 * a known state: most of these registers hold anything after reset.
 */
enter_el1:
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.eq	1f
	ldr	x0, =SCTLR_OFF
	msr	sctlr_el1, x0
	isb
	mov	x0, #1
	ret

1:	ldr	x0, =(1 << 31 | 3 << 40)	/* HCR_EL2: RW; PAuth untrapped */
	msr	hcr_el2, x0			/* E2H is cleared with it, where it can be */
	isb
	mrs	x1, hcr_el2
	ldr	x0, =SCTLR_OFF
	tbnz	x1, #34, 2f
	msr	sctlr_el1, x0
	mov	x0, #3				/* CNTHCTL_EL2: counter and timer at EL1 */
	mov	x1, #0x33ff			/* CPTR_EL2: FP untrapped, SVE and SME trapped */
	b	3f
2:	msr	s3_5_c1_c0_0, x0		/* E2H stays set: SCTLR_EL12, and other layouts */
	mov	x0, #(3 << 10)
	mov	x1, #(3 << 20)
3:	msr	cnthctl_el2, x0
	msr	cptr_el2, x1
	msr	cntvoff_el2, xzr
	msr	vttbr_el2, xzr
	msr	hstr_el2, xzr
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0

	mrs	x0, id_aa64dfr0_el1		/* MDCR_EL2: all event counters belong to EL1 */
	ubfx	x1, x0, #8, #4
	mov	x2, xzr
	cbz	x1, 4f
	cmp	x1, #15
	b.eq	4f
	mrs	x2, pmcr_el0
	ubfx	x2, x2, #11, #5
4:	msr	mdcr_el2, x2

	mrs	x0, id_aa64pfr0_el1		/* GIC system registers: not trapped */
	ubfx	x1, x0, #24, #4
	cbz	x1, 5f
	mrs	x0, s3_4_c12_c9_5		/* ICC_SRE_EL2: SRE, Enable */
	orr	x0, x0, #1
	orr	x0, x0, #8
	msr	s3_4_c12_c9_5, x0
	isb
	mrs	x0, s3_4_c12_c9_5
	tbz	x0, #0, 5f
	msr	s3_4_c12_c11_0, xzr		/* ICH_HCR_EL2 */

5:	mrs	x0, id_aa64mmfr0_el1		/* fine-grained traps: none */
	ubfx	x1, x0, #56, #4
	cbz	x1, 6f
	msr	s3_4_c1_c1_4, xzr		/* HFGRTR_EL2 */
	msr	s3_4_c1_c1_5, xzr		/* HFGWTR_EL2 */
	msr	s3_4_c1_c1_6, xzr		/* HFGITR_EL2 */
	msr	s3_4_c3_c1_4, xzr		/* HDFGRTR_EL2 */
	msr	s3_4_c3_c1_5, xzr		/* HDFGWTR_EL2 */
6:	mrs	x0, id_aa64mmfr1_el1
	ubfx	x1, x0, #40, #4
	cbz	x1, 7f
	msr	s3_4_c1_c2_2, xzr		/* HCRX_EL2 */

7:	address	x0, el2_vectors
	msr	vbar_el2, x0
	mov	x0, #0x3c5			/* SPSR_EL2: EL1h, all masked */
	msr	spsr_el2, x0
	msr	elr_el2, x30
	mov	x0, #2
	isb
	eret

/* Nothing is left to trap to EL2 but HVC: it fails as an unknown firmware call would. */
	.balign	2048
el2_vectors:
	.rept	8
	.balign	128
	b	.
	.endr
	.balign	128
	mov	x0, #-1
	eret
	.rept	7
	.balign	128
	b	.
	.endr
	.balign 128

	.global __idmap_end
__idmap_end:

	.section .bss.boot, "aw", %nobits
	.balign 4096
	.global boot_stack
boot_stack:
	.skip	KERNEL_STACK_SIZE
