// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel's own address space, see mm/kmap.h.
 *
 * The first tables come from a small pool, enough for the image, the MMIO window and the memory
 * around the image. With those installed there is memory to make tables for all the rest.
 *
 * Device registers may be mapped before that, in the architecture's early tables; the list of
 * such windows is kept and they are made again, at the same addresses, in the final ones.
 */
#include <base/bits.h>
#include <boot/discover.h>
#include <boot/machine.h>
#include <boot/ranges.h>
#include <log.h>
#include <mm/bootmem.h>
#include <mm/kmap.h>
#include <mm/phys.h>
#include <panic.h>
#include <sections.h>
#include <spinlock.h>

#define LOG_PREFIX "kmap"

#define MAX_LEAF_LEVEL 2u /* 1 GiB: the largest entry that every machine has */
#define RW (PTE_R | PTE_W | PTE_GLOBAL)

struct tables {
	pte_t *root;
	unsigned int levels;
};

static struct tables kernel; /* root NULL: not made yet */
static bool installed;

/* ---- Making entries ---- */

static pte_t *lower_table(pte_t *slot, unsigned int level)
{
	if (!arch_pte_valid(*slot)) {
		pte_t *table = boot_pages_alloc(1);

		arch_pte_set(slot, arch_pte_table(bootmem_phys(table)));
		return table;
	}
	if (!arch_pte_is_table(*slot, level))
		panic("kernel mappings overlap");
	return bootmem_virt(arch_pte_addr(*slot));
}

/* The entry of `level` that translates va; tables above it are made as needed. */
static pte_t *reach(struct tables t, uintptr_t va, unsigned int level)
{
	pte_t *table = t.root;

	for (unsigned int l = t.levels - 1; l > level; l--)
		table = lower_table(&table[PT_INDEX(va, l)], l);
	return &table[PT_INDEX(va, level)];
}

static unsigned int largest_level(uintptr_t va, paddr_t pa, uint64_t size)
{
	unsigned int level = MAX_LEAF_LEVEL;

	while (level > 0 && (!is_aligned(va | pa, PT_SIZE(level)) || size < PT_SIZE(level)))
		level--;
	return level;
}

/*
 * All three page-aligned. In live tables the caller flushes afterwards: a walker may remember that
 * an entry of any level was invalid.
 */
static void map(struct tables t, uintptr_t va, paddr_t pa, uint64_t size, unsigned int prot)
{
	while (size > 0) {
		unsigned int level = largest_level(va, pa, size);
		pte_t *slot = reach(t, va, level);

		if (arch_pte_valid(*slot))
			panic("kernel mappings overlap at %#lx", va);
		arch_pte_set(slot, arch_pte_leaf(pa, level, prot));
		va += PT_SIZE(level);
		pa += PT_SIZE(level);
		size -= PT_SIZE(level);
	}
}

/* ---- The image ---- */

static void map_part(const char *start, const char *end, unsigned int prot)
{
	map(kernel, (uintptr_t)start, image_to_phys(start), (uint64_t)(end - start),
	    prot | PTE_GLOBAL);
}

static void map_image(void)
{
	map_part(__text_start, __text_end, PTE_R | PTE_X);
	map_part(__rodata_start, __rodata_end, PTE_R);
	map_part(__data_start, __kernel_end, PTE_R | PTE_W);
}

/* ---- The direct map ---- */

/* What it covers so far. */
static struct range direct[MACHINE_MAX_BANKS + MACHINE_MAX_PMEM + 2];
static unsigned int direct_count;

/* Add the pages of r that are not there yet. */
static void map_direct(struct range r, unsigned int prot)
{
	struct range todo[ARRAY_SIZE(direct) + 1] = { range_outer_pages(r) };
	unsigned int count = todo[0].size != 0;

	for (unsigned int i = 0; i < direct_count; i++)
		ranges_subtract(todo, &count, ARRAY_SIZE(todo), direct[i]);
	for (unsigned int i = 0; i < count; i++)
		map(kernel, arch_mmu.direct_base + todo[i].base, todo[i].base, todo[i].size, prot);
	if (!ranges_add(direct, &direct_count, ARRAY_SIZE(direct), range_outer_pages(r)))
		panic("too many memory ranges");
}

/* The second mapping of the image's constant parts must not be a way to change them. */
static void map_image_alias(void)
{
	struct range constant = { image_to_phys(__text_start),
				  (uint64_t)(__rodata_end - __text_start) };

	map_direct(constant, PTE_R | PTE_GLOBAL);
}

/* The memory that the image stands in; if the tree denies that there is any, what comes first. */
static struct range home_range(void)
{
	struct range image = { machine.image_phys, PAGE_SIZE };

	for (unsigned int i = 0; i < machine.memory_count; i++) {
		if (ranges_contain(&machine.memory[i], 1, image))
			return machine.memory[i];
	}
	return machine.memory[0];
}

/* ---- The MMIO window ---- */

#define WINDOW_SIZE PT_SIZE(2) /* what of MMIO_SIZE has tables from the start */
#define MAX_WINDOWS 32

static struct spinlock window_lock = SPINLOCK_INIT;
/* Guarded by window_lock. */
static struct window {
	uintptr_t va;
	paddr_t base;
	uint64_t size;
	unsigned int prot;
} windows[MAX_WINDOWS];
static unsigned int window_count;
static uint64_t window_used;

/* A place in the window, aligned so that large entries fit. */
static bool place_window(struct window *w)
{
	uint64_t at = window_used;

	if (w->size >= PT_SIZE(1))
		at = align_up(at, PT_SIZE(1)) + (w->base & (PT_SIZE(1) - 1));
	if (window_count == MAX_WINDOWS || !range_within(at, w->size, WINDOW_SIZE))
		return false;
	w->va = MMIO_BASE + at;
	window_used = at + w->size;
	windows[window_count++] = *w;
	return true;
}

static struct tables live_tables(void)
{
	return installed ? kernel : (struct tables){ arch_mmu_early_root(), arch_mmu_early_levels };
}

void *kmap_window(paddr_t base, uint64_t size, unsigned int prot)
{
	struct range pages = range_outer_pages((struct range){ base, size });
	struct window w = { 0, pages.base, pages.size, prot | PTE_GLOBAL };
	bool placed;

	if (size == 0 || base + size < base)
		return NULL;
	spin_lock(&window_lock);
	placed = place_window(&w);
	if (placed) {
		map(live_tables(), w.va, w.base, w.size, w.prot);
		arch_tlb_flush_all();
	}
	spin_unlock(&window_lock);
	if (!placed) {
		log_error("no room in the device window for %#lx bytes at %#lx", size, base);
		return NULL;
	}
	return (void *)(w.va + (base - w.base));
}

static void map_windows(void)
{
	/* Roots that share the kernel's top-level entries must see windows that come later. */
	reach(kernel, MMIO_BASE, 1);
	for (unsigned int i = 0; i < window_count; i++)
		map(kernel, windows[i].va, windows[i].base, windows[i].size, windows[i].prot);
}

/* ---- The whole ---- */

static void check_reach(void)
{
	uint64_t end = machine.fdt_phys + fdt_used_size(machine.fdt);

	machine_limit(arch_mmu.direct_size);
	if (machine.bank_count == 0 || end > arch_mmu.direct_size ||
	    image_to_phys(__kernel_end) > arch_mmu.direct_size)
		panic("what the boot loader placed is out of reach of %s translation",
		      arch_mmu.name);
}

void kmap_init(void)
{
	struct range tree = { machine.fdt_phys, fdt_used_size(machine.fdt) };

	check_reach();
	kernel.levels = arch_mmu.levels;
	kernel.root = boot_pages_alloc(1);
	map_image();
	map_windows();
	map_image_alias();
	map_direct(home_range(), RW);
	arch_mmu_install(bootmem_phys(kernel.root));
	installed = true;

	bootmem_use(home_range());
	for (unsigned int i = 0; i < machine.memory_count; i++)
		map_direct(machine.memory[i], RW);
	arch_tlb_flush_all();
	bootmem_use((struct range){ 0, UINT64_MAX });
	for (unsigned int i = 0; i < machine.pmem_count; i++)
		map_direct(machine.pmem[i], RW);
	map_direct(tree, RW);
	arch_tlb_flush_all();
	machine.fdt = phys_to_virt(machine.fdt_phys);
	log_info("%s translation, image at %#lx", arch_mmu.name, machine.image_phys);
}

paddr_t kmap_root(void)
{
	return bootmem_phys(kernel.root);
}

void kmap_share(pte_t *user_root)
{
	if (!arch_mmu.shared_root)
		return;
	for (unsigned int i = PT_ENTRIES / 2; i < PT_ENTRIES; i++)
		user_root[i] = kernel.root[i];
}
