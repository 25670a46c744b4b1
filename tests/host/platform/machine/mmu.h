// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host as a machine: its inline half of arch/mmu.h. Entries are an address, the prot bits from
 * bit 52 on, and two low bits: 1 valid, 2 leaf.
 */
#ifndef MACHINE_MMU_H
#define MACHINE_MMU_H

#define HOST_PTE_VALID 1ul
#define HOST_PTE_LEAF 2ul
#define HOST_PTE_PROT 52

static inline pte_t arch_pte_table(paddr_t table)
{
	return table | HOST_PTE_VALID;
}

static inline pte_t arch_pte_leaf(paddr_t page, unsigned int level, unsigned int prot)
{
	(void)level;
	return page | (pte_t)prot << HOST_PTE_PROT | HOST_PTE_LEAF | HOST_PTE_VALID;
}

static inline bool arch_pte_valid(pte_t pte)
{
	return pte & HOST_PTE_VALID;
}

static inline bool arch_pte_is_table(pte_t pte, unsigned int level)
{
	(void)level;
	return (pte & (HOST_PTE_VALID | HOST_PTE_LEAF)) == HOST_PTE_VALID;
}

static inline bool arch_pte_writable(pte_t pte)
{
	return pte >> HOST_PTE_PROT & PTE_W;
}

static inline bool arch_pte_executable(pte_t pte)
{
	return pte >> HOST_PTE_PROT & PTE_X;
}

static inline paddr_t arch_pte_addr(pte_t pte)
{
	return pte & ((1ul << HOST_PTE_PROT) - PAGE_SIZE);
}

static inline void arch_pte_set(pte_t *slot, pte_t value)
{
	*slot = value;
}

void host_step(void);

static inline void arch_pte_sync(void)
{
#ifdef HOST_STEPS
	host_step(); /* the test lets other CPUs do something meanwhile */
#endif
}

static inline void arch_tlb_fresh(uintptr_t va)
{
	(void)va;
}

#endif
