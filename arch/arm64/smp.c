// SPDX-License-Identifier: BSD-3-Clause
/*
 * Starting other CPUs, by PSCI or through a spin table, and getting their attention.
 */
#define LOG_PREFIX "cpus"

#include <libfdt.h>

#include <abi/errno.h>
#include <arch/upcall.h>
#include <base/string.h>
#include <boot/fdt.h>
#include <boot/machine.h>
#include <cpu.h>
#include <dev/irqchip.h>
#include <log.h>
#include <machine/sysreg.h>
#include <mm/kmap.h>

#include "boot.h"
#include "cache.h"
#include "psci.h"

struct boot_cpu boot_cpus[CONFIG_MAX_CPUS];
uint64_t boot_cpu_count;
paddr_t boot_secondary_root;

_Static_assert(offsetof(struct boot_cpu, hwid) == BOOT_CPU_HWID, "boot_cpu layout");
_Static_assert(offsetof(struct boot_cpu, cpu) == BOOT_CPU_CPU, "boot_cpu layout");
_Static_assert(offsetof(struct boot_cpu, stack_top) == BOOT_CPU_STACK, "boot_cpu layout");
_Static_assert(sizeof(struct boot_cpu) == BOOT_CPU_SIZE, "boot_cpu layout");

_Noreturn void secondary_kernel(struct cpu *cpu);

static void set_count(uint64_t count)
{
	boot_cpu_count = count;
	cache_clean_to_memory(&boot_cpu_count, sizeof(boot_cpu_count));
}

/*
 * Tell the CPU that will come up as cpu->hwid what it is. It reads with its data cache off, so the
 * words go to memory; the entry is written before the count, as an earlier CPU may be reading.
 */
static void publish(struct cpu *cpu)
{
	boot_cpus[boot_cpu_count] = (struct boot_cpu){
		.hwid = cpu->hwid,
		.cpu = cpu,
		.stack_top = cpu->stack_top,
	};
	cache_clean_to_memory(&boot_cpus[boot_cpu_count], sizeof(boot_cpus[0]));
	cache_clean_to_memory(&boot_secondary_root, sizeof(boot_secondary_root));
	set_count(boot_cpu_count + 1);
}

/* The CPU polls a word in memory for an address to jump to; WFE may slow its polling, so SEV. */
static int spin_table_release(const void *fdt, int node, paddr_t entry)
{
	uint64_t release;
	volatile uint64_t *word;

	if (!fdt_node_u64(fdt, node, "cpu-release-addr", &release) || (release & 7))
		return -EINVAL;
	word = kmap_window(release, sizeof(*word), PTE_R | PTE_W);
	if (!word)
		return -ENOMEM;
	*word = entry;
	cache_clean_to_memory((const void *)word, sizeof(*word));
	__asm__ volatile("sev");
	return 0;
}

int arch_cpu_start(struct cpu *cpu)
{
	const void *fdt = machine.fdt;
	paddr_t entry = boot_phys((const void *)secondary_start);
	int error, length;
	const char *method = fdt_getprop(fdt, cpu->fdt_node, "enable-method", &length);

	if (boot_cpu_count == CONFIG_MAX_CPUS)
		return -ENOSPC;
	if (!method || length < 1)
		return -ENODEV;
	publish(cpu);
	if (strncmp(method, "psci", (size_t)length) == 0) {
		error = psci_cpu_on(cpu->hwid, entry);
	} else if (strncmp(method, "spin-table", (size_t)length) == 0) {
		error = spin_table_release(fdt, cpu->fdt_node, entry);
	} else {
		log_error("CPU %u: unknown enable-method", cpu->id);
		error = -ENODEV;
	}
	if (error != 0)
		set_count(boot_cpu_count - 1);
	return error;
}

/* First C code on such a CPU: the identity map has done its duty. */
void secondary_kernel(struct cpu *cpu)
{
	arch_mmu_switch(0, 0);
	__asm__ volatile("tlbi vmalle1" : : : "memory");
	dsb(nsh);
	isb();
	upcall_secondary(cpu);
}

/* The ordering is the controller's: its ipi() completes earlier stores first. */
void arch_ipi_send(struct cpu *target)
{
	if (irqchip())
		irqchip()->ipi(target->hwid);
}
