// SPDX-License-Identifier: BSD-3-Clause
/*
 * Time since boot. Ticks and nanoseconds are converted by multiplication with fixed-point factors
 * that are worked out once; products are 128 bits wide, so nothing overflows in centuries.
 */
#include <abi/clock.h>
#include <arch/time.h>
#include <log.h>
#include <panic.h>
#include <sched/time.h>

#define LOG_PREFIX "time"

#define NS_PER_S 1000000000ull
#define HZ_MIN 2000ull             /* ns_per_tick below 2^63 */
#define HZ_MAX (2 * NS_PER_S - 1)  /* and above 2^43 */

#define NS_SHIFT TWZ_TIME_SHIFT /* bits of fraction of ns_per_tick */
#define TICKS_SHIFT 63          /* bits of fraction of ticks_per_ns */

static uint64_t hz;
static uint64_t start; /* counter value that is time 0 */
static uint64_t ns_per_tick, ticks_per_ns;

/* (value << shift) / divisor, bit by bit: the compiler's 128-bit division needs its library. */
static uint64_t divide_shifted(uint64_t value, unsigned int shift, uint64_t divisor)
{
	uint64_t quotient = value / divisor, rest = value % divisor;

	for (; shift > 0; shift--) {
		rest <<= 1;
		quotient = quotient << 1 | (rest >= divisor);
		if (rest >= divisor)
			rest -= divisor;
	}
	return quotient;
}

void time_init(const void *fdt)
{
	hz = arch_timer_probe(fdt);
	if (hz == 0)
		panic("the device tree describes no timer that the kernel can use");
	if (hz < HZ_MIN || hz > HZ_MAX)
		panic("the timer runs at %lu Hz, which cannot be right", hz);
	ns_per_tick = divide_shifted(NS_PER_S, NS_SHIFT, hz);
	/* The inverse of that very factor, so that both directions agree for ever. */
	ticks_per_ns = divide_shifted(1, TICKS_SHIFT + NS_SHIFT, ns_per_tick);
	start = arch_counter();
	log_debug("counter runs at %lu Hz", hz);
}

void time_describe(struct twz_time *time)
{
	time->version = TWZ_TIME_VERSION;
	time->hz = hz;
	time->start = start;
	time->ns_per_tick = ns_per_tick;
}

uint64_t time_hz(void)
{
	return hz;
}

uint64_t time_ns_from_ticks(uint64_t ticks)
{
	return (uint64_t)(((unsigned __int128)ticks * ns_per_tick) >> NS_SHIFT);
}

uint64_t time_now_ns(void)
{
	return time_ns_from_ticks(arch_counter() - start);
}

/*
 * The exact quotient, cut off twice with an error below one tick each, plus two: when the counter
 * is there, time_now_ns() has reached `ns`.
 */
uint64_t time_ticks_from_ns(uint64_t ns)
{
	unsigned __int128 ticks = (((unsigned __int128)ns * ticks_per_ns) >> TICKS_SHIFT) + 2;

	return ticks >= TIMER_NEVER - start ? TIMER_NEVER : start + (uint64_t)ticks;
}
