// SPDX-License-Identifier: BSD-3-Clause
/*
 * Scheduling: classes, priorities, turns, weights, affinity, and what is in force when a call
 * returns.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/mutex.h>

#define SELF 0
#define CPU0 1ull

static struct twz_sched sched_of(uint32_t klass, uint32_t prio, uint64_t cpus)
{
	struct twz_sched s = { .klass = klass, .prio = prio };

	s.affinity[0] = cpus;
	return s;
}

static long set_sched(objid_t tid, uint32_t klass, uint32_t prio, uint64_t cpus)
{
	struct twz_sched s = sched_of(klass, prio, cpus);

	return sys_thrd_ctl2(tid, THRD_CTL_SET_SCHED, (long)&s);
}

/* The tester runs before all that it makes, on CPU 0. */
static void be_first(void)
{
	CHECK_EQ(set_sched(SELF, TWZ_SCHED_RT, 98, CPU0), 0);
}

static void be_normal(void)
{
	CHECK_EQ(set_sched(SELF, TWZ_SCHED_NORMAL, TWZ_SCHED_DEFAULT_PRIO, 0), 0);
}

static void nap(uint64_t ms)
{
	uint64_t until = twz_clock_ns() + ms * NS_PER_MS;

	while (twz_clock_ns() < until)
		twz_sleep_ns(NS_PER_MS);
}

/* ---- A thread that counts until it is told to stop ---- */

struct spinner {
	struct thread thread;
	atomic_ulong turns;
	atomic_int stop;
};

static void spin(void *arg)
{
	struct spinner *s = arg;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed))
		atomic_fetch_add_explicit(&s->turns, 1, memory_order_relaxed);
}

/* Started by a tester that runs first: the thread has its values before it runs. */
static int start_spinner(struct spinner *s, uint32_t klass, uint32_t prio, uint64_t cpus)
{
	int r;

	memset(s, 0, sizeof(*s));
	r = run_thread(&s->thread, spin, s);
	return r ? r : (int)set_sched(s->thread.tid, klass, prio, cpus);
}

static uint64_t turns(struct spinner *s)
{
	return atomic_load(&s->turns);
}

/* Whether it gets beyond so many turns, however long the emulator's host takes. */
static bool gets_beyond(struct spinner *s, uint64_t seen)
{
	uint64_t until = twz_clock_ns() + PATIENCE_NS;

	while (turns(s) <= seen && twz_clock_ns() < until)
		twz_sleep_ns(NS_PER_MS);
	return turns(s) > seen;
}

static void stop_spinner(struct spinner *s)
{
	atomic_store(&s->stop, 1);
	CHECK_EQ(finish_thread(&s->thread), 0);
}

/* ---- Cases ---- */

static void values(void)
{
	struct twz_sched s, was;

	NEED(sys_thrd_ctl(THRD_CTL_GET_SCHED, (long)&was) == 0);
	CHECK_EQ(was.klass, TWZ_SCHED_NORMAL);
	CHECK_EQ(was.prio, TWZ_SCHED_DEFAULT_PRIO);
	CHECK_EQ(was.affinity[0], 0);
	s = sched_of(TWZ_SCHED_RT, 7, CPU0);
	s.slice_ns = 3000000;
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&s), 0);
	memset(&s, 0xff, sizeof(s));
	CHECK_EQ(sys_thrd_ctl2(twz_thread_id(), THRD_CTL_GET_SCHED, (long)&s), 0);
	CHECK_EQ(s.klass, TWZ_SCHED_RT);
	CHECK_EQ(s.prio, 7);
	CHECK_EQ(s.slice_ns, 3000000);
	CHECK_EQ(s.affinity[0], CPU0);
	CHECK_EQ(s.affinity[15], 0);
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&was), 0);
}

static void bad_values(void)
{
	struct twz_sched s = sched_of(TWZ_SCHED_NORMAL, TWZ_SCHED_DEFAULT_PRIO, 0);

	CHECK_EQ(set_sched(SELF, 3, 1, 0), -EINVAL);
	CHECK_EQ(set_sched(SELF, TWZ_SCHED_NORMAL, 40, 0), -EINVAL);
	CHECK_EQ(set_sched(SELF, TWZ_SCHED_RT, 0, 0), -EINVAL);
	CHECK_EQ(set_sched(SELF, TWZ_SCHED_RT, 100, 0), -EINVAL);
	CHECK_EQ(set_sched(SELF, TWZ_SCHED_IDLE, 40, 0), -EINVAL);
	s.affinity[3] = 1; /* no such CPU here */
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&s), -EINVAL);
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, 0), -EFAULT);
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_GET_SCHED, 8), -EFAULT);
	CHECK_EQ(set_sched(missing_id(), TWZ_SCHED_NORMAL, 20, 0), -ENOENT);
	CHECK_EQ(sys_thrd_ctl2(0, THRD_CTL_SET_SCHED, 0), -EFAULT);
	NEED(sys_thrd_ctl(THRD_CTL_GET_SCHED, (long)&s) == 0);
	CHECK_EQ(s.klass, TWZ_SCHED_NORMAL);
	CHECK_EQ(s.prio, TWZ_SCHED_DEFAULT_PRIO);
}

static void note_values(void *arg)
{
	sys_thrd_ctl(THRD_CTL_GET_SCHED, (long)arg);
}

static void inheritance(void)
{
	struct twz_sched s = sched_of(TWZ_SCHED_RT, 42, CPU0), seen;

	s.slice_ns = 5000000;
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&s), 0);
	CHECK_EQ(exit_code_of(note_values, &seen), 0);
	be_normal();
	CHECK(memcmp(&s, &seen, sizeof(s)) == 0);
}

static void real_time_first(void)
{
	static struct spinner normal, rt;
	uint64_t before;

	be_first();
	NEED(start_spinner(&normal, TWZ_SCHED_NORMAL, 0, CPU0) == 0);
	CHECK(gets_beyond(&normal, 0));
	NEED(start_spinner(&rt, TWZ_SCHED_RT, 1, CPU0) == 0);
	before = turns(&normal);
	CHECK(gets_beyond(&rt, 0));
	CHECK_EQ(turns(&normal), before);
	stop_spinner(&rt);
	CHECK(gets_beyond(&normal, before));
	stop_spinner(&normal);
	be_normal();
}

static atomic_ulong order, order_count;

static void note_order(void *arg)
{
	atomic_fetch_or(&order, (uint64_t)arg << 8 * atomic_fetch_add(&order_count, 1));
}

static void by_priority(void)
{
	static const uint8_t prios[] = { 10, 30, 20, 30, 5, 97 };
	struct thread t[6];

	be_first();
	order = order_count = 0;
	for (uint64_t i = 0; i < 6; i++) {
		NEED(run_thread(&t[i], note_order, (void *)(i + 1)) == 0);
		CHECK_EQ(set_sched(t[i].tid, TWZ_SCHED_RT, prios[i], CPU0), 0);
	}
	CHECK_EQ(order_count, 0);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	CHECK_EQ(order, 0x050103040206);
	be_normal();
}

static void fifo_and_round_robin(void)
{
	static struct spinner a, b;
	struct twz_sched s = sched_of(TWZ_SCHED_RT, 20, CPU0);

	be_first();
	NEED(start_spinner(&a, TWZ_SCHED_RT, 20, CPU0) == 0);
	NEED(start_spinner(&b, TWZ_SCHED_RT, 20, CPU0) == 0);
	/* first in, first out: one has it all */
	CHECK(gets_beyond(&a, 0));
	nap(40);
	CHECK_EQ(turns(&b), 0);
	s.slice_ns = NS_PER_MS;
	CHECK_EQ(sys_thrd_ctl2(a.thread.tid, THRD_CTL_SET_SCHED, (long)&s), 0);
	CHECK_EQ(sys_thrd_ctl2(b.thread.tid, THRD_CTL_SET_SCHED, (long)&s), 0);
	CHECK(gets_beyond(&a, 0));
	CHECK(gets_beyond(&b, 0));
	stop_spinner(&a);
	stop_spinner(&b);
	be_normal();
}

/* Weights differ by 1.25 for each step: about 9.3 for ten. */
static void weights(void)
{
	static struct spinner heavy, light;
	uint64_t h, l;

	be_first();
	NEED(start_spinner(&heavy, TWZ_SCHED_NORMAL, 10, CPU0) == 0);
	NEED(start_spinner(&light, TWZ_SCHED_NORMAL, 20, CPU0) == 0);
	nap(600);
	h = turns(&heavy);
	l = turns(&light);
	stop_spinner(&heavy);
	stop_spinner(&light);
	be_normal();
	CHECK(l > 0);
	if (h < 3 * l || h > 40 * l)
		ktap_note("turns: %lu and %lu", h, l);
	CHECK(h >= 3 * l);
	CHECK(h <= 40 * l);
}

static void idle_class(void)
{
	static struct spinner idle, normal;
	uint64_t before;

	be_first();
	NEED(start_spinner(&idle, TWZ_SCHED_IDLE, 0, CPU0) == 0);
	CHECK(gets_beyond(&idle, 0));
	NEED(start_spinner(&normal, TWZ_SCHED_NORMAL, 39, CPU0) == 0);
	before = turns(&idle);
	CHECK(gets_beyond(&normal, 0));
	CHECK_EQ(turns(&idle), before);
	stop_spinner(&normal);
	CHECK(gets_beyond(&idle, before));
	stop_spinner(&idle);
	be_normal();
}

/* A spinner that must not progress any more, from this instant on. */
static void check_stands(struct spinner *s)
{
	uint64_t seen = turns(s);

	nap(30);
	CHECK_EQ(turns(s), seen);
}

/* What the call says is true when it returns, wherever the thread was. */
static void in_force(void)
{
	static struct spinner rt, normal;

	if (twz_sysinfo()->ncpus < 2) {
		ktap_skip("needs two CPUs");
		return;
	}
	be_first();
	NEED(start_spinner(&rt, TWZ_SCHED_RT, 50, 2) == 0);
	NEED(start_spinner(&normal, TWZ_SCHED_NORMAL, 20, CPU0) == 0);
	nap(10);
	for (int i = 0; i < 5; i++) {
		/* under the real-time thread of CPU 1 it stands still, on CPU 0 it runs */
		CHECK_EQ(set_sched(normal.thread.tid, TWZ_SCHED_NORMAL, 20, 2), 0);
		check_stands(&normal);
		uint64_t before = turns(&normal);
		CHECK_EQ(set_sched(normal.thread.tid, TWZ_SCHED_NORMAL, 20, CPU0), 0);
		CHECK(gets_beyond(&normal, before));
	}
	/* and off a CPU where it runs, under a thread that is above it */
	CHECK_EQ(set_sched(rt.thread.tid, TWZ_SCHED_RT, 50, CPU0), 0);
	CHECK_EQ(set_sched(normal.thread.tid, TWZ_SCHED_NORMAL, 20, 2), 0);
	nap(10);
	CHECK_EQ(set_sched(normal.thread.tid, TWZ_SCHED_NORMAL, 20, CPU0), 0);
	check_stands(&normal);
	stop_spinner(&rt);
	stop_spinner(&normal);
	be_normal();
}

/*
 * Every CPU has something to do below real time: a real-time thread that waits goes where it can
 * run.
 */
static void pulled(void)
{
	static struct spinner hogs[64], high, low;
	unsigned cpus = twz_sysinfo()->ncpus;

	if (cpus < 2) {
		ktap_skip("needs two CPUs");
		return;
	}
	be_first();
	for (unsigned i = 0; i < cpus; i++)
		NEED(start_spinner(&hogs[i], TWZ_SCHED_NORMAL, 20, 1ull << i) == 0);
	NEED(start_spinner(&low, TWZ_SCHED_RT, 20, CPU0) == 0);
	CHECK(gets_beyond(&low, 0));
	NEED(start_spinner(&high, TWZ_SCHED_RT, 50, CPU0) == 0);
	nap(10);
	check_stands(&low);
	/* free to go: it is pushed off CPU 0 */
	uint64_t before = turns(&low);
	CHECK_EQ(set_sched(low.thread.tid, TWZ_SCHED_RT, 20, 0), 0);
	CHECK(gets_beyond(&low, before));
	/*
	 * all CPUs but one are busy with more important things; when one of those ends, it takes
	 * its place
	 */
	stop_spinner(&high);
	before = turns(&low);
	CHECK(gets_beyond(&low, before));
	stop_spinner(&low);
	for (unsigned i = 0; i < cpus; i++)
		stop_spinner(&hogs[i]);
	be_normal();
}

/* More spinners than CPUs, all free to go anywhere: they all get their turns. */
static void balance(void)
{
	enum { MAX = 17 };
	static struct spinner s[MAX];
	unsigned count = twz_sysinfo()->ncpus * 2 + 1;

	count = count < MAX ? count : MAX;
	be_first();
	for (unsigned i = 0; i < count; i++)
		NEED(start_spinner(&s[i], TWZ_SCHED_NORMAL, 20, 0) == 0);
	for (unsigned i = 0; i < count; i++)
		CHECK(gets_beyond(&s[i], 0));
	for (unsigned i = 0; i < count; i++)
		stop_spinner(&s[i]);
	be_normal();
}

static void yield_to(void *arg)
{
	atomic_int *turn = arg;

	for (int i = 0; i < 100; i++) {
		while (atomic_load(turn) != 1)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
		atomic_store(turn, 0);
	}
}

static void yield_between(uint32_t klass)
{
	struct thread t;
	atomic_int turn = 0;

	CHECK_EQ(set_sched(SELF, klass, klass == TWZ_SCHED_RT ? 30 : 20, CPU0), 0);
	NEED(run_thread(&t, yield_to, &turn) == 0);
	for (int i = 0; i < 100; i++) {
		atomic_store(&turn, 1);
		while (atomic_load(&turn) != 0)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
	}
	CHECK_EQ(finish_thread(&t), 0);
	be_normal();
}

/* On one CPU, without a turn ever ending by the clock. */
static void yielding(void)
{
	yield_between(TWZ_SCHED_RT);
	yield_between(TWZ_SCHED_NORMAL);
	yield_between(TWZ_SCHED_IDLE);
}

/* ---- Priority inheritance ---- */

struct inversion {
	struct mutex lock, inner;
	atomic_int held, go, want;
	atomic_ulong taken_at_turns; /* of the middle thread, when the high one got the mutex */
	struct spinner middle;
	int result;
};

static struct inversion inv;

static void busy_work(void)
{
	for (volatile int i = 0; i < 20000; i++)
		;
}

/* Takes a mutex, and lets it go when it had some time to run. */
static void hold(void *arg)
{
	struct mutex *m = arg;

	CHECK_EQ(mutex_acquire_r(m), 0);
	atomic_store(&inv.held, 1);
	while (!atomic_load(&inv.go))
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	busy_work();
	mutex_release(m);
}

/* Holds one mutex and waits for another: what it is lent it lends on. */
static void hold_and_want(void *arg)
{
	(void)arg;
	CHECK_EQ(mutex_acquire_r(&inv.lock), 0);
	atomic_store(&inv.want, 1);
	CHECK_EQ(mutex_acquire_r(&inv.inner), 0);
	mutex_release(&inv.inner);
	mutex_release(&inv.lock);
}

static void want(void *arg)
{
	(void)arg;
	inv.result = mutex_acquire_r(&inv.lock);
	atomic_store(&inv.taken_at_turns, turns(&inv.middle) + 1);
	mutex_release(&inv.lock);
}

static void start_at(struct thread *t, void (*fn)(void *), void *arg, uint32_t klass, uint32_t prio)
{
	NEED(run_thread(t, fn, arg) == 0);
	CHECK_EQ(set_sched(t->tid, klass, prio, CPU0), 0);
}

/*
 * All on CPU 0: a low thread holds a mutex, a middle one never rests, a high one wants the mutex.
 * Without inheritance the low one never runs again. With `chain` there is one between, which holds
 * what the high one wants.
 */
static void invert(bool chain)
{
	struct thread low, between, high;

	memset(&inv, 0, sizeof(inv));
	be_first();
	start_at(&low, hold, chain ? &inv.inner : &inv.lock, TWZ_SCHED_NORMAL, 20);
	while (!atomic_load(&inv.held))
		twz_sleep_ns(NS_PER_MS);
	if (chain) {
		start_at(&between, hold_and_want, NULL, TWZ_SCHED_RT, 5);
		while (!atomic_load(&inv.want))
			twz_sleep_ns(NS_PER_MS);
	}
	nap(5);
	NEED(start_spinner(&inv.middle, TWZ_SCHED_RT, 30, CPU0) == 0);
	CHECK(gets_beyond(&inv.middle, 0));
	atomic_store(&inv.go, 1);
	nap(10);
	CHECK(inv.lock.sleep != 0); /* it does not get to run */
	start_at(&high, want, NULL, TWZ_SCHED_RT, 60);
	CHECK_EQ(finish_thread(&high), 0);
	CHECK_EQ(inv.result, 0);
	CHECK(inv.taken_at_turns != 0);
	/* and what was lent is given back: the middle one goes on, the low one does not */
	CHECK(gets_beyond(&inv.middle, turns(&inv.middle)));
	stop_spinner(&inv.middle);
	CHECK_EQ(finish_thread(&low), 0);
	if (chain)
		CHECK_EQ(finish_thread(&between), 0);
	be_normal();
	CHECK_EQ(inv.lock.sleep, 0);
	CHECK_EQ(inv.inner.sleep, 0);
}

static void inheritance_of_priority(void)
{
	invert(false);
}

static void inheritance_in_chains(void)
{
	invert(true);
}

static void take_and_end(void *arg)
{
	mutex_acquire(arg);
}

static void wait_long(void *arg)
{
	inv.result = mutex_acquire_r(arg);
}

static void holder_ends(void)
{
	struct thread t, waiter;

	memset(&inv, 0, sizeof(inv));
	CHECK_EQ(exit_code_of(take_and_end, &inv.lock), 0);
	CHECK_EQ(mutex_try_r(&inv.lock), 1);
	CHECK_EQ(mutex_try(&inv.lock), -EBUSY);
	mutex_release(&inv.lock);
	CHECK_EQ(inv.lock.sleep, 0);
	/* one that is waited for */
	NEED(run_thread(&t, hold, &inv.inner) == 0);
	while (!atomic_load(&inv.held))
		twz_sleep_ns(NS_PER_MS);
	NEED(run_thread(&waiter, wait_long, &inv.inner) == 0);
	while (!(inv.inner.sleep & 1))
		twz_sleep_ns(NS_PER_MS);
	nap(5);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 1), 0);
	CHECK_EQ(finish_thread(&waiter), 0);
	CHECK_EQ(inv.result, 1);
	CHECK_EQ(finish_thread(&t), 1);
}

static void take_and_give(void *arg)
{
	mutex_acquire(arg);
	mutex_release(arg);
}

/* Of two who wait the first is woken, and ends before it gets to run: the other must not sleep on. */
static void woken_one_ends(void)
{
	struct thread first, second;

	memset(&inv, 0, sizeof(inv));
	be_first();
	mutex_acquire(&inv.lock);
	start_at(&first, take_and_give, &inv.lock, TWZ_SCHED_RT, 5);
	start_at(&second, take_and_give, &inv.lock, TWZ_SCHED_RT, 4);
	nap(20);
	CHECK(inv.lock.sleep & MUTEX_CONTENDED);
	mutex_release(&inv.lock);
	CHECK_EQ(sys_thrd_ctl2(first.tid, THRD_CTL_KILL, 1), 0);
	CHECK_EQ(finish_thread(&second), 0);
	CHECK_EQ(finish_thread(&first), 1);
	be_normal();
}

static struct mutex counted_lock;
static uint64_t counted;

static void count_up(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++) {
		mutex_acquire(&counted_lock);
		*(volatile uint64_t *)&counted = counted + 1;
		if (i % 16 == 0)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
		mutex_release(&counted_lock);
	}
}

static void mutexes(void)
{
	struct thread t[6];

	counted = 0;
	for (int i = 0; i < 6; i++)
		NEED(run_thread(&t[i], count_up, NULL) == 0);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	CHECK_EQ(counted, 1800);
	CHECK_EQ(counted_lock.sleep, 0);
	struct sys_thread_sync_args ops[2];
	for (int i = 0; i < 2; i++)
		twz_thread_sync_init(&ops[i], THREAD_SYNC_SLEEP, (atomic_ulong *)&counted_lock, 0);
	ops[0].flags = THREAD_SYNC_OWNED;
	CHECK_EQ(sys_thread_sync(2, ops, NULL), -EINVAL);
	ops[0].flags |= THREAD_SYNC_32BIT;
	CHECK_EQ(sys_thread_sync(1, ops, NULL), -EINVAL);
	ops[0].flags = THREAD_SYNC_OWNED;
	CHECK_EQ(sys_thread_sync(1, ops, NULL), -EOWNERDEAD);
	CHECK_EQ((int64_t)ops[0].res, -EOWNERDEAD);
}

static const struct ktap_case cases[] = {
	{ "values are kept and told", values },
	{ "bad values change nothing", bad_values },
	{ "a thread gets the values of its maker", inheritance },
	{ "real-time threads run before all others", real_time_first },
	{ "real-time threads run by priority, equals in order", by_priority },
	{ "first in, first out, and round robin", fifo_and_round_robin },
	{ "time-shared threads run by weight", weights },
	{ "idle threads run when nobody else does", idle_class },
	{ "values are in force when the call returns", in_force },
	{ "a real-time thread does not wait while a CPU runs less", pulled },
	{ "time-shared threads are spread over the CPUs", balance },
	{ "who yields lets others of its level run", yielding },
	{ "mutexes that know their holder", mutexes },
	{ "the holder of a mutex inherits the priority of who wants it", inheritance_of_priority },
	{ "and lends it on to whom it waits for itself", inheritance_in_chains },
	{ "a holder that ends is noticed", holder_ends },
	{ "who is woken for a mutex and ends passes it on", woken_one_ends },
};

int main(void)
{
	return KTAP_RUN(cases);
}
