// SPDX-License-Identifier: BSD-3-Clause
/*
 * Translation modes and the register that selects them.
 *
 * Every hart with an MMU has Sv39, so the early tables (start.S) are three levels deep. Their root
 * describes the last 512 GiB of the address space; to try a deeper mode it is hung below the last
 * entry of one or two more tables, and everything stays mapped where it was.
 */
#include <arch/mmu.h>

#include <base/bits.h>
#include <cpu.h>
#include <machine/csr.h>
#include <mm/phys.h>
#include <panic.h>

#include "mmu.h"

_Static_assert(KERNEL_BASE == LAYOUT_KERNEL_BASE, "image address");

#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK 0xfffful

struct arch_mmu arch_mmu;
const unsigned int arch_mmu_early_levels = 3;

unsigned long riscv_kernel_satp;

static pte_t deeper_roots[2][PT_ENTRIES] __attribute__((aligned(PAGE_SIZE)));

pte_t *arch_mmu_early_root(void)
{
	return early_root;
}

static paddr_t early_phys(const void *symbol)
{
	return (uintptr_t)symbol - KERNEL_BASE + riscv_image_phys;
}

/* A mode of n levels has the number n + 5. */
static unsigned long satp_for(unsigned int levels, paddr_t root)
{
	return (unsigned long)(levels + 5) << SATP_MODE_SHIFT | root >> PAGE_SHIFT;
}

/* Root of early tables with so many levels, 3 … 5. */
static paddr_t early_root_of(unsigned int levels)
{
	pte_t *root = early_root;

	for (unsigned int i = 0; i + 3 < levels; i++) {
		arch_pte_set(&deeper_roots[i][PT_ENTRIES - 1], arch_pte_table(early_phys(root)));
		root = deeper_roots[i];
	}
	return early_phys(root);
}

/*
 * Whether the hart takes a mode: a write of satp with a mode it does not have has no effect at all.
 * Table stores reach the walker only after an sfence.vma, and what the old mode cached must go.
 */
static bool try_levels(unsigned int levels)
{
	unsigned long satp = satp_for(levels, early_root_of(levels));
	bool taken;

	__asm__ volatile("sfence.vma" : : : "memory");
	csr_write(satp, satp);
	taken = csr_read(satp) == satp;
	csr_write(satp, satp_for(3, early_phys(early_root)));
	__asm__ volatile("sfence.vma" : : : "memory");
	return taken;
}

/* The ASID bits that exist keep what is written to them. */
static uint32_t count_asids(void)
{
	unsigned long satp = csr_read(satp), read;

	csr_write(satp, satp | SATP_ASID_MASK << SATP_ASID_SHIFT);
	read = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;
	csr_write(satp, satp);
	__asm__ volatile("sfence.vma" : : : "memory");
	return (uint32_t)read + 1;
}

void arch_mmu_probe(unsigned int limit)
{
	static const struct arch_mmu modes[] = {
		{ .levels = 5, .name = "Sv57", .user_slots = 131072,
		  .direct_base = 0xff00000000000000, .direct_size = 1ull << 52 },
		{ .levels = 4, .name = "Sv48", .user_slots = 131072,
		  .direct_base = 0xffff800000000000, .direct_size = 1ull << 46 },
		{ .levels = 3, .name = "Sv39", .user_slots = 256,
		  .direct_base = 0xffffffc000000000,
		  .direct_size = MMIO_BASE - 0xffffffc000000000 },
	};
	const struct arch_mmu *mode = modes;

	while (mode->levels > 3 && ((limit && mode->levels > limit) || !try_levels(mode->levels)))
		mode++;
	arch_mmu = *mode;
	arch_mmu.shared_root = true;
	arch_mmu.asid_count = count_asids();
}

void arch_mmu_install(paddr_t root)
{
	riscv_kernel_satp = satp_for(arch_mmu.levels, root);
	/* The tables' stores come before the walks that read them; early translations go after. */
	__asm__ volatile("sfence.vma" : : : "memory");
	csr_write(satp, riscv_kernel_satp);
	__asm__ volatile("sfence.vma" : : : "memory");
}

/*
 * No fence: what is held under the ASID was dropped before if it was out of date, and who made or
 * changed the root's entries did that drop too (rules 2 and 6 of arch/mmu.h).
 */
void arch_mmu_switch(paddr_t root, uint32_t asid)
{
	unsigned long satp = riscv_kernel_satp;

	if (root)
		satp = satp_for(arch_mmu.levels, root) | (unsigned long)asid << SATP_ASID_SHIFT;
	csr_write(satp, satp);
}
