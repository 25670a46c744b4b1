// SPDX-License-Identifier: BSD-3-Clause
/*
 * A small store with one of everything, to be damaged; and a use of a store that may be damaged.
 */
#ifndef TESTS_STORE_SAMPLE_H
#define TESTS_STORE_SAMPLE_H

#include "hosted.h"

#define SAMPLE_OBJECTS 6u

struct sample {
	unsigned char *base;
	size_t len;
	objid_t id[SAMPLE_OBJECTS]; /* live ones first, then a deleted and a hidden one */
	unsigned live;
};

/* Makes the store in a new region of `len` bytes and leaves it as a power cut would. */
void sample_make(struct sample *sample, size_t len);

/* Whether `page` is in use for something other than an object's content. */
bool sample_is_metadata(const struct sample *sample, uint64_t page);

/* How many live sample objects are found whole. Writes nothing. */
unsigned sample_readable(const struct sample *sample, struct store *st);

/*
 * Look at and change everything that can be reached: list, look up, read, allocate, delete, free,
 * create, check. Returns the number of live sample objects that were found whole.
 */
unsigned sample_use(const struct sample *sample, struct store *st);

#endif
