// SPDX-License-Identifier: BSD-3-Clause
/* The table of drivers in the section .drivers, and who gets which node. See dev/driver.h. */
#define LOG_PREFIX "device"

#include <libfdt.h>

#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <boot/fdt.h>
#include <dev/driver.h>
#include <log.h>
#include <mm/kmap.h>

static bool driver_knows(const struct driver *driver, const char *compatible)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(driver->compatible); i++) {
		if (driver->compatible[i] == NULL)
			break;
		if (strcmp(driver->compatible[i], compatible) == 0)
			return true;
	}
	return false;
}

/* A node lists what it is compatible with from the most to the least exact. */
const struct driver *driver_match(enum driver_kind kind, const void *fdt, int node)
{
	int count = fdt_stringlist_count(fdt, node, "compatible");

	for (int i = 0; i < count; i++) {
		const char *compatible = fdt_stringlist_get(fdt, node, "compatible", i, NULL);

		for (const struct driver *d = __drivers_start; d < __drivers_end; d++) {
			if (d->kind == kind && compatible != NULL && driver_knows(d, compatible))
				return d;
		}
	}
	return NULL;
}

int drivers_probe(enum driver_kind kind, const void *fdt)
{
	int taken = 0;

	for (int node = fdt_next_node(fdt, -1, NULL); node >= 0;
	     node = fdt_next_node(fdt, node, NULL)) {
		const struct driver *driver = driver_match(kind, fdt, node);

		if (driver != NULL && fdt_node_enabled(fdt, node) && driver->probe(fdt, node) == 0)
			taken++;
	}
	return taken;
}

void *mmio_map(uint64_t phys, uint64_t size)
{
	return kmap_window(phys, size, PTE_R | PTE_W | PTE_DEVICE);
}

int driver_map(const void *fdt, int node, uint64_t size, char **registers)
{
	struct range range;

	if (*registers != NULL)
		return -EBUSY;
	if (!fdt_node_range(fdt, node, 0, &range) || range.size < size) {
		log_error("%s: bad reg", fdt_get_name(fdt, node, NULL));
		return -EINVAL;
	}
	*registers = mmio_map(range.base, size);
	return *registers != NULL ? 0 : -ENOMEM;
}
