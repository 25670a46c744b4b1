// SPDX-License-Identifier: BSD-3-Clause
/* The namespace object that names the packed objects; its layout is that of abi/hier.h. */
#ifndef TWZPACK_NAMES_H
#define TWZPACK_NAMES_H

#include "image.h"

#include <stdbool.h>

struct name {
	const char *name;
	objid_t id;
};

/* May an object be called this? 1 … 255 bytes, no slash, not "." or "..". */
bool name_valid(const char *name);

/*
 * Build the finished namespace object of count valid names, sorted here by name; "." and ".."
 * stand for itself. Free with image_free.
 */
void names_build(struct name *names, size_t count, struct image *out);

/* Step through the entries of a namespace object in memory: see names_next. */
struct names_walk {
	/* Reads len bytes at an object offset of the namespace; unwritten bytes are zero. */
	void (*read)(const void *object, uint64_t offset, void *bytes, size_t len);
	const void *object;
	uint64_t offset; /* of the next record */
	objid_t id;      /* the current entry */
	char name[256];
};

/* Begin. False: it is not a namespace of a known version. */
bool names_begin(struct names_walk *w);

/* The next valid regular or namespace entry: 1, 0 at the end of the list, -1 malformed list. */
int names_next(struct names_walk *w);

#endif
