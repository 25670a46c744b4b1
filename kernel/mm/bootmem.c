// SPDX-License-Identifier: BSD-3-Clause
/* Memory before the page allocator, see mm/bootmem.h. Boot CPU only: no lock. */
#include <base/bits.h>
#include <mm/bootmem.h>
#include <mm/phys.h>
#include <panic.h>
#include <sections.h>

/*
 * Tables for the image, the MMIO window and one bank, in the deepest mode; the rest goes to phys.
 */
#define POOL_PAGES 28

static char pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static unsigned int pool_used;
static struct range usable; /* banks inside it may be taken from */
static bool closed;         /* the page allocator has everything */

paddr_t image_to_phys(const void *symbol)
{
	return machine.image_phys + ((uintptr_t)symbol - (uintptr_t)__kernel_start);
}

void bootmem_use(struct range range)
{
	usable = range;
}

static bool in_pool(uintptr_t address)
{
	return address >= (uintptr_t)pool && address < (uintptr_t)pool + sizeof(pool);
}

paddr_t bootmem_phys(const void *page)
{
	return in_pool((uintptr_t)page) ? image_to_phys(page) : virt_to_phys(page);
}

/*
 * Pages of the image (the pool, the architecture's early tables) are named by their image address.
 */
void *bootmem_virt(paddr_t page)
{
	uint64_t offset = page - machine.image_phys;

	if (offset < (uint64_t)(__kernel_end - __kernel_start))
		return (void *)((uintptr_t)__kernel_start + offset);
	return phys_to_virt(page);
}

static bool bank_usable(struct range bank, uint64_t size)
{
	uint64_t end = usable.size == UINT64_MAX ? UINT64_MAX : usable.base + usable.size;

	return bank.size >= size && bank.base >= usable.base && bank.base <= end - size;
}

/* From the bottom of the first bank that is large enough: the small ones go first. */
static void *take_from_banks(uint64_t size)
{
	for (unsigned int i = 0; i < machine.bank_count; i++) {
		struct range *bank = &machine.banks[i];

		if (!bank_usable(*bank, size))
			continue;
		void *pages = phys_to_virt(bank->base);
		bank->base += size;
		bank->size -= size;
		__builtin_memset(pages, 0, size);
		return pages;
	}
	return NULL;
}

/* The pool is in bss, so its pages are zero. */
static void *take_from_pool(size_t pages)
{
	void *taken = pool[pool_used];

	if (pages > POOL_PAGES - pool_used)
		return NULL;
	pool_used += pages;
	return taken;
}

static void *take_from_allocator(size_t pages)
{
	unsigned int order = 0;
	void *taken;

	while ((size_t)1 << order < pages)
		order++;
	taken = pages_alloc(order);
	if (taken != NULL)
		__builtin_memset(taken, 0, PAGE_SIZE << order);
	return taken;
}

void *boot_pages_alloc(size_t pages)
{
	void *taken;

	if (closed)
		taken = take_from_allocator(pages);
	else if (usable.size != 0)
		taken = take_from_banks(pages * PAGE_SIZE);
	else
		taken = take_from_pool(pages);
	if (taken == NULL)
		panic("out of memory at boot: no room for %zu KiB", pages * (PAGE_SIZE / 1024));
	return taken;
}

struct range bootmem_close(void)
{
	struct range rest = { image_to_phys(pool[0]) + pool_used * PAGE_SIZE,
			      (POOL_PAGES - pool_used) * PAGE_SIZE };

	closed = true;
	return rest;
}
