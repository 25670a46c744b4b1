// SPDX-License-Identifier: BSD-3-Clause
/* Laying out finished objects as a pack, in memory and on disk. */
#ifndef TWZPACK_WRITE_H
#define TWZPACK_WRITE_H

#include "image.h"

#include <stdbool.h>

/*
 * The pack of count finished images, sorted here by ID; no two may have the same one. Returns
 * *size bytes, 16-aligned, that the caller frees; NULL with *why set if they do not fit.
 */
void *pack_build(struct image *images, size_t count, objid_t init, objid_t nameroot, size_t *size,
		 const char **why);

/*
 * Write a file whole or not at all: under another name beside it, then renamed. A signal that
 * ends the program removes what was begun. Returns false with errno set.
 */
bool write_file(const char *path, const void *bytes, size_t size);

#endif
