// SPDX-License-Identifier: BSD-3-Clause
/*
 * Blob: bytes of any length, or a string, behind one pointer, so that one may stand in every
 * struct. The bytes are never changed in place: setting makes a new copy, and one step puts it
 * there and frees the old one (copy-on-write).
 *
 * Threads and views: a blob bears no lock; the lock of what it stands in guards it, for readers
 * too, unless nobody sets it meanwhile.
 */
#ifndef TWZ_DS_BLOB_H
#define TWZ_DS_BLOB_H

#include <base/string.h>
#include <twz/ds/ds.h>

#ifdef __cplusplus
extern "C" {
#endif

struct twz_blob {
	uint64_t data; /* local p-ptr to struct twz_blob_data, 0: empty */
};

struct twz_blob_data {
	uint64_t len;
	unsigned char bytes[]; /* and a 0 behind them, so that a string can be used as it stands */
};

/* Make *b a copy of len bytes, at most TWZ_DS_VALUE_MAX; 0 bytes: empty, and what it held freed. */
int twz_blob_set(twzobj *o, struct twz_blob *b, const void *bytes, size_t len);

static inline int twz_blob_set_string(twzobj *o, struct twz_blob *b, const char *s)
{
	return twz_blob_set(o, b, s, strlen(s));
}

/* Add len bytes at the end, in one step. */
int twz_blob_append(twzobj *o, struct twz_blob *b, const void *bytes, size_t len);

/* Where the bytes stand, and how many in *len (NULL: not wanted); NULL: empty, or damaged. */
const void *twz_blob_bytes(twzobj *o, const struct twz_blob *b, size_t *len);

/* The same as a string; "" if it is empty or damaged. */
const char *twz_blob_string(twzobj *o, const struct twz_blob *b);

/* How many bytes. 0 if it is empty; -EINVLOBJ. */
ssize_t twz_blob_len(twzobj *o, const struct twz_blob *b);

/* Copy up to size bytes from byte `from` on to buf; how many; 0 at the end and behind it. */
ssize_t twz_blob_read(twzobj *o, const struct twz_blob *b, size_t from, void *buf, size_t size);

/* Order two blobs as memcmp, the shorter first: below, equal to, or above 0. */
int twz_blob_compare(twzobj *oa, const struct twz_blob *a, twzobj *ob, const struct twz_blob *b);

/* Check it, as twz_ds_check. */
int twz_blob_check(twzobj *o, const struct twz_blob *b);

#ifdef __cplusplus
}
#endif

#endif
