// SPDX-License-Identifier: BSD-3-Clause
/*
 * The explorer once more, built so that the compiler reports every store of the store's code: that
 * all of them to persistent memory are pm.h's, and that one which is not would be noticed.
 */
#include "unit.h"

#include "store/bypass.h"
#include "store/explore.h"
#include "store/seen.h"
#include "store/unseen.h"

UNSEEN_BEGIN

static void test_store_writes_through_pm(void **state)
{
	unsigned long operations = 0;

	(void)state;
	explore_nested(200);
	for (unsigned kind = 0; kind < explore_kinds(); kind++) {
		explore_start(kind + 1, kind == 0, true);
		explore_operation(kind);
		explore_random(2, false);
		seen_settle();
		operations += explore_result.operations;
		assert_int_equal(explore_result.bad, 0);
		assert_int_equal(trace_bypassed(), 0);
	}
	print_message("# %lu operations and their recoveries: %lu stores seen, none past pm.h\n",
		      operations, seen_stores());
	assert_true(seen_stores() > 1000000);
	trace_end();
}

static unsigned long states;

static void count_state(unsigned world)
{
	(void)world;
	states++;
}

/* It is counted, and it is in the states of the next fence: with and without. */
static void test_a_bypass_is_seen(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < BYPASS_KINDS; kind++) {
		trace_reset(1ul << 20, kind);
		states = 0;
		bypass(kind, (uint64_t *)trace_memory(0) + 512);
		seen_settle();
		assert_true(trace_bypassed() > 0);
		assert_true(trace_complete(0));
		assert_true(trace_volatile_words(0) > 0);
		trace_explore(0, count_state, 4);
		trace_cut(0);
		assert_true(states >= 2);
	}
	trace_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_writes_through_pm),
		cmocka_unit_test(test_a_bypass_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

UNSEEN_END
