// SPDX-License-Identifier: BSD-3-Clause
/*
 * Early console through the firmware: its debug console, or the call that came before that.
 * A byte at a time, because the debug console's call for more wants physical addresses.
 */
#include <arch/console.h>

#include "sbi.h"

#define DEBUG_CONSOLE_WRITE_BYTE 2

bool arch_early_write(const char *text, size_t length)
{
	static enum { UNKNOWN, LEGACY, DEBUG_CONSOLE } kind;

	/* Two CPUs may both find out; they find the same. */
	if (kind == UNKNOWN)
		kind = sbi_has(SBI_DEBUG_CONSOLE) ? DEBUG_CONSOLE : LEGACY;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (kind == DEBUG_CONSOLE)
			sbi_call(SBI_DEBUG_CONSOLE, DEBUG_CONSOLE_WRITE_BYTE, byte, 0, 0, 0, 0);
		else
			sbi_call(SBI_LEGACY_PUTCHAR, 0, byte, 0, 0, 0, 0);
	}
	return true;
}
