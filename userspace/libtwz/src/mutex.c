// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mutexes. A word is taken and given back with one compare-and-swap while nobody waits, and there is
 * no state that a crash, or the end of a holder, could freeze: whoever waits asks the kernel whether
 * the holder is still there.
 */
#include "runtime.h"

/* What a word has while this thread holds it and nobody waits. */
static uint64_t my_word(void)
{
	uint64_t boot = __twz_rt.sysinfo.boot_code << MUTEX_BOOT_SHIFT;

	return (ID_LO(twz_thread_id()) ^ boot) & THREAD_SYNC_OWNER_MASK;
}

static bool change(struct mutex *m, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(&m->sleep, &from, to, false, __ATOMIC_ACQUIRE,
	    __ATOMIC_RELAXED);
}

void mutex_init(struct mutex *m)
{
	m->resetcode = 0;
	__atomic_store_n(&m->sleep, MUTEX_FREE, __ATOMIC_RELEASE);
}

/* Sleep while the word is what it was. -EOWNERDEAD: whom it names is no thread any more. */
static int wait_for_holder(struct mutex *m, uint64_t word, struct timespec *timeout)
{
	struct sys_thread_sync_args a;

	twz_thread_sync_init(&a, THREAD_SYNC_SLEEP, (atomic_ulong *)&m->sleep, word);
	a.flags = THREAD_SYNC_OWNED;
	return (int)sys_thread_sync(1, &a, timeout);
}

/*
 * There may be others who wait, so whoever waited leaves the word contended. A holder that ended
 * took the mutex with it: one of those who notice gets it.
 */
static int acquire_contended(struct mutex *m)
{
	for (;;) {
		uint64_t word = __atomic_load_n(&m->sleep, __ATOMIC_RELAXED);
		uint64_t contended = word | MUTEX_CONTENDED;

		if (word == MUTEX_FREE) {
			if (change(m, MUTEX_FREE, my_word() | MUTEX_CONTENDED))
				return 0;
			continue;
		}
		if (word != contended && !change(m, word, contended))
			continue;
		if (wait_for_holder(m, contended, NULL) == -EOWNERDEAD &&
		    change(m, contended, my_word() | MUTEX_CONTENDED))
			return 1;
	}
}

int mutex_acquire_r(struct mutex *m)
{
	return change(m, MUTEX_FREE, my_word()) ? 0 : acquire_contended(m);
}

void mutex_acquire(struct mutex *m)
{
	mutex_acquire_r(m);
}

int mutex_try_r(struct mutex *m)
{
	struct timespec now = { 0, 0 };
	uint64_t word;

	if (change(m, MUTEX_FREE, my_word()))
		return 0;
	word = __atomic_load_n(&m->sleep, __ATOMIC_RELAXED);
	if (word != MUTEX_FREE && wait_for_holder(m, word, &now) == -EOWNERDEAD &&
	    change(m, word, my_word() | MUTEX_CONTENDED))
		return 1;
	return -EBUSY;
}

int mutex_try(struct mutex *m)
{
	return mutex_try_r(m) < 0 ? -EBUSY : 0;
}

void mutex_release(struct mutex *m)
{
	uint64_t old = __atomic_exchange_n(&m->sleep, MUTEX_FREE, __ATOMIC_RELEASE);

	if (old & MUTEX_CONTENDED)
		twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&m->sleep, 1, NULL);
}
