// SPDX-License-Identifier: BSD-3-Clause
/*
 * The pages of a volatile object: a radix tree over 18-bit page numbers, 3 levels of 64 entries,
 * so that an object with a few pages costs a few half-KiB nodes. The metadata page, which every object
 * has far from its others, stands beside it. The object's lock guards both.
 */
#ifndef OBJ_PAGES_H
#define OBJ_PAGES_H

#include <stdint.h>

#define PAGE_NODE_BITS 6u
#define PAGE_NODE_ENTRIES 64u
#define PAGE_NODE_LEVELS 3u

struct page_node {
	uint64_t there; /* a bit for each entry that may not be NULL */
	void *entry[PAGE_NODE_ENTRIES]; /* nodes in the two upper levels, pages in the lowest */
};

#endif
