// SPDX-License-Identifier: BSD-3-Clause
/*
 * Contexts that are detached when a thread makes a certain system call, or when that returns.
 * Threads that have such take their calls through a table of their own; all others pay nothing.
 */
#ifndef SEC_LATE_H
#define SEC_LATE_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/types.h>

struct thread;

/*
 * Ask for it: context `id` (0: all that are attached), TWZ_DETACH_* flags, call by its place in the
 * table. Requests add up. The thread is the current one, or the lock of its object is held. False:
 * it is not attached.
 */
bool sec_late_request(struct thread *thread, objid_t id, uint32_t flags, unsigned int call);

/* The current thread makes a call. No lock held. */
void sec_late_enter(struct thread *thread, unsigned int call);

/*
 * It is on its way to user mode: if a call was under way that is over now, and is not made again,
 * so be it.
 */
void sec_late_returned(struct thread *thread);

#endif
