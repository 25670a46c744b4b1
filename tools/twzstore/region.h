// SPDX-License-Identifier: BSD-3-Clause
/*
 * The file that holds a region of persistent memory, mapped as a whole: what is stored in the
 * mapping is what the next emulator finds. A lock on the file keeps emulators and other tools away
 * meanwhile.
 */
#ifndef TWZSTORE_REGION_H
#define TWZSTORE_REGION_H

#include "report.h"

#include <store/store.h>

#define REGION_UNIT (2ul << 20) /* an emulator maps no other sizes than multiples of this */

struct region {
	const char *path;
	int fd;
	unsigned char *base;
	size_t len;
	bool writable;
};

/*
 * Flushing and fencing for a mapped file. The page cache keeps everything in order as long as the
 * machine runs, so a fence is nothing, and region_close() waits for the disk; after region_strict()
 * each fence does.
 */
extern const struct pm_ops region_ops;
void region_strict(void);

/*
 * Open and lock an existing file of any content and map it: readable, or writable too. One
 * line on standard error if that cannot be. Empty files give base = NULL and len = 0.
 */
bool region_open(struct region *r, const char *path, bool writable);

/* As region_open() for writing; a missing file is made first, *made tells. Sizes must agree. */
bool region_create(struct region *r, const char *path, size_t len, bool *made);

/* Wait until everything written is on the disk, and close. False: an error, reported. */
bool region_close(struct region *r);

/* Mount the store in it. On failure, reported, *status is FAILED or NOT_A_STORE. */
bool region_mount(struct region *r, struct store *st, enum status *status);

#endif
