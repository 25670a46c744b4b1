// SPDX-License-Identifier: BSD-3-Clause
/* The kernel from its first C instruction: the order in which everything is set up. */
#include <arch/cpu.h>
#include <arch/upcall.h>
#include <boot/machine.h>
#include <cpu.h>
#include <dev/console.h>
#include <dev/driver.h>
#include <log.h>
#include <mm/kmap.h>
#include <mm/phys.h>
#include <panic.h>
#include <sched/time.h>

#define LOG_PREFIX "kernel"

void kernel_main(const void *fdt, paddr_t fdt_phys, paddr_t image_phys, uint64_t hwid)
{
	arch_cpu_init();
	machine_open(fdt, fdt_phys, image_phys); /* the tree is sound; boot options */
	console_early_init(machine.fdt);
	log_info("Twizzler for %s", arch_name);
	machine_discover(hwid);            /* memory, CPUs */
	arch_mmu_probe(machine.mmu_limit); /* translation mode */
	kmap_init();                       /* final kernel tables */
	phys_init();                       /* page allocator */
	drivers_probe(DRIVER_IRQCHIP, machine.fdt);
	time_init(machine.fdt);
	console_input_init(machine.fdt);
	cpus_start();
	panic("no init");
}
