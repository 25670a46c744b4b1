/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offsets into struct cpu that trap entry code uses; cpu.h asserts them. For .S and .c files.
 */
#ifndef CPU_LAYOUT_H
#define CPU_LAYOUT_H

#define CPU_CURRENT 0
#define CPU_STACK_TOP 8
#define CPU_SCRATCH 16 /* four words for the trap entry */
#define CPU_RESCHED 48
#define CPU_ID 52
#define CPU_HWID 56
#define CPU_SYSCALLS 64

#define KERNEL_STACK_SIZE 16384

#endif
