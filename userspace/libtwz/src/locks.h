// SPDX-License-Identifier: BSD-3-Clause
/*
 * The locks that stand in the program's own data: all of them are places of one array, in the order
 * in which a thread takes several. A copy of the data, which a C library makes to fork, has them as
 * they were: whoever makes it holds them all (twz/sys/locks.h), and the copy's first thread makes
 * them free. What they guard is then whole in the copy, too.
 *
 * Locks that stand in objects are the objects', not the program's, and are not among these.
 */
#ifndef TWZ_LOCKS_H
#define TWZ_LOCKS_H

#include <twz/mutex.h>

#define LOCKS_HIERINDEX 64u
#define LOCKS_FOTHASH 16u
#define LOCKS_POOL 26u

enum {
	LOCK_NAME_ROOT, /* name.c */
	LOCK_ENV,       /* env.c */
	LOCK_DERIVE,    /* ptr.c */
	LOCK_HIERINDEX, /* hierindex.c: one for each index */
	LOCK_FOTHASH = LOCK_HIERINDEX + LOCKS_HIERINDEX, /* fothash.c: for the objects in some slots */
	/* here: that of the slot table of the view the thread is in (slots.c) */
	LOCK_FOTMAP = LOCK_FOTHASH + LOCKS_FOTHASH, /* fotmap.c */
	LOCK_POOL,                                  /* pool.c: one for each size */
	LOCK_FAULTS = LOCK_POOL + LOCKS_POOL,       /* fault.c */
	LOCKS,
};

extern struct mutex __twz_locks[LOCKS];

/* slots.c: the lock of this view's slot table. */
void __twz_slots_hold(void);
void __twz_slots_let_go(void);

/* A thread was made that runs in this program. */
void __twz_locks_need(void);

#endif
