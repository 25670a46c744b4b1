// SPDX-License-Identifier: BSD-3-Clause
/* Threads: spawning, ending, preemption, sleeping and waking, between threads and views. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/mutex.h>

#define MANY 48

static void end_with_argument(void *arg)
{
	twz_thread_exit((uint64_t)arg);
}

static void just_return(void *arg)
{
	(void)arg;
}

static void exit_codes(void)
{
	struct thread t[MANY];

	for (uint64_t i = 0; i < MANY; i++)
		NEED(run_thread(&t[i], end_with_argument, (void *)(i * 3)) == 0);
	for (uint64_t i = 0; i < MANY; i++)
		CHECK_EQ(finish_thread(&t[i]), i * 3);
	CHECK_EQ(exit_code_of(just_return, NULL), 0);
	CHECK_EQ(exit_code_of(end_with_argument, (void *)0x123456789abcdef0),
	    0x123456789abcdef0);
}

/* One after the other: stacks, slots and threads are given back. */
static void again_and_again(void)
{
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t code = exit_code_of(end_with_argument, (void *)i);

		if (code != i) {
			CHECK_EQ(code, i);
			break;
		}
	}
}

struct identity {
	objid_t tid;
	struct twzthread_repr *repr;
	objid_t reprid;
	uint64_t state;
	int value;
};

static __thread int tls_value = 17;

static void who_am_i(void *arg)
{
	struct identity *id = arg;

	id->repr = twz_thread_repr_base();
	id->tid = twz_thread_id();
	id->reprid = id->repr->reprid;
	id->state = id->repr->syncs[THRD_SYNC_STATE];
	id->value = tls_value++;
}

static void own_identity(void)
{
	struct identity a, b;
	struct thread t;
	objid_t tid;

	NEED(run_thread(&t, who_am_i, &a) == 0);
	tid = t.tid;
	CHECK_EQ(finish_thread(&t), 0);
	NEED(exit_code_of(who_am_i, &b) == 0);
	CHECK(a.tid == tid);
	CHECK(a.reprid == tid);
	CHECK(b.tid != a.tid);
	CHECK_EQ(a.state, THRD_STATE_STARTED);
	CHECK_EQ(a.value, 17);
	CHECK_EQ(b.value, 17);
	CHECK_EQ(tls_value, 17);
	tid = 0;
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_GET_ID, (long)&tid), 0);
	CHECK(tid == twz_thread_id());
}

struct spinner {
	atomic_ulong turns;
	atomic_int *stop;
};

static void spin(void *arg)
{
	struct spinner *s = arg;

	while (!atomic_load_explicit(s->stop, memory_order_relaxed))
		atomic_fetch_add_explicit(&s->turns, 1, memory_order_relaxed);
}

/* More spinning threads than CPUs: each gets its turns, and so does this one. */
static void preemption(void)
{
	enum { MAX = 33 };
	static struct spinner s[MAX];
	static struct thread t[MAX];
	unsigned count = twz_sysinfo()->ncpus * 2 + 1;
	uint64_t until;
	unsigned moving = 0;
	atomic_int stop = 0;

	count = count < MAX ? count : MAX;
	for (unsigned i = 0; i < count; i++) {
		s[i] = (struct spinner){ .stop = &stop };
		NEED(run_thread(&t[i], spin, &s[i]) == 0);
	}
	until = twz_clock_ns() + PATIENCE_NS;
	while (moving < count && twz_clock_ns() < until) {
		moving = 0;
		for (unsigned i = 0; i < count; i++)
			moving += atomic_load(&s[i].turns) != 0;
		twz_sleep_ns(10 * NS_PER_MS);
	}
	atomic_store(&stop, 1);
	CHECK_EQ(moving, count);
	for (unsigned i = 0; i < count; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
}

static void timeouts(void)
{
	struct timespec to = { 0, 20 * (long)NS_PER_MS };
	struct timespec zero = { 0, 0 };
	atomic_ulong word = 5;
	uint64_t before = twz_clock_ns();

	CHECK_EQ(twz_thread_sync(THREAD_SYNC_SLEEP, &word, 5, &to), -ETIMEDOUT);
	CHECK(twz_clock_ns() - before >= 20 * NS_PER_MS);
	CHECK_EQ(twz_thread_sync(THREAD_SYNC_SLEEP, &word, 5, &zero), -ETIMEDOUT);
	CHECK_EQ(twz_thread_sync(THREAD_SYNC_SLEEP, &word, 6, NULL), 0);
	before = twz_clock_ns();
	CHECK_EQ(twz_sleep_ns(15 * NS_PER_MS), 0);
	CHECK(twz_clock_ns() - before >= 15 * NS_PER_MS);
	before = twz_clock_ns();
	CHECK_EQ(sys_thread_sync_abs(0, NULL, &zero), 0);
	CHECK(twz_clock_ns() - before < PATIENCE_NS);
}

static void sync_results(void)
{
	atomic_ulong words[3] = { 1, 2, 3 };
	struct sys_thread_sync_args ops[3];
	struct timespec to = { 0, NS_PER_MS };

	for (int i = 0; i < 3; i++)
		twz_thread_sync_init(&ops[i], THREAD_SYNC_SLEEP, &words[i], i == 1 ? 99 : words[i]);
	CHECK_EQ(sys_thread_sync(3, ops, NULL), 0);
	CHECK_EQ(ops[0].res, 0);
	CHECK_EQ(ops[1].res, THREAD_SYNC_RES_DIFFER);
	CHECK_EQ(ops[2].res, 0);
	ops[1].arg = 2;
	CHECK_EQ(sys_thread_sync(3, ops, &to), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ops[i].res, THREAD_SYNC_RES_TIMEOUT);
	twz_thread_sync_init(&ops[0], THREAD_SYNC_WAKE, &words[0], (unsigned long)-1);
	CHECK_EQ(sys_thread_sync(1, ops, NULL), 0);
	CHECK_EQ(ops[0].res, 0);
	/* 32-bit: the upper half of the word and of the argument do not count */
	words[0] = 0xaaaaaaaa00000007ull;
	twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, &words[0], 0xbbbbbbbb00000007ull);
	ops[0].flags = THREAD_SYNC_32BIT;
	CHECK_EQ(sys_thread_sync(1, ops, &to), 0);
	CHECK_EQ(ops[0].res, THREAD_SYNC_RES_TIMEOUT);
}

static void sync_errors(void)
{
	atomic_ulong words[2] = { 1, 1 };
	struct sys_thread_sync_args ops[2];
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };

	twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, &words[0], 1);
	CHECK_EQ(sys_thread_sync(0, NULL, NULL), -EINVAL);
	CHECK_EQ(sys_thread_sync(THREAD_SYNC_MAX_OPS + 1, ops, NULL), -EINVAL);
	CHECK_EQ(sys_thread_sync(1, ops, &bad), -EINVAL);
	CHECK_EQ(sys_thread_sync(1, ops, &negative), -EINVAL);
	ops[0].op = 7;
	CHECK_EQ(sys_thread_sync(1, ops, NULL), -EINVAL);
	twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, &words[0], 1);
	ops[0].flags = 1;
	CHECK_EQ(sys_thread_sync(1, ops, NULL), -EINVAL);
	twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, (atomic_ulong *)((char *)words + 4), 1);
	CHECK_EQ(sys_thread_sync(1, ops, NULL), -EINVAL);
	twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, NULL, 1);
	CHECK_EQ(sys_thread_sync(1, ops, NULL), -EFAULT);
	CHECK_EQ((int64_t)ops[0].res, -EFAULT);
}

struct sleeper {
	atomic_ulong *word;
	atomic_ulong ready;
	long result;
};

static void sleep_on(void *arg)
{
	struct sleeper *s = arg;

	atomic_store(&s->ready, 1);
	while (atomic_load(s->word) == 0)
		s->result = twz_thread_sync(THREAD_SYNC_SLEEP, s->word, 0, NULL);
}

static void many_sleepers(void)
{
	enum { COUNT = 8 };
	struct sleeper s[COUNT];
	struct thread t[COUNT];
	atomic_ulong word = 0;

	memset(s, 0, sizeof(s));
	for (int i = 0; i < COUNT; i++) {
		s[i].word = &word;
		NEED(run_thread(&t[i], sleep_on, &s[i]) == 0);
	}
	for (int i = 0; i < COUNT; i++)
		while (!atomic_load(&s[i].ready))
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
	twz_sleep_ns(5 * NS_PER_MS);
	atomic_store(&word, 1);
	CHECK_EQ(twz_thread_sync(THREAD_SYNC_WAKE, &word, (uint64_t)-1, NULL), 0);
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
}

struct pingpong {
	atomic_ulong word; /* whose turn: 0 mine, 1 the other's */
	atomic_ulong rounds;
};

#define ROUNDS 200ul

static void take_turns(struct pingpong *p, uint64_t me)
{
	for (uint64_t i = 0; i < ROUNDS; i++) {
		while (atomic_load(&p->word) != me)
			twz_thread_sync(THREAD_SYNC_SLEEP, &p->word, 1 - me, NULL);
		atomic_fetch_add(&p->rounds, 1);
		atomic_store(&p->word, 1 - me);
		twz_thread_sync(THREAD_SYNC_WAKE, &p->word, 1, NULL);
	}
}

static void other_player(void *arg)
{
	take_turns(arg, 1);
}

static void play(objid_t view, struct pingpong *p)
{
	struct thread t;

	*p = (struct pingpong){ 0, 0 };
	NEED(run_thread_in(&t, view, other_player, p) == 0);
	take_turns(p, 0);
	CHECK_EQ(finish_thread(&t), 0);
	CHECK_EQ(atomic_load(&p->rounds), 2 * ROUNDS);
}

static void ping_pong(void)
{
	static struct pingpong p;

	play(0, &p);
}

static void ping_pong_between_views(void)
{
	twzobj o, view;

	NEED(new_object(&o) == 0);
	NEED(new_view(&view) == 0);
	play(twz_object_guid(&view), twz_object_base(&o));
	drop_object(&view);
	drop_object(&o);
}

struct counter {
	struct mutex lock;
	uint64_t value;
};

#define INCREMENTS 500ul

static void count(void *arg)
{
	struct counter *c = arg;

	for (uint64_t i = 0; i < INCREMENTS; i++) {
		mutex_acquire(&c->lock);
		*(volatile uint64_t *)&c->value = c->value + 1;
		if (i % 50 == 0)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
		mutex_release(&c->lock);
	}
}

static void mutexes(void)
{
	enum { COUNT = 6 };
	static struct counter c;
	struct thread t[COUNT];

	mutex_init(&c.lock);
	for (int i = 0; i < COUNT; i++)
		NEED(run_thread(&t[i], count, &c) == 0);
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	CHECK_EQ(c.value, COUNT * INCREMENTS);
	CHECK_EQ(mutex_try(&c.lock), 0);
	CHECK_EQ(mutex_try(&c.lock), -EBUSY);
	mutex_release(&c.lock);
	/* held in another boot: free, and the taker is told */
	/* of this thread, but of another boot */
	c.lock.sleep = (ID_LO(twz_thread_id()) ^ (twz_sysinfo()->boot_code ^ 1) << MUTEX_BOOT_SHIFT) & ~3ull;
	CHECK_EQ(mutex_acquire_r(&c.lock), 1);
	mutex_release(&c.lock);
}

static void announce(void *arg)
{
	twz_thread_ready(NULL, THRD_SYNC_READY, (uint64_t)arg);
}

static void sync_points(void)
{
	struct thrd_wait_args w[2];
	struct thread a, b;

	NEED(run_thread(&a, announce, (void *)70) == 0);
	NEED(run_thread(&b, announce, (void *)80) == 0);
	w[0] = (struct thrd_wait_args){ .thread = &a, .syncpoint = THRD_SYNC_READY };
	w[1] = (struct thrd_wait_args){ .thread = &b, .syncpoint = THRD_SYNC_READY };
	CHECK(twz_thread_wait(w, 2) >= 1);
	CHECK(w[0].event || w[1].event);
	CHECK_EQ(twz_thread_wait(&w[0], 1), 1);
	CHECK_EQ(twz_thread_wait(&w[1], 1), 1);
	CHECK_EQ(w[0].info, 70);
	CHECK_EQ(w[1].info, 80);
	CHECK_EQ(twz_thread_wait(w, 0), 0);
	w[0].syncpoint = THRD_SYNCPOINTS;
	CHECK_EQ(twz_thread_wait(w, 1), -EINVAL);
	CHECK_EQ(twz_thread_ready(NULL, THRD_SYNCPOINTS, 0), -EINVAL);
	CHECK_EQ(finish_thread(&a), 0);
	CHECK_EQ(finish_thread(&b), 0);
	CHECK_EQ(twz_thread_release(&a), -EINVAL);
}

static void sleep_briefly(void *arg)
{
	(void)arg;
	twz_sleep_ns(50 * NS_PER_MS);
}

static void bad_spawns(void)
{
	struct thrd_spawn_args a = { .start_func = (uintptr_t)just_return };
	struct thread t;
	twzobj data;

	CHECK_EQ((sys_thrd_spawn)(missing_id(), &a, 0), -ENOENT);
	objid_t control = 7;
	CHECK_EQ(sys_thrd_spawn(missing_id(), &a, 0, &control), -ENOENT);
	CHECK(control == 7);
	NEED(new_object(&data) == 0);
	CHECK_EQ((sys_thrd_spawn)(twz_object_guid(&data), &a, 1), -EINVAL);
	CHECK_EQ((sys_thrd_spawn)(twz_object_guid(&data), NULL, 0), -EFAULT);
	a.start_func = 1ull << 63;
	CHECK_EQ((sys_thrd_spawn)(twz_object_guid(&data), &a, 0), -EFAULT);
	a.start_func = (uintptr_t)just_return;
	a.target_view = missing_id();
	CHECK_EQ((sys_thrd_spawn)(twz_object_guid(&data), &a, 0), -ENOENT);
	drop_object(&data);
	NEED(run_thread(&t, sleep_briefly, NULL) == 0);
	a.target_view = 0;
	a.stack_base = TWZ_PAGE_SIZE;
	CHECK_EQ((sys_thrd_spawn)(t.tid, &a, 0), -EBUSY);
	CHECK_EQ(finish_thread(&t), 0);
}

static void raw_exit(void *arg)
{
	(void)arg;
	sys_thrd_ctl(THRD_CTL_EXIT, 0);
}

static void raw_exit_is_seen(void)
{
	CHECK_EQ(exit_code_of(raw_exit, NULL), 0);
}

static void cpu_statistics(void)
{
	struct twz_thread_stats a, b;

	NEED(sys_thrd_ctl(THRD_CTL_GET_STATS, (long)&a) == 0);
	for (int i = 0; i < 10; i++)
		sys_null();
	NEED(sys_thrd_ctl(THRD_CTL_GET_STATS, (long)&b) == 0);
	CHECK(b.cpu_ns >= a.cpu_ns);
	CHECK(b.switches >= a.switches);
}

static const struct ktap_case cases[] = {
	{ "threads run and end with their codes", exit_codes },
	{ "threads one after the other", again_and_again },
	{ "a thread knows itself and has its own TLS", own_identity },
	{ "spinning threads are preempted", preemption },
	{ "timeouts", timeouts },
	{ "results of thread_sync", sync_results },
	{ "errors of thread_sync", sync_errors },
	{ "all sleepers are woken", many_sleepers },
	{ "two threads take turns", ping_pong },
	{ "two threads in two views take turns", ping_pong_between_views },
	{ "mutexes exclude and survive a reset", mutexes },
	{ "sync points", sync_points },
	{ "bad spawns are refused", bad_spawns },
	{ "a raw exit sets the exit point", raw_exit_is_seen },
	{ "thread statistics", cpu_statistics },
};

int main(void)
{
	return KTAP_RUN(cases);
}
