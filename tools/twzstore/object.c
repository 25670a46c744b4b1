// SPDX-License-Identifier: BSD-3-Clause
/* Objects of a store, see object.h. */
#include "object.h"

#include <abi/errno.h>
#include <base/bits.h>
#include <obj/id.h>
#include <string.h>

#include "region.h"

#define META_PGNR (OBJ_METAPAGE / TWZ_PAGE_SIZE)
#define FIRST_PGNR (OBJ_NULLPAGE_SIZE / TWZ_PAGE_SIZE)

int object_from(struct store *st, const struct store_handle *h, struct object *o)
{
	*o = (struct object){ .st = st, .h = *h };
	return object_read(o, OBJ_METAPAGE, &o->mi, sizeof(o->mi));
}

int object_open(struct store *st, objid_t id, struct object *o)
{
	struct store_handle h;
	int error = store_lookup(st, id, &h);

	return error ? error : object_from(st, &h, o);
}

int object_read(const struct object *o, uint64_t offset, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	while (len > 0) {
		size_t start = offset % TWZ_PAGE_SIZE, n = MIN(len, TWZ_PAGE_SIZE - start);
		void *page = NULL;
		int error = store_page_get(o->st, &o->h, offset / TWZ_PAGE_SIZE, &page);

		if (error)
			return error;
		if (page != NULL)
			memcpy(to, (uint8_t *)page + start, n);
		else
			memset(to, 0, n);
		offset += n;
		to += n;
		len -= n;
	}
	return 0;
}

/* A page to write to: a hole gets one, a page shared with other objects is replaced by a copy. */
static int own_page(struct object *o, uint64_t pgnr, void **page)
{
	int error = store_page_alloc(o->st, &o->h, pgnr, NULL, page);
	int shared = error ? error : store_page_shared(o->st, &o->h, pgnr);

	return shared > 0 ? store_page_unshare(o->st, &o->h, pgnr, page) : shared;
}

int object_write(struct object *o, uint64_t offset, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		size_t start = offset % TWZ_PAGE_SIZE, n = MIN(len, TWZ_PAGE_SIZE - start);
		void *page;
		int error = own_page(o, offset / TWZ_PAGE_SIZE, &page);

		if (error)
			return error;
		memcpy((uint8_t *)page + start, from, n);
		region_ops.flush((uint8_t *)page + start, n);
		offset += n;
		from += n;
		len -= n;
	}
	return 0;
}

/* Objects without a size: up to the last page below the foreign object table. */
static int stored_size(const struct object *o, uint64_t *size)
{
	uint64_t pgnr = FIRST_PGNR, end = FIRST_PGNR;
	void *page;
	int more;

	while ((more = store_page_next(o->st, &o->h, &pgnr, &page)) > 0 &&
	       pgnr < OBJ_TOPDATA / TWZ_PAGE_SIZE)
		end = ++pgnr;
	*size = (end - FIRST_PGNR) * TWZ_PAGE_SIZE;
	return more < 0 ? more : 0;
}

int object_size(const struct object *o, uint64_t *size)
{
	if (meta_check(&o->mi) != 0)
		return -EINVLOBJ;
	if (!(o->mi.flags & MIF_SZ))
		return stored_size(o, size);
	*size = o->mi.sz;
	return 0;
}

static int read_page(void *arg, uint64_t number, const void **bytes)
{
	const struct object *o = arg;
	void *page = NULL;
	int error = store_page_get(o->st, &o->h, number, &page);

	*bytes = page;
	return error;
}

const char *object_fault(const struct object *o)
{
	objid_t id = id_derive(&o->mi);
	struct object copy = *o;
	const char *why = NULL;

	if (meta_check_why(&o->mi, &why) != 0)
		return why;
	if ((o->mi.p_flags & MIP_HASHDATA) &&
	    id_derive_hashdata(&o->mi, read_page, &copy, &id) != 0)
		return "its pages cannot all be read";
	if (id == o->h.id)
		return NULL;
	return o->mi.p_flags & MIP_HASHDATA ? "its content does not belong to its ID"
					    : "its metadata does not belong to its ID";
}
