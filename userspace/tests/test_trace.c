// SPDX-License-Identifier: BSD-3-Clause
/*
 * The trace, and the counters of the CPUs: what is asked for is recorded, nothing else, whole and
 * in order; it can be switched while everybody runs; a CPU with nothing to do is left alone.
 */
#include <abi/syscall.h>
#include <base/string.h>
#include <twz/sys/sync.h>
#include <twz/sys/trace.h>

#include "ktap.h"
#include "testlib.h"

#define MAX_CPUS 64
#define NS_PER_S 1000000000ull

static struct twz_trace_reader readers[MAX_CPUS];
static unsigned int cpus;

static bool open_all(void)
{
	cpus = twz_sysinfo()->ncpus;
	for (unsigned int i = 0; i < cpus; i++)
		if (twz_trace_open(&readers[i], i) != 0)
			return false;
	return true;
}

static void close_all(void)
{
	for (unsigned int i = 0; i < cpus; i++)
		twz_trace_close(&readers[i]);
}

static void skip_all(void)
{
	for (unsigned int i = 0; i < cpus; i++)
		readers[i].next = readers[i].trace->next;
}

/* How many records of an event, of this thread, have come since; of any code if that is < 0. */
static uint64_t count(unsigned int event, int code)
{
	struct twz_trace_record r;
	uint64_t found = 0;

	for (unsigned int i = 0; i < cpus; i++) {
		struct twz_trace_reader reader = readers[i];
		while (twz_trace_read(&reader, &r))
			found += r.event == event && (code < 0 || r.code == code) &&
				 r.thread == ID_LO(twz_thread_repr_base()->reprid);
	}
	return found;
}

static void bad_requests(void)
{
	CHECK_EQ(twz_trace_control(TWZ_TRACE_ALL + 1), -EINVAL);
	CHECK_EQ(twz_trace_control(TWZ_TRACE_ORDER(TWZ_TRACE_MIN_ORDER - 1) | 1), -EINVAL);
	CHECK_EQ(twz_trace_control(TWZ_TRACE_ORDER(TWZ_TRACE_MAX_ORDER + 1) | 1), -EINVAL);
	CHECK_EQ(twz_trace_control(1ull << 40 | 1), -EINVAL);
	CHECK_EQ(twz_trace_control(0), 0);
}

static void write_trace(void *arg)
{
	twzobj o;

	(void)arg;
	if (twz_object_init_guid(&o, TWZ_TRACE_ID(0), FE_READ | FE_WRITE) == 0)
		*((volatile char *)twz_object_base(&o) + TWZ_TRACE_OFFSET) = 0;
}

static void nobody_writes_it(void)
{
	CHECK(exit_code_of(write_trace, NULL) >= THRD_EXIT_FAULT(0));
}

static void system_calls_are_recorded(void)
{
	struct timespec ts;

	NEED(open_all());
	skip_all();
	sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_GET, &ts);
	CHECK_EQ(count(TWZ_EVENT_SYSCALL, -1), 0);
	CHECK_EQ(twz_trace_control(TWZ_TRACE_SYSCALLS), 0);
	skip_all();
	for (int i = 0; i < 10; i++)
		sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_GET, &ts);
	sys_null();
	CHECK_EQ(count(TWZ_EVENT_SYSCALL, SYS_CLOCK - SYS_BASE), 10);
	CHECK_EQ(count(TWZ_EVENT_RETURN, SYS_CLOCK - SYS_BASE), 10);
	CHECK_EQ(count(TWZ_EVENT_SYSCALL, 0), 1);
	CHECK_EQ(count(TWZ_EVENT_FAULT, -1), 0);
	CHECK_EQ(count(TWZ_EVENT_SWITCH, -1), 0);
	CHECK_EQ(twz_trace_control(0), 0);
	skip_all();
	sys_null();
	CHECK_EQ(count(TWZ_EVENT_SYSCALL, -1), 0);
	close_all();
}

static void arguments_and_results(void)
{
	struct twz_trace_record r;
	bool called = false, returned = false;

	NEED(open_all());
	CHECK_EQ(twz_trace_control(TWZ_TRACE_SYSCALLS), 0);
	skip_all();
	CHECK_EQ(sys_kconf(0x5eed, 0), -EINVAL);
	CHECK_EQ(twz_trace_control(0), 0);
	for (unsigned int i = 0; i < cpus; i++) {
		while (twz_trace_read(&readers[i], &r)) {
			if (r.code != SYS_KCONF - SYS_BASE || r.thread != ID_LO(twz_thread_repr_base()->reprid))
				continue;
			called |= r.event == TWZ_EVENT_SYSCALL && r.argument == 0x5eed;
			returned |= r.event == TWZ_EVENT_RETURN && (int64_t)r.argument == -EINVAL;
		}
	}
	CHECK(called && returned);
	close_all();
}

static void the_rest_is_recorded(void)
{
	twzobj o;

	NEED(open_all() && new_object(&o) == 0);
	CHECK_EQ(twz_trace_control(TWZ_TRACE_ALL), 0);
	skip_all();
	*page_word(&o, 3) = 1;
	twz_sleep_ns(NS_PER_MS);
	CHECK(count(TWZ_EVENT_FAULT, 2) >= 1);
	CHECK(count(TWZ_EVENT_SWITCH, -1) >= 1);
	CHECK(count(TWZ_EVENT_SYSCALL, SYS_THRD_SYNC - SYS_BASE) >= 1);
	CHECK_EQ(twz_trace_control(0), 0);

	uint64_t timers = 0, wakes = 0;
	struct twz_trace_record r;
	for (unsigned int i = 0; i < cpus; i++) {
		for (uint64_t last = 0; twz_trace_read(&readers[i], &r); last = r.ticks) {
			CHECK(r.ticks >= last);
			timers += r.event == TWZ_EVENT_INTERRUPT && r.code == TWZ_INTERRUPT_TIMER;
			wakes += r.event == TWZ_EVENT_WAKE &&
				 r.argument == ID_LO(twz_thread_repr_base()->reprid);
		}
		CHECK_EQ(readers[i].lost, 0);
	}
	CHECK(timers >= 1);
	CHECK(wakes >= 1);
	drop_object(&o);
	close_all();
}

/* --- a ring that runs over, and one that is read meanwhile */

static void losses_are_counted(void)
{
	struct twz_trace_record r;
	uint64_t read = 0, lost = 0;

	NEED(open_all());
	CHECK_EQ(twz_trace_control(TWZ_TRACE_SYSCALLS), 0);
	uint64_t capacity = readers[0].trace->capacity;
	skip_all();
	for (uint64_t i = 0; i < capacity * cpus; i++)
		sys_null();
	CHECK_EQ(twz_trace_control(0), 0);
	for (unsigned int i = 0; i < cpus; i++) {
		while (twz_trace_read(&readers[i], &r))
			read++;
		lost += readers[i].lost;
	}
	CHECK(lost >= capacity * cpus * 2 - capacity * cpus);
	CHECK(read >= capacity - 1 && read < capacity * cpus);
	CHECK(read + lost >= 2 * capacity * cpus);
	close_all();
}

static atomic_ulong stop;

static void call_all_the_time(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		sys_kconf(0x7700, 0x77);
}

static bool sound(const struct twz_trace_record *r, uint64_t number, uint64_t last)
{
	return r->number == (uint32_t)number && r->ticks >= last &&
	       (r->event == TWZ_EVENT_SYSCALL || r->event == TWZ_EVENT_RETURN) && r->code < NUM_SYSCALLS &&
	       (r->code != SYS_KCONF - SYS_BASE || r->argument == 0x7700 ||
		   (int64_t)r->argument == -EINVAL);
}

static void records_are_whole_while_written(void)
{
	struct twz_trace_record r;
	struct thread t;
	uint64_t read = 0, lost = 0;
	uint64_t last[MAX_CPUS] = { 0 };

	NEED(open_all());
	atomic_store(&stop, 0);
	NEED(run_thread(&t, call_all_the_time, NULL) == 0);
	CHECK_EQ(twz_trace_control(TWZ_TRACE_SYSCALLS), 0);
	skip_all();
	for (int round = 0; round < 200; round++) {
		for (unsigned int i = 0; i < cpus; i++) {
			for (int n = 0; n < 500 && twz_trace_read(&readers[i], &r); n++, read++) {
				CHECK(sound(&r, readers[i].next - 1, last[i]));
				last[i] = r.ticks;
			}
		}
		if (round % 8 == 0)
			twz_sleep_ns(2 * NS_PER_MS);
	}
	CHECK_EQ(twz_trace_control(0), 0);
	atomic_store(&stop, 1);
	CHECK_EQ(finish_thread(&t), 0);
	for (unsigned int i = 0; i < cpus; i++)
		lost += readers[i].lost;
	ktap_note("%lu records read, %lu lost", (unsigned long)read, (unsigned long)lost);
	CHECK(read > 0);
	close_all();
}

/* Rings grow when nothing is traced; what was in them is gone, and said to be. */
static void rings_grow(void)
{
	struct twz_trace_record r;

	NEED(open_all());
	uint64_t before = readers[0].trace->capacity;
	uint64_t order = 0;
	while (1ull << order < before)
		order++;
	if (order >= TWZ_TRACE_MAX_ORDER) {
		ktap_skip("the rings have their full size already");
		close_all();
		return;
	}
	CHECK_EQ(twz_trace_control(TWZ_TRACE_SYSCALLS), 0);
	CHECK_EQ(twz_trace_control(TWZ_TRACE_SYSCALLS | TWZ_TRACE_ORDER(order + 1)), -EBUSY);
	CHECK_EQ(twz_trace_control(0), 0);
	CHECK_EQ(twz_trace_control(TWZ_TRACE_SYSCALLS | TWZ_TRACE_ORDER(order + 1)), 0);
	CHECK_EQ(readers[0].trace->capacity, 2 * before);
	skip_all();
	sys_kconf(0x5eed, 0);
	CHECK_EQ(count(TWZ_EVENT_SYSCALL, SYS_KCONF - SYS_BASE), 1);
	CHECK_EQ(twz_trace_control(0), 0);
	for (unsigned int i = 0; i < cpus; i++) {
		readers[i].next = 0;
		while (twz_trace_read(&readers[i], &r))
			;
		CHECK_EQ(readers[i].lost, readers[i].trace->first);
	}
	close_all();
}

/* Switched on and off while others are in system calls. */
static void switched_under_load(void)
{
	struct thread threads[3];

	atomic_store(&stop, 0);
	for (int i = 0; i < 3; i++)
		NEED(run_thread(&threads[i], call_all_the_time, NULL) == 0);
	for (int i = 0; i < 300; i++)
		CHECK_EQ(twz_trace_control(i % 2 ? 0 : TWZ_TRACE_ALL), 0);
	CHECK_EQ(twz_trace_control(0), 0);
	atomic_store(&stop, 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(finish_thread(&threads[i]), 0);
}

static void sleep_on(void *arg)
{
	atomic_ulong *word = arg;

	while (atomic_load(word) == 0)
		twz_thread_sync(THREAD_SYNC_SLEEP, word, 0, NULL);
}

/* --- counters */

static uint64_t timer_interrupts(void)
{
	struct twz_cpu_stats stats;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < twz_sysinfo()->ncpus; i++) {
		CHECK_EQ(twz_cpu_stats(i, &stats), 0);
		sum += stats.timer;
	}
	return sum;
}

static void counters(void)
{
	struct twz_cpu_stats stats;
	uint64_t before = timer_interrupts();

	for (int i = 0; i < 10; i++)
		twz_sleep_ns(NS_PER_MS);
	CHECK(timer_interrupts() >= before + 5); /* a wake can come with another one's interrupt */
	CHECK_EQ(twz_cpu_stats(twz_sysinfo()->ncpus, &stats), -EINVAL);
	CHECK_EQ(twz_cpu_stats(0, &stats), 0);
	CHECK(stats.switches > 0);
}

/* Nobody runs for two seconds: one timeout, the sleeper's, and what was armed before. No ticks. */
static void idle_cpus_are_left_alone(void)
{
	twz_sleep_ns(50 * NS_PER_MS);
	uint64_t before = timer_interrupts();
	CHECK_EQ(twz_sleep_ns(2 * NS_PER_S), 0);
	uint64_t after = timer_interrupts();
	CHECK(after > before);
	CHECK(after - before <= 1 + twz_sysinfo()->ncpus);
	ktap_note("%lu timer interrupts", (unsigned long)(after - before));
}

/* A thread that has its CPU to itself is not interrupted either. */
static void lonely_threads_are_left_alone(void)
{
	uint64_t before = timer_interrupts(), until = twz_clock_ns() + NS_PER_S;

	while (twz_clock_ns() < until)
		;
	CHECK(timer_interrupts() - before <= 2 + twz_sysinfo()->ncpus);
	ktap_note("%lu timer interrupts", (unsigned long)(timer_interrupts() - before));
}

/* --- threads, looked at by others */

static void threads_can_be_looked_at(void)
{
	struct kernel_ostat_thread first, second;
	struct thread t;
	uint64_t until = twz_clock_ns() + PATIENCE_NS;

	atomic_store(&stop, 0);
	NEED(run_thread(&t, call_all_the_time, NULL) == 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_THREAD, t.tid, 0, &first), 0);
	CHECK(first.klass == TWZ_SCHED_NORMAL && first.prio == TWZ_SCHED_DEFAULT_PRIO);
	CHECK(first.view != 0 && first.cpu < twz_sysinfo()->ncpus);
	do {
		twz_sleep_ns(NS_PER_MS);
		CHECK_EQ(sys_ostat(TWZ_OSTAT_THREAD, t.tid, 0, &second), 0);
	} while (second.cpu_ns < first.cpu_ns + 5 * NS_PER_MS && twz_clock_ns() < until);
	CHECK(second.cpu_ns >= first.cpu_ns + 5 * NS_PER_MS);
	CHECK(second.switches >= 1 && second.switches >= first.switches);
	CHECK(second.faults >= first.faults);
	CHECK(second.state == TWZ_THREAD_RUNNING || second.state == TWZ_THREAD_READY);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_THREAD, twz_object_guid(&t.obj), 0, (void *)8), -EFAULT);
	atomic_store(&stop, 1);
	CHECK_EQ(twz_thread_join(&t, NULL, PATIENCE_NS), 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_THREAD, t.tid, 0, &first), -ESRCH);
	twz_thread_release(&t);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_THREAD, KSO_ROOT_ID, 0, &first), -ESRCH);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_THREAD, missing_id(), 0, &first), -ENOENT);
}

static void sleepers_are_seen_asleep(void)
{
	struct kernel_ostat_thread s = { .state = TWZ_THREAD_RUNNING };
	uint64_t until = twz_clock_ns() + PATIENCE_NS;
	static atomic_ulong word;
	struct thread t;

	atomic_store(&word, 0);
	NEED(run_thread(&t, sleep_on, &word) == 0);
	while (s.state != TWZ_THREAD_SLEEPING && twz_clock_ns() < until)
		CHECK_EQ(sys_ostat(TWZ_OSTAT_THREAD, t.tid, 0, &s), 0);
	CHECK_EQ(s.state, TWZ_THREAD_SLEEPING);
	atomic_store(&word, 1);
	twz_thread_sync(THREAD_SYNC_WAKE, &word, -1ul, NULL);
	CHECK_EQ(finish_thread(&t), 0);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "bad requests", bad_requests },
		{ "nobody writes it", nobody_writes_it },
		{ "system calls are recorded", system_calls_are_recorded },
		{ "arguments and results", arguments_and_results },
		{ "switches, faults, interrupts and wake-ups are recorded", the_rest_is_recorded },
		{ "losses are counted", losses_are_counted },
		{ "records are whole while they are written", records_are_whole_while_written },
		{ "rings grow", rings_grow },
		{ "switched on and off under load", switched_under_load },
		{ "counters", counters },
		{ "threads can be looked at by others", threads_can_be_looked_at },
		{ "sleepers are seen asleep", sleepers_are_seen_asleep },
		{ "idle CPUs take no timer interrupts", idle_cpus_are_left_alone },
		{ "a thread alone on its CPU is not interrupted", lonely_threads_are_left_alone },
	};

	return KTAP_RUN(cases);
}
