// SPDX-License-Identifier: BSD-3-Clause
/*
 * The mutex word, which may stand in persistent objects. 0 is free. Else it names the holder, which
 * the kernel knows how to find (THREAD_SYNC_OWNED):
 *
 *	bit 0      somebody waits
 *	bit 1      0
 *	bits 2–63  bits 2–63 of the low half of the holder's ID, exclusive-or the boot code
 *
 * A word of another boot, or of a thread that has ended, therefore names nobody.
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
#define MUTEX_CONTENDED 1u
#define MUTEX_BOOT_SHIFT 2

_Static_assert(sizeof(struct mutex) == 16, "mutex");

#endif
