// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory discovery: /memory less everything that is spoken for. Some loaders state the persistent
 * memory as ordinary memory too, or put the tree inside it, so pmem regions are subtracted like any
 * other reservation and a region that the loader wrote to is refused.
 */
#include <libfdt.h>

#include <base/bits.h>
#include <base/string.h>
#include <boot/discover.h>
#include <boot/fdt.h>
#include <boot/ranges.h>
#include <log.h>
#include <store/store.h>

#define LOG_PREFIX "memory"

/* What boot left in memory, by name for messages; initrd is used once it is known to be sound. */
struct occupied {
	const char *name;
	struct range range;
};

#define LAST(r) ((r).base + (r).size - 1)

static const char ranges_name[] = "memory ranges", banks_name[] = "memory banks";

/* Once a kind in a row: a tree with a thousand reservations gets one line. */
static void report_full(const char *what)
{
	static const char *last;

	if (what == last)
		return;
	last = what;
	log_warn("more %s than the kernel keeps track of: the rest is not used", what);
}

static void add_memory_node(const void *fdt, int node)
{
	unsigned int count = fdt_node_range_count(fdt, node);
	struct range r;

	for (unsigned int i = 0; i < count; i++) {
		if (!fdt_node_range(fdt, node, i, &r))
			log_warn("%s: range %u is malformed: ignored",
				 fdt_get_name(fdt, node, NULL), i);
		else if (!ranges_add(machine.memory, &machine.memory_count, MACHINE_MAX_BANKS,
				     range_inner_pages(r)))
			report_full(ranges_name);
	}
}

static void find_memory(const void *fdt)
{
	int node, length;

	fdt_for_each_subnode(node, fdt, 0) {
		const char *type = fdt_getprop(fdt, node, "device_type", &length);

		if (type != NULL && length == sizeof("memory") &&
		    memcmp(type, "memory", sizeof("memory")) == 0 && fdt_node_enabled(fdt, node))
			add_memory_node(fdt, node);
	}
}

/* ---- Persistent memory ---- */

/*
 * Whether the loader's leavings spoil a region. The store leaves its tail alone, for this very
 * case.
 */
static bool region_spoilt(struct range r, const struct occupied *occupied, unsigned int count)
{
	uint64_t kept = r.size - MIN(r.size, (uint64_t)STORE_TAIL_RESERVE);

	for (unsigned int i = 0; i < count; i++) {
		struct range o = occupied[i].range;

		if (!ranges_overlap(r.base, r.size, o.base, o.size))
			continue;
		if (!ranges_overlap(r.base, kept, o.base, o.size)) {
			log_notice("the %s stands in the reserved end of the pmem region at %#lx",
				   occupied[i].name, r.base);
			continue;
		}
		log_error("the boot loader put the %s into the pmem region at %#lx: not used",
			  occupied[i].name, r.base);
		return true;
	}
	return false;
}

static bool region_known(struct range r)
{
	for (unsigned int i = 0; i < machine.pmem_count; i++) {
		if (ranges_overlap(r.base, r.size, machine.pmem[i].base, machine.pmem[i].size))
			return true;
	}
	return false;
}

/*
 * Memory on one side and none on the other: the tree contradicts itself, and which half to believe
 * is a guess.
 */
static bool partly_memory(struct range r)
{
	bool touches = false;

	for (unsigned int i = 0; i < machine.memory_count; i++)
		touches |= ranges_overlap(r.base, r.size, machine.memory[i].base, machine.memory[i].size);
	return touches && !ranges_contain(machine.memory, machine.memory_count, r);
}

static void insert_region(struct range r)
{
	unsigned int at = machine.pmem_count++;

	for (; at > 0 && machine.pmem[at - 1].base > r.base; at--)
		machine.pmem[at] = machine.pmem[at - 1];
	machine.pmem[at] = r;
}

static void add_region(struct range stated, const struct occupied *occupied, unsigned int count)
{
	struct range r = range_inner_pages(stated);
	bool in_doubt = partly_memory(range_outer_pages(stated));

	/* Ordinary memory or not, and whether it is used or not: never hand it out. */
	if (!ranges_subtract(machine.memory, &machine.memory_count, MACHINE_MAX_BANKS,
			     range_outer_pages(stated)))
		report_full(ranges_name);
	if (r.size != stated.size)
		log_warn("pmem region at %#lx is not page-aligned: using %#lx bytes at %#lx",
			 stated.base, r.size, r.base);
	if (r.size == 0)
		return;
	if (region_known(r))
		log_error("pmem region at %#lx overlaps another: not used", r.base);
	else if (in_doubt)
		log_error("pmem region at %#lx begins or ends inside of ordinary memory: not used", r.base);
	else if (machine.pmem_count == MACHINE_MAX_PMEM)
		report_full("pmem regions");
	else if (!region_spoilt(r, occupied, count))
		insert_region(r);
}

static void add_region_node(const void *fdt, int node, const struct occupied *occupied,
			    unsigned int occupied_count)
{
	unsigned int count = fdt_node_range_count(fdt, node);
	const char *name = fdt_get_name(fdt, node, NULL);
	struct range r;

	if (count == 0)
		log_error("%s: a pmem region without an address: ignored", name);
	for (unsigned int i = 0; i < count; i++) {
		if (!fdt_node_range(fdt, node, i, &r) || r.size == 0)
			log_error("%s: range %u is malformed: ignored", name, i);
		else
			add_region(r, occupied, occupied_count);
	}
}

static void find_pmem(const void *fdt, const struct occupied *occupied, unsigned int count)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "pmem-region");

	for (; node >= 0; node = fdt_node_offset_by_compatible(fdt, node, "pmem-region")) {
		if (fdt_getprop(fdt, node, "volatile", NULL) != NULL)
			log_notice("%s is volatile memory: not a place for the store",
				   fdt_get_name(fdt, node, NULL));
		else if (fdt_node_enabled(fdt, node))
			add_region_node(fdt, node, occupied, count);
	}
}

/* ---- Reservations ---- */

static void reserve(struct range r)
{
	if (!ranges_subtract(machine.banks, &machine.bank_count, ARRAY_SIZE(machine.banks),
			     range_outer_pages(r)))
		report_full(banks_name);
}

static void hide(struct range r)
{
	if (!ranges_subtract(machine.memory, &machine.memory_count, MACHINE_MAX_BANKS,
			     range_outer_pages(r)))
		report_full(ranges_name);
}

/* Reserved nodes with an address; those with only a size ask for memory that nobody here needs. */
static void for_each_reserved(const void *fdt, bool no_map, void (*act)(struct range))
{
	int node, parent = fdt_path_offset(fdt, "/reserved-memory");
	struct range r;

	if (parent < 0)
		return;
	fdt_for_each_subnode(node, fdt, parent) {
		bool hidden = fdt_getprop(fdt, node, "no-map", NULL) != NULL;
		unsigned int count = fdt_node_range_count(fdt, node);

		for (unsigned int i = 0; i < count && hidden == no_map; i++) {
			if (fdt_node_range(fdt, node, i, &r))
				act(r);
			else
				log_warn("%s: range %u is malformed: ignored",
					 fdt_get_name(fdt, node, NULL), i);
		}
	}
}

static void reserve_by_map(const void *fdt)
{
	int count = fdt_num_mem_rsv(fdt);
	uint64_t end;
	struct range r;

	for (int i = 0; i < count; i++) {
		if (fdt_get_mem_rsv(fdt, i, &r.base, &r.size) == 0 &&
		    !add_overflow(r.base, r.size, &end))
			reserve(r);
		else
			log_warn("/memreserve/ entry %d is malformed: ignored", i);
	}
}

/* ---- The initial object pack ---- */

static struct range find_initrd(const void *fdt)
{
	struct range none = { 0, 0 };
	int chosen = fdt_path_offset(fdt, "/chosen");
	uint64_t start, end;

	if (chosen < 0 || !fdt_node_u64(fdt, chosen, "linux,initrd-start", &start) ||
	    !fdt_node_u64(fdt, chosen, "linux,initrd-end", &end) || start == end)
		return none;
	if (end < start) {
		log_error("the initrd ends (%#lx) before it starts (%#lx): ignored", end, start);
		return none;
	}
	return (struct range){ start, end - start };
}

/* The pack is only read where it is ordinary memory that holds nothing else. */
static void check_initrd(const struct occupied *occupied, unsigned int count, struct range initrd)
{
	struct range pages = range_outer_pages(initrd);
	bool sound = ranges_contain(machine.memory, machine.memory_count, pages);

	for (unsigned int i = 0; i < count; i++) {
		struct range o = occupied[i].range;

		sound = sound && !ranges_overlap(pages.base, pages.size, o.base, o.size);
	}
	if (initrd.size != 0 && !sound && machine.memory_count > 0)
		log_error("the initrd at %#lx, %lu bytes, is not in memory of its own: ignored",
			  initrd.base, initrd.size);
	else if (sound)
		machine.initrd = initrd;
}

static uint64_t total_size(const struct range *set, unsigned int count)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < count; i++)
		sum += set[i].size;
	return sum;
}

void memory_discover(const void *fdt, uint64_t image_size)
{
	struct occupied occupied[] = {
		{ "kernel", { machine.image_phys, image_size } },
		{ "device tree", { machine.fdt_phys, fdt_used_size(fdt) } },
		{ "initrd", find_initrd(fdt) },
	};

	find_memory(fdt);
	find_pmem(fdt, occupied, ARRAY_SIZE(occupied));
	machine.ram_size = total_size(machine.memory, machine.memory_count);
	for_each_reserved(fdt, true, hide);
	check_initrd(occupied, 2, occupied[2].range);

	memcpy(machine.banks, machine.memory, sizeof(machine.memory));
	machine.bank_count = machine.memory_count;
	for (unsigned int i = 0; i < ARRAY_SIZE(occupied); i++)
		reserve(occupied[i].range);
	reserve_by_map(fdt);
	for_each_reserved(fdt, false, reserve);
}

/* ---- What the translation mode cannot reach ---- */

static void limit_set(struct range *set, unsigned int *count, uint64_t limit)
{
	while (*count > 0 && set[*count - 1].base >= limit)
		(*count)--;
	if (*count > 0)
		set[*count - 1].size = MIN(set[*count - 1].size, limit - set[*count - 1].base);
}

void machine_limit(uint64_t limit)
{
	uint64_t before = total_size(machine.memory, machine.memory_count), after;
	unsigned int regions = machine.pmem_count;

	limit_set(machine.memory, &machine.memory_count, limit);
	limit_set(machine.banks, &machine.bank_count, limit);
	after = total_size(machine.memory, machine.memory_count);
	if (after != before)
		log_warn("%lu MiB at or above %#lx are out of reach of %s translation: not used",
			 (before - after) >> 20, limit, arch_mmu.name);
	/* Half a region is no store: all of it or nothing. */
	while (machine.pmem_count > 0 && LAST(machine.pmem[machine.pmem_count - 1]) >= limit)
		machine.pmem_count--;
	if (machine.pmem_count != regions)
		log_error("%u pmem region(s) reach above %#lx, too far for %s: not used",
			  regions - machine.pmem_count, limit, arch_mmu.name);
	if (LAST(machine.initrd) >= limit && machine.initrd.size != 0) {
		log_error("the initrd is out of reach: ignored");
		machine.initrd.size = 0;
	}
}
