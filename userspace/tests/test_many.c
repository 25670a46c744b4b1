// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ten thousand threads asleep at once: what they cost is their memory. They have no stack object
 * and no TLS of their own, but a page each of a common one, and are started and ended without
 * libtwz.
 */
#include "ktap.h"
#include "testlib.h"

#define COUNT 10000u
#define WORDS 16u
#define STACK_PAGE0 16u /* of the stacks' object */

static objid_t ids[COUNT];
static atomic_ulong words[WORDS];
static atomic_ulong awake;

/*
 * Runs without thread-local data. Sleeps until its word is not 0, however often it wakes for
 * nothing.
 */
static void park(uint64_t n)
{
	atomic_ulong *word = &words[n % WORDS];
	struct sys_thread_sync_args op;

	atomic_fetch_add(&awake, 1);
	while (atomic_load(word) == 0) {
		twz_thread_sync_init(&op, THREAD_SYNC_SLEEP, word, 0);
		sys_thread_sync(1, &op, NULL);
	}
	atomic_fetch_sub(&awake, 1);
	for (;;)
		sys_thrd_ctl(THRD_CTL_EXIT, 0);
}

static int start(twzobj *stacks, unsigned n)
{
	struct thrd_spawn_args a = {
		.start_func = (uintptr_t)park,
		.arg = n,
		.stack_base = (uintptr_t)twz_object_base(stacks) + (STACK_PAGE0 + n) * TWZ_PAGE_SIZE,
		.stack_size = TWZ_PAGE_SIZE,
	};
	long r = sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_DEL, 0, 0, &ids[n]);

	return r < 0 ? (int)r : (int)(sys_thrd_spawn)(ids[n], &a, 0);
}

static bool becomes(atomic_ulong *word, uint64_t value)
{
	uint64_t until = twz_clock_ns() + PATIENCE_NS;

	while (atomic_load(word) != value && twz_clock_ns() < until)
		twz_sleep_ns(NS_PER_MS);
	return atomic_load(word) == value;
}

static void wake_all(void)
{
	for (unsigned i = 0; i < WORDS; i++) {
		atomic_store(&words[i], 1);
		twz_thread_sync(THREAD_SYNC_WAKE, &words[i], (uint64_t)-1, NULL);
	}
}

static void nothing(void *arg)
{
	(void)arg;
}

static void many(void)
{
	uint64_t before = memory_free(), used;
	unsigned started = 0;
	twzobj stacks;
	int r = 0;

	if (before < COUNT * 23000ull) {
		ktap_skip("needs 256 MiB of memory");
		return;
	}
	NEED(new_object(&stacks) == 0);
	while (started < COUNT && (r = start(&stacks, started)) == 0)
		started++;
	CHECK_EQ(r, 0);
	CHECK_EQ(started, COUNT);
	CHECK(becomes(&awake, started));
	used = before - memory_free();
	if (started)
		ktap_note("%u threads: %lu bytes each", started, used / started);
	/* the others get on as if they were alone */
	CHECK_EQ(exit_code_of(nothing, NULL), 0);
	wake_all();
	CHECK(becomes(&awake, 0));
	for (unsigned i = 0; i < started; i++)
		CHECK_EQ(sys_odelete(ids[i], TWZ_OD_IMMEDIATE), 0);
	drop_object(&stacks);
	for (unsigned i = 0; i < started; i++)
		CHECK(object_goes(ids[i]));
}

static const struct ktap_case cases[] = {
	{ "ten thousand threads asleep", many },
};

int main(void)
{
	return KTAP_RUN(cases);
}
