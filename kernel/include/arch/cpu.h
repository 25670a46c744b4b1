// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract: CPUs.
 *
 * The whole contract is the headers of this folder. Each declares every prototype before it
 * includes the architecture's own <machine/…> header, so a wrong signature does not compile.
 * Hooks marked "inline" are defined there as static inline functions; the others are ordinary
 * functions of arch/<name>/.
 *
 * The kernel runs with interrupts masked from the first instruction to the last: interrupts are
 * taken from user mode, or polled by the idle loop. There is one kernel stack per CPU.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* Inline. This CPU's structure. Context: any, after arch_set_this_cpu(). */
static inline struct cpu *arch_this_cpu(void);

/*
 * Inline. Install this CPU's structure; called once per CPU before any other portable code there.
 */
static inline void arch_set_this_cpu(struct cpu *cpu);

/* Inline. Hint in a spin loop. No ordering. */
static inline void arch_pause(void);

/*
 * Inline. Fill an aligned page of memory (4096 bytes, mapped as such) with zeroes, the fastest way
 * there is.
 */
static inline void arch_page_zero(void *page);

/* Inline. The caller's frame pointer, for backtraces. */
static inline uintptr_t arch_frame_pointer(void);

/*
 * One step of a frame-pointer walk: reads the record that *fp names.
 * On success *pc is the return address and *fp the caller's frame; false ends the walk.
 * The walk must stay inside [stack, stack + size). Context: panic; must not fault or lock.
 */
bool arch_frame_step(uintptr_t stack, uintptr_t size, uintptr_t *fp, uintptr_t *pc);

/*
 * Sleep until an interrupt is pending for this CPU; return with interrupts still masked and the
 * interrupt still pending. May return early. Called by the idle loop, no lock held.
 */
void arch_idle_wait(void);

/*
 * Handle every interrupt pending on this CPU through the upcalls of arch/upcall.h.
 * Called by the idle loop, and by the architecture's own interrupt entry from user mode.
 */
void arch_irq_poll(void);

/*
 * Start a CPU that firmware holds. cpu->hwid and cpu->fdt_node are set; cpu->stack_top too.
 * The CPU must arrive at upcall_secondary(cpu) with this_cpu set, on its own stack, with the
 * kernel page tables of arch_mmu_install() active. Returns 0 or -errno; the caller waits.
 * Everything stored before the call is visible to the new CPU.
 */
int arch_cpu_start(struct cpu *cpu);

/*
 * Per-CPU hardware set-up on the CPU itself (trap vector, FP off, timer access). Boot CPU and
 * others.
 */
void arch_cpu_init(void);

/*
 * Make the target leave arch_idle_wait() or take an interrupt from user mode soon; it then calls
 * upcall_ipi(). Stores before the call are visible to the target's upcall_ipi(). Never blocks.
 */
void arch_ipi_send(struct cpu *target);

/* Stop this CPU for good, quietly. */
_Noreturn void arch_cpu_stop(void);

/* Firmware: power off with a status (0 good; the machine may be unable to report it), or reset. */
_Noreturn void arch_power_off(unsigned int status);
_Noreturn void arch_reboot(void);

/* A short name for messages, "riscv64" style; and the ABI's number (ABI_MACHINE_*). */
extern const char arch_name[];
extern const uint32_t arch_machine;

/* The ISA features that matter to people, for the boot log; a static string. */
const char *arch_describe_cpu(void);

#include <machine/cpu.h>

#endif
