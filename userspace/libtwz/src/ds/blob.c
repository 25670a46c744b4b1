// SPDX-License-Identifier: BSD-3-Clause
/* Blobs and strings. */
#include "record.h"

#include <twz/ds/blob.h>

/* The bytes of a blob; NULL: it is empty, or (damaged) they are not in the object. */
static struct twz_blob_data *data_of(const twzobj *o, const struct twz_blob *b, bool *damaged)
{
	uint64_t offset = ds_load(&b->data);
	struct twz_blob_data *d = ds_at(o, offset);

	*damaged = false;
	if (!offset)
		return NULL;
	*damaged = !ds_inside(offset, sizeof(*d) + 1, 16) || d->len > TWZ_DS_VALUE_MAX ||
		   !ds_inside(offset, sizeof(*d) + d->len + 1, 16);
	return *damaged ? NULL : d;
}

static int make_empty(twzobj *o, struct twz_blob *b)
{
	int r;

	twz_alloc_recover(o);
	if (!b->data)
		return 0;
	r = ds_publish(o, (struct twz_alloc_action[]){ ds_set(&b->data, 0),
	    ds_drop(ds_at(o, b->data)) }, 2);
	return r == -EINVAL ? -EINVLOBJ : r;
}

/* Replace what the blob holds by the first `keep` bytes of it and then some more. */
static int replace(twzobj *o, struct twz_blob *b, const struct twz_blob_data *old, size_t keep,
    const void *bytes, size_t len)
{
	size_t size = sizeof(struct twz_blob_data) + keep + len + 1;
	int error;
	struct twz_blob_data *d = twz_alloc_reserve(o, size, 0, &error);

	if (!d)
		return error;
	d->len = keep + len;
	if (keep)
		memcpy(d->bytes, old->bytes, keep);
	memcpy(d->bytes + keep, bytes, len);
	d->bytes[keep + len] = 0;
	error = ds_publish(o, (struct twz_alloc_action[]){ ds_keep(d, size),
	    ds_set(&b->data, ds_offset(o, d)), ds_drop(ds_at(o, b->data)) }, b->data ? 3 : 2);
	return error == -EINVAL ? -EINVLOBJ : error;
}

int twz_blob_set(twzobj *o, struct twz_blob *b, const void *bytes, size_t len)
{
	if (!ds_root_ok(o, b, sizeof(*b)) || len > TWZ_DS_VALUE_MAX || (len && !bytes))
		return -EINVAL;
	return len ? replace(o, b, NULL, 0, bytes, len) : make_empty(o, b);
}

int twz_blob_append(twzobj *o, struct twz_blob *b, const void *bytes, size_t len)
{
	struct twz_blob_data *old;
	bool damaged;

	if (!ds_root_ok(o, b, sizeof(*b)) || len > TWZ_DS_VALUE_MAX || (len && !bytes))
		return -EINVAL;
	twz_alloc_recover(o);
	old = data_of(o, b, &damaged);
	if (damaged)
		return -EINVLOBJ;
	if (old && old->len > TWZ_DS_VALUE_MAX - len)
		return -EINVAL;
	return len ? replace(o, b, old, old ? old->len : 0, bytes, len) : 0;
}

const void *twz_blob_bytes(twzobj *o, const struct twz_blob *b, size_t *len)
{
	bool damaged = false;
	struct twz_blob_data *d = NULL;

	if (ds_root_ok(o, b, sizeof(*b)))
		d = data_of(o, b, &damaged);
	if (len)
		*len = d ? d->len : 0;
	return d ? d->bytes : NULL;
}

const char *twz_blob_string(twzobj *o, const struct twz_blob *b)
{
	size_t len;
	const char *s = twz_blob_bytes(o, b, &len);

	return s && s[len] == 0 ? s : "";
}

ssize_t twz_blob_len(twzobj *o, const struct twz_blob *b)
{
	bool damaged;
	struct twz_blob_data *d;

	if (!ds_root_ok(o, b, sizeof(*b)))
		return -EINVAL;
	d = data_of(o, b, &damaged);
	return damaged ? -EINVLOBJ : d ? (ssize_t)d->len : 0;
}

ssize_t twz_blob_read(twzobj *o, const struct twz_blob *b, size_t from, void *buf, size_t size)
{
	ssize_t len = twz_blob_len(o, b);
	const char *bytes = twz_blob_bytes(o, b, NULL);

	if (len <= 0 || from >= (size_t)len)
		return len < 0 ? len : 0;
	size = size < (size_t)len - from ? size : (size_t)len - from;
	ds_copy(buf, bytes + from, size);
	return (ssize_t)size;
}

int twz_blob_compare(twzobj *oa, const struct twz_blob *a, twzobj *ob, const struct twz_blob *b)
{
	size_t alen, blen, len;
	const void *abytes = twz_blob_bytes(oa, a, &alen), *bbytes = twz_blob_bytes(ob, b, &blen);
	int c;

	len = alen < blen ? alen : blen;
	c = len ? memcmp(abytes, bbytes, len) : 0;
	return c ? c : (alen > blen) - (alen < blen);
}

int twz_blob_check(twzobj *o, const struct twz_blob *b)
{
	bool damaged;
	struct twz_blob_data *d;

	if (!ds_root_ok(o, b, sizeof(*b)))
		return -EINVAL;
	d = data_of(o, b, &damaged);
	if (damaged || (d && twz_alloc_usable(o, d) < sizeof(*d) + d->len + 1))
		return -EINVLOBJ;
	return 0;
}
