// SPDX-License-Identifier: BSD-3-Clause
/* Calls with one answer here: there is one user and one scheduling class. */
#include "twix.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/times.h>
#include <time.h>
#include <twz/sys/sys.h>

#define TICKS 100 /* a second */

/* Any number may be taken on by user 0; here it stays 0. */
long twix_set_user(const long a[6])
{
	return (int)a[0] == 0 ? 0 : (int)a[0] == -1 ? -EINVAL : -EPERM;
}

/* Of two or three numbers, -1: as it is. */
long twix_set_users(const long a[6])
{
	return ((int)a[0] == 0 || (int)a[0] == -1) && ((int)a[1] == 0 || (int)a[1] == -1) ? 0 : -EPERM;
}

long twix_times(const long a[6])
{
	struct tms *out = (void *)a[0];
	struct timespec ts;

	twz_clock_get(TWZ_CLOCK_PROGRAM_CPU, &ts);
	if (out)
		*out = (struct tms){ .tms_utime = ts.tv_sec * TICKS + ts.tv_nsec / (1000000000 / TICKS) };
	return (long)(twz_clock_ns() / (1000000000 / TICKS));
}

static bool is_there(long pid)
{
	return pid == 0 || twix_process_of((int)pid);
}

long twix_sched_getscheduler(const long a[6])
{
	return (int)a[0] < 0 ? -EINVAL : is_there(a[0]) ? SCHED_OTHER : -ESRCH;
}

long twix_sched_getparam(const long a[6])
{
	if ((int)a[0] < 0 || !a[1])
		return -EINVAL;
	if (!is_there(a[0]))
		return -ESRCH;
	memset((void *)a[1], 0, sizeof(int));
	return 0;
}

/* Both ends of the range of priorities. */
long twix_sched_priority(const long a[6])
{
	return a[0] == SCHED_OTHER || a[0] == SCHED_BATCH || a[0] == SCHED_IDLE ? 0 : -EINVAL;
}
