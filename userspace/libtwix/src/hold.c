// SPDX-License-Identifier: BSD-3-Clause
/*
 * The locks that stand in this program's own data, and all of them at once: a copy of the program,
 * which fork() makes, has the data as it was, and none of the threads that would give a lock back.
 * Who forks holds every lock around the copy, libtwz's too, so that what they guard is copied whole;
 * the copy makes them free before it does anything else. Locks in the object that all programs share
 * are not among these: their holders go on.
 *
 * A handler for a signal may run where a thread is in libtwz, called by the program itself; it looks at
 * the actions then, so that their lock comes after libtwz's.
 */
#include "twix.h"

#include <string.h>
#include <twz/sys/locks.h>

_Alignas(64) struct mutex twix_own_locks[TWIX_OWN_LOCKS];

void twix_hold(void)
{
	if (!twz_locks_needed())
		return;
	for (unsigned i = TWIX_LOCK_FORK + 1; i < TWIX_LOCK_ACTIONS; i++)
		mutex_acquire(&twix_own_locks[i]);
	twz_locks_hold();
	mutex_acquire(&twix_own_locks[TWIX_LOCK_ACTIONS]);
}

void twix_let_go(void)
{
	if (!twz_locks_needed())
		return;
	mutex_release(&twix_own_locks[TWIX_LOCK_ACTIONS]);
	twz_locks_let_go();
	for (unsigned i = TWIX_LOCK_ACTIONS; i > TWIX_LOCK_FORK + 1; i--)
		mutex_release(&twix_own_locks[i - 1]);
}

void twix_hold_in_copy(void)
{
	memset(twix_own_locks, 0, sizeof(twix_own_locks));
	twz_locks_in_copy();
}
