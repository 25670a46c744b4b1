// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mutexes that lose the power at any moment, and once more while somebody takes them afterwards:
 * whatever the word is then, the mutex can be taken, and given back.
 */
#include "unit.h"

#include <abi/errno.h>
#include <twz/mutex.h>
#include <twz/persist.h>

#include "libtwz/explore.h"

struct root {
	struct mutex m;
	uint64_t random[2];
};

static struct root *root(void)
{
	return explore_object(0)->base;
}

#define SEEN static __attribute__((noinline))

/* Nothing of libtwz flushes a mutex; it may reach the memory all the same, with its line. */
SEEN void reaches_the_memory(void)
{
	_clwb_len(root(), sizeof(*root()));
	_pfence();
}

SEEN void take_and_give_back(void)
{
	for (unsigned i = 0; i < 3; i++) {
		explore_step_begin();
		mutex_acquire(&root()->m);
		reaches_the_memory();
		root()->m.sleep |= MUTEX_CONTENDED; /* as somebody who waits does */
		reaches_the_memory();
		mutex_release(&root()->m);
		reaches_the_memory();
		assert_int_equal(mutex_try(&root()->m), 0);
		assert_int_equal(mutex_try(&root()->m), -EBUSY);
		reaches_the_memory();
		mutex_release(&root()->m);
		explore_step_end();
	}
}

/* The first boot after the cut takes it and is cut as well. */
SEEN void take_again(void)
{
	assert_true(mutex_acquire_r(&root()->m) >= 0);
	reaches_the_memory();
	if (root()->random[0] % 2 == 0)
		mutex_release(&root()->m);
	root()->random[0]++;
	reaches_the_memory();
}

EXPLORE_SEEN_ONLY_LIBTWZ

/* Taken by the boot before, or held by this one, which is cut. */
static const char *judge(void)
{
	struct mutex *m = &root()->m;
	bool ours = root()->random[0] % 2 == 0 && m->sleep != MUTEX_FREE && mutex_try(m) == -EBUSY;

	if (ours)
		mutex_release(m);
	if (m->sleep == MUTEX_FREE && mutex_acquire_r(m) != 0)
		return "a free mutex says that its holder ended";
	if (mutex_try(m) != -EBUSY)
		return "taken twice";
	mutex_release(m);
	return m->sleep == MUTEX_FREE ? NULL : "not given back";
}

static void cuts_leave_it_usable(void **state)
{
	static const struct explore_test t = { .objects = 1, .data_pages = 1, .operation = take_and_give_back,
		.recover = take_again, .judge = judge, .nested = 1, .effort = 64 };
	struct explore_result r;

	(void)state;
	r = explore_run(&t);
	print_message("# %lu states, %lu after a second cut\n", r.states, r.nested);
	if (r.bad)
		print_message("# %s\n", r.first);
	assert_true(r.states >= 10 && r.nested >= 20);
	assert_int_equal(r.bad, 0);
}

/* Words of other boots, of threads that ended, and of noise. */
static void words(void)
{
	uint64_t random = 88172645463325252ull;

	for (unsigned i = 0; i < 20000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		root()->m.sleep = random >> random % 64;
		if (i % 2)
			assert_true(mutex_acquire_r(&root()->m) >= 0);
		else
			assert_true(mutex_try_r(&root()->m) >= 0);
		assert_int_equal(mutex_try(&root()->m), -EBUSY);
		mutex_release(&root()->m);
		assert_int_equal(root()->m.sleep, MUTEX_FREE);
		assert_int_equal(mutex_acquire_r(&root()->m), 0);
		mutex_release(&root()->m);
	}
}

static const char *nothing_wrong(void)
{
	return NULL;
}

static void any_word_that_names_nobody(void **state)
{
	static const struct explore_test t = { .objects = 1, .data_pages = 1, .operation = words,
		.judge = nothing_wrong };

	(void)state;
	assert_int_equal(explore_run(&t).bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_leave_it_usable),
		cmocka_unit_test(any_word_that_names_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
