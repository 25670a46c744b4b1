// SPDX-License-Identifier: BSD-3-Clause
/* The table of system calls that a CPU takes while they are traced. */
#include <abi/errno.h>
#include <sched/thread.h>
#include <sys/calls.h>
#include <trace.h>

#include "syscalls.h"

_Static_assert(SYSCALL_PARKED == TWZ_TRACE_PARKED_RESULT, "one way to say it");

/* The thread may be gone from this CPU, or for good, when the call returns. */
static long traced(unsigned int number, SYS_ARGS)
{
	uint64_t thread = ID_LO(current_thread()->id);

	trace_write_of(thread, TWZ_EVENT_SYSCALL, number, a0);
	long result = syscall_table[number](a0, a1, a2, a3, a4, a5);
	trace_write_of(thread, TWZ_EVENT_RETURN, number, (uint64_t)result);
	return result;
}

#define EACH(X)                                                                        \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) \
	X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27)   \
	X(28) X(29) X(30) X(31)

#define DEFINE(n)                                      \
	static long traced_##n(SYS_ARGS)               \
	{                                              \
		return traced(n, a0, a1, a2, a3, a4, a5); \
	}
EACH(DEFINE)

_Static_assert(SYSCALL_COUNT == 32, "EACH() names every call");

#define ENTRY(n) traced_##n,
const syscall_fn traced_syscall_table[SYSCALL_COUNT] = { EACH(ENTRY) };
