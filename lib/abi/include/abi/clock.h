// SPDX-License-Identifier: BSD-3-Clause
/*
 * Clocks and the kernel's time value. struct twz_timespec has the layout of the C library's
 * struct timespec; it has its own name so that hosts that have one can include this.
 */
#ifndef ABI_CLOCK_H
#define ABI_CLOCK_H

#include <abi/types.h>

struct twz_timespec {
	int64_t tv_sec;  /* ≥ 0 */
	int64_t tv_nsec; /* 0 … 999999999 */
};

#define TWZ_CLOCK_REAL 0u
#define TWZ_CLOCK_MONOTONIC 1u
#define TWZ_CLOCK_PROGRAM_CPU 2u
#define TWZ_CLOCK_THREAD_CPU 3u

/* Operations of SYS_CLOCK. */
#define TWZ_CLOCK_GET 0u
#define TWZ_CLOCK_RESOLUTION 1u
#define TWZ_CLOCK_SET 2u

_Static_assert(sizeof(struct twz_timespec) == 16, "timespec");

#endif
