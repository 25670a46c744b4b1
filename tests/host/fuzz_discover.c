// SPDX-License-Identifier: BSD-3-Clause
/* Fuzzes device tree reading: any bytes give a machine or a panic, and never an access outside. */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include <boot/fdt.h>
#include <boot/machine.h>

#include "host.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything that drivers ask of nodes. */
static void ask_nodes(const void *fdt)
{
	uint32_t cells[4];
	struct range r;
	int parent;

	for (int node = fdt_next_node(fdt, -1, NULL); node >= 0;
	     node = fdt_next_node(fdt, node, NULL)) {
		for (unsigned int i = 0; i < 3; i++) {
			if (fdt_node_range(fdt, node, i, &r) && r.base + r.size < r.base)
				abort();
			fdt_node_interrupt(fdt, node, i, &parent, cells);
		}
		fdt_node_enabled(fdt, node);
	}
	fdt_stdout_node(fdt);
}

static void check_sorted(const struct range *set, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (set[i].size == 0 || (set[i].base | set[i].size) % PAGE_SIZE != 0 ||
		    (i > 0 && set[i - 1].base + set[i - 1].size > set[i].base))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The block is as large as the tree says, as the early tables map FDT_MAX bytes. */
	size_t room = size;

	if (size < sizeof(struct fdt_header))
		return 0;
	if (fdt_magic(data) == FDT_MAGIC && fdt_totalsize(data) > size &&
	    fdt_totalsize(data) <= FDT_MAX)
		room = fdt_totalsize(data);
	char *tree = calloc(1, room);
	memcpy(tree, data, size);
	if (!PANICS(tree_discover(tree, 0))) {
		check_sorted(machine.banks, machine.bank_count);
		check_sorted(machine.memory, machine.memory_count);
		check_sorted(machine.pmem, machine.pmem_count);
		ask_nodes(tree);
	}
	free(tree);
	return 0;
}
