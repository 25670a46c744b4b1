// SPDX-License-Identifier: BSD-3-Clause
/*
 * The boot of the kernel, in order.
 */
#define LOG_PREFIX "boot"

#include <arch/upcall.h>
#include <boot/init.h>
#include <boot/machine.h>
#include <cpu.h>
#include <debug.h>
#include <debug/delays.h>
#include <dev/console.h>
#include <dev/irqchip.h>
#include <log.h>
#include <kso/device.h>
#include <kso/directory.h>
#include <mm/kmap.h>
#include <mm/phys.h>
#include <mm/reserve.h>
#include <mm/space.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/time.h>
#include <sched/wall.h>
#include <sec/context.h>
#include <sec/random.h>
#include <sys/machine.h>
#include <trace.h>

void kernel_main(const void *fdt, paddr_t fdt_phys, paddr_t image_phys, uint64_t hwid)
{
	arch_cpu_init();                               /* traps and counters of this CPU */
	machine_open(fdt, fdt_phys, image_phys);       /* check the tree, read the boot options */
	stack_guard_init();                            /* from the boot seed */
	console_early_init(machine.fdt);               /* the stdout-path UART */
	log_notice("Twizzler for %s", arch_name);
	machine_discover(hwid);                        /* memory and CPUs */
	arch_mmu_probe(machine.mmu_limit);             /* translation mode */
	kmap_init();                                   /* the kernel's own page tables */
	phys_init();                                   /* pages */
	irqchip_init(machine.fdt);                     /* interrupt controllers */
	time_init(machine.fdt);                        /* counter and timer */
	delays_init();                                 /* pauses to look for races, if asked for */
	random_init();                                 /* entropy */
	machine_boot_code_init();                      /* what tells this boot from others */
	sched_init();                                  /* run queues */
	sync_init();                                   /* wait queues */
	objects_init();                                /* the object table */
	kso_init();                                    /* the root and its directories */
	seccontexts_init();                            /* the security contexts that are no objects */
	log_object_init();                             /* the log, for programs to read */
	trace_init();                                  /* counters and the trace */
	times_init();                                  /* how long locks and CPUs are kept, in debug builds */
	asids_init();                                  /* address space numbers */
	persist_init();                                /* the store */
	wall_init(machine.fdt);                        /* the time of day */
	console_input_init(machine.fdt);               /* keyboard */
	devices_init(machine.fdt);                     /* devices, for drivers that are programs */
	cpus_start();                                  /* the other CPUs: they idle */
	reserve_fill();                                /* pages for when there are no others */
	boot_init_start();                             /* the pack and the first thread */
	sched_start();                                 /* run it */
}
