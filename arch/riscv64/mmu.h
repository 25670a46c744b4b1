// SPDX-License-Identifier: BSD-3-Clause
/*
 * Private to this architecture: what start.S and mmu.c share.
 */
#ifndef RISCV64_MMU_H
#define RISCV64_MMU_H

#include <arch/mmu.h>

extern pte_t early_root[PT_ENTRIES];
extern paddr_t riscv_image_phys;         /* where the image was loaded */
extern unsigned long riscv_kernel_satp;  /* for CPUs that start later */

#endif
