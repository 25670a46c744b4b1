// SPDX-License-Identifier: BSD-3-Clause
/* Tests of sched/time.h: conversions at the frequencies that machines have. */
#include "unit.h"

#include <arch/time.h>
#include <sched/time.h>

#include "host.h"

static uint64_t frequency;

uint64_t arch_timer_probe(const void *fdt)
{
	(void)fdt;
	return frequency;
}

static const uint64_t frequencies[] = { 2000, 32768, 1000000, 10000000, 19200000, 24000000,
					54000000, 62500000, 100000000, 1000000000, 1999999999 };
#define FREQUENCIES (sizeof(frequencies) / sizeof(frequencies[0]))

static void start_at(uint64_t hz, uint64_t counter)
{
	frequency = hz;
	host_counter = counter;
	time_init(NULL);
}

static void time_starts_at_nothing_and_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < FREQUENCIES; i++) {
		start_at(frequencies[i], 0x123456789ull);
		assert_int_equal(time_hz(), frequencies[i]);
		assert_int_equal(time_now_ns(), 0);
		host_counter += 86400 * 365 * frequencies[i];
		uint64_t year = 86400ull * 365 * 1000000000ull;
		assert_in_range(time_now_ns(), year - 10000, year);
	}
}

/* A timer that is set for a time must not fire before it, or it would be set again and again. */
static void deadlines_are_never_early(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		uint64_t hz = frequencies[next_random(&random) % FREQUENCIES];
		uint64_t ns = next_random(&random) << (next_random(&random) % 24);

		start_at(hz, next_random(&random));
		uint64_t start = host_counter;
		host_counter = time_ticks_from_ns(ns);
		assert_true(host_counter >= start);
		assert_true(time_now_ns() >= ns);
		/* Nor late by more than two ticks. */
		host_counter -= host_counter - start >= 2 ? 2 : host_counter - start;
		assert_true(time_now_ns() <= ns + 1);
	}
}

static void far_times_saturate(void **state)
{
	(void)state;
	start_at(1999999999, 5);
	assert_true(time_ticks_from_ns(UINT64_MAX) == TIMER_NEVER);
	start_at(10000000, UINT64_MAX - 10);
	assert_true(time_ticks_from_ns(1000000000) == TIMER_NEVER);
}

static void senseless_timers_are_refused(void **state)
{
	(void)state;
	assert_true(PANICS(start_at(0, 0)));
	assert_true(PANICS(start_at(1999, 0)));
	assert_true(PANICS(start_at(2000000000, 0)));
	assert_true(PANICS(start_at(UINT64_MAX, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_starts_at_nothing_and_goes_on),
		cmocka_unit_test(deadlines_are_never_early),
		cmocka_unit_test(far_times_saturate),
		cmocka_unit_test(senseless_timers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
