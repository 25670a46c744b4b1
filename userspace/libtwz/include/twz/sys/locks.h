// SPDX-License-Identifier: BSD-3-Clause
/*
 * For a C library that makes a copy of the running program, to fork: other threads may be in the
 * middle of libtwz, and the copy has none of them that would go on.
 *
 * Who copies holds all locks that libtwz has in the program's data, so that what they guard is copied
 * whole: after its own locks, and with nothing between but system calls, twz_view_get, twz_view_set and
 * twz_view_clone with VIEW_CLONE_LOCKED. The copy's first thread makes them free before anything else
 * of libtwz runs (prepare of struct __twz_start_record).
 */
#ifndef TWZ_SYS_LOCKS_H
#define TWZ_SYS_LOCKS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether this program ever made a thread; if not, no lock needs to be held for a copy. */
bool twz_locks_needed(void);

/* Take them all, with that of the current view's slot table, in their order; sleeps. */
void twz_locks_hold(void);

/* Give them back. */
void twz_locks_let_go(void);

/* In the copy, by its only thread: they are free, and no other thread was made. */
void twz_locks_in_copy(void);

#ifdef __cplusplus
}
#endif

#endif
