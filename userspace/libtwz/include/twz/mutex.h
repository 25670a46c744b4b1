// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mutexes that may stand in any object, also a persistent one: a holder that vanished in a reset
 * no longer holds it. Not recursive. All-zero is free. Not durable: never flushed.
 */
#ifndef TWZ_MUTEX_H
#define TWZ_MUTEX_H

#include <abi/mutex.h>

/* Make m free; only before anyone else can see it. */
void mutex_init(struct mutex *m);

/* Take m, sleeping while another thread holds it. */
void mutex_acquire(struct mutex *m);

/* As mutex_acquire; returns 1 if the last holder vanished in a reset, so that what m guards may
 * be mid-change, 0 otherwise. */
int mutex_acquire_r(struct mutex *m);

/* Take m if it is free: 0, or -EBUSY. */
int mutex_try(struct mutex *m);

/* Give m back. The caller holds it. */
void mutex_release(struct mutex *m);

#endif
