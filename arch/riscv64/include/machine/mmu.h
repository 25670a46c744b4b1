// SPDX-License-Identifier: BSD-3-Clause
/*
 * Address translation: inline half of arch/mmu.h. Entries of Sv39, Sv48 and Sv57 are alike.
 *
 * PTE_DEVICE adds nothing to an entry: which addresses are uncached and strongly ordered I/O is a
 * physical memory attribute here, fixed by the machine, and an entry without Svpbmt bits says "as
 * the machine has it".
 */
#ifndef MACHINE_MMU_H
#define MACHINE_MMU_H

#include <stdatomic.h>

#include <panic.h>

#define RISCV_PTE_V 0x01ul
#define RISCV_PTE_R 0x02ul
#define RISCV_PTE_W 0x04ul
#define RISCV_PTE_X 0x08ul
#define RISCV_PTE_U 0x10ul
#define RISCV_PTE_G 0x20ul
#define RISCV_PTE_A 0x40ul
#define RISCV_PTE_D 0x80ul
#define RISCV_PTE_LEAF (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X)
#define RISCV_PTE_PPN_SHIFT 10
#define RISCV_PTE_PPN_MASK ((1ul << 44) - 1)

static inline pte_t arch_pte_table(paddr_t table)
{
	return (table >> PAGE_SHIFT) << RISCV_PTE_PPN_SHIFT | RISCV_PTE_V;
}

/*
 * A and D are set from the start: no CPU then ever has to write an entry, or fault to ask for it.
 * Write-only is a reserved encoding, so W brings R along.
 */
static inline pte_t arch_pte_leaf(paddr_t page, unsigned int level, unsigned int prot)
{
	pte_t pte = (page >> PAGE_SHIFT) << RISCV_PTE_PPN_SHIFT | RISCV_PTE_V | RISCV_PTE_A;

	(void)level;
	if ((prot & PTE_W) && (prot & PTE_X))
		panic("page 0x%lx: writable and executable", (unsigned long)page);
	if (prot & PTE_R)
		pte |= RISCV_PTE_R;
	if (prot & PTE_W)
		pte |= RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_D;
	if (prot & PTE_X)
		pte |= RISCV_PTE_X;
	if (prot & PTE_USER)
		pte |= RISCV_PTE_U;
	if (prot & PTE_GLOBAL)
		pte |= RISCV_PTE_G;
	return pte;
}

static inline bool arch_pte_valid(pte_t pte)
{
	return pte & RISCV_PTE_V;
}

static inline bool arch_pte_is_table(pte_t pte, unsigned int level)
{
	(void)level;
	return (pte & (RISCV_PTE_V | RISCV_PTE_LEAF)) == RISCV_PTE_V;
}

static inline bool arch_pte_writable(pte_t pte)
{
	return pte & RISCV_PTE_W;
}

static inline bool arch_pte_executable(pte_t pte)
{
	return pte & RISCV_PTE_X;
}

static inline paddr_t arch_pte_addr(pte_t pte)
{
	return (pte >> RISCV_PTE_PPN_SHIFT & RISCV_PTE_PPN_MASK) << PAGE_SHIFT;
}

/*
 * The fence keeps earlier stores (contents of the page, of the lower table) before the entry in the
 * order in which other harts, and their walkers, see them; one aligned 8-byte store is never torn.
 */
static inline void arch_pte_set(pte_t *slot, pte_t value)
{
	atomic_thread_fence(memory_order_release);
	*(volatile pte_t *)slot = value;
}

/*
 * Stores are ordered before later ones for every hart that sees those; the other hart's own
 * sfence.vma orders its walks after what it has seen.
 */
static inline void arch_pte_sync(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/*
 * A CPU may remember that an entry was invalid, so the fence is needed, not only polite. Naming
 * an address it covers leaf entries alone; a CPU that remembers an invalid entry of an upper
 * level faults at the same place again, and then the fault path drops everything (exception.c).
 * That keeps the common first touch from emptying the TLB.
 */
static inline void arch_tlb_fresh(uintptr_t va)
{
	__asm__ volatile("sfence.vma %0, zero" : : "r"(va) : "memory");
}

#endif
