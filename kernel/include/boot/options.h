// SPDX-License-Identifier: BSD-3-Clause
/*
 * Looking up a word of a boot command line; boot_option() in boot/machine.h is this over the
 * machine's own. Pure.
 */
#ifndef BOOT_OPTIONS_H
#define BOOT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The value of the last NAME or NAME=VALUE word of `line` (words are separated by blanks; a value
 * in double quotes may hold blanks, and is returned without the quotes). NULL when there is none.
 */
const char *option_find(const char *line, const char *name, size_t *length);

/* All of text[0 … length) as an unsigned decimal number; false: it is none, or too large. */
bool option_number(const char *text, size_t length, uint64_t *value);

#endif
