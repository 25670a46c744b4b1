// SPDX-License-Identifier: BSD-3-Clause
/* Sync points of threads: reaching them, waiting for them, waiting for a thread's end. */
#include "runtime.h"

#include <twz/sys/sys.h>

#define NS_PER_SEC 1000000000ull

static struct twzthread_repr *repr_of(struct thread *t)
{
	return t ? twz_object_base(&t->obj) : twz_thread_repr_base();
}

int twz_thread_ready(struct thread *t, int sp, uint64_t info)
{
	struct twzthread_repr *repr = repr_of(t);
	atomic_ulong *word;

	if (sp < 0 || sp >= THRD_SYNCPOINTS)
		return -EINVAL;
	word = (atomic_ulong *)&repr->syncs[sp];
	__atomic_store_n(&repr->syncinfos[sp], info, __ATOMIC_RELAXED);
	atomic_store_explicit(word, 1, memory_order_release);
	return twz_thread_sync(THREAD_SYNC_WAKE, word, (uint64_t)-1, NULL);
}

/* Note which points are reached and build sleeps for all; returns how many are. */
static ssize_t poll_points(struct thrd_wait_args *a, size_t n, struct sys_thread_sync_args *ops)
{
	ssize_t ready = 0;

	for (size_t i = 0; i < n; i++) {
		struct twzthread_repr *repr = repr_of(a[i].thread);
		uint64_t *word = &repr->syncs[a[i].syncpoint];
		uint64_t *info = &repr->syncinfos[a[i].syncpoint];

		a[i].event = __atomic_load_n(word, __ATOMIC_ACQUIRE) != 0;
		if (a[i].event) {
			a[i].info = __atomic_load_n(info, __ATOMIC_RELAXED);
			ready++;
		}
		twz_thread_sync_init(&ops[i], THREAD_SYNC_SLEEP, (atomic_ulong *)word, 0);
	}
	return ready;
}

ssize_t(twz_thread_wait)(struct thrd_wait_args *a, size_t n)
{
	struct sys_thread_sync_args ops[THREAD_SYNC_MAX_OPS];
	ssize_t ready;
	int r;

	if (n > THREAD_SYNC_MAX_OPS)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (a[i].syncpoint < 0 || a[i].syncpoint >= THRD_SYNCPOINTS)
			return -EINVAL;
	while (n && !(ready = poll_points(a, n, ops))) {
		r = twz_thread_sync_multiple(n, ops, NULL);
		if (r < 0)
			return r;
	}
	return n ? ready : 0;
}

ssize_t __twz_thread_wait5(size_t n, struct thread **threads, int *points, long *event,
    uint64_t *info)
{
	struct thrd_wait_args a[THREAD_SYNC_MAX_OPS];
	ssize_t r;

	if (n > THREAD_SYNC_MAX_OPS)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		a[i] = (struct thrd_wait_args){ .thread = threads[i], .syncpoint = points[i] };
	r = (twz_thread_wait)(a, n);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (event)
			event[i] = a[i].event;
		if (info && a[i].event)
			info[i] = a[i].info;
	}
	return r;
}

static int sleep_until(uint64_t *word, uint64_t deadline)
{
	struct sys_thread_sync_args op;
	struct timespec ts = { (long)(deadline / NS_PER_SEC), (long)(deadline % NS_PER_SEC) };
	long r;

	twz_thread_sync_init(&op, THREAD_SYNC_SLEEP, (atomic_ulong *)word, 0);
	r = sys_thread_sync_abs(1, &op, deadline ? &ts : NULL);
	if (r < 0)
		return (int)r;
	return op.res == THREAD_SYNC_RES_TIMEOUT ? -ETIMEDOUT : 0;
}

int twz_thread_join(struct thread *t, uint64_t *code, uint64_t timeout_ns)
{
	struct twzthread_repr *repr = repr_of(t);
	uint64_t *word = &repr->syncs[THRD_SYNC_EXIT];
	uint64_t deadline = timeout_ns ? twz_clock_ns() + timeout_ns : 0;
	int r;

	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE)) {
		r = sleep_until(word, deadline);
		if (r < 0 && r != -EINTR && !__atomic_load_n(word, __ATOMIC_ACQUIRE))
			return r;
	}
	if (code)
		*code = __atomic_load_n(&repr->syncinfos[THRD_SYNC_EXIT], __ATOMIC_RELAXED);
	return 0;
}
