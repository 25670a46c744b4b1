// SPDX-License-Identifier: BSD-3-Clause
/* Pauses at random, see debug/delays.h. */
#include <arch/time.h>
#include <boot/machine.h>
#include <debug/delays.h>
#include <log.h>
#include <panic.h>
#include <sched/time.h>
#include <spinlock.h>

#define LOG_PREFIX "delays"

#define SPELLS_PER_S 64u   /* how often other places become the ones that pause */
#define PLACES_PER_HOT 24u /* one place in so many pauses during a spell */
#define PAUSE_MAX_US 150u

static uint64_t seed; /* 0: none */

void delays_init(void)
{
	seed = boot_option_number("delays", 0);
	if (seed)
		log_notice("CPUs pause at random, by %lu", (unsigned long)seed);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
	return x ^ x >> 32;
}

static void pause_for(uint64_t ticks)
{
	uint64_t begun = arch_counter();

	while (arch_counter() - begun < ticks && !panic_active())
		arch_pause();
}

void delay_here(void)
{
	if (!seed)
		return;
	uint64_t now = arch_counter();
	uint64_t spell = now / (time_hz() / SPELLS_PER_S);

	if (mix((uintptr_t)__builtin_return_address(0) ^ mix(seed + spell)) % PLACES_PER_HOT != 0)
		return;
	uint64_t chance = mix(now ^ (uintptr_t)&now);

	if (chance & 3)
		pause_for((chance >> 2) % (time_hz() / 1000000u * PAUSE_MAX_US));
}
