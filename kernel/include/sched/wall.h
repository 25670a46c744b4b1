// SPDX-License-Identifier: BSD-3-Clause
/*
 * The wall clock: the monotonic clock and an offset, which stands in the time object (abi/clock.h)
 * for everybody to read. It comes from the machine's real-time clock, or is set, and never runs
 * behind the latest time on record in the store.
 *
 * Times are nanoseconds since 1970, below TWZ_CLOCK_REAL_MAX_NS. Context: any thread of control
 * that may take the store's lock.
 */
#ifndef SCHED_WALL_H
#define SCHED_WALL_H

#include <stdbool.h>
#include <stdint.h>

/* Find the real-time clock, look up the record, make the time object. Boot CPU, after the store. */
void wall_init(const void *fdt);

uint64_t wall_now_ns(void);

/* Where it comes from, TWZ_REAL_*. Of TWZ_REAL_RTC and above the time can be relied on. */
uint32_t wall_source(void);

/* Whether the machine has a real-time clock that the kernel can use. */
bool wall_has_rtc(void);

/*
 * Set it, the real-time clock too where that can be set, and put the new time on record.
 * -EINVAL: out of range, or before the latest time on record.
 */
int wall_set_ns(uint64_t ns);

/* Put the present time on record, if it is one to rely on and there is a store. */
void wall_record(void);

#endif
