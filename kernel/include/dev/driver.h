// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel's own few drivers, found by compatible string. A driver file ends with one greppable
 * line such as
 *
 *   DRIVER(ns16550, DRIVER_CONSOLE, probe, "ns16550a", "ns16550", "snps,dw-apb-uart");
 *
 * which puts a struct driver into the linker section .drivers.
 */
#ifndef DEV_DRIVER_H
#define DEV_DRIVER_H

#include <stdint.h>

enum driver_kind { DRIVER_IRQCHIP, DRIVER_CONSOLE, DRIVER_RTC };

/*
 * probe(fdt, node): take the device. 0, or -errno with a logged reason and nothing kept.
 * IRQCHIP drivers call irqchip_register(), CONSOLE drivers console_register().
 */
struct driver {
	const char *name;
	enum driver_kind kind;
	int (*probe)(const void *fdt, int node);
	const char *compatible[6]; /* NULL-terminated */
};

/* The table; the linker script defines these. */
extern const struct driver __drivers_start[], __drivers_end[];

#define DRIVER(name_, kind_, probe_, ...)                                               \
	static const struct driver driver_##name_                                       \
		__attribute__((used, section(".drivers"), aligned(8))) = {              \
			.name = #name_, .kind = kind_, .probe = probe_,                 \
			.compatible = { __VA_ARGS__ } }

/* The driver of a kind whose compatible list matches the node best, or NULL. */
const struct driver *driver_match(enum driver_kind kind, const void *fdt, int node);

/* Probe every enabled matching node of a kind, in tree order. Returns how many succeeded. */
int drivers_probe(enum driver_kind kind, const void *fdt);

/* Map device registers for the kernel's lifetime: uncached, read-write. NULL when out of window. */
void *mmio_map(uint64_t phys, uint64_t size);

/*
 * For a driver that takes one device: map the first `size` bytes of the node's first registers into
 * *registers, which is NULL before. -EBUSY it is not; -EINVAL the node has no such registers
 * (logged); -ENOMEM.
 */
int driver_map(const void *fdt, int node, uint64_t size, char **registers);

static inline uint32_t mmio_read32(const volatile void *address)
{
	return *(const volatile uint32_t *)address;
}

static inline void mmio_write32(volatile void *address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static inline uint8_t mmio_read8(const volatile void *address)
{
	return *(const volatile uint8_t *)address;
}

static inline void mmio_write8(volatile void *address, uint8_t value)
{
	*(volatile uint8_t *)address = value;
}

#endif
