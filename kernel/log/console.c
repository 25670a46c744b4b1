// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel console: the one output device, chosen by stdout-path, and the bytes typed at it.
 * Before a driver has it, text goes through firmware where there is such a thing.
 */
#include <libfdt.h>

#include <arch/console.h>
#include <base/bits.h>
#include <base/string.h>
#include <boot/fdt.h>
#include <dev/console.h>
#include <dev/driver.h>
#include <log.h>
#include <log_sink.h>
#include <sched/sync.h>
#include <spinlock.h>

#define LOG_PREFIX "console"

/* ---- Output; guarded by the log's lock ---- */

static const struct console_ops *console; /* set once */
static char last = '\n';                  /* the last character shown */

static bool show_raw(const char *text, size_t length)
{
	if (console == NULL)
		return arch_early_write(text, length);
	console->write(text, length);
	return true;
}

bool console_show(const char *text, size_t length)
{
	while (length > 0) {
		const char *newline = memchr(text, '\n', length);
		size_t n = newline ? (size_t)(newline - text) : length;

		if (n > 0) {
			if (!show_raw(text, n))
				return false;
			last = text[n - 1];
		}
		if (newline != NULL) {
			/* A text that brings its own carriage return is not given a second one. */
			if (!(last == '\r' ? show_raw("\n", 1) : show_raw("\r\n", 2)))
				return false;
			last = '\n';
			n++;
		}
		text += n;
		length -= n;
	}
	return true;
}

bool console_at_line_start(void)
{
	return last == '\n';
}

/* ---- Choice of the device ---- */

void console_register(const struct console_ops *ops, int fdt_node)
{
	(void)fdt_node;
	if (console == NULL)
		console = ops;
	log_flush();
}

static bool try_node(const void *fdt, int node)
{
	const struct driver *driver;

	if (node < 0)
		return false;
	driver = driver_match(DRIVER_CONSOLE, fdt, node);
	return driver != NULL && driver->probe(fdt, node) == 0;
}

void console_early_init(const void *fdt)
{
	int stdout_node = fdt_stdout_node(fdt);

	if (try_node(fdt, stdout_node))
		return;
	for (int node = fdt_next_node(fdt, -1, NULL); node >= 0;
	     node = fdt_next_node(fdt, node, NULL)) {
		if (node == stdout_node || !fdt_node_enabled(fdt, node) || !try_node(fdt, node))
			continue;
		log_warn("no usable stdout-path in the device tree: using %s",
			 fdt_get_name(fdt, node, NULL));
		return;
	}
	log_warn("no console device in the device tree");
}

/* ---- Input ---- */

#define INPUT_SIZE 8192u /* what is pasted at once */

static struct spinlock input_lock = SPINLOCK_INIT;
/* Guarded by input_lock. */
static char input[INPUT_SIZE];
static uint32_t input_head, input_tail; /* bytes ever put and taken */

void console_input_init(const void *fdt)
{
	int error = -1;

	if (console == NULL)
		return;
	if (console->enable_input != NULL)
		error = console->enable_input(fdt);
	if (error != 0)
		log_warn("%s has no receive interrupt: no input", console->name);
}

/* A full buffer drops what comes: the one who types sees no echo. */
void console_received(void)
{
	int byte;

	spin_lock(&input_lock);
	while ((byte = console->read()) >= 0)
		if (input_head - input_tail < INPUT_SIZE)
			input[input_head++ % INPUT_SIZE] = (char)byte;
	spin_unlock(&input_lock);
	console_input_wake();
}

size_t console_read(char *buffer, size_t length)
{
	size_t n = 0;

	spin_lock(&input_lock);
	while (n < length && input_tail != input_head)
		buffer[n++] = input[input_tail++ % INPUT_SIZE];
	spin_unlock(&input_lock);
	return n;
}
