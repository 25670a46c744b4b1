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
/*
 * Memory that is not cached write-back; at most one of them, and only what arch_mmu_uncached()
 * names.
 */
#define PTE_UC 64u  /* every access as it stands and in order */
#define PTE_WT 128u /* cached, stores go through to memory */
#define PTE_WC 256u /* not cached, stores may be merged */

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
static inline bool arch_pte_executable(pte_t pte); /* by the user, of a leaf for the user */
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
 * Inline. Entries that were set before are seen by every walk on every CPU that begins after that
 * CPU has seen anything this one stores from now on. To be called between changing entries and
 * asking which CPUs have to forget them.
 */
static inline void arch_pte_sync(void);

/*
 * Forgetting translations. The rules, which both manuals have in one form or another:
 *
 * 1. A translation stays usable after its entry has gone until the CPU that holds it is told. So: first
 *    change the entry, then make that visible to walkers (arch_pte_sync()), then forget, and only then
 *    reuse the page or table. In any other order a walk may bring the old translation back.
 *    RISC-V privileged, "Supervisor Memory-Management Fence Instruction": sfence.vma orders stores
 *    that the hart has made or seen before its later walks, and it concerns this hart alone; other harts
 *    have to execute their own, after the stores are visible to them. Arm ARM, "TLB maintenance":
 *    DSB before the TLBI makes the stores complete for all walkers of the domain, TLBI ...IS reaches its
 *    CPUs, DSB after it waits until they have dropped the entries and finished accesses made through
 *    them, ISB has this CPU's own later instructions translated anew.
 * 2. A CPU walks, also speculatively, only from the root it has installed, and uses only translations that are
 *    global or tagged with the installed ASID. What it still holds under another tag is harmless until
 *    that tag is installed, and may be dropped then, before the switch: no walk for it can be under way.
 * 3. By address only leaf entries are certain to go on every machine (sfence.vma with rs1 names leaf
 *    entries; upper ones may be cached). Who unlinks a table names 2 MiB or more, or nothing: then the
 *    whole ASID goes. On arm64 the VAE1 forms drop upper entries as well.
 * 4. An invalid entry may be remembered (RISC-V). A CPU faults for nothing at worst; the fault path finds the
 *    entry and calls arch_tlb_fresh().
 * 5. Making an entry that translates to another address takes two steps, with a flush between them
 *    (break before make): two translations of one address at one time are undefined on arm64.
 * 6. A root's own entries count as changed for a CPU that never had it installed: it drops the ASID
 *    before it installs it, unless it is certain to have done so since the root was made.
 *
 * `cpus` has a bit for each CPU to be reached, by cpu->id; this CPU's too, if it is meant. When the
 * call returns none of them uses a translation that the tables no longer hold, nor walks a table
 * that was unlinked before. Only this CPU named: nothing is sent. Any context, locks may be held;
 * never waits on another CPU's kernel code. A length of 0 means the whole ASID.
 */
void arch_tlb_flush_asid(uint32_t asid, uintptr_t va, size_t length, uint64_t cpus);

/* Everything, kernel entries included, on every CPU that runs. */
void arch_tlb_flush_all(void);

/*
 * On this CPU alone: what is tagged with an ASID that is not installed here; all that is tagged
 * with any.
 */
void arch_tlb_drop_asid(uint32_t asid);
void arch_tlb_drop_all(void);

/*
 * Switch this CPU to a user root (physical) tagged with an ASID. root 0 = no user space; its ASID
 * is 0. Drops nothing. The stores that made the root were followed by a flush or drop of the ASID
 * here.
 */
void arch_mmu_switch(paddr_t root, uint32_t asid);

/*
 * Which of PTE_UC, PTE_WT and PTE_WC arch_pte_leaf() can express, and arch_cache_flush() can keep
 * coherent with the direct map, which stays cached. Pure.
 */
unsigned int arch_mmu_uncached(void);

/*
 * Write back and drop every cached copy of the range, on all CPUs: what was stored through the
 * direct map is in memory when it returns, and what others store there later is not hidden by a
 * copy. Any context. Not called where arch_mmu_uncached() is 0.
 */
void arch_cache_flush(const void *kva, size_t length);

/* Bytes just written through `kva` may be executed (at any address) by any CPU afterwards. */
void arch_sync_code(const void *kva, size_t length);

#include <machine/mmu.h>

#endif
