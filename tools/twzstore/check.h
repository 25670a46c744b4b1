// SPDX-License-Identifier: BSD-3-Clause
/* Checking a store, and explaining what is found. */
#ifndef TWZSTORE_CHECK_H
#define TWZSTORE_CHECK_H

#include "region.h"

/*
 * Check a store that is mounted read-only and print each fault: what, where, whom it concerns.
 * Returns the number of faults.
 */
uint64_t check_store(struct store *st, FILE *out);

/* Check objects' metadata, IDs, hashed content, and all names; print and count the faults. */
uint64_t check_objects(struct store *st, FILE *out);

/* Mount read-only, check, print the verdict. `objects`: check_objects(), too. */
enum status check_region(struct region *r, bool objects, FILE *out);

/*
 * Whether the store in a writable region is fit to be written: mounts it read-only, into *st, and
 * checks it. False: reported, nothing is mounted.
 */
bool check_before_writing(struct region *r, struct store *st, enum status *status);

/* What a kind of fault means, in a sentence; NULL: not a fault that the store's checker reports. */
const char *fault_meaning(const char *what);

#endif
