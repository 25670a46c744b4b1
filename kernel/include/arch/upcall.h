// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract, the other direction: what the architecture calls in portable code.
 *
 * All run on the CPU's own kernel stack with interrupts masked and, except where said, with the
 * interrupted thread's user state completely saved in cpu->current.
 */
#ifndef ARCH_UPCALL_H
#define ARCH_UPCALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arch/mmu.h>

struct cpu;
struct thread;

/*
 * First C code on the boot CPU: early tables active, bss zeroed, cpus[0] is this_cpu. `fdt` is the
 * device tree, readable at FDT_MAX bytes or less; `fdt_phys` its physical address; `image_phys`
 * where the image was loaded; `hwid` this CPU's hardware number (hart ID, MPIDR affinity).
 */
_Noreturn void kernel_main(const void *fdt, paddr_t fdt_phys, paddr_t image_phys, uint64_t hwid);

/* First portable code on a secondary CPU; see arch_cpu_start(). */
_Noreturn void upcall_secondary(struct cpu *cpu);

/*
 * System calls. The trap entry saves the state, then calls cpu->syscalls[number](a0 … a5), which is
 * syscall_table[number - SYSCALL_BASE] or a function that traces it, or upcall_bad_syscall(number)
 * when number - SYSCALL_BASE >= SYSCALL_COUNT, and stores what it returns as the result, unless it
 * is SYSCALL_PARKED: then the saved registers are left alone. upcall_bad_syscall() may send the
 * thread into a handler. A call that changed other saved registers of its caller than the pc
 * (restart) and the thread pointer returns SYSCALL_PARKED or has set cpu->resched: else registers
 * that C functions preserve may not be loaded again.
 * Afterwards: if cpu->resched is 0, return to cpu->current; else to what upcall_return() says.
 */
typedef long (*syscall_fn)(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			   unsigned long a4, unsigned long a5);
extern const syscall_fn syscall_table[];
#define SYSCALL_BASE 0x1000
#define SYSCALL_COUNT 32 /* entries of syscall_table; the unused ones hold a refusing function */
#define SYSCALL_PARKED (-4096l)
long upcall_bad_syscall(unsigned long number);

/* What the access that faulted wanted. */
#define ACCESS_READ 1u
#define ACCESS_WRITE 2u
#define ACCESS_EXEC 4u

/* A translation or permission fault in user mode, or any user address the hardware refused. */
void upcall_user_fault(uintptr_t va, unsigned int access);

/*
 * Any other exception in user mode: code is FAULT_EXCEPTION's portable code, raw the hardware's
 * cause, access what was tried, or 0.
 */
void upcall_user_exception(unsigned int code, unsigned long raw, unsigned int access);

/*
 * A translation or permission fault inside the user-copy routines. True: resolved, retry the
 * access. False: the architecture continues at the routine's fix-up and the copy fails.
 * The user state of cpu->current is the one saved at kernel entry.
 */
bool upcall_copy_fault(uintptr_t va, unsigned int access);

/* Any other exception in kernel mode is a bug: print the trap frame, then call panic(). */

/*
 * Interrupts, from arch_irq_poll(): the CPU's timer; another CPU's arch_ipi_send();
 * external lines go to irqchip_handle() (dev/irqchip.h).
 */
void upcall_timer(void);
void upcall_ipi(void);

/*
 * Before returning to user mode when cpu->resched is set: settles what runs next on this CPU
 * (switching address space and thread state, idling meanwhile) and returns it.
 */
struct thread *upcall_return(void);

#endif
