// SPDX-License-Identifier: BSD-3-Clause
/*
 * Inline part of arch/mmu.h: VMSAv8-64 stage 1 descriptors, 4 KiB granule.
 */
#ifndef MACHINE_MMU_H
#define MACHINE_MMU_H

#include <machine/layout.h>
#include <machine/sysreg.h>
#include <panic.h>

#define PTE_VALID 1ul
#define PTE_TYPE 3ul
#define PTE_TABLE 3ul /* above level 0; at level 0 the same bits mean a page */
#define PTE_BLOCK 1ul
#define PTE_ATTR(index) ((pte_t)(index) << 2)
#define PTE_AP_USER (1ul << 6)
#define PTE_AP_READONLY (1ul << 7)
#define PTE_INNER_SHAREABLE (3ul << 8)
#define PTE_ACCESSED (1ul << 10)
#define PTE_NOT_GLOBAL (1ul << 11)
#define PTE_PXN (1ul << 53)
#define PTE_UXN (1ul << 54)
#define PTE_ADDRESS 0x0000fffffffff000ul

static inline pte_t arch_pte_table(paddr_t table)
{
	return table | PTE_TABLE;
}

/* Device memory is outer shareable whatever the descriptor says, and so is what is not cached. */
static inline pte_t memory_type(unsigned int prot)
{
	if (prot & PTE_DEVICE)
		return PTE_ATTR(MAIR_DEVICE);
	if (prot & PTE_UC)
		return PTE_ATTR(MAIR_DEVICE_STRICT);
	if (prot & PTE_WC)
		return PTE_ATTR(MAIR_NORMAL_NC) | PTE_INNER_SHAREABLE;
	return PTE_ATTR(prot & PTE_WT ? MAIR_NORMAL_WT : MAIR_NORMAL) | PTE_INNER_SHAREABLE;
}

/*
 * User pages are never executable by the kernel (PXN), kernel pages never by the user (UXN). A
 * user page that is only executable gets no user data access: AP[1] stays clear, the fetch needs
 * UXN only.
 */
static inline pte_t arch_pte_leaf(paddr_t page, unsigned int level, unsigned int prot)
{
	pte_t pte = page | PTE_ACCESSED | (level ? PTE_BLOCK : PTE_TABLE);

	if (level > 2 || ((prot & PTE_W) && (prot & PTE_X)))
		panic("mmu: no such mapping (level %u, protection %#x)", level, prot);
	pte |= memory_type(prot);
	if (!(prot & PTE_W))
		pte |= PTE_AP_READONLY;
	if (!(prot & PTE_GLOBAL))
		pte |= PTE_NOT_GLOBAL;
	if (!(prot & PTE_USER))
		return pte | PTE_UXN | ((prot & PTE_X) ? 0 : PTE_PXN);
	if (prot & (PTE_R | PTE_W))
		pte |= PTE_AP_USER;
	return pte | PTE_PXN | ((prot & PTE_X) ? 0 : PTE_UXN);
}

static inline bool arch_pte_valid(pte_t pte)
{
	return pte & PTE_VALID;
}

static inline bool arch_pte_is_table(pte_t pte, unsigned int level)
{
	return level > 0 && (pte & PTE_TYPE) == PTE_TABLE;
}

static inline bool arch_pte_writable(pte_t pte)
{
	return (pte & PTE_VALID) && !(pte & PTE_AP_READONLY);
}

static inline bool arch_pte_executable(pte_t pte)
{
	return (pte & PTE_VALID) && !(pte & PTE_UXN);
}

static inline paddr_t arch_pte_addr(pte_t pte)
{
	return pte & PTE_ADDRESS;
}

/*
 * DMB ISHST orders the stores to the page or the lower table before the store of the descriptor,
 * for every observer in the inner shareable domain, and the walkers of all CPUs are such
 * observers; a walk reads the lower table only after it has read the entry that names it. No
 * barrier after: a CPU that still reads the invalid entry takes a fault, and arch_tlb_fresh()
 * settles that. (Invalid entries are never held in a TLB.) The store is one 64-bit access, so it
 * is single-copy atomic.
 */
static inline void arch_pte_set(pte_t *slot, pte_t value)
{
	dmb(ishst);
	*(volatile pte_t *)slot = value;
}

/* After a DSB the stores are complete: every walker of the domain has them. */
static inline void arch_pte_sync(void)
{
	dsb(ishst);
}

/*
 * DSB makes the store of the entry complete, so that walks begun after it see the entry; ISB
 * makes the instructions that follow begin their walks only then. The TLBI is for an entry that was
 * valid and now allows more: this CPU may hold the old one and would fault for ever. All ASIDs,
 * local; on other CPUs the fault comes once and ends here too.
 */
static inline void arch_tlb_fresh(uintptr_t va)
{
	dsb(ishst);
	__asm__ volatile("tlbi vaae1, %0" : : "r"(va << 8 >> 20) : "memory");
	dsb(nsh);
	isb();
}

#endif
