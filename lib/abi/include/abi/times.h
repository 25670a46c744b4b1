// SPDX-License-Identifier: BSD-3-Clause
/*
 * How long the kernel keeps CPUs and locks, measured by kernels with debugging checks.
 *
 * Object TWZ_TIMES_ID, which everybody may map read-only, has a struct twz_times at
 * TWZ_TIMES_OFFSET from its base and its records from TWZ_TIMES_RECORDS on. Kernels without the
 * checks do not have the object. Words are changed singly while they are read; nothing is ever
 * taken back.
 *
 * The kernel runs with interrupts masked: the longest stay in it is the longest time that an
 * interrupt waits.
 */
#ifndef ABI_TIMES_H
#define ABI_TIMES_H

#include <abi/types.h>

#define TWZ_TIMES_ID ((objid_t)6)
#define TWZ_TIMES_OFFSET 1088u
#define TWZ_TIMES_RECORDS 4096u
#define TWZ_TIMES_MAX 512u
#define TWZ_TIMES_NAME_MAX 40u

struct twz_times {
	uint32_t record_size; /* sizeof(struct twz_hold) */
	uint32_t reserved;
	uint64_t count;       /* records in use */
};

struct twz_hold {
	uint64_t worst; /* ticks of the counter */
	uint64_t total;
	uint64_t count;
	uint32_t kind;  /* TWZ_TIME_* */
	uint32_t code;
	char where[TWZ_TIMES_NAME_MAX]; /* the kernel's function that took the lock */
	char lock[TWZ_TIMES_NAME_MAX];  /* the lock, as that function calls it */
	uint64_t reserved[2];
};

#define TWZ_TIME_LOCK 1u   /* a lock, from taking to letting go */
#define TWZ_TIME_CALL 2u   /* a system call; code: its number - SYS_BASE */
#define TWZ_TIME_FAULT 3u  /* finding what a user address means, and its page */
#define TWZ_TIME_RETURN 4u /* settling what a CPU runs next, and what a parked thread is still to do */

_Static_assert(sizeof(struct twz_hold) == 128, "times record");

#endif
