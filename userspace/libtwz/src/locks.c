// SPDX-License-Identifier: BSD-3-Clause
/* All locks of the program's data at once, see locks.h. */
#include "locks.h"

#include <base/string.h>
#include <twz/sys/locks.h>

/* In cache lines of their own, which nothing else is written in. */
_Alignas(64) struct mutex __twz_locks[LOCKS];

static bool needed; /* atomic */

void __twz_locks_need(void)
{
	__atomic_store_n(&needed, true, __ATOMIC_RELAXED);
}

bool twz_locks_needed(void)
{
	return __atomic_load_n(&needed, __ATOMIC_RELAXED);
}

void twz_locks_hold(void)
{
	for (unsigned i = 0; i < LOCK_FOTMAP; i++)
		mutex_acquire(&__twz_locks[i]);
	__twz_slots_hold();
	for (unsigned i = LOCK_FOTMAP; i < LOCKS; i++)
		mutex_acquire(&__twz_locks[i]);
}

void twz_locks_let_go(void)
{
	for (unsigned i = LOCKS; i > LOCK_FOTMAP; i--)
		mutex_release(&__twz_locks[i - 1]);
	__twz_slots_let_go();
	for (unsigned i = LOCK_FOTMAP; i > 0; i--)
		mutex_release(&__twz_locks[i - 1]);
}

void twz_locks_in_copy(void)
{
	if (!twz_locks_needed())
		return;
	memset(__twz_locks, 0, sizeof(__twz_locks));
	__atomic_store_n(&needed, false, __ATOMIC_RELAXED);
}
