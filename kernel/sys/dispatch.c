// SPDX-License-Identifier: BSD-3-Clause
/* Tables of system calls, see sys/dispatch.h. */
#include <cpu.h>
#include <sched/sched.h>
#include <sched/thread.h>
#include <sec/late.h>
#include <sys/calls.h>
#include <sys/dispatch.h>

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

#define EACH(X)                                                                        \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) \
	X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27)   \
	X(28) X(29) X(30) X(31)

#define DEFINE(n)                                      \
	static long late_##n(SYS_ARGS)                 \
	{                                              \
		return late(n, a0, a1, a2, a3, a4, a5); \
	}
EACH(DEFINE)

_Static_assert(SYSCALL_COUNT == 32, "EACH() names every call");

#define ENTRY(n) late_##n,
static const syscall_fn late_table[SYSCALL_COUNT] = { EACH(ENTRY) };

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
