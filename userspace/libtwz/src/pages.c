// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory for libtwz itself: the unwritten part of the program's data object above its image,
 * which reads as zero and costs nothing until it is touched.
 */
#include "runtime.h"

#define PAGES_START (1ul << 20) /* leaves room for a C library's first break above the image */

extern char __data_end[];

static _Atomic uintptr_t next_page;

void *__twz_pages(size_t bytes)
{
	uintptr_t start = (uintptr_t)__data_end + PAGES_START;
	uintptr_t limit = SLOT_TO_VADDR(VADDR_TO_SLOT(__data_end)) + OBJ_TOPDATA;
	uintptr_t used = atomic_load(&next_page);

	bytes = (bytes + TWZ_PAGE_SIZE - 1) & ~(TWZ_PAGE_SIZE - 1);
	do {
		if (start + used + bytes > limit)
			return NULL;
	} while (!atomic_compare_exchange_weak(&next_page, &used, used + bytes));
	return (void *)(start + used);
}
