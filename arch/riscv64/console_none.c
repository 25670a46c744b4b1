// SPDX-License-Identifier: BSD-3-Clause
/*
 * No early console: the log waits in memory for the first UART.
 */
#include <arch/console.h>

bool arch_early_write(const char *text, size_t length)
{
	(void)text;
	(void)length;
	return false;
}
