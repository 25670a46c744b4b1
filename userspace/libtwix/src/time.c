// SPDX-License-Identifier: BSD-3-Clause
/* Clocks and sleeping. */
#include "twix.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>

/* Linux's number of a clock as ours; -EINVAL. */
static int clock_of(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		return TWZ_CLOCK_REAL;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		return TWZ_CLOCK_MONOTONIC;
	case CLOCK_PROCESS_CPUTIME_ID:
		return TWZ_CLOCK_PROGRAM_CPU;
	case CLOCK_THREAD_CPUTIME_ID:
		return TWZ_CLOCK_THREAD_CPU;
	default:
		return -EINVAL;
	}
}

long twix_clock_gettime(const long a[6])
{
	int clock = clock_of((clockid_t)a[0]);

	return clock < 0 ? clock : twz_clock_get(clock, (struct timespec *)a[1]);
}

long twix_clock_getres(const long a[6])
{
	struct timespec *ts = (void *)a[1];
	int clock = clock_of((clockid_t)a[0]);

	if (clock < 0)
		return clock;
	if (ts)
		*ts = (struct timespec){ .tv_nsec = 1 };
	return 0;
}

long twix_gettimeofday(const long a[6])
{
	struct timeval *tv = (void *)a[0];
	uint64_t now = twz_clock_real_ns();

	if (tv)
		*tv = (struct timeval){ .tv_sec = (time_t)(now / TWIX_NS), .tv_usec = (suseconds_t)(now % TWIX_NS / 1000) };
	return 0;
}

struct timespec twix_time_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / TWIX_NS), .tv_nsec = (long)(ns % TWIX_NS) };
}

bool twix_is_duration(const struct timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < (long)TWIX_NS;
}

int twix_until(const struct timespec *ts, uint64_t *until)
{
	*until = UINT64_MAX;
	if (!ts)
		return 0;
	if (!twix_is_duration(ts))
		return -EINVAL;
	if ((uint64_t)ts->tv_sec < 1ull << 33)
		*until = twz_clock_ns() + (uint64_t)ts->tv_sec * TWIX_NS + (uint64_t)ts->tv_nsec;
	return 0;
}

static uint64_t ns_of(const struct timespec *ts)
{
	uint64_t ns;

	if (__builtin_mul_overflow((uint64_t)ts->tv_sec, TWIX_NS, &ns) ||
	    __builtin_add_overflow(ns, (uint64_t)ts->tv_nsec, &ns))
		return UINT64_MAX;
	return ns;
}

/* Sleep until the monotonic clock says so; what remains goes to *rest. */
static long sleep_until(uint64_t deadline, struct timespec *rest)
{
	struct timespec at = twix_time_of(deadline);
	struct sys_thread_sync_args room;
	uint64_t now;

	while ((now = twz_clock_ns()) < deadline) {
		if (twix_sleep(0, &room, deadline == UINT64_MAX ? NULL : &at) != -EINTR)
			continue;
		now = twz_clock_ns();
		now = now < deadline ? deadline - now : 0;
		if (rest)
			*rest = twix_time_of(now);
		return -EINTR;
	}
	return 0;
}

static uint64_t later(uint64_t ns)
{
	uint64_t at;

	return __builtin_add_overflow(twz_clock_ns(), ns, &at) ? UINT64_MAX : at;
}

long twix_nanosleep(const long a[6])
{
	const struct timespec *want = (const void *)a[0];

	return twix_is_duration(want) ? sleep_until(later(ns_of(want)), (struct timespec *)a[1]) : -EINVAL;
}

long twix_clock_nanosleep(const long a[6])
{
	const struct timespec *want = (const void *)a[2];
	int clock = clock_of((clockid_t)a[0]);
	uint64_t ns, now;

	if (clock < 0 || clock == TWZ_CLOCK_THREAD_CPU || !twix_is_duration(want))
		return -EINVAL;
	if (clock == TWZ_CLOCK_PROGRAM_CPU)
		return -EOPNOTSUPP;
	ns = ns_of(want);
	if (!((int)a[1] & TIMER_ABSTIME))
		return sleep_until(later(ns), (struct timespec *)a[3]);
	now = clock == TWZ_CLOCK_REAL ? twz_clock_real_ns() : twz_clock_ns();
	return ns > now ? sleep_until(later(ns - now), NULL) : 0;
}
