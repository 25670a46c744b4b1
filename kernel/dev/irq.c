// SPDX-License-Identifier: BSD-3-Clause
/*
 * External interrupts: the one controller, and who handles which line. The table of lines is made
 * group by group, as lines come into use.
 */
#include <abi/errno.h>
#include <boot/fdt.h>
#include <cpu.h>
#include <dev/driver.h>
#include <dev/irqchip.h>
#include <log.h>
#include <mm/phys.h>
#include <spinlock.h>
#include <trace.h>

#define LOG_PREFIX "irq"

struct irq_line {
	void (*_Atomic handler)(void *data); /* NULL = free; data is set before */
	void *data;
};

#define GROUP_LINES (PAGE_SIZE / sizeof(struct irq_line))
#define GROUPS (IRQ_MAX_LINES / GROUP_LINES)

static const struct irqchip_ops *chip; /* set once, at boot */
static int chip_node = -1;

static struct spinlock lock = SPINLOCK_INIT; /* held to attach */
static struct irq_line *_Atomic groups[GROUPS];
/* Bit per line: said that nobody handles it. */
static _Atomic uint64_t reported[IRQ_MAX_LINES / 64];

const struct irqchip_ops *irqchip(void)
{
	return chip;
}

void irqchip_init(const void *fdt)
{
	drivers_probe(DRIVER_IRQCHIP, fdt);
	if (chip == NULL)
		log_warn("no interrupt controller in the device tree that the kernel knows");
}

void irqchip_register(const struct irqchip_ops *ops, int fdt_node)
{
	if (chip != NULL) {
		log_notice("%s: %s is in charge already, this one is not used", ops->name,
			   chip->name);
		return;
	}
	chip = ops;
	chip_node = fdt_node;
	if (ops->cpu_init != NULL && ops->cpu_init() != 0)
		log_error("%s: the boot CPU cannot take interrupts", ops->name);
}

static struct irq_line *find_line(unsigned int line)
{
	struct irq_line *group;

	if (line >= IRQ_MAX_LINES)
		return NULL;
	group = atomic_load_explicit(&groups[line / GROUP_LINES], memory_order_acquire);
	return group != NULL ? &group[line % GROUP_LINES] : NULL;
}

/* As find_line(), making the group. Lock held; the line is in range. */
static struct irq_line *make_line(unsigned int line)
{
	if (find_line(line) == NULL) {
		void *page = page_alloc_zero();

		if (page == NULL)
			return NULL;
		atomic_store_explicit(&groups[line / GROUP_LINES], page, memory_order_release);
	}
	return find_line(line);
}

int irq_attach(unsigned int line, bool level, void (*handler)(void *data), void *data)
{
	struct irq_line *entry;
	int error = 0;

	if (chip == NULL)
		return -ENODEV;
	if (line >= IRQ_MAX_LINES)
		return -EINVAL;
	spin_lock(&lock);
	entry = make_line(line);
	if (entry == NULL) {
		error = -ENOMEM;
	} else if (atomic_load(&entry->handler) != NULL) {
		error = -EBUSY;
	} else {
		entry->data = data;
		atomic_store_explicit(&entry->handler, handler, memory_order_release);
		error = chip->enable(line, level);
		if (error != 0)
			atomic_store(&entry->handler, NULL);
	}
	spin_unlock(&lock);
	return error;
}

int irq_node_line(const void *fdt, int node, unsigned int index, bool *level)
{
	uint32_t cells[4];
	int parent, count = fdt_node_interrupt(fdt, node, index, &parent, cells);

	if (count < 0)
		return count;
	if (chip == NULL || parent != chip_node)
		return -ENODEV;
	*level = true;
	return chip->translate(cells, count, level);
}

int irq_attach_node(const void *fdt, int node, unsigned int index, void (*handler)(void *),
		    void *data)
{
	bool level;
	int line = irq_node_line(fdt, node, index, &level);

	return line < 0 ? line : irq_attach((unsigned int)line, level, handler, data);
}

void irq_dispatch(unsigned int line)
{
	struct irq_line *entry = find_line(line);
	void (*handler)(void *data) = NULL;
	uint64_t bit = 1ull << (line % 64);

	cpu_stats()->interrupts++;
	TRACE(TWZ_TRACE_INTERRUPTS, TWZ_EVENT_INTERRUPT, TWZ_INTERRUPT_DEVICE, line);
	if (entry != NULL)
		handler = atomic_load_explicit(&entry->handler, memory_order_acquire);
	if (handler != NULL) {
		handler(entry->data);
		return;
	}
	chip->disable(line);
	if (line >= IRQ_MAX_LINES || !(atomic_fetch_or(&reported[line / 64], bit) & bit))
		log_warn("line %u: nobody handles it, masked", line);
}
