// SPDX-License-Identifier: BSD-3-Clause
/*
 * Device tree helpers, see boot/fdt.h. The tree was checked from end to end (machine_open()), so
 * libfdt's own walks stay inside it; what properties say is still anybody's.
 */
#include <libfdt.h>

#include <abi/errno.h>
#include <base/bits.h>
#include <base/endian.h>
#include <base/string.h>
#include <boot/fdt.h>

#define CELL 4u

/* One or two cells as a number. */
static uint64_t read_cells(const uint8_t *p, unsigned int cells)
{
	return cells == 2 ? load_be64(p) : load_be32(p);
}

/* How a bus numbers its children: cells of an address and of a size. */
struct bus {
	unsigned int address, size;
};

static bool bus_of(const void *fdt, int parent, struct bus *bus)
{
	int address = fdt_address_cells(fdt, parent), size = fdt_size_cells(fdt, parent);

	if (address < 1 || address > 2 || size < 1 || size > 2)
		return false;
	*bus = (struct bus){ (unsigned int)address, (unsigned int)size };
	return true;
}

unsigned int fdt_node_range_count(const void *fdt, int node)
{
	struct bus bus;
	int length;

	if (!bus_of(fdt, fdt_parent_offset(fdt, node), &bus) ||
	    fdt_getprop(fdt, node, "reg", &length) == NULL)
		return 0;
	return (unsigned int)length / (CELL * (bus.address + bus.size));
}

/* Translate an address range of `node`'s children to one of its parent's, through its ranges. */
static bool translate_up(const void *fdt, int node, int parent, struct range *r)
{
	struct bus below, above;
	int length;
	const uint8_t *entry = fdt_getprop(fdt, node, "ranges", &length);

	if (entry == NULL)
		return false;
	if (length == 0)
		return true;
	if (!bus_of(fdt, node, &below) || !bus_of(fdt, parent, &above))
		return false;
	size_t step = CELL * (below.address + above.address + below.size);
	for (size_t left = (size_t)length; left >= step; left -= step, entry += step) {
		uint64_t child = read_cells(entry, below.address);
		uint64_t to = read_cells(entry + CELL * below.address, above.address);
		uint64_t size = read_cells(entry + CELL * (below.address + above.address),
					   below.size);
		uint64_t offset = r->base - child, end;

		if (r->base < child || !range_within(offset, r->size, size))
			continue;
		return !add_overflow(to, offset, &r->base) && !add_overflow(r->base, r->size, &end);
	}
	return false;
}

bool fdt_node_range(const void *fdt, int node, unsigned int index, struct range *out)
{
	int length, parent = fdt_parent_offset(fdt, node);
	const uint8_t *reg = fdt_getprop(fdt, node, "reg", &length);
	struct range r;
	uint64_t end;
	struct bus bus;

	if (parent < 0 || reg == NULL || !bus_of(fdt, parent, &bus))
		return false;
	size_t step = CELL * (bus.address + bus.size);
	if (index >= (size_t)length / step)
		return false;
	r.base = read_cells(reg + index * step, bus.address);
	r.size = read_cells(reg + index * step + CELL * bus.address, bus.size);
	if (add_overflow(r.base, r.size, &end))
		return false;
	while (parent != 0) {
		int grandparent = fdt_parent_offset(fdt, parent);

		if (grandparent < 0 || !translate_up(fdt, parent, grandparent, &r))
			return false;
		parent = grandparent;
	}
	*out = r;
	return true;
}

bool fdt_node_u64(const void *fdt, int node, const char *property, uint64_t *out)
{
	int length;
	const uint8_t *value = fdt_getprop(fdt, node, property, &length);

	if (value == NULL || (length != (int)CELL && length != 2 * (int)CELL))
		return false;
	*out = read_cells(value, (unsigned int)length / CELL);
	return true;
}

bool fdt_node_enabled(const void *fdt, int node)
{
	int length;
	const char *status = fdt_getprop(fdt, node, "status", &length);

	if (status == NULL)
		return true;
	return (length == 5 && memcmp(status, "okay", 5) == 0) ||
	       (length == 3 && memcmp(status, "ok", 3) == 0);
}

/* How many cells a specifier of this interrupt parent has, 1 … 4, or negative. */
static int interrupt_cells(const void *fdt, int parent)
{
	uint64_t cells;

	if (parent < 0 || !fdt_node_u64(fdt, parent, "#interrupt-cells", &cells) || cells < 1 ||
	    cells > 4)
		return -EINVAL;
	return (int)cells;
}

static void copy_specifier(uint32_t out[4], const uint8_t *from, int cells)
{
	for (int i = 0; i < cells; i++)
		out[i] = load_be32(from + CELL * (unsigned int)i);
}

static int extended_interrupt(const void *fdt, const uint8_t *list, size_t length,
			      unsigned int index, int *parent, uint32_t out[4])
{
	for (size_t at = 0; length - at >= CELL;) {
		int node = fdt_node_offset_by_phandle(fdt, load_be32(list + at));
		int cells = interrupt_cells(fdt, node);

		at += CELL;
		if (cells < 0 || length - at < CELL * (size_t)cells)
			return -EINVAL;
		if (index-- == 0) {
			*parent = node;
			copy_specifier(out, list + at, cells);
			return cells;
		}
		at += CELL * (size_t)cells;
	}
	return -ENOENT;
}

/* The node that interprets the interrupts of `node`: its own or an ancestor's interrupt-parent. */
static int interrupt_parent(const void *fdt, int node)
{
	for (; node >= 0; node = fdt_parent_offset(fdt, node)) {
		int length;
		const uint8_t *value = fdt_getprop(fdt, node, "interrupt-parent", &length);

		if (value != NULL)
			return length == (int)CELL ?
				       fdt_node_offset_by_phandle(fdt, load_be32(value)) : -EINVAL;
	}
	return -ENOENT;
}

int fdt_node_interrupt(const void *fdt, int node, unsigned int index, int *parent,
		       uint32_t cells[4])
{
	int length, count;
	const uint8_t *list = fdt_getprop(fdt, node, "interrupts-extended", &length);

	if (list != NULL)
		return extended_interrupt(fdt, list, (size_t)length, index, parent, cells);
	list = fdt_getprop(fdt, node, "interrupts", &length);
	if (list == NULL)
		return -ENOENT;
	*parent = interrupt_parent(fdt, node);
	count = interrupt_cells(fdt, *parent);
	if (count < 0)
		return -EINVAL;
	if (index >= (size_t)length / (CELL * (size_t)count))
		return -ENOENT;
	copy_specifier(cells, list + index * CELL * (size_t)count, count);
	return count;
}

int fdt_stdout_node(const void *fdt)
{
	int length, chosen = fdt_path_offset(fdt, "/chosen");
	const char *path, *options;

	if (chosen < 0)
		return -ENOENT;
	path = fdt_stringlist_get(fdt, chosen, "stdout-path", 0, &length);
	if (path == NULL)
		path = fdt_stringlist_get(fdt, chosen, "linux,stdout-path", 0, &length);
	if (path == NULL || length == 0)
		return -ENOENT;
	options = memchr(path, ':', (size_t)length);
	int node = fdt_path_offset_namelen(fdt, path, options ? (int)(options - path) : length);
	return node < 0 ? -ENOENT : node;
}
