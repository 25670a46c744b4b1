// SPDX-License-Identifier: BSD-3-Clause
/*
 * Generic interrupt controller, version 3: a distributor for shared lines, a redistributor for each
 * CPU's private lines, and a CPU interface in system registers.
 *
 * A CPU finds its redistributor by walking all of them (device tree: one or several regions) for
 * the one whose TYPER holds its affinity. All lines are in non-secure group 1.
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

#define LOG_PREFIX "gicv3"

#define GICD_IGRPMODR 0xd00u
#define GICD_IROUTER 0x6000u /* 8 bytes a line */
#define DISTRIBUTOR_SIZE 0x10000u

/* Distributor control: affinity routing, group 1; both views of the bits. */
#define DIST_ENABLE 0x13u
#define DIST_PENDING (1u << 31) /* a write has not taken effect yet */

/* Redistributor: the first frame controls it, the second is the private lines' distributor. */
#define GICR_CTLR 0x00u
#define GICR_TYPER 0x08u
#define GICR_WAKER 0x14u
#define LINES_FRAME 0x10000u
#define REDIST_PENDING (1u << 3)
#define TYPER_VIRTUAL (1ul << 1) /* has two more frames */
#define TYPER_LAST (1ul << 4)
#define WAKER_SLEEP (1u << 1)
#define WAKER_ASLEEP (1u << 2)

#define PRIORITY_MASK 0xf0u
#define MAX_REGIONS 16u
#define PATIENCE 1000000u /* polls of a register that changes in microseconds */

struct region {
	volatile char *base;
	uint64_t size;
};

/* Set once by the boot CPU. */
static volatile char *distributor;
static struct region regions[MAX_REGIONS];
static unsigned int region_count;
static uint64_t stride; /* bytes between redistributors; 0 = by their type */
static unsigned int lines;

static struct spinlock lock = SPINLOCK_INIT; /* distributor registers that hold several lines */
static volatile char *redistributors[CONFIG_MAX_CPUS]; /* by CPU index; set by the CPU itself */

static uint64_t read64(const volatile char *address)
{
	return *(const volatile uint64_t *)address;
}

/* Poll until the bits of a register are clear. */
static bool wait_clear(const volatile char *address, uint32_t bits)
{
	for (unsigned int i = 0; i < PATIENCE; i++)
		if (!(mmio_read32(address) & bits))
			return true;
	return false;
}

/* A CPU's affinity as TYPER has it: four bytes together. */
static uint32_t packed_affinity(uint64_t hwid)
{
	return (uint32_t)(hwid & 0xffffff) | (uint32_t)(hwid >> 32) << 24;
}

static volatile char *search_region(const struct region *region, uint32_t affinity)
{
	uint64_t at = 0;

	while (at + 2 * LINES_FRAME <= region->size) {
		uint64_t typer = read64(region->base + at + GICR_TYPER);

		if (typer >> 32 == affinity)
			return region->base + at;
		if (typer & TYPER_LAST)
			break;
		at += stride ? stride : typer & TYPER_VIRTUAL ? 4 * LINES_FRAME : 2 * LINES_FRAME;
	}
	return NULL;
}

static volatile char *find_redistributor(uint64_t hwid)
{
	volatile char *found = NULL;

	for (unsigned int i = 0; i < region_count && !found; i++)
		found = search_region(&regions[i], packed_affinity(hwid));
	return found;
}

static bool wake(volatile char *redistributor)
{
	volatile char *waker = redistributor + GICR_WAKER;

	mmio_write32(waker, mmio_read32(waker) & ~WAKER_SLEEP);
	return wait_clear(waker, WAKER_ASLEEP);
}

static bool interface_init(void)
{
	sysreg_write(ICC_SRE_EL1, sysreg_read(ICC_SRE_EL1) | 1);
	isb();
	if (!(sysreg_read(ICC_SRE_EL1) & 1))
		return false;
	sysreg_write(ICC_PMR_EL1, PRIORITY_MASK);
	sysreg_write(ICC_BPR1_EL1, 0);
	sysreg_write(ICC_CTLR_EL1, 0); /* one write ends an interrupt */
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	return true;
}

static int gicv3_cpu_init(void)
{
	struct cpu *cpu = this_cpu();
	volatile char *redistributor = find_redistributor(cpu->hwid);
	volatile char *frame;

	if (redistributor == NULL) {
		log_error("CPU %u has no redistributor", cpu->id);
		return -ENODEV;
	}
	if (!wake(redistributor) || !interface_init()) {
		log_error("CPU %u: its interface does not come up", cpu->id);
		return -EIO;
	}
	frame = redistributor + LINES_FRAME;
	gic_reset_lines(frame, 0, GIC_SHARED_FIRST);
	mmio_write32(frame + GICD_IGROUPR, ~0u);
	mmio_write32(frame + GICD_IGRPMODR, 0);
	gic_unmask(frame, GIC_IPI);
	wait_clear(redistributor + GICR_CTLR, REDIST_PENDING);
	redistributors[cpu->id] = redistributor;
	return 0;
}

static int gicv3_translate(const uint32_t *cells, int count, bool *level)
{
	return gic_translate(cells, count, lines, level);
}

/* Route a shared line to this CPU: the register has the layout of MPIDR's affinity fields. */
static void enable_shared(unsigned int line, bool level, uint64_t hwid)
{
	spin_lock(&lock);
	gic_set_trigger(distributor, line, level);
	*(volatile uint64_t *)(distributor + GICD_IROUTER + line * 8) = hwid;
	spin_unlock(&lock);
	gic_unmask(distributor, line);
}

static int gicv3_enable(unsigned int line, bool level)
{
	struct cpu *cpu = this_cpu();
	volatile char *redistributor = redistributors[cpu->id];

	if (line < GIC_PRIVATE_FIRST || line >= lines)
		return -EINVAL;
	if (redistributor == NULL)
		return -ENODEV;
	if (line >= GIC_SHARED_FIRST) {
		enable_shared(line, level, cpu->hwid);
		return 0;
	}
	gic_set_trigger(redistributor + LINES_FRAME, line, level);
	gic_unmask(redistributor + LINES_FRAME, line);
	return 0;
}

static void gicv3_disable(unsigned int line)
{
	volatile char *redistributor = redistributors[this_cpu()->id];

	if (line >= GIC_SHARED_FIRST && line < lines)
		gic_mask(distributor, line);
	else if (line < GIC_SHARED_FIRST && redistributor != NULL)
		gic_mask(redistributor + LINES_FRAME, line);
}

/*
 * The DSB makes the acknowledgement take effect, and what an IPI's sender stored before it visible,
 * before the handler runs. Ending an IPI before its upcall lets the next one in meanwhile.
 */
static void gicv3_handle(void)
{
	uint64_t line;

	if (redistributors[this_cpu()->id] == NULL)
		return;
	while ((line = sysreg_read(ICC_IAR1_EL1) & 0xffffff) < GIC_LINES_MAX) {
		dsb(sy);
		if (line >= GIC_PRIVATE_FIRST)
			irq_dispatch((unsigned int)line);
		sysreg_write(ICC_EOIR1_EL1, line);
		isb();
		if (line < GIC_PRIVATE_FIRST)
			upcall_ipi();
	}
}

/* Affinity levels 3 … 1 and the range of sixteen are fields, level 0 is a bit of a list. */
static void gicv3_ipi(uint64_t hwid)
{
	uint64_t aff0 = hwid & 0xff, aff1 = hwid >> 8 & 0xff, aff2 = hwid >> 16 & 0xff;
	uint64_t value = (hwid >> 32 & 0xff) << 48 | (aff0 >> 4) << 44 | aff2 << 32 |
			 (uint64_t)GIC_IPI << 24 | aff1 << 16 | 1ul << (aff0 & 15);

	/* A system register write is not ordered by a DMB; earlier stores must be complete. */
	dsb(ishst);
	sysreg_write(ICC_SGI1R_EL1, value);
	isb();
}

static const struct irqchip_ops gicv3_ops = {
	.name = "gicv3",
	.cpu_init = gicv3_cpu_init,
	.translate = gicv3_translate,
	.enable = gicv3_enable,
	.disable = gicv3_disable,
	.handle = gicv3_handle,
	.ipi = gicv3_ipi,
};

static bool distributor_init(void)
{
	mmio_write32(distributor + GICD_CTLR, 0);
	if (!wait_clear(distributor + GICD_CTLR, DIST_PENDING))
		return false;
	lines = gic_line_count(distributor);
	if (lines > GIC_SHARED_FIRST)
		gic_reset_lines(distributor, GIC_SHARED_FIRST, (lines & ~31u) - GIC_SHARED_FIRST);
	for (unsigned int line = GIC_SHARED_FIRST; line < lines; line += 32) {
		mmio_write32(distributor + GICD_IGROUPR + line / 8, ~0u);
		mmio_write32(distributor + GICD_IGRPMODR + line / 8, 0);
	}
	mmio_write32(distributor + GICD_CTLR, DIST_ENABLE);
	return wait_clear(distributor + GICD_CTLR, DIST_PENDING);
}

/* Map the redistributor regions. False: bad or too many. */
static bool map_regions(const void *fdt, int node)
{
	uint64_t count = 1;

	if (fdt_getprop(fdt, node, "#redistributor-regions", NULL) != NULL &&
	    !fdt_node_u64(fdt, node, "#redistributor-regions", &count))
		return false;
	if (fdt_getprop(fdt, node, "redistributor-stride", NULL) != NULL &&
	    (!fdt_node_u64(fdt, node, "redistributor-stride", &stride) ||
	     stride < 2 * LINES_FRAME || (stride & (LINES_FRAME - 1))))
		return false;
	if (count == 0 || count > MAX_REGIONS)
		return false;
	for (unsigned int i = 0; i < count; i++) {
		struct range range;

		if (!fdt_node_range(fdt, node, 1 + i, &range) || range.size < 2 * LINES_FRAME)
			return false;
		regions[i] = (struct region){ mmio_map(range.base, range.size), range.size };
		if (regions[i].base == NULL)
			return false;
	}
	region_count = (unsigned int)count;
	return true;
}

static int probe(const void *fdt, int node)
{
	struct range range;

	if (irqchip() != NULL)
		return -EBUSY;
	if (!fdt_node_range(fdt, node, 0, &range) || range.size < DISTRIBUTOR_SIZE ||
	    !map_regions(fdt, node)) {
		log_error("%s: bad reg or redistributors", fdt_get_name(fdt, node, NULL));
		return -EINVAL;
	}
	distributor = mmio_map(range.base, DISTRIBUTOR_SIZE);
	if (distributor == NULL)
		return -ENOMEM;
	if (!distributor_init()) {
		log_error("the distributor does not answer");
		return -EIO;
	}
	log_info("%u lines", lines);
	irqchip_register(&gicv3_ops, node);
	return 0;
}

DRIVER(gicv3, DRIVER_IRQCHIP, probe, "arm,gic-v3");
