// SPDX-License-Identifier: BSD-3-Clause
/*
 * ARM PL031 real-time clock: seconds since 1970, in 32 bits.
 */
#include <dev/driver.h>
#include <dev/rtc.h>

#define DATA 0x00u
#define LOAD 0x08u
#define CONTROL 0x0cu
#define CONTROL_ENABLE 1u
#define INT_MASK 0x10u
#define REGISTERS_SIZE 0x1000u

#define NS_PER_S 1000000000ull

static char *registers; /* set once by the boot CPU */

static uint64_t pl031_read(void)
{
	return mmio_read32(registers + DATA) * NS_PER_S;
}

/* A time past what it can hold, in 2106, is not told to it. */
static void pl031_write(uint64_t ns)
{
	if (ns / NS_PER_S <= UINT32_MAX)
		mmio_write32(registers + LOAD, (uint32_t)(ns / NS_PER_S));
}

static const struct rtc_ops ops = {
	.name = "pl031",
	.read = pl031_read,
	.write = pl031_write,
};

static int probe(const void *fdt, int node)
{
	int error = driver_map(fdt, node, REGISTERS_SIZE, &registers);

	if (error)
		return error;
	mmio_write32(registers + INT_MASK, 0);
	if (!(mmio_read32(registers + CONTROL) & CONTROL_ENABLE))
		mmio_write32(registers + CONTROL, CONTROL_ENABLE);
	rtc_register(&ops);
	return 0;
}

DRIVER(pl031, DRIVER_RTC, probe, "arm,pl031");
