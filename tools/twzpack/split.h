// SPDX-License-Identifier: BSD-3-Clause
/*
 * From a linked program to objects: the text object and the data template of abi/program.h.
 */
#ifndef TWZPACK_SPLIT_H
#define TWZPACK_SPLIT_H

#include "image.h"

#include <abi/program.h>
#include <stdbool.h>

#define SPLIT_WHY 120 /* bytes of a message */

struct split {
	struct image text; /* finished */
	struct image data; /* finished; only if has_data */
	bool has_data;
	struct twz_program header; /* as in the text object */
};

/*
 * Split the static ELF64 executable in len bytes at file. Returns true, and the caller frees the
 * images; or false with a one-line reason in why, and nothing to free.
 */
bool split_elf(const void *file, size_t len, struct split *out, char why[SPLIT_WHY]);

#endif
