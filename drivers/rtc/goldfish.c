// SPDX-License-Identifier: BSD-3-Clause
/*
 * The real-time clock of emulated machines ("google,goldfish-rtc"): nanoseconds since 1970 in two
 * halves. Reading the low half latches the high one; writing the low half takes both.
 */
#include <dev/driver.h>
#include <dev/rtc.h>

#define TIME_LOW 0x00u
#define TIME_HIGH 0x04u
#define REGISTERS_SIZE 0x24u

static char *registers; /* set once by the boot CPU */

static uint64_t goldfish_read(void)
{
	uint64_t low = mmio_read32(registers + TIME_LOW);

	return (uint64_t)mmio_read32(registers + TIME_HIGH) << 32 | low;
}

static void goldfish_write(uint64_t ns)
{
	mmio_write32(registers + TIME_HIGH, (uint32_t)(ns >> 32));
	mmio_write32(registers + TIME_LOW, (uint32_t)ns);
}

static const struct rtc_ops ops = {
	.name = "goldfish-rtc",
	.read = goldfish_read,
	.write = goldfish_write,
};

static int probe(const void *fdt, int node)
{
	int error = driver_map(fdt, node, REGISTERS_SIZE, &registers);

	if (error)
		return error;
	rtc_register(&ops);
	return 0;
}

DRIVER(goldfish_rtc, DRIVER_RTC, probe, "google,goldfish-rtc");
