// SPDX-License-Identifier: BSD-3-Clause
/* Mutexes whose holders end in the middle: the next to take one is told, once, and repairs. */
#include "ktap.h"
#include "testlib.h"

#include <twz/mutex.h>

#define THREADS 6u
#define DEATHS 40u

static struct {
	struct mutex lock;
	uint64_t a, b; /* equal, unless a holder ended in between */
	uint64_t deaths, repairs, wrong;
} shared;

/* Count up; every so often end, by exit or by fault, between the two halves. */
static void count_and_die(void *arg)
{
	uint64_t life = (uint64_t)(uintptr_t)arg;
	volatile uint64_t *volatile nowhere = (uint64_t *)8;

	for (;;) {
		int r = mutex_acquire_r(&shared.lock);

		if (r == 1) {
			shared.repairs++;
			shared.b = shared.a;
		}
		shared.wrong += shared.a != shared.b;
		shared.a++;
		if (life-- == 0)
			break;
		shared.b++;
		mutex_release(&shared.lock);
	}
	shared.deaths++;
	if (shared.deaths % 2)
		*nowhere = 1;
	twz_thread_exit(0);
}

static void holders_end(void)
{
	struct thread thread[THREADS];

	shared = (__typeof__(shared)){ .a = 0 };
	for (unsigned n = 0; n < DEATHS; n += THREADS) {
		for (unsigned i = 0; i < THREADS; i++)
			NEED(run_thread(&thread[i], count_and_die, (void *)(uintptr_t)(20 + 7 * i + n % 5)) == 0);
		for (unsigned i = 0; i < THREADS; i++)
			finish_thread(&thread[i]);
	}
	CHECK_EQ(shared.wrong, 0);
	CHECK_EQ(mutex_acquire_r(&shared.lock), 1);
	CHECK_EQ(shared.repairs + 1, shared.deaths);
	CHECK_EQ(shared.lock.sleep & ~1ull, shared.lock.sleep & ~3ull);
	mutex_release(&shared.lock);
	CHECK_EQ(mutex_acquire_r(&shared.lock), 0);
	CHECK_EQ(mutex_try_r(&shared.lock), -EBUSY);
	mutex_release(&shared.lock);
	CHECK_EQ(shared.lock.sleep, MUTEX_FREE);
}

/* All-zero is free, and so is what only names somebody who is not. */
static void strange_words(void)
{
	struct mutex m = MUTEX_INIT;

	CHECK_EQ(mutex_try(&m), 0);
	CHECK_EQ(mutex_try(&m), -EBUSY);
	mutex_release(&m);
	for (uint64_t word = 4; word; word <<= 1) {
		m.sleep = word;
		CHECK_EQ(mutex_try_r(&m), 1);
		mutex_release(&m);
		m.sleep = word | MUTEX_CONTENDED;
		CHECK_EQ(mutex_acquire_r(&m), 1);
		mutex_release(&m);
		CHECK_EQ(m.sleep, MUTEX_FREE);
	}
}

static const struct ktap_case cases[] = {
	{ "holders that end", holders_end },
	{ "words that name nobody", strange_words },
};

int main(void)
{
	return KTAP_RUN(cases);
}
