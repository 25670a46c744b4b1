// SPDX-License-Identifier: BSD-3-Clause
/* A folder of odd files and a small store made of it, for the tests of twzstore. */
#ifndef TESTS_TWZSTORE_IMAGE_H
#define TESTS_TWZSTORE_IMAGE_H

#include "../../../tools/twzstore/region.h"

/* A new, empty folder; gone with everything in it when the program ends. */
const char *scratch_folder(void);

/* "FOLDER/NAME", valid until the fourth call after this. */
const char *scratch_path(const char *name);

void write_file(const char *path, const void *bytes, size_t len);

/* Files of several sizes, an empty one, odd names, nested folders, symbolic links. */
void make_sample_tree(const char *path);

/* A region in memory with a store in it, a read-only page behind it; aborts if that fails. */
void make_region(struct region *r, size_t len);

/* Import a folder as "NAME" into the store; aborts if that fails. */
void import_tree(struct region *r, const char *path, const char *name);

/*
 * Add what imports do not make: ties, shared pages, side pages, a run, a deleted child, an object
 * under construction. The region has 8 MiB or more.
 */
#define HIDDEN_ID MKID(5, 5) /* of the latter */
void add_rare_things(struct region *r);

/* Where what is printed goes in tests. */
FILE *nowhere(void);

#endif
