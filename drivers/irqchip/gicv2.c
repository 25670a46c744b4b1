// SPDX-License-Identifier: BSD-3-Clause
/*
 * Generic interrupt controller, version 2: a distributor shared by all CPUs and a memory-mapped
 * interface that every CPU sees at the same address.
 *
 * CPUs are addressed by interface number, one bit each. A CPU learns its own from the targets of
 * its private lines, which always are itself.
 */
#include <libfdt.h>

#include <abi/errno.h>
#include <arch/upcall.h>
#include <boot/fdt.h>
#include <cpu.h>
#include <dev/driver.h>
#include <dev/irqchip.h>
#include <log.h>
#include <machine/sysreg.h>
#include <spinlock.h>

#include "gic.h"

#define LOG_PREFIX "gicv2"

#define GICD_SGIR 0xf00u
#define GICC_CTLR 0x00u
#define GICC_PMR 0x04u
#define GICC_BPR 0x08u
#define GICC_IAR 0x0cu
#define GICC_EOIR 0x10u

#define CTLR_ENABLE 1u
#define CTLR_BYPASS 0x1e0u /* interrupts that bypass the controller: firmware's choice */
#define PRIORITY_MASK 0xf0u
#define IAR_LINE 0x3ffu
#define DISTRIBUTOR_SIZE 0x1000u
#define INTERFACE_SIZE 0x100u

/* Set once by the boot CPU. */
static volatile char *distributor, *interface;
static unsigned int lines;

static struct spinlock lock = SPINLOCK_INIT; /* registers that hold several lines */
static uint8_t targets[CONFIG_MAX_CPUS];     /* by CPU index: bit of its interface; set by itself */

/* Which bit is this CPU's: some of the words may read 0; on a machine of one CPU all do. */
static uint8_t own_target(void)
{
	for (unsigned int line = 0; line < GIC_SHARED_FIRST; line += 4) {
		uint32_t word = mmio_read32(distributor + GICD_ITARGETSR + line);

		word |= word >> 16;
		word |= word >> 8;
		if (word & 0xff)
			return (uint8_t)word;
	}
	return 1;
}

static int gicv2_cpu_init(void)
{
	uint32_t control = mmio_read32(interface + GICC_CTLR) & CTLR_BYPASS;

	targets[this_cpu()->id] = own_target();
	gic_reset_lines(distributor, 0, GIC_SHARED_FIRST);
	gic_unmask(distributor, GIC_IPI);
	mmio_write32(interface + GICC_PMR, PRIORITY_MASK);
	mmio_write32(interface + GICC_BPR, 0);
	mmio_write32(interface + GICC_CTLR, control | CTLR_ENABLE);
	return 0;
}

static int gicv2_translate(const uint32_t *cells, int count, bool *level)
{
	return gic_translate(cells, count, lines, level);
}

static int gicv2_enable(unsigned int line, bool level)
{
	uint8_t target = targets[this_cpu()->id];

	if (line < GIC_PRIVATE_FIRST || line >= lines)
		return -EINVAL;
	if (target == 0)
		return -ENODEV;
	spin_lock(&lock);
	gic_set_trigger(distributor, line, level);
	if (line >= GIC_SHARED_FIRST)
		mmio_write8(distributor + GICD_ITARGETSR + line, target);
	spin_unlock(&lock);
	gic_unmask(distributor, line);
	return 0;
}

static void gicv2_disable(unsigned int line)
{
	if (line < lines)
		gic_mask(distributor, line);
}

/*
 * The acknowledged value goes back whole: for an IPI it also names the sender. The fence after
 * the acknowledgement makes what the sender stored before it raised the IPI visible here.
 */
static void gicv2_handle(void)
{
	uint32_t taken;

	while (((taken = mmio_read32(interface + GICC_IAR)) & IAR_LINE) < GIC_LINES_MAX) {
		unsigned int line = taken & IAR_LINE;

		atomic_thread_fence(memory_order_seq_cst);
		if (line >= GIC_PRIVATE_FIRST)
			irq_dispatch(line);
		mmio_write32(interface + GICC_EOIR, taken);
		if (line < GIC_PRIVATE_FIRST)
			upcall_ipi();
	}
}

static void gicv2_ipi(uint64_t hwid)
{
	unsigned int i = 0;

	while (i < cpu_count && cpus[i].hwid != hwid)
		i++;
	if (i == cpu_count)
		return;
	/* Earlier stores must be complete, not only ordered, before the device write: see docs. */
	dsb(ishst);
	mmio_write32(distributor + GICD_SGIR, (uint32_t)targets[i] << 16 | GIC_IPI);
}

static const struct irqchip_ops gicv2_ops = {
	.name = "gicv2",
	.cpu_init = gicv2_cpu_init,
	.translate = gicv2_translate,
	.enable = gicv2_enable,
	.disable = gicv2_disable,
	.handle = gicv2_handle,
	.ipi = gicv2_ipi,
};

static void distributor_init(void)
{
	mmio_write32(distributor + GICD_CTLR, 0);
	lines = gic_line_count(distributor);
	if (lines > GIC_SHARED_FIRST)
		gic_reset_lines(distributor, GIC_SHARED_FIRST, (lines & ~31u) - GIC_SHARED_FIRST);
	mmio_write32(distributor + GICD_CTLR, CTLR_ENABLE);
}

static int probe(const void *fdt, int node)
{
	struct range frames[2];

	if (irqchip() != NULL)
		return -EBUSY;
	if (!fdt_node_range(fdt, node, 0, &frames[0]) ||
	    !fdt_node_range(fdt, node, 1, &frames[1]) ||
	    frames[0].size < DISTRIBUTOR_SIZE || frames[1].size < INTERFACE_SIZE) {
		log_error("%s: bad reg", fdt_get_name(fdt, node, NULL));
		return -EINVAL;
	}
	distributor = mmio_map(frames[0].base, DISTRIBUTOR_SIZE);
	interface = mmio_map(frames[1].base, INTERFACE_SIZE);
	if (distributor == NULL || interface == NULL)
		return -ENOMEM;
	distributor_init();
	log_info("%u lines", lines);
	irqchip_register(&gicv2_ops, node);
	return 0;
}

DRIVER(gicv2, DRIVER_IRQCHIP, probe, "arm,cortex-a15-gic", "arm,gic-400", "arm,cortex-a7-gic",
       "arm,cortex-a9-gic", "arm,eb11mp-gic");
