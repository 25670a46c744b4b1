// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract: a console before any driver exists.
 *
 * Writes through firmware where the architecture has such a service. Returns false where it has
 * none: the log then waits in memory until the stdout-path UART is mapped.
 * Context: any, including panic.
 */
#ifndef ARCH_CONSOLE_H
#define ARCH_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

bool arch_early_write(const char *text, size_t length);

#endif
