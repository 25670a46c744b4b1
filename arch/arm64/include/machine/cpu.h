// SPDX-License-Identifier: BSD-3-Clause
/*
 * Inline part of arch/cpu.h: TPIDR_EL1 holds this CPU's structure.
 */
#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include <machine/sysreg.h>

/* Not volatile: kernel code never moves to another CPU, so one read may serve a whole function. */
static inline struct cpu *arch_this_cpu(void)
{
	struct cpu *cpu;

	__asm__("mrs %0, tpidr_el1" : "=r"(cpu));
	return cpu;
}

static inline void arch_set_this_cpu(struct cpu *cpu)
{
	sysreg_write(tpidr_el1, (uintptr_t)cpu);
}

static inline void arch_pause(void)
{
	__asm__ volatile("yield" : : : "memory");
}

static inline uintptr_t arch_frame_pointer(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

#endif
