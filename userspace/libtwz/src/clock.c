// SPDX-License-Identifier: BSD-3-Clause
/*
 * Time, and actions on the machine. The time is told from the counter and the time object
 * (abi/clock.h), which is mapped when it is first asked for; without it, by the kernel.
 */
#include "runtime.h"

#include <machine/counter.h>
#include <twz/sys/sys.h>

#define NS_PER_SEC 1000000000ull

static const struct twz_time *_Atomic time_object; /* NULL: not mapped yet */

/* The handle is never released: the object stays mapped for the program's lifetime. */
static const struct twz_time *map_time(void)
{
	const struct twz_time *time;
	twzobj o;

	if (twz_object_init_guid(&o, TWZ_TIME_ID, FE_READ) < 0)
		return NULL;
	time = (const void *)((const char *)twz_object_base(&o) + TWZ_TIME_OFFSET);
	if (time->version != TWZ_TIME_VERSION)
		return NULL;
	atomic_store_explicit(&time_object, time, memory_order_relaxed);
	return time;
}

/* Relaxed: what is read through the pointer stood there before any program did. */
static inline const struct twz_time *get_time(void)
{
	return atomic_load_explicit(&time_object, memory_order_relaxed);
}

static inline uint64_t ns_from_ticks(const struct twz_time *time, uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * time->ns_per_tick >> TWZ_TIME_SHIFT);
}

static inline uint64_t monotonic(const struct twz_time *time)
{
	return ns_from_ticks(time, machine_counter() - time->start);
}

static inline uint64_t real(const struct twz_time *time)
{
	const _Atomic uint32_t *sequence = (const _Atomic uint32_t *)&time->sequence;
	uint32_t before;
	int64_t offset;

	do {
		before = atomic_load_explicit(sequence, memory_order_acquire);
		offset = atomic_load_explicit((const _Atomic int64_t *)&time->real_offset,
		    memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
	} while (before & 1 || atomic_load_explicit(sequence, memory_order_relaxed) != before);
	return monotonic(time) + (uint64_t)offset;
}

static uint64_t ask_kernel(int clock)
{
	struct timespec ts;

	if (sys_clock(clock, TWZ_CLOCK_GET, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* The first reading; apart, so that the others need not save registers for it. */
static __attribute__((noinline)) uint64_t first_reading(int clock)
{
	const struct twz_time *time = map_time();

	if (!time)
		return ask_kernel(clock);
	return clock == TWZ_CLOCK_MONOTONIC ? monotonic(time) : real(time);
}

uint64_t twz_clock_ns(void)
{
	const struct twz_time *time = get_time();

	return time ? monotonic(time) : first_reading(TWZ_CLOCK_MONOTONIC);
}

uint64_t twz_clock_real_ns(void)
{
	const struct twz_time *time = get_time();

	return time ? real(time) : first_reading(TWZ_CLOCK_REAL);
}

uint32_t twz_clock_real_source(void)
{
	const struct twz_time *time = get_time();

	if (!time)
		time = map_time();
	return time ? time->real_source : TWZ_REAL_UNKNOWN;
}

uint64_t twz_ns_from_ticks(uint64_t ticks)
{
	const struct twz_time *time = get_time();

	if (!time)
		time = map_time();
	return time ? ns_from_ticks(time, ticks) : ticks * (NS_PER_SEC / twz_sysinfo()->timer_hz);
}

int twz_clock_get(int clock, struct timespec *ts)
{
	uint64_t ns;

	if (clock == TWZ_CLOCK_MONOTONIC)
		ns = twz_clock_ns();
	else if (clock == TWZ_CLOCK_REAL)
		ns = twz_clock_real_ns();
	else
		return (int)sys_clock(clock, TWZ_CLOCK_GET, ts);
	ts->tv_sec = (long)(ns / NS_PER_SEC);
	ts->tv_nsec = (long)(ns % NS_PER_SEC);
	return 0;
}

int twz_sleep_ns(uint64_t ns)
{
	struct timespec ts = { (long)(ns / NS_PER_SEC), (long)(ns % NS_PER_SEC) };

	return (int)sys_thread_sync(0, NULL, &ts);
}

long twz_root_action(int cmd, uint64_t arg)
{
	struct sys_kaction_args a = {
		.id = KSO_ROOT_ID,
		.cmd = cmd,
		.arg = arg,
		.flags = KACTION_VALID,
	};
	long r = sys_kaction(1, &a);

	return r < 0 ? r : a.result;
}
