// SPDX-License-Identifier: BSD-3-Clause
/*
 * The end of the kernel: one message, registers, a symbolised backtrace of every CPU, then stop or
 * (boot option panic=poweroff) power off with a failing status.
 *
 * The first line on the console starts with "panic: ". Context: any, any lock held.
 */
#ifndef PANIC_H
#define PANIC_H

#include <stdbool.h>
#include <stdint.h>

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As panic(), from a trap in kernel mode: `fp` and `pc` are where the backtrace starts. */
_Noreturn void panic_trap(uintptr_t fp, uintptr_t pc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define assert(condition) \
	((condition) ? (void)0 : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition))

/* True once some CPU has panicked: CPUs that spin or idle must call panic_park(). */
bool panic_active(void);
_Noreturn void panic_park(void);

/* boot option panic=poweroff|halt */
void panic_set_poweroff(bool on);

/* Name and offset of the function at a kernel address; "?" and 0 when unknown. Never fails. */
const char *symbol_name(uintptr_t address, uintptr_t *offset);

#endif
