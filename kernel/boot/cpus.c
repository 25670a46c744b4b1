// SPDX-License-Identifier: BSD-3-Clause
/* The machine's CPUs: finding them in the device tree. */
#include <libfdt.h>

#include <base/bits.h>
#include <base/endian.h>
#include <base/string.h>
#include <boot/discover.h>
#include <boot/fdt.h>
#include <cpu.h>
#include <log.h>

#define LOG_PREFIX "cpu"

struct cpu cpus[CONFIG_MAX_CPUS];
unsigned int cpu_count;
_Atomic unsigned int cpu_online_count;

struct census {
	unsigned int found; /* usable nodes, the boot CPU's included */
	unsigned int limit; /* CPUs that will be taken */
};

static bool is_cpu_node(const void *fdt, int node)
{
	int length;
	const char *type = fdt_getprop(fdt, node, "device_type", &length);

	return type != NULL && length == sizeof("cpu") && memcmp(type, "cpu", sizeof("cpu")) == 0;
}

/* A CPU's hardware number: its reg, of one or two cells, without a size. */
static bool read_hwid(const void *fdt, int node, int cells, uint64_t *hwid)
{
	int length;
	const uint8_t *reg = fdt_getprop(fdt, node, "reg", &length);

	if (reg == NULL || length < 4 * cells || cells < 1 || cells > 2)
		return false;
	*hwid = cells == 2 ? load_be64(reg) : load_be32(reg);
	return true;
}

static bool hwid_known(uint64_t hwid)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		if (cpus[i].hwid == hwid && cpus[i].fdt_node >= 0)
			return true;
	}
	return false;
}

static void take_cpu(int node, uint64_t hwid, struct census *census)
{
	if (hwid == cpus[0].hwid && cpus[0].fdt_node < 0) {
		cpus[0].fdt_node = node;
		return;
	}
	if (hwid_known(hwid)) {
		log_warn("two CPUs are numbered %#lx: the second is not used", hwid);
		return;
	}
	census->found++;
	if (cpu_count == census->limit)
		return;
	struct cpu *cpu = &cpus[cpu_count];
	cpu->id = cpu_count++;
	cpu->hwid = hwid;
	cpu->fdt_node = node;
}

/* A node's CPU, if it may be used. The boot CPU runs, whatever its node says. */
static void examine_node(const void *fdt, int node, int cells, struct census *census)
{
	uint64_t hwid;

	if (!is_cpu_node(fdt, node))
		return;
	if (!read_hwid(fdt, node, cells, &hwid))
		log_warn("%s has no number: not used", fdt_get_name(fdt, node, NULL));
	else if (fdt_node_enabled(fdt, node) || hwid == cpus[0].hwid)
		take_cpu(node, hwid, census);
}

void cpus_discover(const void *fdt, uint64_t boot_hwid)
{
	struct census census = { 1, CONFIG_MAX_CPUS };
	int node, parent = fdt_path_offset(fdt, "/cpus");
	uint64_t wanted = boot_option_number("maxcpus", CONFIG_MAX_CPUS);

	census.limit = (unsigned int)MAX(MIN(wanted, (uint64_t)CONFIG_MAX_CPUS), 1ul);
	cpus[0].id = 0;
	cpus[0].hwid = boot_hwid;
	cpus[0].fdt_node = -1;
	cpu_count = 1;
	if (parent >= 0) {
		int cells = fdt_address_cells(fdt, parent);

		fdt_for_each_subnode(node, fdt, parent)
			examine_node(fdt, node, cells, &census);
	}
	if (cpus[0].fdt_node < 0)
		log_warn("the boot CPU, number %#lx, is not in the device tree", boot_hwid);
	if (census.found > cpu_count)
		log_warn("the machine has %u CPUs, %u of them are used (%s)", census.found,
			 cpu_count, cpu_count == CONFIG_MAX_CPUS ? "CONFIG_MAX_CPUS" : "maxcpus=");
}
