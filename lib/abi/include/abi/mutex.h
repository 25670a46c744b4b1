// SPDX-License-Identifier: BSD-3-Clause
/*
 * The mutex word, which may stand in persistent objects: bits 0–1 are the state, bits 2–63 the
 * boot code. A word from another boot counts as free. All-zero is free.
 */
#ifndef ABI_MUTEX_H
#define ABI_MUTEX_H

#include <abi/types.h>

struct mutex {
	uint64_t sleep;     /* atomic */
	uint64_t resetcode; /* 0 */
};

#define MUTEX_INIT { 0, 0 }
#define MUTEX_FREE 0u
#define MUTEX_HELD 1u
#define MUTEX_CONTENDED 2u
#define MUTEX_STATE_MASK 3u
#define MUTEX_BOOT_SHIFT 2

_Static_assert(sizeof(struct mutex) == 16, "mutex");

#endif
