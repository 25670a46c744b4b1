// SPDX-License-Identifier: BSD-3-Clause
/*
 * External interrupts. One interrupt controller driver registers; lines are numbers in its space.
 * A handler runs with interrupts masked and may take locks; it never sleeps.
 */
#ifndef DEV_IRQCHIP_H
#define DEV_IRQCHIP_H

#include <stdbool.h>
#include <stdint.h>

#define IRQ_MAX_LINES 1024u

struct irqchip_ops {
	const char *name;
	/*
	 * This CPU: make it able to take interrupts. Every CPU calls it once, the boot CPU first.
	 */
	int (*cpu_init)(void);
	/*
	 * Translate a device tree interrupt specifier to a line, or -EINVAL. *level =
	 * level-triggered.
	 */
	int (*translate)(const uint32_t *cells, int count, bool *level);
	/* Unmask or mask a line; unmasked lines are delivered to the CPU that calls. */
	int (*enable)(unsigned int line, bool level);
	void (*disable)(unsigned int line);
	/* Handle everything pending on this CPU: claim, irq_dispatch(line), complete. */
	void (*handle)(void);
	/* Send this CPU's upcall_ipi() to a CPU; NULL where the architecture has its own way. */
	void (*ipi)(uint64_t hwid);
};

/* Find the interrupt controllers, on the boot CPU; says so when there is none. */
void irqchip_init(const void *fdt);

/* From a controller driver's probe: the first one counts. Sets up the calling (boot) CPU. */
void irqchip_register(const struct irqchip_ops *ops, int fdt_node);
const struct irqchip_ops *irqchip(void); /* NULL before registration */

/* Upcall of arch_irq_poll() for external interrupts. */
static inline void irqchip_handle(void)
{
	if (irqchip())
		irqchip()->handle();
}

/* A driver's handler for one line; at most one a line (-EBUSY). Enables the line. */
int irq_attach(unsigned int line, bool level, void (*handler)(void *data), void *data);

/*
 * The line of the `index`th interrupt of a device tree node, and whether it is level-triggered;
 * -errno.
 */
int irq_node_line(const void *fdt, int node, unsigned int index, bool *level);

/* Attach to the `index`th interrupt of a device tree node. */
int irq_attach_node(const void *fdt, int node, unsigned int index, void (*handler)(void *),
		    void *data);

/*
 * Called by the controller driver with a claimed line. Unknown lines are masked and reported once.
 */
void irq_dispatch(unsigned int line);

#endif
