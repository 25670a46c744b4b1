// SPDX-License-Identifier: BSD-3-Clause
/*
 * Invalidation of translations and instructions on all CPUs.
 *
 * The other CPUs are reached through the firmware, which interrupts them above the kernel: they
 * need not be willing, and locks may be held on both sides. An SBI remote fence returns when all
 * named harts have executed it.
 *
 * Order: the caller changed the tables with plain stores. Here, sfence.vma orders them before this
 * hart's later walks; the fence before the firmware's call makes them visible to the others before
 * these execute theirs. The rules that all of this follows stand in arch/mmu.h.
 */
#include <arch/mmu.h>

#include <cpu.h>

#include "cpu.h"
#include "sbi.h"

#define REMOTE_FENCE_I 0
#define REMOTE_SFENCE 1
#define REMOTE_SFENCE_ASID 2
#define WHOLE_SPACE (~0ul)

/* Above so many pages, dropping a whole ASID is cheaper than a fence for each. */
#define FLUSH_PAGES_MAX 16u

struct flush {
	unsigned long function;
	unsigned long start, length, asid;
};

static void call_firmware(unsigned long mask, unsigned long base, const void *argument)
{
	const struct flush *flush = argument;

	sbi_call(SBI_RFENCE, flush->function, mask, base, flush->start, flush->length, flush->asid);
}

/* `cpus` without this one, and without those that do not run. */
static void flush_others(const struct flush *flush, uint64_t cpus)
{
	uint64_t others = cpus & ~(1ull << this_cpu()->id);

	if (!others)
		return;
	/* Also orders the tables' stores before the look at who runs; see riscv_running. */
	__asm__ volatile("fence rw, rw" : : : "memory");
	others &= atomic_load_explicit(&riscv_running, memory_order_relaxed);
	if (others)
		sbi_for_harts(others, call_firmware, flush);
}

void arch_tlb_drop_asid(uint32_t asid)
{
	__asm__ volatile("sfence.vma zero, %0" : : "r"((unsigned long)asid) : "memory");
}

void arch_tlb_drop_all(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}

static void drop_pages(const struct flush *flush)
{
	for (unsigned long at = 0; at < flush->length; at += PAGE_SIZE)
		__asm__ volatile("sfence.vma %0, %1"
				 : : "r"(flush->start + at), "r"(flush->asid) : "memory");
}

/*
 * sfence.vma with an address covers leaf entries alone. A caller that unlinked a table flushes
 * what that spanned, 2 MiB at least; so longer lengths take the whole ASID, and a few pages are
 * done singly.
 */
void arch_tlb_flush_asid(uint32_t asid, uintptr_t va, size_t length, uint64_t cpus)
{
	struct flush flush = { REMOTE_SFENCE_ASID, va & -PAGE_SIZE, 0, asid };
	bool whole = length == 0 || length > FLUSH_PAGES_MAX * PAGE_SIZE;

	flush.length = ((va & (PAGE_SIZE - 1)) + length + PAGE_SIZE - 1) & -PAGE_SIZE;
	if (whole) {
		flush.start = 0;
		flush.length = WHOLE_SPACE;
	}
	if (cpus & 1ull << this_cpu()->id) {
		if (whole)
			arch_tlb_drop_asid(asid);
		else
			drop_pages(&flush);
	}
	flush_others(&flush, cpus);
}

void arch_tlb_flush_all(void)
{
	struct flush flush = { REMOTE_SFENCE, 0, WHOLE_SPACE, 0 };

	arch_tlb_drop_all();
	flush_others(&flush, ~0ull);
}

/*
 * Svpbmt could express UC and WC, but nothing drops a line from the caches without Zicbom, and the
 * direct map fills them.
 */
unsigned int arch_mmu_uncached(void)
{
	return 0;
}

void arch_cache_flush(const void *kva, size_t length)
{
	(void)kva;
	(void)length;
}

/*
 * fence.i makes this hart's fetches see its own stores; the others must do their own after those
 * are visible.
 */
void arch_sync_code(const void *kva, size_t length)
{
	struct flush flush = { REMOTE_FENCE_I, 0, 0, 0 };

	(void)kva;
	(void)length;
	__asm__ volatile("fence.i" : : : "memory");
	flush_others(&flush, ~0ull);
}
