// SPDX-License-Identifier: BSD-3-Clause
/* The host as a machine: its counter says what the test wants. */
#ifndef MACHINE_TIME_H
#define MACHINE_TIME_H

extern uint64_t host_counter;

static inline uint64_t arch_counter(void)
{
	return host_counter;
}

#endif
