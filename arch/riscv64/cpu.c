// SPDX-License-Identifier: BSD-3-Clause
/*
 * CPUs: set-up, start, stop, power.
 */
#include <arch/cpu.h>

#include <abi/errno.h>
#include <abi/program.h>
#include <arch/time.h>
#include <cpu.h>
#include <log.h>
#include <machine/csr.h>
#include <mm/phys.h>

#include "cpu.h"
#include "mmu.h"
#include "sbi.h"

#define LOG_PREFIX "cpu"

#define HSM_START 0
#define RESET_SHUTDOWN 0
#define RESET_COLD 1
#define REASON_NONE 0
#define REASON_FAILURE 1

const char arch_name[] = "riscv64";
const uint32_t arch_machine = ABI_MACHINE_RISCV64;

_Atomic uint64_t riscv_running = 1;

/*
 * User mode may read the clock, not the cycle and instruction counters: those tell one thread too
 * much about another. Everything of sstatus that user mode or a trap could have left on goes off.
 */
void arch_cpu_init(void)
{
	csr_clear(sstatus, SSTATUS_SIE | SSTATUS_SPP | SSTATUS_SUM | SSTATUS_MXR | SSTATUS_VS |
			   SSTATUS_UBE);
	csr_write(scounteren, SCOUNTEREN_TIME);
	csr_write(sie, INT_SOFTWARE | INT_EXTERNAL);
	fp_init();
	timer_init();
	pm_cpu_init();
}

int arch_cpu_start(struct cpu *cpu)
{
	paddr_t entry = (uintptr_t)secondary_start - KERNEL_BASE + riscv_image_phys;
	struct sbi_result started;

	atomic_fetch_or(&riscv_running, 1ull << cpu->id);
	riscv_mailbox[cpu->id].cpu = cpu;
	atomic_store_explicit(&riscv_mailbox[cpu->id].hart_plus_one, cpu->hwid + 1,
			      memory_order_release);
	/*
	 * The firmware is on the way to the other hart: what was stored so far must be there
	 * first.
	 */
	__asm__ volatile("fence rw, rw" : : : "memory");
	started = sbi_call(SBI_HSM, HSM_START, cpu->hwid, entry, (uintptr_t)cpu, 0, 0);
	if (started.error == SBI_SUCCESS)
		return 0;
	atomic_fetch_and(&riscv_running, ~(1ull << cpu->id));
	return sbi_errno(started.error);
}

void arch_idle_wait(void)
{
	/* Interrupts that are enabled in sie end the wait, taken or not. */
	__asm__ volatile("wfi" : : : "memory");
}

_Noreturn void arch_cpu_stop(void)
{
	csr_write(sie, 0);
	for (;;)
		__asm__ volatile("wfi" : : : "memory");
}

static _Noreturn void reset(unsigned long type, unsigned long reason)
{
	sbi_call(SBI_RESET, 0, type, reason, 0, 0, 0);
	log_error("the firmware cannot power off or reset; stopped");
	arch_cpu_stop();
}

_Noreturn void arch_power_off(unsigned int status)
{
	reset(RESET_SHUTDOWN, status ? REASON_FAILURE : REASON_NONE);
}

_Noreturn void arch_reboot(void)
{
	reset(RESET_COLD, REASON_NONE);
}

static bool in_stack(uintptr_t address, uintptr_t stack, uintptr_t size)
{
	return address - stack < size;
}

/*
 * A record: return address at fp - 8, caller's fp at fp - 16. A function that calls none keeps only
 * its caller's fp, at fp - 8; there its own record is passed over.
 */
bool arch_frame_step(uintptr_t stack, uintptr_t size, uintptr_t *fp, uintptr_t *pc)
{
	for (;;) {
		const uintptr_t *record = (const uintptr_t *)*fp;
		uintptr_t next;

		if (*fp % 8 || size < 16 || *fp - stack < 16 || *fp - stack > size)
			return false;
		if (!in_stack(record[-1] - 1, stack, size)) {
			next = record[-2];
			*pc = record[-1];
			/* Frames lie upwards: anything else is the end, or damage. */
			*fp = next > *fp ? next : 0;
			return *pc != 0;
		}
		if (record[-1] <= *fp)
			return false;
		*fp = record[-1];
	}
}
