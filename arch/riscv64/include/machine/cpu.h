// SPDX-License-Identifier: BSD-3-Clause
/*
 * CPUs: inline half of arch/cpu.h. tp holds the CPU's structure throughout the kernel.
 */
#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

/* Not volatile: a CPU's structure never changes, so the compiler may keep what it read. */
static inline struct cpu *arch_this_cpu(void)
{
	struct cpu *cpu;

	__asm__("mv %0, tp" : "=r"(cpu));
	return cpu;
}

static inline void arch_set_this_cpu(struct cpu *cpu)
{
	__asm__ volatile("mv tp, %0" : : "r"(cpu) : "memory");
}

/* `pause` is a fence with no effect on CPUs that do not have it. */
static inline void arch_pause(void)
{
	__asm__ volatile(".4byte 0x0100000f");
}

static inline __attribute__((always_inline)) uintptr_t arch_frame_pointer(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

/* Eight stores of 64 are as short as a loop of stores gets without a block-zeroing instruction. */
static inline void arch_page_zero(void *page)
{
	for (char *at = page; at < (char *)page + 4096; at += 512)
		__asm__ volatile(".set offset, 0\n"
				 ".rept 64\n"
				 "sd zero, offset(%0)\n"
				 ".set offset, offset + 8\n"
				 ".endr"
				 : : "r"(at) : "memory");
}

#endif
