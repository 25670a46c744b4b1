// SPDX-License-Identifier: BSD-3-Clause
/* Objects of a store as files: their metadata, their size, their bytes. */
#ifndef TWZSTORE_OBJECT_H
#define TWZSTORE_OBJECT_H

#include <abi/object.h>
#include <store/store.h>

struct object {
	struct store *st;
	struct store_handle h;
	struct metainfo mi; /* a copy; all zero if the object has no metadata page */
};

/* Find an object and read its metadata, which need not be sound. 0, -ENOENT, -EUCLEAN. */
int object_open(struct store *st, objid_t id, struct object *o);

/* The same for an object that was found. 0, -EUCLEAN. */
int object_from(struct store *st, const struct store_handle *h, struct object *o);

/* Read; what is not stored reads as zero. The range is within the object. 0, -EUCLEAN. */
int object_read(const struct object *o, uint64_t offset, void *bytes, size_t len);

/*
 * Write to data of an object of a store mounted for writing; pages are added as needed. Durable
 * after the next fence. 0, -ENOSPC, -EUCLEAN.
 */
int object_write(struct object *o, uint64_t offset, const void *bytes, size_t len);

/*
 * Bytes from base that count as its data: its size if it has one, else up to the end of the last
 * page that is stored below the foreign object table. 0, -EUCLEAN, -EINVLOBJ for unsound metadata.
 */
int object_size(const struct object *o, uint64_t *size);

/* Why its metadata, its ID or (hash-data objects) its content is wrong; NULL: nothing is. */
const char *object_fault(const struct object *o);

#endif
