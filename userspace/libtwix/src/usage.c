// SPDX-License-Identifier: BSD-3-Clause
/* CPU time that a process, its threads and its children have used. All of it is told as the user's. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <twz/sys/sys.h>

#define TICK (TWIX_NS / 100)

static uint64_t clock_ns(int clock)
{
	struct timespec ts = { 0 };

	twz_clock_get(clock, &ts);
	return (uint64_t)ts.tv_sec * TWIX_NS + (uint64_t)ts.tv_nsec;
}

/* What a child of vfork() uses is its parent's until it runs another program. */
static uint64_t used_here(void)
{
	return twix_vfork_is_on() ? 0 : clock_ns(TWZ_CLOCK_PROGRAM_CPU);
}

uint64_t twix_cpu_used(void)
{
	return twix_self()->cpu + used_here();
}

/* The clock begins anew with the next program's view. */
void twix_usage_hand_over(void)
{
	twix_self()->cpu += used_here();
}

void twix_usage_take_back(void)
{
	uint64_t used = used_here();

	twix_self()->cpu -= used < twix_self()->cpu ? used : twix_self()->cpu;
}

void twix_tell_usage(struct rusage *u, uint64_t cpu)
{
	/* The C library's structure has more behind it than Linux's. */
	memset(u, 0, offsetof(struct rusage, ru_nivcsw) + sizeof(u->ru_nivcsw));
	u->ru_utime = (struct timeval){ (time_t)(cpu / TWIX_NS), (suseconds_t)(cpu % TWIX_NS / 1000) };
}

long twix_times(const long a[6])
{
	struct tms *out = (void *)a[0];

	if (out)
		*out = (struct tms){
			.tms_utime = (clock_t)(twix_cpu_used() / TICK),
			.tms_cutime = (clock_t)(twix_self()->cpu_of_children / TICK),
		};
	return (long)(twz_clock_ns() / TICK);
}

long twix_getrusage(const long a[6])
{
	struct rusage *u = (void *)a[1];

	switch ((int)a[0]) {
	case RUSAGE_SELF:
		twix_tell_usage(u, twix_cpu_used());
		return 0;
	case RUSAGE_THREAD:
		twix_tell_usage(u, clock_ns(TWZ_CLOCK_THREAD_CPU));
		return 0;
	case RUSAGE_CHILDREN:
		twix_tell_usage(u, twix_self()->cpu_of_children);
		return 0;
	default:
		return -EINVAL;
	}
}
