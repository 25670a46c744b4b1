// SPDX-License-Identifier: BSD-3-Clause
/*
 * Address translation: 48-bit halves, TTBR1 for the kernel, TTBR0 for the user, see
 * docs/arch-arm64.md.
 */
#define LOG_PREFIX "mmu"

#include <arch/mmu.h>
#include <boot/machine.h>
#include <cpu.h>
#include <log.h>
#include <machine/layout.h>
#include <machine/sysreg.h>

#include "boot.h"

#define LEVELS 4u
#define DIRECT_BASE 0xffff000000000000ul
#define DIRECT_MAX (511ul << 39) /* the last 512 GiB are the rest of the kernel's */

/* Above so many pages, dropping a whole ASID is cheaper than a broadcast for each. */
#define FLUSH_PAGES_MAX 64u

#define TTBR_ASID_SHIFT 48

struct arch_mmu arch_mmu;
const unsigned int arch_mmu_early_levels = LEVELS;

/* Stands in TTBR0 when there is no user space, and between two roots in TTBR1. */
static const pte_t empty_root[PT_ENTRIES] __attribute__((aligned(4096)));

paddr_t boot_phys(const void *symbol)
{
	return boot_image + ((uintptr_t)symbol - KERNEL_BASE);
}

/* There is one mode; mmu= is checked only so that a wrong name does not go unnoticed. */
unsigned int arch_fdt_mmu_limit(const void *fdt)
{
	size_t length;
	const char *name = boot_option("mmu", &length);

	(void)fdt;
	if (name && !boot_option_is("mmu", "48-bit"))
		log_warn("mmu=%.*s: unknown, this machine has 48-bit", (int)length, name);
	return 0;
}

/* Bits of a physical address, by ID_AA64MMFR0_EL1.PARange; start.S limits IPS to 48 likewise. */
static unsigned int physical_bits(uint64_t mmfr0)
{
	static const unsigned char bits[] = { 32, 36, 40, 42, 44 };
	unsigned int range = id_field(mmfr0, 0);

	return range < sizeof(bits) ? bits[range] : 48;
}

void arch_mmu_probe(unsigned int limit)
{
	uint64_t mmfr0 = sysreg_read(id_aa64mmfr0_el1);
	uint64_t reach = 1ul << physical_bits(mmfr0);

	(void)limit;
	arch_mmu = (struct arch_mmu){
		.levels = LEVELS,
		.user_slots = 1u << (48 - 30),
		.asid_count = id_field(mmfr0, 4) == 2 ? 65536 : 256,
		.shared_root = false,
		.direct_base = DIRECT_BASE,
		.direct_size = reach < DIRECT_MAX ? reach : DIRECT_MAX,
		.name = "48-bit",
	};
}

pte_t *arch_mmu_early_root(void)
{
	return boot_root;
}

/* The ISB makes instructions after it translate by the new value. */
static void set_user_root(uint64_t ttbr)
{
	sysreg_write(ttbr0_el1, ttbr);
	isb();
}

void arch_mmu_install(paddr_t root)
{
	void (*replace)(paddr_t, paddr_t) =
		(void (*)(paddr_t, paddr_t))boot_phys((const void *)mmu_replace_root);

	boot_secondary_root = root;
	dsb(ish);
	set_user_root(boot_phys(boot_identity));
	replace(root, boot_phys(empty_root));
	set_user_root(boot_phys(empty_root));
	arch_tlb_flush_all();
}

/*
 * DSB ISHST first: the stores that unlinked the entries must be visible to all walkers before any
 * TLB forgets them, or a walk could fetch them again. The TLBI is broadcast to the inner shareable
 * domain; the DSB ISH after it waits until every CPU has done it *and* has finished the
 * accesses that used the old translations. The ISB drops what this CPU fetched or walked early.
 *
 * A CPU that is alone uses the forms without IS, which reach it alone, and DSB NSH, which waits
 * for it alone.
 *
 * VAE1, not VALE1: it also drops what walks cached of the upper levels for that address, so
 * that unlinked tables may be reused. It takes one ASID or global entries, so user ranges only
 * need it.
 */
static void flush_everywhere(uint64_t tag, uint64_t page, size_t pages)
{
	if (pages == 0)
		__asm__ volatile("tlbi aside1is, %0" : : "r"(tag) : "memory");
	for (; pages > 0; pages--, page++)
		__asm__ volatile("tlbi vae1is, %0" : : "r"(tag | page) : "memory");
	dsb(ish);
	isb();
}

static void flush_here(uint64_t tag, uint64_t page, size_t pages)
{
	if (pages == 0)
		__asm__ volatile("tlbi aside1, %0" : : "r"(tag) : "memory");
	for (; pages > 0; pages--, page++)
		__asm__ volatile("tlbi vae1, %0" : : "r"(tag | page) : "memory");
	dsb(nsh);
	isb();
}

void arch_tlb_flush_asid(uint32_t asid, uintptr_t va, size_t length, uint64_t cpus)
{
	uint64_t tag = (uint64_t)asid << TTBR_ASID_SHIFT;
	uint64_t page = va >> PAGE_SHIFT & ((1ul << 44) - 1);
	size_t pages = (length + (va & (PAGE_SIZE - 1)) + PAGE_SIZE - 1) >> PAGE_SHIFT;

	if (length == 0 || pages > FLUSH_PAGES_MAX)
		pages = 0;
	dsb(ishst);
	if (cpus == 1ull << this_cpu()->id)
		flush_here(tag, page, pages);
	else
		flush_everywhere(tag, page, pages);
}

void arch_tlb_flush_all(void)
{
	dsb(ishst);
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
	dsb(ish);
	isb();
}

void arch_tlb_drop_asid(uint32_t asid)
{
	dsb(ishst);
	flush_here((uint64_t)asid << TTBR_ASID_SHIFT, 0, 0);
}

void arch_tlb_drop_all(void)
{
	dsb(ishst);
	__asm__ volatile("tlbi vmalle1" : : : "memory");
	dsb(nsh);
	isb();
}

/*
 * Root and ASID are one register, so there is no instant with one address space's tables under the
 * other's tag.
 */
void arch_mmu_switch(paddr_t root, uint32_t asid)
{
	if (root == 0)
		root = boot_phys(empty_root);
	set_user_root(root | (uint64_t)asid << TTBR_ASID_SHIFT);
}
