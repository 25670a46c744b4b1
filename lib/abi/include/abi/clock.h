// SPDX-License-Identifier: BSD-3-Clause
/*
 * Clocks and the kernel's time value. struct twz_timespec has the layout of the C library's
 * struct timespec; it has its own name so that hosts that have one can include this.
 */
#ifndef ABI_CLOCK_H
#define ABI_CLOCK_H

#include <abi/types.h>

struct twz_timespec {
	int64_t tv_sec;  /* ≥ 0 */
	int64_t tv_nsec; /* 0 … 999999999 */
};

#define TWZ_CLOCK_REAL 0u
#define TWZ_CLOCK_MONOTONIC 1u
#define TWZ_CLOCK_PROGRAM_CPU 2u
#define TWZ_CLOCK_THREAD_CPU 3u

/* Operations of SYS_CLOCK. */
#define TWZ_CLOCK_GET 0u
#define TWZ_CLOCK_RESOLUTION 1u
#define TWZ_CLOCK_SET 2u

/* The real clock takes times below this, in nanoseconds since 1970: the year 2262. */
#define TWZ_CLOCK_REAL_MAX_NS ((uint64_t)1 << 63)

/*
 * The time object: kernel-owned data that everybody may map read-only. At TWZ_TIME_OFFSET from its
 * base stands a struct twz_time, with which a program tells the time from the machine's counter
 * (twz_cpu_counter() of libtwz) without a system call:
 *
 *   monotonic = (counter - start) * ns_per_tick >> TWZ_TIME_SHIFT   (a product of 128 bits)
 *   real      = monotonic + real_offset
 *
 * The first line is the kernel's own formula, bit for bit, so the two never disagree. What the
 * second needs changes when the clock is set: read `sequence` (acquire), again while it is odd;
 * then real_offset and real_source; then `sequence` once more, and start over if it has changed.
 */
#define TWZ_TIME_ID ((objid_t)3)
#define TWZ_TIME_OFFSET 1088u
#define TWZ_TIME_VERSION 1u
#define TWZ_TIME_SHIFT 44u

struct twz_time {
	uint32_t version; /* TWZ_TIME_VERSION */
	uint32_t sequence;
	uint64_t hz;
	uint64_t start;
	uint64_t ns_per_tick;
	int64_t real_offset;  /* nanoseconds since 1970 at monotonic time 0 */
	uint32_t real_source; /* TWZ_REAL_* */
	uint32_t reserved;
};

/* Where the real clock has its time from. */
#define TWZ_REAL_UNKNOWN 0u  /* nowhere: it began at 1970 when the machine was started */
#define TWZ_REAL_RECORDED 1u /* the latest time on record in the store: it is later than that */
#define TWZ_REAL_RTC 2u      /* the machine's real-time clock */
#define TWZ_REAL_SET 3u      /* somebody with the right to set it */

_Static_assert(sizeof(struct twz_timespec) == 16, "timespec");
_Static_assert(offsetof(struct twz_time, start) == 16, "time start");
_Static_assert(offsetof(struct twz_time, real_offset) == 32, "time real_offset");
_Static_assert(sizeof(struct twz_time) == 48, "time");

#endif
