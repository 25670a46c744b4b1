// SPDX-License-Identifier: BSD-3-Clause
/*
 * Physical memory: a buddy allocator over the machine's RAM banks with a per-CPU cache of single
 * pages. Everything allocated here is in the direct map and addressed by its kernel address.
 *
 * Bookkeeping costs three bytes a page. Context: any, any lock but the page lock held.
 */
#ifndef MM_PHYS_H
#define MM_PHYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arch/cpu.h>
#include <arch/mmu.h>

#define PAGE_MAX_ORDER 10 /* 4 MiB */

static inline void *phys_to_virt(paddr_t pa)
{
	return (void *)(arch_mmu.direct_base + pa);
}

static inline paddr_t virt_to_phys(const void *va)
{
	return (paddr_t)((uintptr_t)va - arch_mmu.direct_base);
}

/* Kernel image addresses are not in the direct map's range: use this for symbols of the image. */
paddr_t image_to_phys(const void *symbol);

/* 2^order contiguous, naturally aligned pages, contents undefined; NULL when there are none. */
void *pages_alloc(unsigned int order);
void pages_free(void *pages, unsigned int order);

/* One page, from this CPU's cache if possible. */
void *page_alloc(void);
void *page_alloc_zero(void);
void page_free(void *page);

/*
 * Sharing a single page between owners (copy-on-write). A page has one owner when it is allocated.
 * page_share() adds one; false when the count is full: copy instead. page_unshare() lets one go:
 * true when others remain, so that the caller has given the page up; false when the caller is the
 * only owner and stays it. The caller has locked the object it owns the page through.
 */
bool page_share(void *page);
bool page_unshare(void *page);
bool page_is_shared(const void *page);

static inline void page_zero(void *page)
{
	arch_page_zero(page);
}

/*
 * Boot: zeroed, contiguous pages that are never freed; panics when dry. Before phys_init() from the
 * first bank that has room (or the early pool while the direct map is not complete), after it whole
 * blocks of the buddy.
 */
void *boot_pages_alloc(size_t pages);

/* Give every free page of machine.banks to the buddy. Boot CPU, once, after kmap_init(). */
void phys_init(void);

/* Give a range back that was reserved at boot (whole pages inside a bank). */
void phys_release(paddr_t base, uint64_t size);

struct phys_stats {
	uint64_t total; /* pages under management */
	uint64_t free;
};
struct phys_stats phys_stats(void);

#endif
