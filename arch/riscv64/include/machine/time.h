// SPDX-License-Identifier: BSD-3-Clause
/*
 * The counter: inline half of arch/time.h. All harts of a machine read the same clock.
 */
#ifndef MACHINE_TIME_H
#define MACHINE_TIME_H

static inline uint64_t arch_counter(void)
{
	uint64_t now;

	__asm__ volatile("rdtime %0" : "=r"(now));
	return now;
}

#endif
