// SPDX-License-Identifier: BSD-3-Clause
/*
 * Clocks: the program's own reading of the time is the kernel's, on all CPUs; what may be set, and
 * what not; CPU time; sleeps that are never too short.
 */
#include <twz/debug.h>

#include "ktap.h"
#include "testlib.h"

#define NS_PER_S 1000000000ull

static uint64_t kernel_ns(int clock)
{
	struct timespec ts;

	return sys_clock(clock, TWZ_CLOCK_GET, &ts) < 0 ? 0 : ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* --- the monotonic clock */

static void program_and_kernel_agree(void)
{
	uint64_t last = 0;

	for (int i = 0; i < 2000; i++) {
		uint64_t now = i % 2 ? kernel_ns(TWZ_CLOCK_MONOTONIC) : twz_clock_ns();

		if (now < last) {
			CHECK(!"time runs forwards");
			ktap_note("round %d: %lu after %lu", i, (unsigned long)now, (unsigned long)last);
			return;
		}
		last = now;
	}
	CHECK(last > 0);
}

/* Whoever reads the time after somebody on another CPU has it later, whichever way both read. */
#define READERS 4
#define READINGS 20000

static atomic_ulong latest;
static atomic_ulong early;

static void reader(void *arg)
{
	uint64_t number = (uintptr_t)arg;

	for (uint64_t i = 0; i < READINGS; i++) {
		unsigned long before = atomic_load(&latest);
		unsigned long now = (i + number) % 4 ? twz_clock_ns() : kernel_ns(TWZ_CLOCK_MONOTONIC);

		if (now < before)
			atomic_fetch_add(&early, 1);
		while (before < now && !atomic_compare_exchange_weak(&latest, &before, now))
			;
	}
}

static void time_is_one_on_all_cpus(void)
{
	struct thread threads[READERS];

	atomic_store(&latest, 0);
	atomic_store(&early, 0);
	for (uintptr_t i = 0; i < READERS; i++)
		NEED(run_thread(&threads[i], reader, (void *)i) == 0);
	for (int i = 0; i < READERS; i++)
		CHECK_EQ(finish_thread(&threads[i]), 0);
	CHECK_EQ(atomic_load(&early), 0);
}

static void resolutions(void)
{
	struct timespec ts;

	for (unsigned int clock = TWZ_CLOCK_REAL; clock <= TWZ_CLOCK_THREAD_CPU; clock++) {
		CHECK_EQ(sys_clock(clock, TWZ_CLOCK_RESOLUTION, &ts), 0);
		CHECK_EQ(ts.tv_sec, 0);
		CHECK(ts.tv_nsec >= 1 && ts.tv_nsec <= 1000000);
	}
	CHECK_EQ(sys_clock(TWZ_CLOCK_THREAD_CPU + 1, TWZ_CLOCK_RESOLUTION, &ts), -EINVAL);
	CHECK_EQ(sys_clock(TWZ_CLOCK_THREAD_CPU + 1, TWZ_CLOCK_GET, &ts), -EINVAL);
	CHECK_EQ(sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET + 1, &ts), -EINVAL);
	CHECK_EQ(sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_GET, NULL), -EFAULT);
}

/* --- the time object */

static void write_time(void *arg)
{
	twzobj o;

	(void)arg;
	if (twz_object_init_guid(&o, TWZ_TIME_ID, FE_READ | FE_WRITE) == 0)
		*(volatile uint64_t *)((char *)twz_object_base(&o) + TWZ_TIME_OFFSET + 32) = 0;
}

static void nobody_writes_the_time_object(void)
{
	uint64_t before = twz_clock_real_ns();

	CHECK(exit_code_of(write_time, NULL) >= THRD_EXIT_FAULT(0));
	CHECK(twz_clock_real_ns() >= before);
}

/* --- the real clock */

static long set_real(uint64_t ns)
{
	struct timespec ts = { (long)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	return sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, &ts);
}

static void real_clock_is_the_kernels(void)
{
	uint64_t first = twz_clock_real_ns();
	uint64_t second = kernel_ns(TWZ_CLOCK_REAL);
	uint64_t third = twz_clock_real_ns();
	struct timespec ts;

	CHECK(first <= second && second <= third);
	CHECK_EQ(twz_clock_get(TWZ_CLOCK_REAL, &ts), 0);
	CHECK((uint64_t)ts.tv_sec >= first / NS_PER_S);
	if (twz_clock_real_source() == TWZ_REAL_RTC)
		CHECK(twz_sysinfo()->features & TWZ_FEATURE_RTC);
}

static void real_clock_is_set(void)
{
	uint64_t before = twz_clock_real_ns(), monotonic = twz_clock_ns();
	uint64_t ahead = before + 5 * NS_PER_S;

	CHECK_EQ(set_real(ahead), 0);
	uint64_t after = twz_clock_real_ns();
	CHECK(after >= ahead && after < ahead + 100 * NS_PER_S);
	CHECK(kernel_ns(TWZ_CLOCK_REAL) >= ahead);
	CHECK_EQ(twz_clock_real_source(), TWZ_REAL_SET);
	CHECK(twz_clock_ns() >= monotonic && twz_clock_ns() < monotonic + 100 * NS_PER_S);
}

static void times_that_cannot_be_set(void)
{
	struct timespec ts = { 5, 1000000000 };

	CHECK_EQ(sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, &ts), -EINVAL);
	ts = (struct timespec){ 5, -1 };
	CHECK_EQ(sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, &ts), -EINVAL);
	ts = (struct timespec){ -5, 0 };
	CHECK_EQ(sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, &ts), -EINVAL);
	ts = (struct timespec){ 9223372037, 0 };
	CHECK_EQ(sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, &ts), -EINVAL);
	ts = (struct timespec){ INT64_MAX, 0 };
	CHECK_EQ(sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, &ts), -EINVAL);
	ts = (struct timespec){ 1900000000, 0 };
	CHECK_EQ(sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_SET, &ts), -EINVAL);
	CHECK_EQ(sys_clock(TWZ_CLOCK_THREAD_CPU, TWZ_CLOCK_SET, &ts), -EINVAL);
	CHECK_EQ(sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, NULL), -EFAULT);
}

static void never_behind_the_record(void)
{
	if (!have_store())
		return;
	CHECK_EQ(set_real(twz_clock_real_ns() + NS_PER_S), 0);
	uint64_t before = twz_clock_real_ns();
	CHECK_EQ(set_real(before - 100 * NS_PER_S), -EINVAL);
	CHECK(twz_clock_real_ns() >= before);
}

/* --- CPU time */

static void burn(uint64_t ns)
{
	uint64_t until = kernel_ns(TWZ_CLOCK_THREAD_CPU) + ns;

	while (kernel_ns(TWZ_CLOCK_THREAD_CPU) < until)
		;
}

static void burn_a_while(void *arg)
{
	burn((uintptr_t)arg);
}

static void threads_have_their_own_cpu_time(void)
{
	uint64_t before = kernel_ns(TWZ_CLOCK_THREAD_CPU);

	burn(5 * NS_PER_MS);
	uint64_t burned = kernel_ns(TWZ_CLOCK_THREAD_CPU);
	CHECK(burned - before >= 5 * NS_PER_MS);
	twz_sleep_ns(50 * NS_PER_MS);
	CHECK(kernel_ns(TWZ_CLOCK_THREAD_CPU) - burned < 50 * NS_PER_MS);
	/* Another thread's is none of ours. */
	burned = kernel_ns(TWZ_CLOCK_THREAD_CPU);
	CHECK_EQ(exit_code_of(burn_a_while, (void *)(uintptr_t)(200 * NS_PER_MS)), 0);
	CHECK(kernel_ns(TWZ_CLOCK_THREAD_CPU) - burned < 200 * NS_PER_MS);
}

/* Of all threads, those that run elsewhere and those that have ended too. */
static void programs_have_cpu_time(void)
{
	uint64_t before = kernel_ns(TWZ_CLOCK_PROGRAM_CPU);
	struct thread t;

	CHECK(before >= kernel_ns(TWZ_CLOCK_THREAD_CPU) / 2);
	CHECK_EQ(exit_code_of(burn_a_while, (void *)(uintptr_t)(20 * NS_PER_MS)), 0);
	CHECK(kernel_ns(TWZ_CLOCK_PROGRAM_CPU) - before >= 20 * NS_PER_MS);

	before = kernel_ns(TWZ_CLOCK_PROGRAM_CPU);
	NEED(run_thread(&t, burn_a_while, (void *)(uintptr_t)(50 * NS_PER_MS)) == 0);
	uint64_t patience = twz_clock_ns() + PATIENCE_NS, last = before, now = before;
	while (now - before < 20 * NS_PER_MS && twz_clock_ns() < patience) {
		twz_sleep_ns(NS_PER_MS);
		now = kernel_ns(TWZ_CLOCK_PROGRAM_CPU);
		CHECK(now >= last);
		last = now;
	}
	CHECK(now - before >= 20 * NS_PER_MS);
	CHECK_EQ(finish_thread(&t), 0);
}

/* --- sleeping */

static void sleeps_are_never_short(void)
{
	uint64_t least = UINT64_MAX, worst = 0;

	for (uint64_t us = 1; us <= 1000; us += us < 20 ? 1 : us / 7) {
		uint64_t before = twz_clock_ns();

		CHECK_EQ(twz_sleep_ns(us * 1000), 0);
		uint64_t took = twz_clock_ns() - before;
		CHECK(took >= us * 1000);
		least = took - us * 1000 < least ? took - us * 1000 : least;
		worst = took - us * 1000 > worst ? took - us * 1000 : worst;
	}
	ktap_note("late by %lu to %lu ns", (unsigned long)least, (unsigned long)worst);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "a program's reading of the time is the kernel's", program_and_kernel_agree },
		{ "time is one on all CPUs", time_is_one_on_all_cpus },
		{ "resolutions and bad requests", resolutions },
		{ "nobody writes the time object", nobody_writes_the_time_object },
		{ "the real clock is the kernel's", real_clock_is_the_kernels },
		{ "the real clock is set", real_clock_is_set },
		{ "times that cannot be set", times_that_cannot_be_set },
		{ "the real clock is never set behind the record", never_behind_the_record },
		{ "threads have their own CPU time", threads_have_their_own_cpu_time },
		{ "programs have CPU time", programs_have_cpu_time },
		{ "sleeps are never short", sleeps_are_never_short },
	};

	return KTAP_RUN(cases);
}
