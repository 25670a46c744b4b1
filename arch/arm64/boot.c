// SPDX-License-Identifier: BSD-3-Clause
/*
 * The early tables. boot_map() runs at physical addresses with translation and caches off: it uses
 * no absolute address, and all accesses are aligned.
 */
#include <cpu_layout.h>
#include <machine/layout.h>
#include <sections.h>

#include "boot.h"

#define BLOCK PT_SIZE(1)
#define TABLE __attribute__((section(".bss.boot"), aligned(4096)))

pte_t boot_root[PT_ENTRIES] TABLE;
pte_t boot_identity[PT_ENTRIES] TABLE;
static pte_t identity_l2[PT_ENTRIES] TABLE;
static pte_t identity_l1[PT_ENTRIES] TABLE;
static pte_t kernel_l2[PT_ENTRIES] TABLE;
static pte_t image_l1[PT_ENTRIES] TABLE;
static pte_t image_l0[IMAGE_MAX_TABLES][PT_ENTRIES] TABLE;
static pte_t fdt_l1[PT_ENTRIES] TABLE;
paddr_t boot_image __attribute__((section(".bss.boot")));

uintptr_t boot_map(paddr_t image, paddr_t fdt);

static pte_t table(const void *lower)
{
	return arch_pte_table((paddr_t)(uintptr_t)lower);
}

/* Text, constants and data in pages, each with its own protection from the first instruction on. */
static void map_image(paddr_t image)
{
	size_t text = (size_t)(__text_end - __kernel_start);
	size_t rodata = (size_t)(__rodata_end - __kernel_start);
	size_t end = (size_t)(__kernel_end - __kernel_start);
	pte_t *pages = &image_l0[0][0];

	for (size_t at = 0; at < end; at += PAGE_SIZE) {
		unsigned int prot = at < text ? PTE_R | PTE_X : at < rodata ? PTE_R : PTE_R | PTE_W;

		pages[at / PAGE_SIZE] = arch_pte_leaf(image + at, 0, prot | PTE_GLOBAL);
	}
	for (size_t at = 0; at < end; at += BLOCK)
		image_l1[PT_INDEX(KERNEL_BASE + at, 1)] = table(image_l0[at / BLOCK]);
	kernel_l2[PT_INDEX(KERNEL_BASE, 2)] = table(image_l1);
	boot_root[PT_INDEX(KERNEL_BASE, 3)] = table(kernel_l2);
}

/*
 * The device tree, read-only: the block it begins in, and the next when its stated size reaches
 * there. Returns its kernel address; 0 for an address that no tree can have.
 */
static uintptr_t map_fdt(paddr_t fdt)
{
	paddr_t block = fdt & ~(BLOCK - 1);
	unsigned int blocks = 1;

	if (fdt == 0 || (fdt & 7) || (fdt >> 48))
		return 0;
	/* The second word of a tree is its size, big-endian. */
	uint32_t size = __builtin_bswap32(((const volatile uint32_t *)fdt)[1]);

	if (fdt - block + size > BLOCK)
		blocks = 2;
	for (unsigned int i = 0; i < blocks; i++)
		fdt_l1[PT_INDEX(FDT_WINDOW, 1) + i] =
			arch_pte_leaf(block + i * BLOCK, 1, PTE_R | PTE_GLOBAL);
	kernel_l2[PT_INDEX(FDT_WINDOW, 2)] = table(fdt_l1);
	return FDT_WINDOW + (fdt - block);
}

/* The 2 MiB that hold the boot code, where they are. Stays for CPUs that start later. */
static void map_identity(paddr_t image)
{
	boot_identity[PT_INDEX(image, 3)] = table(identity_l2);
	identity_l2[PT_INDEX(image, 2)] = table(identity_l1);
	identity_l1[PT_INDEX(image, 1)] = arch_pte_leaf(image, 1, PTE_R | PTE_X);
}

uintptr_t boot_map(paddr_t image, paddr_t fdt)
{
	boot_image = image;
	map_image(image);
	map_identity(image);
	return map_fdt(fdt);
}
