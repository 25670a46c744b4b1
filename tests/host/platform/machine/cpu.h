// SPDX-License-Identifier: BSD-3-Clause
/* The host as a machine of one CPU: its inline half of arch/cpu.h. */
#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

extern struct cpu *host_cpu; /* the CPU that the test pretends to be */

static inline struct cpu *arch_this_cpu(void)
{
#ifdef EXPLORED_CPUS
	struct cpu *explored_cpu(void); /* tests/host/sync: many CPUs, one at a time */
	return explored_cpu();
#else
	return host_cpu;
#endif
}

static inline void arch_set_this_cpu(struct cpu *cpu)
{
	host_cpu = cpu;
}

static inline void arch_pause(void)
{
}

static inline uintptr_t arch_frame_pointer(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

static inline void arch_page_zero(void *page)
{
	__builtin_memset(page, 0, 4096);
}

#endif
