// SPDX-License-Identifier: BSD-3-Clause
/*
 * What versions 2 and 3 of the generic interrupt controller share: the numbering of lines, their
 * device tree specifiers, and the distributor's registers for one line.
 */
#ifndef IRQCHIP_GIC_H
#define IRQCHIP_GIC_H

#include <stdbool.h>
#include <stdint.h>

/* Lines 0 … 15 are sent by CPUs to CPUs, 16 … 31 private to each CPU, the rest shared. */
#define GIC_PRIVATE_FIRST 16u
#define GIC_SHARED_FIRST 32u
#define GIC_LINES_MAX 1020u /* above are special values */
#define GIC_IPI 0u          /* the line of arch_ipi_send() */
#define GIC_PRIORITY 0xa0u  /* of every line; anything the CPU's mask lets through */

/* Distributor; the registers of private lines are at the same offsets in each CPU's own frame. */
#define GICD_CTLR 0x000u
#define GICD_TYPER 0x004u
#define GICD_IGROUPR 0x080u
#define GICD_ISENABLER 0x100u
#define GICD_ICENABLER 0x180u
#define GICD_ICPENDR 0x280u
#define GICD_IPRIORITYR 0x400u
#define GICD_ITARGETSR 0x800u
#define GICD_ICFGR 0xc00u

/* How many lines a distributor has, by its TYPER; at most GIC_LINES_MAX. */
unsigned int gic_line_count(const volatile void *distributor);

/*
 * Mask the lines [first, first + count), and give them the usual priority and level trigger.
 * Both are multiples of 32.
 */
void gic_reset_lines(volatile char *frame, unsigned int first, unsigned int count);

/* One line's trigger, and its mask. The caller holds the lock of the frame. */
void gic_set_trigger(volatile char *frame, unsigned int line, bool level);
void gic_unmask(volatile char *frame, unsigned int line);
void gic_mask(volatile char *frame, unsigned int line);

/* Device tree specifier to line; -EINVAL. *level = level-triggered. */
int gic_translate(const uint32_t *cells, int count, unsigned int lines, bool *level);

#endif
