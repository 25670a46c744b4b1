// SPDX-License-Identifier: BSD-3-Clause
/*
 * Cache maintenance: instruction caches, words read by CPUs that run uncached, persistent memory.
 */
#include <arch/mmu.h>
#include <arch/persist.h>
#include <machine/sysreg.h>
#include <store/pm.h>

#include "cache.h"

#define CTR_IDC (1ul << 28) /* cleaning data for instruction fetch is not needed */
#define CTR_DIC (1ul << 29) /* nor is invalidating the instruction cache */

#define L1IP_PIPT 3u        /* instruction cache: indexed and tagged by physical address */

static uintptr_t data_line(void)
{
	return 4ul << id_field(sysreg_read(ctr_el0), 16);
}

static uintptr_t instruction_line(void)
{
	return 4ul << id_field(sysreg_read(ctr_el0), 0);
}

#define for_each_line(line, start, length, step)                                \
	for (uintptr_t line = (uintptr_t)(start) & ~((step) - 1),               \
		       line##_end = (uintptr_t)(start) + (length);              \
	     line < line##_end; line += (step))

/*
 * Instruction caches may be tagged by physical address (then a line goes by any of its names) or
 * indexed by virtual address (then only invalidating all of them reaches the other names). Both
 * broadcast. Other CPUs still may hold instructions they have fetched already; they drop them at
 * their next exception return, and none runs the new code before one.
 */
void arch_sync_code(const void *kva, size_t length)
{
	uint64_t ctr = sysreg_read(ctr_el0);
	uintptr_t data_step = data_line(), code_step = instruction_line();

	if (!(ctr & CTR_IDC))
		for_each_line(line, kva, length, data_step)
			__asm__ volatile("dc cvau, %0" : : "r"(line) : "memory");
	dsb(ish);
	if (!(ctr & CTR_DIC)) {
		if ((id_field(ctr, 14) & 3) != L1IP_PIPT)
			__asm__ volatile("ic ialluis" : : : "memory");
		else
			for_each_line(line, kva, length, code_step)
				__asm__ volatile("ic ivau, %0" : : "r"(line) : "memory");
		dsb(ish);
	}
	isb();
}

/* For a reader that runs with its data cache off, or that is no CPU. */
void cache_clean_to_memory(const void *start, size_t length)
{
	for_each_line(line, start, length, data_line())
		__asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
	dsb(sy);
}

/*
 * DC CIVAC reaches every cache of the system up to the point of coherency, where all aliases of a
 * page agree.
 */
unsigned int arch_mmu_uncached(void)
{
	return PTE_UC | PTE_WT | PTE_WC;
}

void arch_cache_flush(const void *kva, size_t length)
{
	cache_clean_to_memory(kva, length);
}

/*
 * Persistent memory. DC CVAP cleans to the point of persistence; without it, DC CVAC cleans to the
 * point of coherency, which on machines that have no persistence point of their own is the memory
 * itself.
 *
 * The fence is DSB SY. A clean is complete, for a DSB, when its effects are visible in the DSB's
 * shareability domain; memory and the persistence point lie outside of the inner and possibly of
 * the outer shareable domain, so only the full system's will do. It also holds back all later
 * stores.
 */
static void flush_cvap(const void *start, size_t length)
{
	for_each_line(line, start, length, data_line())
		__asm__ volatile("sys #3, c7, c12, #1, %0" : : "r"(line) : "memory");
}

static void flush_cvac(const void *start, size_t length)
{
	for_each_line(line, start, length, data_line())
		__asm__ volatile("dc cvac, %0" : : "r"(line) : "memory");
}

static void fence(void)
{
	dsb(sy);
}

struct arch_pm arch_pm_probe(const void *fdt)
{
	static const struct pm_ops cvap = { .flush = flush_cvap, .fence = fence };
	static const struct pm_ops cvac = { .flush = flush_cvac, .fence = fence };
	bool has_cvap = id_field(sysreg_read(id_aa64isar1_el1), 0) != 0;

	(void)fdt;
	return (struct arch_pm){
		.ops = has_cvap ? &cvap : &cvac,
		.flush_mode = has_cvap ? 3 : 2,
		.line_size = (uint32_t)data_line(),
		.describe = has_cvap ? "DC CVAP: clean to the point of persistence" :
				       "DC CVAC: clean to the point of coherency",
	};
}
