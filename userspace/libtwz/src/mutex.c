// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mutex words: bits 0–1 state, bits 2–63 boot code. A word of another boot is free and is taken
 * by one compare-and-swap, so that there is no state a second crash could freeze.
 */
#include "runtime.h"

static uint64_t word(uint64_t state)
{
	return __twz_rt.sysinfo.boot_code << MUTEX_BOOT_SHIFT | state;
}

static bool is_free(uint64_t w)
{
	return (w & MUTEX_STATE_MASK) == MUTEX_FREE || (w & ~(uint64_t)MUTEX_STATE_MASK) != word(0);
}

static bool cas(struct mutex *m, uint64_t *expected, uint64_t v)
{
	return __atomic_compare_exchange_n(&m->sleep, expected, v, false, __ATOMIC_ACQUIRE,
	    __ATOMIC_ACQUIRE);
}

void mutex_init(struct mutex *m)
{
	m->resetcode = 0;
	__atomic_store_n(&m->sleep, 0, __ATOMIC_RELEASE);
}

/* Take a free mutex as the given state: 0, 1 if its holder vanished in a reset, or -EBUSY. */
static int try_take(struct mutex *m, uint64_t state)
{
	uint64_t w = __atomic_load_n(&m->sleep, __ATOMIC_ACQUIRE);

	while (is_free(w))
		if (cas(m, &w, word(state)))
			return (w & MUTEX_STATE_MASK) != MUTEX_FREE;
	return -EBUSY;
}

/* Say that there is a sleeper; false if the mutex became free meanwhile. */
static bool mark_contended(struct mutex *m)
{
	uint64_t w = word(MUTEX_HELD);

	return cas(m, &w, word(MUTEX_CONTENDED)) || w == word(MUTEX_CONTENDED);
}

int mutex_acquire_r(struct mutex *m)
{
	int r = try_take(m, MUTEX_HELD);

	/* Once we slept there may be other sleepers: whoever woke leaves the word contended. */
	while (r < 0) {
		if (mark_contended(m))
			twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)&m->sleep,
			    word(MUTEX_CONTENDED), NULL);
		r = try_take(m, MUTEX_CONTENDED);
	}
	return r;
}

void mutex_acquire(struct mutex *m)
{
	mutex_acquire_r(m);
}

int mutex_try(struct mutex *m)
{
	return try_take(m, MUTEX_HELD) < 0 ? -EBUSY : 0;
}

void mutex_release(struct mutex *m)
{
	uint64_t old = __atomic_exchange_n(&m->sleep, 0, __ATOMIC_RELEASE);

	if ((old & MUTEX_STATE_MASK) == MUTEX_CONTENDED)
		twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&m->sleep, 1, NULL);
}
