// SPDX-License-Identifier: BSD-3-Clause
/* The stack protector's guard value and what happens when it was overwritten. */
#include <arch/time.h>
#include <boot/machine.h>
#include <debug.h>
#include <panic.h>

uintptr_t __stack_chk_guard = 0x5a17c0deff0a00ul;

/* Mixed so that the guard tells nothing about the seed; a zero byte first stops string overruns. */
void stack_guard_init(void)
{
	uint64_t mixed = arch_counter();

	for (unsigned int i = 0; i < machine.rng_seed_length; i++) {
		mixed = (mixed ^ machine.rng_seed[i]) * 0x9e3779b97f4a7c15ul;
		mixed ^= mixed >> 29;
	}
	__stack_chk_guard ^= mixed << 8;
}

_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
	panic("stack overflow in a local variable (stack protector)");
}
