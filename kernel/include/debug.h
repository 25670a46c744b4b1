// SPDX-License-Identifier: BSD-3-Clause
/*
 * Set-up of the debug aids that need a secret or a table at boot.
 */
#ifndef DEBUG_H
#define DEBUG_H

#include <stdint.h>

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

#endif
