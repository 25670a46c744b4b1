// SPDX-License-Identifier: BSD-3-Clause
/*
 * thread_sync: order of wakes, many words, both widths, what ends a sleep, and that nothing of it
 * is left.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define ALL ((uint64_t)-1)

static void on_signal(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
}

static uint32_t sleepers_of(objid_t id)
{
	struct kernel_ostat st;

	return sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st) == 0 ? st.nr_sleepers : UINT32_MAX;
}

static bool sleepers_become(objid_t id, uint32_t count)
{
	uint64_t until = twz_clock_ns() + PATIENCE_NS;

	while (sleepers_of(id) != count && twz_clock_ns() < until)
		twz_sleep_ns(NS_PER_MS);
	return sleepers_of(id) == count;
}

static uint64_t wake(atomic_ulong *word, uint64_t count)
{
	struct sys_thread_sync_args op;

	twz_thread_sync_init(&op, THREAD_SYNC_WAKE, word, count);
	CHECK_EQ(sys_thread_sync(1, &op, NULL), 0);
	return op.res;
}

/* ---- A sleeper that does one call, and what came of it ---- */

struct sleeper {
	struct thread thread;
	struct sys_thread_sync_args *ops;
	size_t count;
	struct timespec *timeout;
	long result;
	uint64_t mark;
};

static atomic_ulong order;

static void sleep_once(void *arg)
{
	struct sleeper *s = arg;

	s->result = sys_thread_sync(s->count, s->ops, s->timeout);
	order = order << 8 | s->mark; /* those that matter run one after the other */
}

static struct sys_thread_sync_args many_ops[THREAD_SYNC_MAX_OPS];

/* Every operation sleeps on a word of its own, all of them 0. */
static void prepare_many(twzobj *o)
{
	atomic_ulong *words = twz_object_base(o);

	for (size_t i = 0; i < THREAD_SYNC_MAX_OPS; i++) {
		twz_thread_sync_init(&many_ops[i], THREAD_SYNC_SLEEP, &words[i * 3], 0);
		many_ops[i].res = 77;
	}
}

static int begin_many(struct sleeper *s, twzobj *o, struct timespec *timeout)
{
	prepare_many(o);
	*s = (struct sleeper){ .ops = many_ops, .count = THREAD_SYNC_MAX_OPS, .timeout = timeout };
	return run_thread(&s->thread, sleep_once, s);
}

/* How many operations have a result. */
static size_t results(uint64_t result)
{
	size_t n = 0;

	for (size_t i = 0; i < THREAD_SYNC_MAX_OPS; i++)
		n += many_ops[i].res == result;
	return n;
}

static void many_words(void)
{
	static struct sleeper s;
	struct timespec to = { 0, 20 * (long)NS_PER_MS };
	objid_t id;
	twzobj o;

	NEED(new_object(&o) == 0);
	id = twz_object_guid(&o);
	/* a timeout */
	NEED(begin_many(&s, &o, &to) == 0);
	CHECK_EQ(finish_thread(&s.thread), 0);
	CHECK_EQ(s.result, 0);
	CHECK_EQ(results(THREAD_SYNC_RES_TIMEOUT), THREAD_SYNC_MAX_OPS);
	CHECK_EQ(sleepers_of(id), 0);
	/* a wake */
	NEED(begin_many(&s, &o, NULL) == 0);
	CHECK(sleepers_become(id, THREAD_SYNC_MAX_OPS));
	CHECK_EQ(wake((atomic_ulong *)twz_object_base(&o) + 700 * 3, 1), 1);
	CHECK_EQ(finish_thread(&s.thread), 0);
	CHECK_EQ(s.result, 0);
	CHECK_EQ(many_ops[700].res, THREAD_SYNC_RES_WAKEUP);
	CHECK_EQ(results(0), THREAD_SYNC_MAX_OPS - 1);
	CHECK_EQ(sleepers_of(id), 0);
	/* a signal */
	NEED(begin_many(&s, &o, NULL) == 0);
	CHECK(sleepers_become(id, THREAD_SYNC_MAX_OPS));
	CHECK_EQ(sys_signal(s.thread.tid, 0, 0, 0, 0), 0);
	CHECK_EQ(finish_thread(&s.thread), 0);
	CHECK_EQ(s.result, -EINTR);
	CHECK_EQ(results(77), THREAD_SYNC_MAX_OPS);
	CHECK_EQ(sleepers_of(id), 0);
	/* an end */
	NEED(begin_many(&s, &o, NULL) == 0);
	CHECK(sleepers_become(id, THREAD_SYNC_MAX_OPS));
	CHECK_EQ(sys_thrd_ctl2(s.thread.tid, THRD_CTL_KILL, 3), 0);
	CHECK_EQ(finish_thread(&s.thread), 3);
	CHECK_EQ(sleepers_of(id), 0);
	/* a word that differs */
	prepare_many(&o);
	many_ops[1023].arg = 1;
	CHECK_EQ(sys_thread_sync(THREAD_SYNC_MAX_OPS, many_ops, NULL), 0);
	CHECK_EQ(many_ops[1023].res, THREAD_SYNC_RES_DIFFER);
	CHECK_EQ(sleepers_of(id), 0);
	/* a bad one: nothing is done, not even the wake before it */
	prepare_many(&o);
	many_ops[0].op = THREAD_SYNC_WAKE;
	many_ops[1023].flags = 1;
	CHECK_EQ(sys_thread_sync(THREAD_SYNC_MAX_OPS, many_ops, NULL), -EINVAL);
	CHECK_EQ((int64_t)many_ops[1023].res, -EINVAL);
	CHECK_EQ(many_ops[0].res, 77);
	CHECK_EQ(sleepers_of(id), 0);
	drop_object(&o);
}

/* ---- Who is woken first ---- */

static long set_sched(objid_t tid, uint32_t klass, uint32_t prio)
{
	struct twz_sched s = { .klass = klass, .prio = prio, .affinity = { 1 } };

	return sys_thrd_ctl2(tid, THRD_CTL_SET_SCHED, (long)&s);
}

static void by_priority(void)
{
	static const uint32_t prios[] = { 0, 10, 30, 0, 20, 30, 10 }; /* 0: time-shared */
	static struct sys_thread_sync_args ops[7];
	static struct sleeper s[7];
	twzobj o;

	NEED(new_object(&o) == 0);
	NEED(set_sched(0, TWZ_SCHED_RT, 98) == 0);
	atomic_store(&order, 0);
	for (unsigned i = 0; i < 7; i++) {
		twz_thread_sync_init(&ops[i], THREAD_SYNC_SLEEP, twz_object_base(&o), 0);
		s[i] = (struct sleeper){ .ops = &ops[i], .count = 1, .mark = i + 1 };
		NEED(run_thread(&s[i].thread, sleep_once, &s[i]) == 0);
		CHECK_EQ(prios[i] ? set_sched(s[i].thread.tid, TWZ_SCHED_RT, prios[i])
				  : set_sched(s[i].thread.tid, TWZ_SCHED_NORMAL, 20), 0);
		/* one after the other, so that the order among equals is known */
		CHECK(sleepers_become(twz_object_guid(&o), i + 1));
	}
	for (unsigned i = 0; i < 7; i++) {
		CHECK_EQ(wake(twz_object_base(&o), 1), 1);
		CHECK(sleepers_become(twz_object_guid(&o), 6 - i));
		/* it goes on and ends before the next is woken */
		uint64_t until = twz_clock_ns() + PATIENCE_NS;
		while (!(atomic_load(&order) >> 8 * i) && twz_clock_ns() < until)
			twz_sleep_ns(NS_PER_MS);
	}
	CHECK_EQ(order, 0x03060502070104);
	for (unsigned i = 0; i < 7; i++)
		CHECK_EQ(finish_thread(&s[i].thread), 0);
	CHECK_EQ(set_sched(0, TWZ_SCHED_NORMAL, 20), 0);
	struct twz_sched any = { .prio = 20 };
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&any), 0);
	drop_object(&o);
}

/* ---- One address, two widths ---- */

static void both_widths(void)
{
	static struct sys_thread_sync_args ops[2];
	static struct sleeper s[2];
	twzobj o;

	NEED(new_object(&o) == 0);
	for (unsigned i = 0; i < 2; i++) {
		twz_thread_sync_init(&ops[i], THREAD_SYNC_SLEEP, twz_object_base(&o), 0);
		ops[i].flags = i ? THREAD_SYNC_32BIT : 0;
		s[i] = (struct sleeper){ .ops = &ops[i], .count = 1 };
		NEED(run_thread(&s[i].thread, sleep_once, &s[i]) == 0);
	}
	CHECK(sleepers_become(twz_object_guid(&o), 2));
	CHECK_EQ(wake(twz_object_base(&o), ALL), 2);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(finish_thread(&s[i].thread), 0);
		CHECK_EQ(ops[i].res, THREAD_SYNC_RES_WAKEUP);
	}
	/* and the upper half of a word is a word of its own */
	ops[0].addr += 4;
	ops[0].flags = THREAD_SYNC_32BIT;
	NEED(run_thread(&s[0].thread, sleep_once, &s[0]) == 0);
	CHECK(sleepers_become(twz_object_guid(&o), 1));
	CHECK_EQ(wake(twz_object_base(&o), ALL), 0);
	struct sys_thread_sync_args op = ops[0];
	op.op = THREAD_SYNC_WAKE;
	op.arg = ALL;
	CHECK_EQ(sys_thread_sync(1, &op, NULL), 0);
	CHECK_EQ(op.res, 1);
	CHECK_EQ(finish_thread(&s[0].thread), 0);
	drop_object(&o);
}

/* ---- Deleted under the sleeper ---- */

static void deleted(void)
{
	static struct sys_thread_sync_args ops[2];
	static struct sleeper s;
	twzobj o, other;

	for (size_t count = 1; count <= 2; count++) {
		NEED(new_object(&o) == 0);
		NEED(new_object(&other) == 0);
		twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, twz_object_base(&o), 0);
		twz_thread_sync_init(&ops[1], THREAD_SYNC_SLEEP, twz_object_base(&other), 0);
		s = (struct sleeper){ .ops = ops, .count = count };
		NEED(run_thread(&s.thread, sleep_once, &s) == 0);
		CHECK(sleepers_become(twz_object_guid(&o), 1));
		CHECK_EQ(sys_odelete(twz_object_guid(&o), TWZ_OD_IMMEDIATE), 0);
		CHECK_EQ(finish_thread(&s.thread), 0);
		CHECK_EQ(s.result, -ENOENT);
		CHECK_EQ(sleepers_of(twz_object_guid(&other)), 0);
		twz_object_release(&o);
		drop_object(&other);
	}
}

/* ---- A word in persistent memory ---- */

static void persistent_word(void)
{
	static struct sys_thread_sync_args op;
	static struct sleeper s;
	twzobj o;

	if (!have_store())
		return;
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	for (int round = 0; round < 2; round++) {
		/* first a hole, then a page that was written */
		twz_thread_sync_init(&op, THREAD_SYNC_SLEEP, twz_object_base(&o), (uint64_t)round);
		s = (struct sleeper){ .ops = &op, .count = 1 };
		NEED(run_thread(&s.thread, sleep_once, &s) == 0);
		CHECK(sleepers_become(twz_object_guid(&o), 1));
		atomic_store((atomic_ulong *)twz_object_base(&o), (uint64_t)round + 1);
		CHECK_EQ(wake(twz_object_base(&o), 1), 1);
		CHECK_EQ(finish_thread(&s.thread), 0);
		CHECK_EQ(op.res, THREAD_SYNC_RES_WAKEUP);
	}
	drop_object(&o);
}

/* A time that has passed, and one that never comes. */
static void times(void)
{
	struct timespec past = { 0, 0 }, never = { INT64_MAX, 999999999 };
	static struct sys_thread_sync_args op;
	static struct sleeper s;
	twzobj o;

	NEED(new_object(&o) == 0);
	twz_thread_sync_init(&op, THREAD_SYNC_SLEEP, twz_object_base(&o), 0);
	CHECK_EQ(sys_thread_sync_abs(1, &op, &past), 0);
	CHECK_EQ(op.res, THREAD_SYNC_RES_TIMEOUT);
	s = (struct sleeper){ .ops = &op, .count = 1, .timeout = &never };
	NEED(run_thread(&s.thread, sleep_once, &s) == 0);
	CHECK(sleepers_become(twz_object_guid(&o), 1));
	twz_sleep_ns(5 * NS_PER_MS);
	CHECK_EQ(sleepers_of(twz_object_guid(&o)), 1);
	CHECK_EQ(wake(twz_object_base(&o), 1), 1);
	CHECK_EQ(finish_thread(&s.thread), 0);
	CHECK_EQ(op.res, THREAD_SYNC_RES_WAKEUP);
	drop_object(&o);
}

static const struct ktap_case cases[] = {
	{ "a thousand words at once, and none left", many_words },
	{ "highest priority first, equals in order", by_priority },
	{ "32 and 64 bits at one address", both_widths },
	{ "the object is deleted under the sleeper", deleted },
	{ "a word in persistent memory", persistent_word },
	{ "times that have passed or never come", times },
};

int main(void)
{
	twz_fault_set(FAULT_SIGNAL, on_signal, NULL);
	return KTAP_RUN(cases);
}
