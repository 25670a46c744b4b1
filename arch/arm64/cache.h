// SPDX-License-Identifier: BSD-3-Clause
/*
 * Cache maintenance inside this folder.
 */
#ifndef ARM64_CACHE_H
#define ARM64_CACHE_H

#include <stddef.h>

/* Clean and invalidate a range to the point of coherency, and wait for it. */
void cache_clean_to_memory(const void *start, size_t length);

#endif
