// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mutexes that may stand in any object that those who use it can write, also a persistent one, for
 * threads of any view. A mutex names its holder, which inherits the priority of those who wait, and
 * is missed when it ends, by a fault, a kill or a power cut: the next to take the mutex gets it. Not
 * recursive. All-zero is free. Not durable: never flushed.
 */
#ifndef TWZ_MUTEX_H
#define TWZ_MUTEX_H

#include <abi/mutex.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Make m free; only before anyone else can see it. */
void mutex_init(struct mutex *m);

/* Take m, sleeping while another thread holds it. */
void mutex_acquire(struct mutex *m);

/*
 * As mutex_acquire; returns 1 if the last holder ended, or vanished in a reset, without giving m
 * back, so that what m guards may be mid-change; 0 otherwise. Said once: to whoever gets it.
 */
int mutex_acquire_r(struct mutex *m);

/* Take m if it is free, or its holder has gone: 0, or -EBUSY. Does not sleep. */
int mutex_try(struct mutex *m);

/* As mutex_try; 1 as for mutex_acquire_r. */
int mutex_try_r(struct mutex *m);

/* Give m back. The caller holds it. */
void mutex_release(struct mutex *m);

#ifdef __cplusplus
}
#endif

#endif
