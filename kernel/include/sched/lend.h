// SPDX-License-Identifier: BSD-3-Clause
/*
 * Priority inheritance: a thread that sleeps until another lets go of something lends it its level
 * meanwhile, so that the holder is not kept from running by threads that the sleeper goes before
 * (docs/scheduling.md).
 *
 * A holder is named by what a mutex word has room for: 62 bits, those above the lowest two of the low
 * half of its ID, exclusive-or the boot code.
 */
#ifndef SCHED_LEND_H
#define SCHED_LEND_H

#include <stdint.h>

struct thread;

/*
 * A thread begins: it can be found by its name. A thread ends: who sleeps on its account is woken.
 */
void lend_enter(struct thread *thread);
void lend_leave(struct thread *thread);

/*
 * The current thread, about to sleep, lends its level to the holder. -EOWNERDEAD: there is no such
 * thread.
 */
int lend_begin(struct thread *thread, uint64_t holder);

/* The current thread no longer sleeps. Nothing if it lends nothing. */
void lend_end(struct thread *thread);

#endif
