// SPDX-License-Identifier: BSD-3-Clause
/* The host as a machine, see host.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <arch/mmu.h>
#include <cpu.h>
#include <log.h>
#include <panic.h>

#include "host.h"

struct cpu *host_cpu;
uint64_t host_counter;
struct arch_mmu arch_mmu;

jmp_buf host_panic_jump;
bool host_panic_armed;
char host_panic_text[256];
unsigned int host_log_lines;

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(host_panic_text, sizeof(host_panic_text), format, args);
	va_end(args);
	if (host_panic_armed)
		longjmp(host_panic_jump, 1);
	fprintf(stderr, "panic: %s\n", host_panic_text);
	abort();
}

bool panic_active(void)
{
	return false;
}

void panic_park(void)
{
	abort();
}

void panic_set_poweroff(bool on)
{
	(void)on;
}

void log_print(enum log_level level, const char *prefix, const char *format, ...)
{
	va_list args;

	(void)level;
	host_log_lines++;
	if (getenv("HOST_LOG") == NULL)
		return;
	va_start(args, format);
	fprintf(stderr, "%s: ", prefix);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

void log_set_level(int level)
{
	(void)level;
}
