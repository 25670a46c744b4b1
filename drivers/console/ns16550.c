// SPDX-License-Identifier: BSD-3-Clause
/*
 * 16550-compatible serial port. Registers stand reg-offset bytes into reg, 1 << reg-shift bytes
 * apart, and are accessed 1 or 4 bytes wide (reg-io-width). Line speed and format are left as the
 * firmware set them up.
 */
#include <libfdt.h>

#include <abi/errno.h>
#include <base/string.h>
#include <boot/fdt.h>
#include <dev/console.h>
#include <dev/driver.h>
#include <dev/irqchip.h>
#include <log.h>

#define LOG_PREFIX "ns16550"

#define DATA 0         /* read: received byte, write: byte to send */
#define INT_ENABLE 1
#define INT_RECEIVE 0x01u
#define FIFO_CONTROL 2 /* write */
#define FIFO_ENABLE 0x01u
#define MODEM_CONTROL 4
#define MODEM_READY 0x0bu /* DTR, RTS, and the gate that lets the interrupt out */
#define LINE_STATUS 5
#define STATUS_RECEIVED 0x01u
#define STATUS_SEND_EMPTY 0x20u
#define REGISTER_COUNT 8u

/* Looks for room before a byte is given up: a port that is stuck must not hang the kernel. */
#define SEND_PATIENCE 1000000u

/* Set once by the boot CPU. */
static char *registers;
static int device_node;
static unsigned int shift, width;

static uint8_t read_register(unsigned int number)
{
	char *address = registers + (number << shift);

	return width == 4 ? (uint8_t)mmio_read32(address) : mmio_read8(address);
}

static void write_register(unsigned int number, uint8_t value)
{
	char *address = registers + (number << shift);

	if (width == 4)
		mmio_write32(address, value);
	else
		mmio_write8(address, value);
}

/* The long wait is for a port that was well until now; a port known to be stuck gets one look. */
static void send(char byte)
{
	static unsigned int patience = SEND_PATIENCE;

	for (unsigned int i = 0; i < patience; i++) {
		if (read_register(LINE_STATUS) & STATUS_SEND_EMPTY) {
			write_register(DATA, (uint8_t)byte);
			patience = SEND_PATIENCE;
			return;
		}
	}
	patience = 1;
}

static void uart_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		send(text[i]);
}

static int uart_read(void)
{
	return read_register(LINE_STATUS) & STATUS_RECEIVED ? read_register(DATA) : -1;
}

static void received(void *data)
{
	(void)data;
	console_received();
}

static int enable_input(const void *fdt)
{
	int error = irq_attach_node(fdt, device_node, 0, received, NULL);

	if (error == 0)
		write_register(INT_ENABLE, INT_RECEIVE);
	return error;
}

static const struct console_ops ops = {
	.name = "ns16550",
	.write = uart_write,
	.read = uart_read,
	.enable_input = enable_input,
};

/* A property that may be absent. */
static uint64_t number_or(const void *fdt, int node, const char *property, uint64_t otherwise)
{
	uint64_t value;

	return fdt_node_u64(fdt, node, property, &value) ? value : otherwise;
}

static int probe(const void *fdt, int node)
{
	uint64_t offset = number_or(fdt, node, "reg-offset", 0);
	uint64_t want_shift = number_or(fdt, node, "reg-shift", 0);
	uint64_t want_width = number_or(fdt, node, "reg-io-width", 1);
	const char *name = fdt_get_name(fdt, node, NULL);
	struct range range;

	if (registers != NULL)
		return -EBUSY;
	if (!fdt_node_range(fdt, node, 0, &range) || want_shift > 4 ||
	    (want_width != 1 && want_width != 4) || (want_width == 4 && want_shift < 2) ||
	    offset > range.size || range.size - offset < REGISTER_COUNT << want_shift) {
		log_error("%s: bad reg, reg-offset, reg-shift or reg-io-width", name);
		return -EINVAL;
	}
	registers = mmio_map(range.base + offset, REGISTER_COUNT << want_shift);
	if (registers == NULL)
		return -ENOMEM;
	shift = (unsigned int)want_shift;
	width = (unsigned int)want_width;
	device_node = node;
	write_register(INT_ENABLE, 0);
	write_register(FIFO_CONTROL, FIFO_ENABLE);
	write_register(MODEM_CONTROL, MODEM_READY);
	console_register(&ops, node);
	return 0;
}

DRIVER(ns16550, DRIVER_CONSOLE, probe, "ns16550a", "ns16550", "snps,dw-apb-uart");
