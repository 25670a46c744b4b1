// SPDX-License-Identifier: BSD-3-Clause
/*
 * Pages for threads when memory is out: a few for each, so that who needs no more lives until who takes
 * it all is ended; and for the fault handlers of those who are told. Those, and the end of what they
 * are part of, need some themselves: without them such a thread could only be ended, and nobody
 * would learn of it. Context: any, the page lock not held.
 */
#ifndef MM_RESERVE_H
#define MM_RESERVE_H

#include <stdbool.h>

struct thread;

/*
 * The thread's fault cannot be resolved for want of memory. True: there is a page for it now, on this
 * CPU; try again. False: tell it.
 */
bool reserve_take(struct thread *thread);

/* Fill the reserve, if there is memory again. At boot, when a thread has gone, when a CPU is idle. */
void reserve_fill(void);

#endif
