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

#define DCZID_PROHIBITED 16u

/* By blocks where DC ZVA is allowed (a hypervisor may forbid it), else by pairs of registers. */
static inline void arch_page_zero(void *page)
{
	uint64_t id = sysreg_read(dczid_el0);
	char *end = (char *)page + 4096;

	if (id & DCZID_PROHIBITED) {
		for (char *at = page; at < end; at += 64)
			__asm__ volatile("stp xzr, xzr, [%0]\n"
					 "stp xzr, xzr, [%0, #16]\n"
					 "stp xzr, xzr, [%0, #32]\n"
					 "stp xzr, xzr, [%0, #48]"
					 : : "r"(at) : "memory");
		return;
	}
	uint64_t block = 4u << (id & 15); /* 2 KiB at most */
	for (char *at = page; at < end;)
		__asm__ volatile("dc zva, %0\n"
				 "add %0, %0, %1\n"
				 "dc zva, %0\n"
				 "add %0, %0, %1"
				 : "+r"(at) : "r"(block) : "memory");
}

#endif
