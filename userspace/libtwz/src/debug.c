// SPDX-License-Identifier: BSD-3-Clause
/* Printing to the kernel's log. */
#include "runtime.h"

#include <base/printf.h>
#include <twz/debug.h>

int debug_vprintf(const char *fmt, va_list ap)
{
	char buf[SYS_DEBUG_PRINT_MAX];
	int n = vsnprintf(buf, sizeof(buf), fmt, ap);

	if (n < 0)
		return n;
	return (int)__sys_debug_print(buf, (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

int debug_printf(const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = debug_vprintf(fmt, ap);
	va_end(ap);
	return r;
}

_Noreturn void libtwz_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	debug_vprintf(fmt, ap);
	va_end(ap);
	twz_thread_exit(255);
}
