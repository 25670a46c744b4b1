/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers that the assembly sources and C share: the layout of saved registers, the early memory
 * map, and the values of system registers. <machine/thread.h> and trap.c assert the layouts.
 */
#ifndef MACHINE_LAYOUT_H
#define MACHINE_LAYOUT_H

/* struct arch_regs: what a trap from user mode saves. */
#define REGS_X 0
#define REGS_X30 240
#define REGS_SP 248
#define REGS_PC 256
#define REGS_PSTATE 264

/* struct kernel_frame: what a trap in kernel mode saves, on the kernel stack. */
#define FRAME_X30 240
#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define FRAME_ESR 272
#define FRAME_FAR 280
#define FRAME_SIZE 288

/* struct arch_fp (thread.h): v0 … v31, then fpsr and fpcr. */
#define FP_CONTROL 512

/* struct boot_cpu (boot.h): one CPU that may come up. */
#define BOOT_CPU_HWID 0
#define BOOT_CPU_CPU 8
#define BOOT_CPU_STACK 16
#define BOOT_CPU_SIZE 24

/* Which of the four vectors of an exception level was taken. */
#define VECTOR_SYNC 0
#define VECTOR_IRQ 1
#define VECTOR_FIQ 2
#define VECTOR_SERROR 3

/* System calls, as arch/upcall.h has them; UNPARKED is -SYSCALL_PARKED. exception.c asserts it. */
#define ENTRY_SYSCALL_BASE 0x1000
#define ENTRY_SYSCALL_COUNT 32
#define ENTRY_SYSCALL_UNPARKED 0x1000

/* The image may be this large; the early tables hold one last-level table for every 2 MiB of it. */
#define IMAGE_MAX_TABLES 16

/* Where the early tables show the device tree: between the MMIO window and the image. */
#define FDT_WINDOW 0xffffffff00000000

/* Affinity fields of MPIDR_EL1: a CPU's hardware number. */
#define MPIDR_AFFINITY 0xff00ffffff

/*
 * SCTLR_EL1. Off: the bits that are 1 on every machine, no translation, no caches.
 * On: M, C, I; SA and SA0 (stack alignment); WXN (nothing writable is executable); nTWI and nTWE
 * (WFI and WFE in user mode just wait: they are harmless on a CPU that takes interrupts);
 * UCT, UCI, DZE (user mode may read CTR_EL0, clean caches by address, and use DC ZVA).
 * SPAN is added on CPUs without PAN, where it reads as 1.
 */
#define SCTLR_SPAN 0x00800000
#define SCTLR_RES1 0x30500980
#define SCTLR_OFF (SCTLR_RES1 | SCTLR_SPAN)
#define SCTLR_ON (SCTLR_RES1 | 0x040dd01d)

/* MAIR_EL1 and the indices into it. */
#define MAIR_NORMAL 0         /* write-back, allocate */
#define MAIR_DEVICE 1         /* nGnRE */
#define MAIR_NORMAL_NC 2
#define MAIR_DEVICE_STRICT 3  /* nGnRnE */
#define MAIR_NORMAL_WT 4      /* write-through, allocate on reads */
#define MAIR_VALUE 0xaa004404ff

/*
 * TCR_EL1 but for IPS, AS and E0PD1: 48-bit halves (T0SZ = T1SZ = 16), 4 KiB granule in both, table
 * walks inner shareable and write-back cacheable. A1 = 0: the ASID comes from TTBR0.
 */
#define TCR_BASE 0x00000000b5103510
#define TCR_IPS_SHIFT 32
#define TCR_AS_SHIFT 36
#define TCR_E0PD1_SHIFT 56

#endif
