/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers that assembler, linker script and C share. Those that have a definition of their own in C
 * are asserted to agree in mmu.c, exception.c and thread.h.
 */
#ifndef MACHINE_LAYOUT_H
#define MACHINE_LAYOUT_H

/* Where the image is linked: KERNEL_BASE of arch/mmu.h. */
#define LAYOUT_KERNEL_BASE 0xffffffff80000000

/*
 * The early tables map the image from the start of its GiB, and the device tree, read-only, through
 * two 2 MiB entries near that GiB's end. Both are one level-1 table.
 */
#define EARLY_TREE_INDEX 508
#define EARLY_TREE_BASE (LAYOUT_KERNEL_BASE + EARLY_TREE_INDEX * 0x200000)

/* satp: MODE above, the root's page number below. A mode of n levels has the number n + 5. */
#define SATP_MODE_SHIFT 60
#define SATP_SV39 8

/* struct arch_regs: pc, then x1 … x31, so that register n stands at 8 n, then the CPU. */
#define REGS_PC 0
#define REGS_X(n) ((n) * 8)
#define REGS_CPU 256
#define REGS_SIZE 264

/* struct kernel_frame: the same, then sstatus. */
#define FRAME_SSTATUS 264
#define FRAME_SIZE 272

/* The system-call numbers of arch/upcall.h, and the errno of a failed user copy. */
#define LAYOUT_SYSCALL_BASE 0x1000
#define LAYOUT_SYSCALL_SHIFT 5 /* log2 of the count, and the base is a multiple of that */
#define LAYOUT_SYSCALL_PARKED (-4096)
#define LAYOUT_EFAULT 14

/* sstatus */
#define SSTATUS_SIE 0x2
#define SSTATUS_SPIE 0x20
#define SSTATUS_UBE 0x40
#define SSTATUS_SPP 0x100
#define SSTATUS_VS 0x600
#define SSTATUS_FS 0x6000
#define SSTATUS_FS_INITIAL 0x2000
#define SSTATUS_FS_CLEAN 0x4000
#define SSTATUS_FS_DIRTY 0x6000
#define SSTATUS_SUM 0x40000
#define SSTATUS_MXR 0x80000

/* scause of the exceptions that are told apart */
#define CAUSE_MISALIGNED_FETCH 0
#define CAUSE_FETCH_ACCESS 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_MISALIGNED_LOAD 4
#define CAUSE_LOAD_ACCESS 5
#define CAUSE_MISALIGNED_STORE 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_USER_ECALL 8
#define CAUSE_FETCH_PAGE 12
#define CAUSE_LOAD_PAGE 13
#define CAUSE_STORE_PAGE 15

#endif
