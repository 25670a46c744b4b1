// SPDX-License-Identifier: BSD-3-Clause
/* The stack protector's guard value and what happens when it was overwritten. */
#include <debug.h>
#include <panic.h>

uintptr_t __stack_chk_guard = 0x5a17c0de00ff0aul;

_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
	panic("stack overflow in a local variable (stack protector)");
}
