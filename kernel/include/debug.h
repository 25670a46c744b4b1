// SPDX-License-Identifier: BSD-3-Clause
/*
 * Set-up of the debug aids that need a secret or a table at boot, and the measuring of debug
 * builds.
 */
#ifndef DEBUG_H
#define DEBUG_H

#include <stdint.h>

#include <arch/upcall.h>

/* Guard value of the stack protector; set from boot entropy before other code runs under it. */
extern uintptr_t __stack_chk_guard;

/*
 * Set the guard from the boot seed and the counter. Only for kernel_main(): functions that are
 * active during the call may never return.
 */
#ifdef CONFIG_DEBUG
void stack_guard_init(void);
#else
static inline void stack_guard_init(void) {}
#endif

/*
 * How long the kernel is not left, debug/times.c. stay_end_...() gets what stay_begin() returned;
 * the table is the one that CPUs take while system calls are not traced. times_init(): once there
 * are objects.
 */
#ifdef CONFIG_DEBUG
void times_init(void);
uint64_t stay_begin(void);
void stay_end_fault(uint64_t since);
void stay_end_return(uint64_t since);
extern const syscall_fn timed_syscall_table[SYSCALL_COUNT];
#define untraced_syscall_table timed_syscall_table
#else
static inline void times_init(void) {}
static inline uint64_t stay_begin(void) { return 0; }
static inline void stay_end_fault(uint64_t since) { (void)since; }
static inline void stay_end_return(uint64_t since) { (void)since; }
#define untraced_syscall_table syscall_table
#endif

#endif
