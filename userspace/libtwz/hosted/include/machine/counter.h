// SPDX-License-Identifier: BSD-3-Clause
/* The hosted machine's counter: the host's monotonic clock, in nanoseconds. */
#ifndef MACHINE_COUNTER_H
#define MACHINE_COUNTER_H

#include <stdint.h>
#include <time.h>

static inline uint64_t machine_counter(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

#endif
