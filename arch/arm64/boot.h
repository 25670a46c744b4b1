// SPDX-License-Identifier: BSD-3-Clause
/*
 * What start.S and the C sources of this folder share about booting.
 */
#ifndef ARM64_BOOT_H
#define ARM64_BOOT_H

#include <stdint.h>

#include <arch/mmu.h>

struct cpu;

/* The early tables: kernel half, and the identity map of the boot code (user half). */
extern pte_t boot_root[PT_ENTRIES];
extern pte_t boot_identity[PT_ENTRIES];
extern paddr_t boot_image; /* physical address of the image's first byte */
extern char boot_stack[];
extern unsigned int boot_level; /* exception level of the boot CPU's entry */

/* CPUs that may come up through secondary_start, and the kernel root they get. Read uncached. */
struct boot_cpu {
	uint64_t hwid;
	struct cpu *cpu;
	void *stack_top;
};
extern struct boot_cpu boot_cpus[CONFIG_MAX_CPUS];
extern uint64_t boot_cpu_count;
extern paddr_t boot_secondary_root;

/* Entry of other CPUs; only its physical address is of use. */
void secondary_start(void);

/* See start.S. */
void mmu_replace_root(paddr_t root, paddr_t empty);

/* Physical address of a symbol of the image. */
paddr_t boot_phys(const void *symbol);

#endif
