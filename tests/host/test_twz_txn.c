// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in transactions over several objects, and while they are rolled back by whoever takes a
 * lock of one of them: all of a transaction is there in all objects, or nothing of it in any.
 */
#include "unit.h"

#include <abi/errno.h>
#include <string.h>
#include <twz/persist.h>
#include <twz/txn.h>

#include "../../userspace/libtwz/src/tx/txn.h"
#include "libtwz/explore.h"

#define LOG 512u
#define LOCKS 2u
#define WORDS 4u

struct part {
	struct twz_txlocks locks;
	struct twz_txlock lock[LOCKS];
	uint64_t value[WORDS];
	uint64_t fresh[8];
};

struct home {
	struct twz_lane lane[2];
	char room[LOG];
	struct twz_lane second;
	char second_room[LOG];
	uint64_t own;
};

struct values {
	uint64_t value[2][WORDS];
};

__thread struct twz_tx_run *__twz_tx_innermost;

/* Nothing faults here. */
int __twz_tx_guarded(int (*fn)(void *), void *arg)
{
	return fn(arg);
}

static struct values now, next;

static struct home *home(void)
{
	return explore_object(0)->base;
}

static struct part *part(unsigned i)
{
	return explore_object(1 + i)->base;
}

#define SEEN static __attribute__((noinline))

/* Change word w of both parts, or of one; the locks in the order given. */
SEEN void change(struct twz_lane *lane, unsigned first, bool both, unsigned w, uint64_t value, bool commit)
{
	static struct twz_txn t;
	unsigned second = 1 - first;

	assert_int_equal(twz_txn_begin(&t, explore_object(0), lane), 0);
	assert_int_equal(twz_txn_lock(&t, explore_object(1 + first), part(first)->lock), 0);
	assert_int_equal(twz_txn_record_tmp(&t, &part(first)->value[w], 8), 0);
	if (both) {
		assert_int_equal(twz_txn_lock(&t, explore_object(1 + second), part(second)->lock), 0);
		assert_int_equal(twz_txn_record(&t, &part(second)->value[w], 8), 0);
		part(second)->value[w] = value;
	}
	twz_txn_publish(&t);
	part(first)->value[w] = value + 100;
	_clwb(&part(first)->value[w]);
	_pfence();
	part(first)->value[w] = value;
	if (commit)
		twz_txn_commit(&t);
	else
		twz_txn_abort(&t);
}

/* A lock is taken after something was changed under another one. */
SEEN void change_one_by_one(struct twz_lane *lane, uint64_t value)
{
	static struct twz_txn t;

	assert_int_equal(twz_txn_begin(&t, explore_object(0), lane), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(twz_txn_lock(&t, explore_object(1 + i), part(i)->lock), 0);
		assert_int_equal(twz_txn_lock(&t, explore_object(1 + i), part(i)->lock + 1), 0);
		for (unsigned w = 0; w < WORDS; w++) {
			assert_int_equal(twz_txn_record(&t, &part(i)->value[w], 8), 0);
			part(i)->value[w] = value + w;
		}
	}
	twz_txn_commit(&t);
}

EXPLORE_SEEN_ONLY_LIBTWZ

static void setup(void)
{
	twz_lane_init(&home()->lane[0], LOG + sizeof(struct twz_lane));
	twz_lane_init(&home()->second, LOG);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(twz_txlocks_init(explore_object(1 + i), &part(i)->locks, LOCKS), 0);
	memset(&now, 0, sizeof(now));
	next = now;
}

static void set(uint64_t a, uint64_t b, unsigned w)
{
	explore_step_begin();
	next.value[0][w] = a;
	next.value[1][w] = b;
}

static void stepped(void)
{
	now = next;
	explore_step_end();
}

static void transfers(void)
{
	struct twz_lane *one = &home()->lane[0], *two = &home()->second;

	set(5, 5, 0);
	change(one, 0, true, 0, 5, true);
	stepped();
	set(6, 6, 0);
	change(one, 0, true, 0, 6, true);
	stepped();
	set(6, 7, 0);
	change(two, 1, false, 0, 7, true);
	stepped();
	set(8, 8, 0);
	change(one, 0, true, 0, 8, true);
	stepped();
	set(8, 8, 0);
	change(two, 0, true, 0, 9, false);
	stepped();
	set(9, 9, 1);
	change(two, 0, true, 1, 9, true);
	stepped();
}

static void one_by_one(void)
{
	explore_step_begin();
	for (unsigned w = 0; w < WORDS; w++)
		next.value[0][w] = next.value[1][w] = 20 + w;
	change_one_by_one(&home()->lane[0], 20);
	stepped();
	set(30, 23, 3);
	change(&home()->second, 0, false, 3, 30, true);
	stepped();
	explore_step_begin();
	for (unsigned w = 0; w < WORDS; w++)
		next.value[0][w] = next.value[1][w] = 40 + w;
	change_one_by_one(&home()->second, 40);
	stepped();
}

static const char *judge(void)
{
	struct values v;

	for (unsigned i = 0; i < 2; i++)
		memcpy(v.value[i], part(i)->value, sizeof(v.value[i]));
	if (memcmp(&v, &now, sizeof(v)) != 0 && memcmp(&v, &next, sizeof(v)) != 0)
		return "half of a transaction";
	for (unsigned i = 0; i < 2 * LOCKS; i++)
		if (part(i % 2)->lock[i / 2].word)
			return "a lock was not given back";
	return NULL;
}

/* What is done next. */
static void something_else(void)
{
	_pfence();
}

static void recover(void)
{
	twz_txlocks_recover(explore_object(2));
	something_else();
	twz_txlocks_recover(explore_object(1));
	something_else();
}

/* Whoever begins on the lanes. */
static void recover_by_lanes(void)
{
	struct twz_txn t;

	assert_int_equal(twz_txn_begin(&t, explore_object(0), &home()->second), 0);
	twz_txn_abort(&t);
	assert_int_equal(twz_txn_begin(&t, explore_object(0), &home()->lane[0]), 0);
	twz_txn_abort(&t);
	recover();
}

/* Those that belong to one-object transactions, to locks and FOTs as such, and to the test. */
static const char *const elsewhere[] = { "tx_init", "renew", "change", "something_else", "twz_txlocks_init", "twz_object_addext",
	"twz_object_addfot", "publish", "add", "take_index", "flush flush_drop", "flush drop", NULL };

#define COMMON .objects = 3, .nested = 64, .data_pages = 3, .setup = setup, .judge = judge, .unneeded = elsewhere

static void cut_transfers(void **state)
{
	static const struct explore_test t = { COMMON, .operation = transfers, .recover = recover };

	(void)state;
	explore_check(&t);
}

static void cut_one_by_one(void **state)
{
	static const struct explore_test t = { COMMON, .operation = one_by_one, .recover = recover };

	(void)state;
	explore_check(&t);
}

static void found_by_lanes(void **state)
{
	static const struct explore_test t = { COMMON, .operation = transfers, .recover = recover_by_lanes };
	struct explore_result r;

	(void)state;
	r = explore_run(&t);
	assert_true(r.states > 100);
	if (r.bad)
		print_message("# %lu bad: %s\n", r.bad, r.first);
	assert_int_equal(r.bad, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_transfers),
		cmocka_unit_test(cut_one_by_one),
		cmocka_unit_test(found_by_lanes),
	};

	(void)argc, (void)argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
