// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract: address translation.
 *
 * Every supported machine translates with 4 KiB tables of 512 eight-byte entries. Portable code
 * builds all tables; the architecture encodes entries and maintains TLBs.
 *
 * Levels count from the leaves: a level-0 table's entries map 4 KiB, level 1 2 MiB, level 2 1 GiB,
 * level 3 512 GiB, level 4 256 TiB. The root is at level arch_mmu.levels - 1. An object is one
 * level-1 table ("subtree"), linked by one level-2 entry.
 *
 * Kernel addresses that are the same everywhere:
 *   KERNEL_BASE  the image, in the top 2 GiB
 *   MMIO_BASE    window for device registers and other early mappings (MMIO_SIZE bytes)
 * and arch_mmu.direct_base, where all RAM and persistent memory is mapped read-write.
 */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;
typedef uint64_t pte_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ul
#define PT_ENTRIES 512u
#define PT_SHIFT(level) (PAGE_SHIFT + 9u * (level))
#define PT_SIZE(level) (1ul << PT_SHIFT(level)) /* bytes one entry of that level maps */
#define PT_INDEX(va, level) (((va) >> PT_SHIFT(level)) & 511u)

#define KERNEL_BASE 0xffffffff80000000ul
#define MMIO_BASE 0xfffffff800000000ul
#define MMIO_SIZE (16ul << 30)

/* What a leaf entry permits. W and X never stand together; the encoder panics on it. */
#define PTE_R 1u
#define PTE_W 2u
#define PTE_X 4u
#define PTE_USER 8u
#define PTE_GLOBAL 16u /* kernel mapping, the same in every address space */
#define PTE_DEVICE 32u /* device registers: uncached, ordered, never speculated */

struct arch_mmu {
	unsigned int levels;    /* 3 … 5 */
	uint32_t user_slots;    /* 1 GiB slots of the user half (256, 131072, 262144) */
	uint32_t asid_count;    /* usable ASIDs including 0; at least 1 */
	bool shared_root;       /* kernel entries live in the upper half of every user root */
	uintptr_t direct_base;  /* virtual address of physical address 0 in the direct map */
	uint64_t direct_size;   /* bytes; physical memory beyond it is not usable */
	const char *name;       /* "Sv39", "48-bit", … */
};
extern struct arch_mmu arch_mmu;

/*
 * The most levels that every enabled CPU node of the tree (checked, libfdt) and the boot option
 * mmu=NAME (boot_option()) allow; 0 = no limit stated. An unknown NAME is reported and ignored.
 * Boot CPU, once, before arch_mmu_probe(); bootargs are readable.
 */
unsigned int arch_fdt_mmu_limit(const void *fdt);

/*
 * Choose the translation mode and fill arch_mmu. Called once on the boot CPU, on the early
 * tables, before any table is built. `limit` is what arch_fdt_mmu_limit() returned.
 */
void arch_mmu_probe(unsigned int limit);

/*
 * Make `root` (physical) the kernel's tables on this CPU, drop everything the early tables left
 * in the TLB, and remember it for CPUs started later. The image, the stack in use (the boot stack
 * is part of the image) and the MMIO window stay mapped at the same addresses; all else of the
 * early tables is gone, the device tree is found in the direct map.
 */
void arch_mmu_install(paddr_t root);

/*
 * Root table that is live before arch_mmu_install(), as a kernel virtual address, and its level:
 * portable code adds early MMIO mappings to it. The early root has `arch_mmu_early_levels` levels.
 * All early tables are part of the image. They map nothing in the first GiB of the MMIO window;
 * the rest of the window may hold the architecture's early mapping of the device tree.
 */
pte_t *arch_mmu_early_root(void);
extern const unsigned int arch_mmu_early_levels;

/* Inline entry encoding. Pure. */
static inline pte_t arch_pte_table(paddr_t table);
static inline pte_t arch_pte_leaf(paddr_t page, unsigned int level, unsigned int prot);
static inline bool arch_pte_valid(pte_t pte);
static inline bool arch_pte_is_table(pte_t pte, unsigned int level); /* valid, names a lower table */
static inline bool arch_pte_writable(pte_t pte);
static inline paddr_t arch_pte_addr(pte_t pte);

/*
 * Inline. Publish an entry: all earlier stores (the page's zeroes, the lower table) are visible to
 * every table walker before the entry is. A walker sees the old or the new entry, never a mix.
 */
static inline void arch_pte_set(pte_t *slot, pte_t value);

/*
 * Inline. After arch_pte_set() turned an invalid entry valid, or one that allowed less into one
 * that allows more for the same page: the next access here succeeds. Other CPUs may fault
 * spuriously; the fault path finds the entry and calls this again.
 */
static inline void arch_tlb_fresh(uintptr_t va);

/*
 * Broadcast invalidation. When a call returns, no CPU uses a translation that the tables no
 * longer hold, nor starts a walk through a table that was unlinked before the call; unlinked
 * tables and pages may then be reused. Any context, locks may be held; never waits on another
 * CPU's kernel code. A length of 0 means the whole ASID.
 */
void arch_tlb_flush_asid(uint32_t asid, uintptr_t va, size_t length);
void arch_tlb_flush_all(void);

/*
 * Switch this CPU to a user root (physical) tagged with an ASID. ASID 0 is shared by address spaces
 * that got none: its translations are dropped on this CPU at each switch. root 0 = no user space.
 */
void arch_mmu_switch(paddr_t root, uint32_t asid);

/* Bytes just written through `kva` may be executed (at any address) by any CPU afterwards. */
void arch_sync_code(const void *kva, size_t length);

#include <machine/mmu.h>

#endif
