// SPDX-License-Identifier: BSD-3-Clause
/* Signals, suspension, registers and ends that threads give each other. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define ALL ((uint64_t)-1)

/* ---- A thread that counts, one that sleeps for good, and what they are told ---- */

static atomic_ulong turns, seen[64];
static atomic_uint seen_count;
static atomic_int stop;

static void on_signal(int fault, void *info, void *userdata)
{
	const struct fault_signal_info *signal = info;
	unsigned n = atomic_fetch_add(&seen_count, 1);

	(void)fault;
	(void)userdata;
	if (n < 64)
		atomic_store(&seen[n], (uint64_t)signal->args[0] ^ (uint64_t)signal->args[3] << 32);
}

static void spin(void *arg)
{
	(void)arg;
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed);
}

static void prepare(void)
{
	atomic_store(&turns, 0);
	atomic_store(&seen_count, 0);
	atomic_store(&stop, 0);
}

static bool reaches(atomic_ulong *word, uint64_t value)
{
	uint64_t until = twz_clock_ns() + PATIENCE_NS;

	while (atomic_load(word) < value && twz_clock_ns() < until)
		twz_sleep_ns(NS_PER_MS);
	return atomic_load(word) >= value;
}

static bool seen_reaches(unsigned count)
{
	uint64_t until = twz_clock_ns() + PATIENCE_NS;

	while (atomic_load(&seen_count) < count && twz_clock_ns() < until)
		twz_sleep_ns(NS_PER_MS);
	return atomic_load(&seen_count) == count;
}

static bool goes_on(void)
{
	return reaches(&turns, atomic_load(&turns) + 1);
}

static bool stands(void)
{
	uint64_t before = atomic_load(&turns);

	twz_sleep_ns(20 * NS_PER_MS);
	return atomic_load(&turns) == before;
}

/* The objects that stand for no running thread. */
static void check_refusals(objid_t tid, long error)
{
	struct twz_fault_frame frame;

	CHECK_EQ(sys_signal(tid, 1, 2, 3, 4), error);
	CHECK_EQ(sys_thrd_ctl2(tid, THRD_CTL_SUSPEND, 0), error);
	CHECK_EQ(sys_thrd_ctl2(tid, THRD_CTL_RESUME, 0), error);
	CHECK_EQ(sys_thrd_ctl2(tid, THRD_CTL_KILL, 0), error);
	CHECK_EQ(sys_thrd_ctl2(tid, THRD_CTL_READ_REGS, (long)&frame), error);
}

static void refusals(void)
{
	struct thread t;
	twzobj data;

	check_refusals(missing_id(), -ENOENT);
	NEED(new_object(&data) == 0);
	check_refusals(twz_object_guid(&data), -ESRCH);
	drop_object(&data);
	/* of oneself */
	CHECK_EQ(sys_thrd_ctl2(0, THRD_CTL_SUSPEND, 0), -EINVAL);
	CHECK_EQ(sys_thrd_ctl2(twz_thread_id(), THRD_CTL_SUSPEND, 0), -EINVAL);
	CHECK_EQ(sys_thrd_ctl2(0, THRD_CTL_KILL, 0), -EINVAL);
	/* nonsense */
	prepare();
	NEED(run_thread(&t, spin, NULL) == 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_RESUME, 0), -EINVAL);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 1), -EINVAL);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_EXIT, 0), -EINVAL);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_YIELD, 0), -EINVAL);
	CHECK_EQ(sys_thrd_ctl2(t.tid, 77, 0), -EINVAL);
	stop = 1;
	CHECK_EQ(finish_thread(&t), 0);
}

/* ---- Signals ---- */

static void delivery(void)
{
	struct thread t;

	prepare();
	NEED(run_thread(&t, spin, NULL) == 0);
	CHECK(goes_on());
	CHECK_EQ(sys_signal(t.tid, 5, 6, 7, 9), 0);
	CHECK(seen_reaches(1));
	CHECK_EQ(seen[0], 5 ^ 9ull << 32);
	CHECK(goes_on());
	stop = 1;
	CHECK_EQ(finish_thread(&t), 0);
}

/* While it is suspended signals pile up, to the limit; then they come, in order, none lost. */
static void order_and_limit(void)
{
	struct thread t;

	prepare();
	NEED(run_thread(&t, spin, NULL) == 0);
	CHECK(goes_on());
	for (int round = 0; round < 3; round++) {
		atomic_store(&seen_count, 0);
		CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 0), 0);
		for (long i = 0; i < 32; i++)
			CHECK_EQ(sys_signal(t.tid, i + 1, 0, 0, 0), 0);
		CHECK_EQ(sys_signal(t.tid, 99, 0, 0, 0), -EAGAIN);
		CHECK_EQ(seen_count, 0);
		CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_RESUME, 0), 0);
		CHECK(seen_reaches(32));
		for (uint64_t i = 0; i < 32; i++)
			CHECK_EQ(seen[i], i + 1);
		CHECK(goes_on());
	}
	stop = 1;
	CHECK_EQ(finish_thread(&t), 0);
}

static void own_signal(void)
{
	prepare();
	CHECK_EQ(sys_signal(0, 3, 0, 0, 0), 0);
	CHECK_EQ(seen_count, 1);
	CHECK_EQ(sys_signal(twz_thread_id(), 4, 0, 0, 0), 0);
	CHECK_EQ(seen_count, 2);
	CHECK_EQ(seen[1], 4);
}

/* ---- Sleepers ---- */

struct sleeper {
	atomic_ulong word;
	atomic_ulong begun;
	struct sys_thread_sync_args ops[3];
	size_t count;
	long result;
};

static void sleep_once(void *arg)
{
	struct sleeper *s = arg;
	struct timespec long_time = { 1000, 0 };

	for (size_t i = 0; i < s->count; i++) {
		twz_thread_sync_init(&s->ops[i], THREAD_SYNC_SLEEP, &s->word, 0);
		s->ops[i].res = 77;
	}
	atomic_store(&s->begun, 1);
	s->result = sys_thread_sync(s->count, s->count ? s->ops : NULL, s->count == 1 ? NULL : &long_time);
}

static int begin_sleeper(struct sleeper *s, struct thread *t, size_t count)
{
	int r;

	memset(s, 0, sizeof(*s));
	s->count = count;
	r = run_thread(t, sleep_once, s);
	if (r == 0 && !reaches(&s->begun, 1))
		r = -ETIMEDOUT;
	twz_sleep_ns(5 * NS_PER_MS);
	return r;
}

static void interrupted(void)
{
	static struct sleeper s;
	struct thread t;

	for (size_t count = 0; count < 4; count++) {
		prepare();
		NEED(begin_sleeper(&s, &t, count) == 0);
		CHECK_EQ(sys_signal(t.tid, 1, 0, 0, 0), 0);
		CHECK_EQ(finish_thread(&t), 0);
		CHECK_EQ(s.result, -EINTR);
		CHECK_EQ(seen_count, 1);
		for (size_t i = 0; i < count; i++)
			CHECK_EQ(s.ops[i].res, 77);
		/* nobody sleeps there any more */
		CHECK_EQ(twz_thread_sync(THREAD_SYNC_WAKE, &s.word, ALL, NULL), 0);
		struct sys_thread_sync_args op;
		twz_thread_sync_init(&op, THREAD_SYNC_WAKE, &s.word, ALL);
		CHECK_EQ(sys_thread_sync(1, &op, NULL), 0);
		CHECK_EQ(op.res, 0);
	}
}

static void read_console(void *arg)
{
	char byte;

	*(long *)arg = sys_kec_read(&byte, 1, 0);
}

/* Nobody types here. */
static void console_reader(void)
{
	static long result;
	struct thread t;

	prepare();
	NEED(run_thread(&t, read_console, &result) == 0);
	twz_sleep_ns(10 * NS_PER_MS);
	CHECK_EQ(sys_signal(t.tid, 1, 0, 0, 0), 0);
	CHECK_EQ(finish_thread(&t), 0);
	CHECK_EQ(result, -EINTR);
	NEED(run_thread(&t, read_console, &result) == 0);
	twz_sleep_ns(10 * NS_PER_MS);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 2), 0);
	CHECK_EQ(finish_thread(&t), 2);
}

static void suspended_sleeper(void)
{
	static struct sleeper s;
	struct thread t;

	prepare();
	NEED(begin_sleeper(&s, &t, 1) == 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 0), 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_RESUME, 0), 0);
	CHECK_EQ(finish_thread(&t), 0);
	CHECK_EQ(s.result, -EINTR);
}

/* ---- Suspension ---- */

static void suspension(void)
{
	struct thread t;

	prepare();
	NEED(run_thread(&t, spin, NULL) == 0);
	CHECK(goes_on());
	struct twzthread_repr *repr = twz_object_base(&t.obj);
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 0), 0);
		CHECK_EQ(repr->syncs[THRD_SYNC_STATE], THRD_STATE_SUSPENDED);
		CHECK(stands());
		CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_RESUME, 0), 0);
		CHECK(goes_on());
		CHECK_EQ(repr->syncs[THRD_SYNC_STATE], THRD_STATE_STARTED);
	}
	for (int i = 0; i < 255; i++)
		CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 0), 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 0), -EOVERFLOW);
	for (int i = 0; i < 254; i++)
		CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_RESUME, 0), 0);
	CHECK(stands());
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_RESUME, 0), 0);
	CHECK(goes_on());
	stop = 1;
	CHECK_EQ(finish_thread(&t), 0);
}

/* Two that suspend each other over and over; a third resumes them. */
struct pair {
	struct thread t[2];
	atomic_int stop;
	atomic_ulong done[2];
};

static struct pair pair;

static void suspend_other(void *arg)
{
	uint64_t me = (uint64_t)arg;

	while (!atomic_load(&pair.stop)) {
		sys_thrd_ctl2(pair.t[1 - me].tid, THRD_CTL_SUSPEND, 0);
		atomic_fetch_add(&pair.done[me], 1);
	}
}

static void mutual_suspension(void)
{
	memset(&pair, 0, sizeof(pair));
	for (uint64_t i = 0; i < 2; i++)
		NEED(run_thread(&pair.t[i], suspend_other, (void *)i) == 0);
	for (int i = 0; i < 300; i++) {
		for (int k = 0; k < 2; k++)
			sys_thrd_ctl2(pair.t[k].tid, THRD_CTL_RESUME, 0);
		if (i % 16 == 0)
			twz_sleep_ns(NS_PER_MS);
	}
	atomic_store(&pair.stop, 1);
	for (int i = 0; i < 2; i++) {
		while (twz_thread_join(&pair.t[i], NULL, NS_PER_MS) == -ETIMEDOUT)
			for (int k = 0; k < 2; k++)
				sys_thrd_ctl2(pair.t[k].tid, THRD_CTL_RESUME, 0);
		CHECK_EQ(finish_thread(&pair.t[i]), 0);
	}
}

/* ---- Registers ---- */

static void registers(void)
{
	static atomic_ulong landed;
	struct twz_fault_frame frame, bad;
	struct thread t;

	prepare();
	atomic_store(&landed, 0);
	NEED(run_thread(&t, spin, NULL) == 0);
	CHECK(goes_on());
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_READ_REGS, (long)&frame), -EBUSY);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 0), 0);
	NEED(sys_thrd_ctl2(t.tid, THRD_CTL_READ_REGS, (long)&frame) == 0);
	uintptr_t near = (uintptr_t)spin;
	CHECK(twz_frame_pc(&frame) >= near && twz_frame_pc(&frame) < near + 256);
	bad = frame;
	bad.size++;
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_WRITE_REGS, (long)&bad), -EINVAL);
	bad = frame;
	twz_frame_set_pc(&bad, 1ull << 63);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_WRITE_REGS, (long)&bad), -EFAULT);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_WRITE_REGS, 16), -EFAULT);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_READ_REGS, 16), -EFAULT);
	/* it goes on elsewhere: at the end of its program */
	twz_frame_set_pc(&frame, (uintptr_t)twz_thread_exit);
	twz_frame_set_arg(&frame, 0, 4711);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_WRITE_REGS, (long)&frame), 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_RESUME, 0), 0);
	CHECK_EQ(finish_thread(&t), 4711);
}

/* ---- Ends ---- */

static void kills(void)
{
	static struct sleeper s;
	struct thread t;

	prepare();
	NEED(run_thread(&t, spin, NULL) == 0);
	CHECK(goes_on());
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 1234), 0);
	CHECK_EQ(finish_thread(&t), 1234);
	/* asleep */
	NEED(begin_sleeper(&s, &t, 3) == 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 5), 0);
	CHECK_EQ(finish_thread(&t), 5);
	/* suspended */
	NEED(run_thread(&t, spin, NULL) == 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 0), 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 6), 0);
	CHECK_EQ(finish_thread(&t), 6);
}

/* Under a real-time thread that never rests: who is to stop or end comes first, for a moment. */
static void kills_of_the_starved(void)
{
	struct twz_sched normal = { .prio = TWZ_SCHED_DEFAULT_PRIO }, was;
	struct twz_sched rt = { .klass = TWZ_SCHED_RT, .prio = 50, .affinity = { 1 } };
	static struct sleeper s;
	struct thread starved, hog;

	NEED(sys_thrd_ctl(THRD_CTL_GET_SCHED, (long)&was) == 0);
	prepare();
	NEED(begin_sleeper(&s, &starved, 1) == 0);
	rt.prio = 60;
	NEED(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&rt) == 0);
	rt.prio = 50;
	normal.affinity[0] = 1;
	CHECK_EQ(sys_thrd_ctl2(starved.tid, THRD_CTL_SET_SCHED, (long)&normal), 0);
	NEED(run_thread(&hog, spin, NULL) == 0);
	CHECK_EQ(sys_thrd_ctl2(hog.tid, THRD_CTL_SET_SCHED, (long)&rt), 0);
	CHECK(goes_on());
	CHECK_EQ(sys_thrd_ctl2(starved.tid, THRD_CTL_SUSPEND, 0), 0);
	CHECK_EQ(sys_thrd_ctl2(starved.tid, THRD_CTL_KILL, 8), 0);
	CHECK_EQ(finish_thread(&starved), 8);
	stop = 1;
	CHECK_EQ(finish_thread(&hog), 0);
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&was), 0);
}

static void uncaught(void)
{
	struct thread t;

	twz_fault_set(FAULT_SIGNAL, NULL, NULL);
	prepare();
	NEED(run_thread(&t, spin, NULL) == 0);
	CHECK(goes_on());
	CHECK_EQ(sys_signal(t.tid, 1, 2, 3, 4), 0);
	CHECK_EQ(finish_thread(&t), 256 + FAULT_SIGNAL);
	twz_fault_set(FAULT_SIGNAL, on_signal, NULL);
}

static const struct ktap_case cases[] = {
	{ "what is refused", refusals },
	{ "a signal reaches a running thread", delivery },
	{ "signals come in order, none lost below the limit", order_and_limit },
	{ "a thread signals itself", own_signal },
	{ "a signal ends a sleep", interrupted },
	{ "suspension ends a sleep", suspended_sleeper },
	{ "a signal or an end reaches who reads the console", console_reader },
	{ "suspension stops and nests", suspension },
	{ "threads suspend each other", mutual_suspension },
	{ "registers of a suspended thread", registers },
	{ "threads are ended, whatever they do", kills },
	{ "stopping does not wait for a thread's turn", kills_of_the_starved },
	{ "a signal that nobody takes ends the thread", uncaught },
};

int main(void)
{
	twz_fault_set(FAULT_SIGNAL, on_signal, NULL);
	return KTAP_RUN(cases);
}
