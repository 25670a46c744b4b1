// SPDX-License-Identifier: BSD-3-Clause
/* The system calls, each with a record before and after it. */
#ifndef TRACE_SYSCALLS_H
#define TRACE_SYSCALLS_H

#include <arch/upcall.h>

extern const syscall_fn traced_syscall_table[SYSCALL_COUNT];

#endif
