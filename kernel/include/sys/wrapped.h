// SPDX-License-Identifier: BSD-3-Clause
/*
 * Tables of system calls that do something around each call. The trap entry passes no number, so
 * that a table needs a function an entry, which knows its own.
 */
#ifndef SYS_WRAPPED_H
#define SYS_WRAPPED_H

#include <arch/upcall.h>
#include <sys/calls.h>

#define SYSCALL_EACH(X, wrapper)                                                           \
	X(wrapper, 0) X(wrapper, 1) X(wrapper, 2) X(wrapper, 3) X(wrapper, 4) X(wrapper, 5) \
	X(wrapper, 6) X(wrapper, 7) X(wrapper, 8) X(wrapper, 9) X(wrapper, 10)              \
	X(wrapper, 11) X(wrapper, 12) X(wrapper, 13) X(wrapper, 14) X(wrapper, 15)          \
	X(wrapper, 16) X(wrapper, 17) X(wrapper, 18) X(wrapper, 19) X(wrapper, 20)          \
	X(wrapper, 21) X(wrapper, 22) X(wrapper, 23) X(wrapper, 24) X(wrapper, 25)          \
	X(wrapper, 26) X(wrapper, 27) X(wrapper, 28) X(wrapper, 29) X(wrapper, 30)          \
	X(wrapper, 31)

_Static_assert(SYSCALL_COUNT == 32, "SYSCALL_EACH() names every call");

#define SYSCALL_WRAPPED(wrapper, n)                         \
	static long wrapper##_##n(SYS_ARGS)                 \
	{                                                   \
		return wrapper(n, a0, a1, a2, a3, a4, a5);  \
	}
#define SYSCALL_WRAPPED_ENTRY(wrapper, n) wrapper##_##n,

/*
 * Define the functions for `long wrapper(unsigned int number, SYS_ARGS)`; then the initialiser of a
 * table of them, SYSCALL_COUNT entries.
 */
#define SYSCALLS_WRAPPED(wrapper) SYSCALL_EACH(SYSCALL_WRAPPED, wrapper)
#define SYSCALL_WRAPPED_TABLE(wrapper) { SYSCALL_EACH(SYSCALL_WRAPPED_ENTRY, wrapper) }

#endif
