// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory before the page allocator: a small pool in the image while nothing else is mapped, then
 * the machine's banks, as far as the direct map covers them. boot_pages_alloc() is in mm/phys.h.
 */
#ifndef MM_BOOTMEM_H
#define MM_BOOTMEM_H

#include <boot/machine.h>

/*
 * From now on take memory from banks inside this range, which the direct map covers. Called
 * again, it replaces the range; size UINT64_MAX stands for everything.
 */
void bootmem_use(struct range range);

/*
 * Kernel address of a page that boot_pages_alloc() returned, before or after the direct map is
 * there.
 */
void *bootmem_virt(paddr_t page);
paddr_t bootmem_phys(const void *page);

/*
 * The page allocator takes over: returns what is left of the pool. From now on boot_pages_alloc()
 * takes from the page allocator, whole blocks.
 */
struct range bootmem_close(void);

#endif
