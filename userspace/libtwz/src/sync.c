// SPDX-License-Identifier: BSD-3-Clause
/* Sleeping on words and waking sleepers. */
#include "runtime.h"

long (*__twz_sleep)(size_t n, struct sys_thread_sync_args *ops, struct timespec *until) = sys_thread_sync_abs;

void twz_thread_sync_init(struct sys_thread_sync_args *a, int op, atomic_ulong *w,
    unsigned long val)
{
	*a = (struct sys_thread_sync_args){
		.addr = (uintptr_t)w,
		.arg = val,
		.op = (uint32_t)op,
	};
}

int twz_thread_sync_multiple(size_t n, struct sys_thread_sync_args *a, struct timespec *to)
{
	return (int)sys_thread_sync(n, a, to);
}

static int sync_one(struct sys_thread_sync_args *a, struct timespec *to)
{
	long r = sys_thread_sync(1, a, to);

	if (r < 0)
		return (int)r;
	return a->op == THREAD_SYNC_SLEEP && a->res == THREAD_SYNC_RES_TIMEOUT ? -ETIMEDOUT : 0;
}

int twz_thread_sync(int op, atomic_ulong *w, uint64_t val, struct timespec *to)
{
	struct sys_thread_sync_args a;

	twz_thread_sync_init(&a, op, w, val);
	return sync_one(&a, to);
}

int twz_thread_sync32(int op, atomic_uint_least32_t *w, uint32_t val, struct timespec *to)
{
	struct sys_thread_sync_args a;

	/* A wake count is signed: keep -1 meaning all. */
	twz_thread_sync_init(&a, op, (atomic_ulong *)w,
	    op == THREAD_SYNC_WAKE ? (unsigned long)(long)(int32_t)val : val);
	a.flags = THREAD_SYNC_32BIT;
	return sync_one(&a, to);
}

void twz_thread_cword_wake(atomic_uint_least64_t *w, uint64_t v)
{
	atomic_store(w, v);
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)w, (uint64_t)-1, NULL);
}

uint64_t twz_thread_cword_consume(atomic_uint_least64_t *w, uint64_t reset)
{
	for (;;) {
		uint64_t v = atomic_exchange(w, reset);

		if (v != reset)
			return v;
		twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)w, reset, NULL);
	}
}
