// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the device tree says the harts can do.
 */
#ifndef ISA_H
#define ISA_H

#include <stdbool.h>
#include <stddef.h>

/* Whether every enabled hart has an extension, named in lower case ("sstc", "d"). */
bool isa_everywhere(const void *fdt, const char *extension);

/*
 * Largest of a one-cell property over the enabled harts, e.g. a cache block size; 0 = none has
 * it.
 */
unsigned int isa_largest_cell(const void *fdt, const char *property);

#endif
