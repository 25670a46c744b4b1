// SPDX-License-Identifier: BSD-3-Clause
/*
 * What ends in the middle, or in an odd order, leaves no memory behind: each case does a thing so
 * often that a page lost every time would show.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define TIMES 64u
#define FIRST 8u /* times that may fill caches */
#define WAIT_NS (5000 * NS_PER_MS)

/* Repeat, and look at the memory before and after. */
static void repeat(void (*once)(void), unsigned times)
{
	uint64_t before = 0, after;

	for (unsigned i = 0; i < FIRST + times; i++) {
		if (i == FIRST)
			before = memory_free();
		once();
	}
	after = memory_free();
	ktap_note("memory free: %lu before, %lu after", (unsigned long)before, (unsigned long)after);
	CHECK(after + times / 2 * TWZ_PAGE_SIZE >= before);
}

/* ---- Threads that cannot tidy up ---- */

static void sleep_on(void *arg)
{
	atomic_store((atomic_ulong *)arg, 1);
	for (;;)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
}

static void kill_one(void)
{
	atomic_ulong runs = 0;
	struct thread t;
	uint64_t code;

	CHECK_EQ(run_thread(&t, sleep_on, &runs), 0);
	while (!atomic_load(&runs))
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 7), 0);
	CHECK_EQ(twz_thread_join(&t, &code, WAIT_NS), 0);
	CHECK_EQ(code, 7);
	twz_thread_release(&t);
}

static void killed_threads(void)
{
	repeat(kill_one, TIMES);
}

/* No stack, no thread pointer, no program: libtwz ends it with storage that it lends. */
static void go_nowhere(void *arg)
{
	struct sys_become_args nowhere = { .target_ip = 16 };

	(void)arg;
	sys_become(&nowhere);
}

static void end_one_bare(void)
{
	struct thread t;

	CHECK_EQ(run_thread(&t, go_nowhere, NULL), 0);
	CHECK_EQ(finish_thread(&t), THRD_EXIT_FAULT(FAULT_NULL));
}

static void bare_threads(void)
{
	repeat(end_one_bare, TIMES / 4);
}

/* ---- Objects deleted while something keeps them ---- */

static objid_t written_object(void)
{
	objid_t id;
	twzobj o;

	CHECK_EQ(new_object(&o), 0);
	for (uint64_t page = 1; page <= 4; page++)
		*page_word(&o, page) = page;
	id = twz_object_guid(&o);
	twz_object_release(&o);
	return id;
}

/* Deleted immediately it is not found any more; what keeps it is taken away all the same. */
static void unpin_deleted(void)
{
	objid_t id = written_object();

	CHECK_EQ(sys_opin(id, NULL, 0), 0);
	CHECK_EQ(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE), 0);
	CHECK_EQ(sys_opin(id, NULL, 0), -ENOENT);
	CHECK_EQ(sys_opin(id, NULL, OP_UNPIN), 0);
	CHECK_EQ(sys_opin(id, NULL, OP_UNPIN), -ENOENT);
}

static void pinned_and_deleted(void)
{
	repeat(unpin_deleted, TIMES);
}

static void untie_deleted(void)
{
	objid_t id = written_object(), parent = twz_thread_id();

	CHECK_EQ(sys_otie(parent, id, 0), 0);
	CHECK_EQ(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE), 0);
	CHECK_EQ(sys_otie(parent, id, 0), -ENOENT);
	CHECK_EQ(sys_otie(parent, id, OTIE_UNTIE), 0);
	CHECK_EQ(sys_otie(parent, id, OTIE_UNTIE), -ENOENT);
}

static void tied_and_deleted(void)
{
	repeat(untie_deleted, TIMES);
}

/* An idle slot of this view still has it when somebody else deletes it. */
static void delete_again(void)
{
	objid_t id = written_object();

	CHECK_EQ(sys_odelete(id, TWZ_OD_IMMEDIATE), 0);
	CHECK_EQ(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE), -ENOENT);
}

static void deleted_by_others(void)
{
	repeat(delete_again, TIMES);
}

static const struct ktap_case cases[] = {
	{ "threads that are killed", killed_threads },
	{ "threads that end without storage", bare_threads },
	{ "objects deleted while pinned", pinned_and_deleted },
	{ "objects deleted while tied", tied_and_deleted },
	{ "objects deleted by others", deleted_by_others },
};

int main(void)
{
	return KTAP_RUN(cases);
}
