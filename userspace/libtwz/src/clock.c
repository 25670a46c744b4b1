// SPDX-License-Identifier: BSD-3-Clause
/* Time, and actions on the machine. */
#include "runtime.h"

#include <twz/sys/sys.h>

#define NS_PER_SEC 1000000000ull

uint64_t twz_clock_ns(void)
{
	struct timespec ts;

	if (sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_GET, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

int twz_sleep_ns(uint64_t ns)
{
	struct timespec ts = { (long)(ns / NS_PER_SEC), (long)(ns % NS_PER_SEC) };

	return (int)sys_thread_sync(0, NULL, &ts);
}

long twz_root_action(int cmd, uint64_t arg)
{
	struct sys_kaction_args a = {
		.id = KSO_ROOT_ID,
		.cmd = cmd,
		.arg = arg,
		.flags = KACTION_VALID,
	};
	long r = sys_kaction(1, &a);

	return r < 0 ? r : a.result;
}
