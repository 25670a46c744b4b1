// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel's own address space: image (text RX, rodata R, data RW), direct map of all RAM and
 * persistent memory (RW, never executable; the image's read-only parts are read-only there too),
 * and the MMIO window. Built once; the top-level entries never change afterwards, so user roots
 * on machines with a shared root copy them.
 */
#ifndef MM_KMAP_H
#define MM_KMAP_H

#include <stddef.h>
#include <stdint.h>

#include <arch/mmu.h>

/* Build the final tables and install them on the boot CPU. After machine_discover(). */
void kmap_init(void);

/* Physical address of the kernel root, for CPUs that start later. */
paddr_t kmap_root(void);

/*
 * Copy the kernel's top-level entries into a fresh user root (machines with arch_mmu.shared_root).
 */
void kmap_share(pte_t *user_root);

/*
 * Map device registers or other physical memory in the MMIO window; prot: PTE_R|PTE_W|PTE_DEVICE.
 */
void *kmap_window(paddr_t base, uint64_t size, unsigned int prot);

#endif
