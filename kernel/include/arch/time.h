// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract: the counter and the per-CPU timer.
 *
 * The counter counts up at a constant rate, is synchronised between CPUs and readable in user
 * mode; it never wraps in practice (64 bits).
 */
#ifndef ARCH_TIME_H
#define ARCH_TIME_H

#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

static inline uint64_t arch_counter(void); /* inline; not ordered with memory accesses */

/*
 * Counter frequency in Hz from the device tree or the hardware; boot CPU, once.
 * 0 = the machine describes no usable timer.
 */
uint64_t arch_timer_probe(const void *fdt);

/*
 * Raise this CPU's timer interrupt when the counter reaches `deadline` (in ticks; a past value
 * fires at once; TIMER_NEVER disarms). One deadline per CPU; setting replaces. A fired timer stays
 * quiet until set again.
 */
void arch_timer_set(uint64_t deadline);

#include <machine/time.h>

#endif
