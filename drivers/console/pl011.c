// SPDX-License-Identifier: BSD-3-Clause
/*
 * ARM PL011 serial port, and the subset of it that server firmware describes ("arm,sbsa-uart").
 * Line speed and format are left as the firmware set them up.
 */
#include <libfdt.h>

#include <abi/errno.h>
#include <boot/fdt.h>
#include <dev/console.h>
#include <dev/driver.h>
#include <dev/irqchip.h>
#include <log.h>

#define LOG_PREFIX "pl011"

#define DATA 0x00u
#define FLAGS 0x18u
#define FLAG_RECEIVE_EMPTY (1u << 4)
#define FLAG_SEND_FULL (1u << 5)
#define CONTROL 0x30u /* not in the subset */
#define CONTROL_ENABLE 0x301u /* the port, its transmitter, its receiver */
#define INT_MASK 0x38u
#define INT_CLEAR 0x44u
#define INT_RECEIVE 0x50u /* a byte at the FIFO's mark, or one that has waited below it */
#define REGISTERS_SIZE 0x1000u

/* Looks for room before a byte is given up: a port that is stuck must not hang the kernel. */
#define SEND_PATIENCE 1000000u

/* Set once by the boot CPU. */
static char *registers;
static int device_node;

/* The long wait is for a port that was well until now; one that is stuck gets one look. */
static void send(char byte)
{
	static unsigned int patience = SEND_PATIENCE;

	for (unsigned int i = 0; i < patience; i++) {
		if (!(mmio_read32(registers + FLAGS) & FLAG_SEND_FULL)) {
			mmio_write32(registers + DATA, (uint8_t)byte);
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

/* The bits above the byte tell of errors on the line; the byte is taken as it is. */
static int uart_read(void)
{
	if (mmio_read32(registers + FLAGS) & FLAG_RECEIVE_EMPTY)
		return -1;
	return (int)(mmio_read32(registers + DATA) & 0xff);
}

static void received(void *data)
{
	(void)data;
	mmio_write32(registers + INT_CLEAR, INT_RECEIVE);
	console_received();
}

static int enable_input(const void *fdt)
{
	int error = irq_attach_node(fdt, device_node, 0, received, NULL);

	if (error == 0)
		mmio_write32(registers + INT_MASK, INT_RECEIVE);
	return error;
}

static const struct console_ops ops = {
	.name = "pl011",
	.write = uart_write,
	.read = uart_read,
	.enable_input = enable_input,
};

static int probe(const void *fdt, int node)
{
	int error = driver_map(fdt, node, REGISTERS_SIZE, &registers);

	if (error)
		return error;
	device_node = node;
	mmio_write32(registers + INT_MASK, 0);
	if (fdt_node_check_compatible(fdt, node, "arm,pl011") == 0)
		mmio_write32(registers + CONTROL,
			     mmio_read32(registers + CONTROL) | CONTROL_ENABLE);
	console_register(&ops, node);
	return 0;
}

DRIVER(pl011, DRIVER_CONSOLE, probe, "arm,pl011", "arm,sbsa-uart");
