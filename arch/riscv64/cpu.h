// SPDX-License-Identifier: BSD-3-Clause
/*
 * Private to this architecture: CPUs, traps, and what they ask of each other.
 */
#ifndef RISCV64_CPU_H
#define RISCV64_CPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <machine/thread.h>

struct cpu;

/*
 * Bit n: cpus[n] runs, or was told to start and may be running by now. Set before the CPU's first
 * instruction, so a fence that misses the bit precedes every translation that CPU makes.
 */
extern _Atomic uint64_t riscv_running;

/* start.S: where the firmware starts a hart. Called at its physical address. */
extern const char secondary_start[];

/*
 * start.S: for harts that come to the boot hart's entry instead. Written before the hart is
 * started.
 */
struct mailbox {
	_Atomic uint64_t hart_plus_one; /* 0 = unused; written last */
	struct cpu *cpu;
};
extern struct mailbox riscv_mailbox[CONFIG_MAX_CPUS];

/* usercopy.S: what may fault, and where that leads. */
extern const char usercopy_begin[], usercopy_end[], usercopy_failed[];
extern const char probe_begin[], probe_end[], probe_failed[];
bool probe_stimecmp(void);
bool probe_cbo_clean(const void *address);
bool probe_set_senvcfg(unsigned long bits);

/* Called by trap.S. */
struct kernel_frame {
	struct arch_regs regs;
	uint64_t sstatus;
};
void user_trap(unsigned long cause, unsigned long value);
void kernel_trap(struct kernel_frame *frame, unsigned long cause, unsigned long value);

/* arch_cpu_init()'s parts. */
void fp_init(void);      /* thread.c */
void pm_cpu_init(void); /* persist.c */
void timer_init(void);   /* time.c */

#endif
