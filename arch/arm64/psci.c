// SPDX-License-Identifier: BSD-3-Clause
/*
 * PSCI calls. Version 0.2 and later have fixed function numbers; 0.1 names them in the device tree.
 */
#define LOG_PREFIX "psci"

#include <libfdt.h>

#include <abi/errno.h>
#include <base/string.h>
#include <boot/fdt.h>
#include <boot/machine.h>
#include <log.h>

#include "psci.h"

#define SYSTEM_OFF 0x84000008u
#define SYSTEM_RESET 0x84000009u
#define CPU_ON_64 0xc4000003u

/* Status codes. */
#define NOT_SUPPORTED (-1)
#define INVALID_PARAMETERS (-2)
#define DENIED (-3)
#define ALREADY_ON (-4)
#define ON_PENDING (-5)

static struct {
	bool probed;
	bool usable;
	bool hvc; /* the conduit: HVC, else SMC */
	bool has_system; /* power off and reset: version 0.2 and later */
	uint32_t cpu_on; /* 0 = none */
} psci;

/* SMC calling convention: x0 … x3 carry arguments and results, x4 … x17 may be lost. */
static int call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	if (psci.hvc)
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "x4", "x5",
				 "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
				 "x16", "x17", "memory");
	else
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "x4", "x5",
				 "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
				 "x16", "x17", "memory");
	return (int)(int32_t)x0;
}

static int find_node(const void *fdt)
{
	static const char *const names[] = { "arm,psci-1.0", "arm,psci-0.2", "arm,psci" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int node = fdt_node_offset_by_compatible(fdt, -1, names[i]);

		if (node >= 0 && fdt_node_enabled(fdt, node))
			return node;
	}
	return -1;
}

static bool read_conduit(const void *fdt, int node)
{
	int length;
	const char *method = fdt_getprop(fdt, node, "method", &length);

	if (!method || length != 4 || (memcmp(method, "hvc", 4) && memcmp(method, "smc", 4))) {
		log_error("the device tree's psci node names no method, hvc or smc");
		return false;
	}
	psci.hvc = method[0] == 'h';
	return true;
}

void psci_probe(void)
{
	const void *fdt = machine.fdt;
	uint64_t number;
	int node;

	if (psci.probed || !fdt)
		return;
	psci.probed = true;
	node = find_node(fdt);
	if (node < 0 || !read_conduit(fdt, node))
		return;
	psci.usable = true;
	psci.has_system = fdt_node_check_compatible(fdt, node, "arm,psci-0.2") == 0 ||
			  fdt_node_check_compatible(fdt, node, "arm,psci-1.0") == 0;
	if (psci.has_system)
		psci.cpu_on = CPU_ON_64;
	else if (fdt_node_u64(fdt, node, "cpu_on", &number))
		psci.cpu_on = (uint32_t)number;
}

int psci_cpu_on(uint64_t hwid, paddr_t entry)
{
	psci_probe();
	if (!psci.usable || psci.cpu_on == 0)
		return -ENODEV;
	switch (call(psci.cpu_on, hwid, entry, 0)) {
	case 0:
		return 0;
	case INVALID_PARAMETERS:
		return -EINVAL;
	case DENIED:
		return -EPERM;
	case ALREADY_ON:
	case ON_PENDING:
		return -EBUSY;
	case NOT_SUPPORTED:
		return -ENOSYS;
	default:
		return -EIO;
	}
}

static void system_call(uint32_t function)
{
	psci_probe();
	if (psci.usable && psci.has_system)
		call(function, 0, 0, 0);
}

void psci_system_off(void)
{
	system_call(SYSTEM_OFF);
}

void psci_system_reset(void)
{
	system_call(SYSTEM_RESET);
}
