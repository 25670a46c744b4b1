// SPDX-License-Identifier: BSD-3-Clause
/*
 * The CPU: from start.S to the portable kernel, set-up of each CPU, idling, stopping, backtraces.
 */
#define LOG_PREFIX "cpu"

#include <abi/program.h>
#include <arch/console.h>
#include <arch/upcall.h>
#include <base/printf.h>
#include <cpu.h>
#include <dev/irqchip.h>
#include <log.h>
#include <machine/layout.h>
#include <machine/sysreg.h>

#include "boot.h"
#include "fp.h"
#include "psci.h"

const char arch_name[] = "arm64";
const uint32_t arch_machine = ABI_MACHINE_ARM64;

unsigned int boot_level;

_Noreturn void boot_kernel(const void *fdt, paddr_t fdt_phys, unsigned int level);

/* From start.S: on the boot stack, bss zeroed, this CPU's structure and the vectors in place. */
void boot_kernel(const void *fdt, paddr_t fdt_phys, unsigned int level)
{
	struct cpu *cpu = this_cpu();

	boot_level = level;
	cpu->stack_top = boot_stack + KERNEL_STACK_SIZE;
	kernel_main(fdt, fdt_phys, boot_image, sysreg_read(mpidr_el1) & MPIDR_AFFINITY);
}

#define CNTKCTL_VIRTUAL_COUNTER (1ul << 1) /* user mode may read CNTVCT_EL0, nothing else */

static bool has_pan(void)
{
	return id_field(sysreg_read(id_aa64mmfr1_el1), 20) != 0;
}

/*
 * PAN is set here and by every exception to the kernel (SCTLR_EL1.SPAN = 0), and never cleared:
 * the copy routines use unprivileged accesses, which it does not concern.
 */
void arch_cpu_init(void)
{
	sysreg_write(mdscr_el1, 0);
	sysreg_write(cntkctl_el1, CNTKCTL_VIRTUAL_COUNTER);
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(tpidr_el0, 0);
	sysreg_write(tpidrro_el0, 0);
	fp_close();
	if (has_pan())
		__asm__ volatile(".inst 0xd500419f" : : : "memory"); /* msr pan, #1 */
	isb();
}

/* There is no firmware console: the log waits for the UART. */
bool arch_early_write(const char *text, size_t length)
{
	(void)text;
	(void)length;
	return false;
}

/* WFI ends for a pending interrupt even while interrupts are masked. DSB: let stores out first. */
void arch_idle_wait(void)
{
	dsb(sy);
	__asm__ volatile("wfi" : : : "memory");
}

void arch_irq_poll(void)
{
	irqchip_handle();
}

/* A pending interrupt would make WFI a busy loop: the timer, the likeliest one, is turned off. */
void arch_cpu_stop(void)
{
	sysreg_write(cntv_ctl_el0, 0);
	isb();
	for (;;)
		__asm__ volatile("wfi" : : : "memory");
}

/* What the firmware does not do. */
static _Noreturn void stay(const char *wanted)
{
	log_error("there is no firmware that could %s the machine; stopped", wanted);
	arch_cpu_stop();
}

/* PSCI has no way to report the status. */
void arch_power_off(unsigned int status)
{
	(void)status;
	psci_system_off();
	stay("power off");
}

void arch_reboot(void)
{
	psci_system_reset();
	stay("reset");
}

/* A frame record is the caller's frame pointer and the return address; frames lie ever higher. */
bool arch_frame_step(uintptr_t stack, uintptr_t size, uintptr_t *fp, uintptr_t *pc)
{
	uintptr_t at = *fp;
	const uintptr_t *record = (const uintptr_t *)at;

	if (at < stack || at - stack > size - 2 * sizeof(*record) || (at & 7))
		return false;
	if (record[0] != 0 && record[0] <= at)
		return false;
	*fp = record[0];
	*pc = record[1];
	return *pc != 0;
}

const char *arch_describe_cpu(void)
{
	static char text[96];
	uint64_t isar0 = sysreg_read(id_aa64isar0_el1), isar1 = sysreg_read(id_aa64isar1_el1);
	uint64_t mmfr0 = sysreg_read(id_aa64mmfr0_el1);

	snprintf(text, sizeof(text), "MIDR %08lx, entered at EL%u, %s-bit ASIDs%s%s%s",
		 sysreg_read(midr_el1), boot_level, id_field(mmfr0, 4) == 2 ? "16" : "8",
		 has_pan() ? ", PAN" : "", id_field(isar0, 20) ? ", LSE" : "",
		 id_field(isar1, 0) ? ", DC CVAP" : "");
	return text;
}
