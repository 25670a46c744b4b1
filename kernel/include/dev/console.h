// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel console: one output device chosen by stdout-path, and its input.
 */
#ifndef DEV_CONSOLE_H
#define DEV_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

struct console_ops {
	const char *name;
	void (*write)(const char *text, size_t length); /* polled; any context; log lock held */
	int (*read)(void);                              /* next received byte, or -1; polled */
	/*
	 * Attach the receive interrupt, whose handler calls console_received(). -errno: none.
	 */
	int (*enable_input)(const void *fdt);
};

/* Called by a console driver's probe. The text kept so far is written out. */
void console_register(const struct console_ops *ops, int fdt_node);

/*
 * Early, on the boot CPU: probe the stdout-path node's driver; without one, the first console
 * found.
 */
void console_early_init(const void *fdt);

/* After irqchips: start input. */
void console_input_init(const void *fdt);

/* From a driver's interrupt handler: bytes may have arrived. Reads them all, and wakes readers. */
void console_received(void);

/* Upcall: input has arrived, wake whoever sleeps on the console. Interrupt level, no lock held. */
void console_input_wake(void);

/*
 * Take up to `length` bytes of input that have arrived. Returns how many (0: none).
 * Readers sleep on console_input_word() through the sync machinery.
 */
size_t console_read(char *buffer, size_t length);

#endif
