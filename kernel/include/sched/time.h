// SPDX-License-Identifier: BSD-3-Clause
/*
 * Time since boot, and its relation to the hardware counter.
 */
#ifndef SCHED_TIME_H
#define SCHED_TIME_H

#include <stdint.h>

struct twz_time;

/* Boot CPU, once. Panics with a clear message when the machine has no timer. */
void time_init(const void *fdt);

uint64_t time_now_ns(void);              /* monotonic, since boot */
uint64_t time_ticks_from_ns(uint64_t ns); /* counter value at a monotonic time; saturates */
uint64_t time_ns_from_ticks(uint64_t ticks); /* a duration */
uint64_t time_hz(void);

/* Fill in what programs need to tell the monotonic time themselves; the rest is left alone. */
void time_describe(struct twz_time *time);

#endif
