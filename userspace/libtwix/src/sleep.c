// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sleeping in a call that a signal ends. Whoever sends a signal notes it, then counts up the
 * process's `disturbed`. Whoever sleeps reads that count, then looks what has come, and then sleeps
 * while the count is the same, which the kernel compares when it is in the queue already: what came
 * after the look has changed the count. So nothing is lost, however it falls.
 */
#include "twix.h"

#include <errno.h>
#include <twz/sys/sync.h>
#include <twz/sys/syscall.h>

/* Whether one of the first n has a result, so that the caller has to look. */
static bool any_result(size_t n, const struct sys_thread_sync_args *ops)
{
	for (size_t i = 0; i < n; i++)
		if (ops[i].res)
			return true;
	return false;
}

static void clear_results(size_t n, struct sys_thread_sync_args *ops)
{
	for (size_t i = 0; i < n; i++)
		ops[i].res = 0;
}

long twix_sleep(size_t n, struct sys_thread_sync_args *ops, struct timespec *until)
{
	uint64_t *disturbed = &twix_self()->disturbed, seen;
	long r;

	if (!twix_me)
		return sys_thread_sync_abs(n, ops, until);
	for (;;) {
		seen = __atomic_load_n(disturbed, __ATOMIC_SEQ_CST);
		if (twix_interrupted())
			return -EINTR;
		twz_thread_sync_init(&ops[n], THREAD_SYNC_SLEEP, (atomic_ulong *)disturbed, seen);
		clear_results(n + 1, ops);
		r = sys_thread_sync_abs(n + 1, ops, until);
		if (r < 0 && r != -EINTR)
			return r;
		if (any_result(n, ops) || ops[n].res == THREAD_SYNC_RES_TIMEOUT)
			return 0;
	}
}

long twix_sleep_on(uint64_t *word, uint64_t value, uint64_t until)
{
	struct timespec at = twix_time_of(until);
	struct sys_thread_sync_args ops[2];
	long r;

	twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, (atomic_ulong *)word, value);
	r = twix_sleep(1, ops, until == UINT64_MAX ? NULL : &at);
	if (r < 0)
		return r;
	if (ops[0].res == THREAD_SYNC_RES_TIMEOUT || ops[1].res == THREAD_SYNC_RES_TIMEOUT)
		return -ETIMEDOUT;
	return ops[0].res == THREAD_SYNC_RES_DIFFER ? -EAGAIN : 0;
}

void twix_sleep_init(void)
{
	__twz_sleep = twix_sleep;
}
