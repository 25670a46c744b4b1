// SPDX-License-Identifier: BSD-3-Clause
/* Tables of system calls, see sys/dispatch.h. */
#include <cpu.h>
#include <sched/sched.h>
#include <sched/thread.h>
#include <sec/late.h>
#include <sys/calls.h>
#include <sys/dispatch.h>
#include <sys/wrapped.h>

static _Atomic(const syscall_fn *) base = syscall_table;

/*
 * Of a thread that the call parked or ended nothing may be touched: it does the rest itself, if it
 * goes on.
 */
static long late(unsigned int number, SYS_ARGS)
{
	struct thread *thread = current_thread();

	sec_late_enter(thread, number);
	long result = atomic_load(&base)[number](a0, a1, a2, a3, a4, a5);
	if (result != SYSCALL_PARKED)
		sec_late_returned(thread);
	return result;
}

SYSCALLS_WRAPPED(late)
static const syscall_fn late_table[SYSCALL_COUNT] = SYSCALL_WRAPPED_TABLE(late);

/* As the trap entry wants it: where the entry of call number 0 would be. */
static uintptr_t biased(const syscall_fn *table)
{
	return (uintptr_t)table - SYSCALL_BASE * sizeof(*table);
}

void dispatch_for(struct cpu *cpu, const struct thread *thread)
{
	const syscall_fn *table;

	cpu->takes_late = atomic_load(&thread->late) != 0;
	do {
		table = atomic_load(&base);
		atomic_store(&cpu->syscalls, biased(cpu->takes_late ? late_table : table));
	} while (table != atomic_load(&base));
}

void dispatch_use(const syscall_fn *table)
{
	const syscall_fn *old = atomic_exchange(&base, table);

	/* CPUs that run a thread with late detaches go on to the new table through theirs. */
	for (unsigned int i = 0; i < cpu_count; i++) {
		uintptr_t expected = biased(old);
		uintptr_t none = 0;
		if (!atomic_compare_exchange_strong(&cpus[i].syscalls, &expected, biased(table)))
			atomic_compare_exchange_strong(&cpus[i].syscalls, &none, biased(table));
	}
}
