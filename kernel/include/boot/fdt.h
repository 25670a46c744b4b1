// SPDX-License-Identifier: BSD-3-Clause
/*
 * Device tree helpers over libfdt that drivers and discovery share. All are bounds-checked and
 * return false / a negative value on malformed properties.
 */
#ifndef BOOT_FDT_H
#define BOOT_FDT_H

#include <stdbool.h>
#include <stdint.h>

#include <boot/machine.h>

/* How many whole entries a node's reg has; 0 without one. */
unsigned int fdt_node_range_count(const void *fdt, int node);

/*
 * `index`th entry of a node's reg, translated through the parents' ranges to a CPU physical range.
 */
bool fdt_node_range(const void *fdt, int node, unsigned int index, struct range *out);

/* One-cell or two-cell integer property. */
bool fdt_node_u64(const void *fdt, int node, const char *property, uint64_t *out);

/* status absent, "okay" or "ok". */
bool fdt_node_enabled(const void *fdt, int node);

/*
 * The `index`th interrupt of a device: its interrupt parent's node (interrupt-parent inherited,
 * interrupts-extended honoured) and up to 4 specifier cells. Returns the number of cells or
 * negative.
 */
int fdt_node_interrupt(const void *fdt, int node, unsigned int index, int *parent,
		       uint32_t cells[4]);

/* Node that /chosen/stdout-path names (options after ':' cut, aliases resolved), or negative. */
int fdt_stdout_node(const void *fdt);

#endif
