// SPDX-License-Identifier: BSD-3-Clause
/*
 * Durable stores: Zicbom's cbo.clean, where the harts have it.
 *
 * Without it no instruction moves a dirty line towards memory. A store is then as durable as the
 * platform's caches are: safe where they are inside the persistence domain or do not exist (as
 * under an emulator that keeps the region in a shared file), and otherwise at the mercy of
 * eviction. The kernel cannot tell which, so it reports the mode in which programs ask it (4),
 * keeps order with a fence, and says so at boot.
 */
#include <arch/persist.h>

#include <abi/sysinfo.h>
#include <machine/csr.h>
#include <store/pm.h>

#include "cpu.h"
#include "isa.h"

#define LINE_SIZE_DEFAULT 64u

static uintptr_t block_size; /* of cbo.clean; 0 = not available */

static void clean_blocks(const void *address, size_t length)
{
	uintptr_t at = (uintptr_t)address & -block_size;
	uintptr_t end = (uintptr_t)address + length;

	for (; at < end; at += block_size)
		__asm__ volatile(".insn i 0x0f, 2, x0, %0, 1" : : "r"(at) : "memory");
}

static void clean_nothing(const void *address, size_t length)
{
	(void)address;
	(void)length;
}

/*
 * Fences order cbo.clean as they order loads and stores of its block, and wait for its
 * completion.
 */
static void fence_all(void)
{
	__asm__ volatile("fence iorw, iorw" : : : "memory");
}

static const struct pm_ops zicbom_ops = { .flush = clean_blocks, .fence = fence_all };
static const struct pm_ops ordered_ops = { .flush = clean_nothing, .fence = fence_all };

/* User mode flushes for itself; each hart must be told to let it. */
void pm_cpu_init(void)
{
	if (block_size)
		probe_set_senvcfg(SENVCFG_CBCFE);
}

static uintptr_t usable_block_size(const void *fdt)
{
	unsigned int size = isa_largest_cell(fdt, "riscv,cbom-block-size");

	if (!isa_everywhere(fdt, "zicbom") || size < 16 || size > 4096 || size & (size - 1))
		return 0;
	/* The firmware may not have passed it on. */
	if (!probe_cbo_clean(&zicbom_ops) || !probe_set_senvcfg(SENVCFG_CBCFE))
		return 0;
	return size;
}

struct arch_pm arch_pm_probe(const void *fdt)
{
	block_size = usable_block_size(fdt);
	if (block_size) {
		return (struct arch_pm){
			.ops = &zicbom_ops,
			.flush_mode = TWZ_FLUSH_CBO,
			.line_size = (uint32_t)block_size,
			.describe = "cbo.clean and fence",
		};
	}
	return (struct arch_pm){
		.ops = &ordered_ops,
		.flush_mode = TWZ_FLUSH_SYSCALL,
		.line_size = LINE_SIZE_DEFAULT,
		.describe = "no cache maintenance instructions: stores are ordered by fence, "
			    "and as durable as the platform's caches",
	};
}
