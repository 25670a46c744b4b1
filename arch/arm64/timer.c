// SPDX-License-Identifier: BSD-3-Clause
/*
 * The generic timer: each CPU's virtual timer, whose interrupt is a line private to the CPU.
 *
 * The line's handler is attached once; every CPU then enables its own copy of the line when it
 * first sets its timer, by which time its interrupt controller interface is up.
 */
#define LOG_PREFIX "timer"

#include <libfdt.h>

#include <arch/time.h>
#include <arch/upcall.h>
#include <base/string.h>
#include <boot/fdt.h>
#include <boot/machine.h>
#include <cpu.h>
#include <dev/irqchip.h>
#include <log.h>
#include <spinlock.h>

#define VIRTUAL_TIMER 2 /* index of its interrupt, by the binding */
#define CTL_ENABLE 1ul

_Static_assert(CONFIG_MAX_CPUS <= 64, "one bit for each CPU");

static struct spinlock lock = SPINLOCK_INIT; /* held to attach */
static bool attached;                        /* guarded by lock */
static unsigned int line;                    /* constant once attached */
static bool level;
static _Atomic uint64_t enabled; /* CPUs whose line is enabled; each sets its own bit */

static int find_node(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,armv8-timer");

	return node >= 0 ? node : fdt_node_offset_by_compatible(fdt, -1, "arm,armv7-timer");
}

uint64_t arch_timer_probe(const void *fdt)
{
	int node = find_node(fdt);
	uint64_t hz;

	if (node < 0 || !fdt_node_enabled(fdt, node))
		return 0;
	if (!irqchip()) {
		log_error("the timer's interrupt needs an interrupt controller");
		return 0;
	}
	if (fdt_node_u64(fdt, node, "clock-frequency", &hz))
		return hz;
	return sysreg_read(cntfrq_el0);
}

/* Disabling takes the interrupt away; the ISB makes that so before the line is completed. */
static void timer_interrupt(void *data)
{
	(void)data;
	sysreg_write(cntv_ctl_el0, 0);
	isb();
	upcall_timer();
}

/* The timer's place among its node's interrupts: named in newer trees, third in all others. */
static unsigned int interrupt_index(const void *fdt, int node)
{
	int index = fdt_stringlist_search(fdt, node, "interrupt-names", "virt");

	return index >= 0 ? (unsigned int)index : VIRTUAL_TIMER;
}

/* Lock held. */
static bool attach(void)
{
	const void *fdt = machine.fdt;
	int parent, count, found, node = find_node(fdt);
	uint32_t cells[4];

	if (node < 0)
		return false;
	count = fdt_node_interrupt(fdt, node, interrupt_index(fdt, node), &parent, cells);
	found = count < 0 ? count : irqchip()->translate(cells, count, &level);
	if (found < 0 || irq_attach((unsigned int)found, level, timer_interrupt, NULL) != 0) {
		log_error("no interrupt for the virtual timer: threads cannot be preempted");
		return false;
	}
	line = (unsigned int)found;
	return true;
}

/* This CPU's first use. Without a controller yet, the next use tries again. */
static void enable(uint64_t bit)
{
	static bool failed;

	if (!irqchip())
		return;
	spin_lock(&lock);
	if (!attached && !failed)
		failed = !(attached = attach());
	spin_unlock(&lock);
	if (attached && irqchip()->enable(line, level) == 0)
		atomic_fetch_or(&enabled, bit);
}

void arch_timer_set(uint64_t deadline)
{
	uint64_t bit = 1ull << this_cpu()->id;

	if (!(atomic_load_explicit(&enabled, memory_order_relaxed) & bit))
		enable(bit);
	if (deadline == TIMER_NEVER) {
		sysreg_write(cntv_ctl_el0, 0);
	} else {
		sysreg_write(cntv_cval_el0, deadline);
		sysreg_write(cntv_ctl_el0, CTL_ENABLE);
	}
	isb();
}
