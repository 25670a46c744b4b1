// SPDX-License-Identifier: BSD-3-Clause
/*
 * Inline part of arch/time.h: the virtual counter, which user mode reads too.
 */
#ifndef MACHINE_TIME_H
#define MACHINE_TIME_H

#include <machine/sysreg.h>

static inline uint64_t arch_counter(void)
{
	return sysreg_read(cntvct_el0);
}

#endif
