// SPDX-License-Identifier: BSD-3-Clause
/* The table of system calls that a CPU takes while they are traced. */
#include <abi/errno.h>
#include <sched/thread.h>
#include <sys/wrapped.h>
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

SYSCALLS_WRAPPED(traced)
const syscall_fn traced_syscall_table[SYSCALL_COUNT] = SYSCALL_WRAPPED_TABLE(traced);
