// SPDX-License-Identifier: BSD-3-Clause
/*
 * The machine's free-running counter, read where the code that asks for it stands: the barrier
 * keeps the read from being done early.
 */
#ifndef MACHINE_COUNTER_H
#define MACHINE_COUNTER_H

#include <stdint.h>

static inline uint64_t machine_counter(void)
{
	uint64_t now;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now) : : "memory");
	return now;
}

#endif
