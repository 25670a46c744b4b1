// SPDX-License-Identifier: BSD-3-Clause
/* Sleeping on words and waking sleepers. */
#include "runtime.h"

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

/* --- mutexes that know their holder */

#define OWNED_CONTENDED 1ull

static uint64_t my_word(void)
{
	return (uint64_t)twz_thread_id() & THREAD_SYNC_OWNER_MASK;
}

static bool take_from(struct twz_owned_mutex *m, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(&m->word, &from, to, memory_order_acquire,
	    memory_order_relaxed);
}

int twz_owned_mutex_try(struct twz_owned_mutex *m)
{
	return take_from(m, 0, my_word()) ? 0 : -EBUSY;
}

/* Wait while the word is what it was; -EOWNERDEAD: whom it names is no thread any more. */
static int wait_for_holder(struct twz_owned_mutex *m, uint64_t word)
{
	struct sys_thread_sync_args a;

	twz_thread_sync_init(&a, THREAD_SYNC_SLEEP, (atomic_ulong *)&m->word, word);
	a.flags = THREAD_SYNC_OWNED;
	return (int)sys_thread_sync(1, &a, NULL);
}

/* Once we waited there may be others who wait: whoever takes it then leaves the word contended. */
int twz_owned_mutex_acquire(struct twz_owned_mutex *m)
{
	uint64_t contended = 0;

	for (;;) {
		uint64_t word = atomic_load_explicit(&m->word, memory_order_relaxed);

		if (word == 0) {
			if (take_from(m, 0, my_word() | contended))
				return 0;
			continue;
		}
		if (!(word & OWNED_CONTENDED) && !take_from(m, word, word | OWNED_CONTENDED))
			continue;
		contended = OWNED_CONTENDED;
		if (wait_for_holder(m, word | OWNED_CONTENDED) == -EOWNERDEAD &&
		    take_from(m, word | OWNED_CONTENDED, my_word() | OWNED_CONTENDED))
			return 1;
	}
}

void twz_owned_mutex_release(struct twz_owned_mutex *m)
{
	uint64_t old = atomic_exchange_explicit(&m->word, 0, memory_order_release);

	if (old & OWNED_CONTENDED)
		twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&m->word, 1, NULL);
}
