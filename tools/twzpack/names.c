// SPDX-License-Identifier: BSD-3-Clause
/* Namespace objects, see names.h. */
#include "names.h"

#include <abi/hier.h>
#include <base/bits.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ENTRY (OBJ_NULLPAGE_SIZE + NAMESPACE_ENTS_OFFSET)

bool name_valid(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= NAME_MAXLEN && strchr(name, '/') == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

/* Write one record at offset; returns the offset behind it. */
static uint64_t write_entry(struct image *out, uint64_t offset, const char *name, objid_t id,
			    uint8_t type)
{
	struct twz_name_ent ent;

	memset(&ent, 0, sizeof(ent));
	ent.id = id;
	ent.flags = NAME_ENT_VALID;
	ent.type = type;
	ent.dlen = strlen(name) + 1;
	image_write(out, offset, &ent, sizeof(ent));
	image_write(out, offset + sizeof(ent), name, ent.dlen);
	return offset + NAME_ENT_RECLEN(ent.dlen);
}

/* "." and "..", both of them the namespace itself; they come first. */
static uint64_t write_self(struct image *out, objid_t id)
{
	uint64_t offset = write_entry(out, FIRST_ENTRY, ".", id, NAME_ENT_NAMESPACE);

	return write_entry(out, offset, "..", id, NAME_ENT_NAMESPACE);
}

void names_build(struct name *names, size_t count, struct image *out)
{
	struct twz_namespace_hdr header = { .magic = NAMESPACE_MAGIC,
					    .version = NAMESPACE_VERSION };
	uint64_t offset;

	qsort(names, count, sizeof(*names), by_name);
	image_init(out, MIP_DFL_READ);
	out->mi->exts[0] = (struct metaext){ HIER_METAEXT_TAG, OBJ_NULLPAGE_SIZE };
	image_write(out, OBJ_NULLPAGE_SIZE, &header, sizeof(header));
	offset = write_self(out, 0);
	for (size_t i = 0; i < count; i++)
		offset = write_entry(out, offset, names[i].name, names[i].id, NAME_ENT_REGULAR);
	image_finish(out);
	/* The ID does not depend on these two entries: they were 0 when the nonce was made. */
	write_self(out, out->id);
}

bool names_begin(struct names_walk *w)
{
	struct twz_namespace_hdr header;

	w->read(w->object, OBJ_NULLPAGE_SIZE, &header, sizeof(header));
	w->offset = FIRST_ENTRY;
	return header.magic == NAMESPACE_MAGIC && header.version == NAMESPACE_VERSION;
}

/* Read a record's name; false = there is no proper one. */
static bool read_name(struct names_walk *w, uint64_t offset, uint64_t dlen)
{
	uint64_t n = MIN(dlen, sizeof(w->name));

	w->read(w->object, offset, w->name, n);
	return memchr(w->name, '\0', n) != NULL && w->name[0] != '\0' &&
	       strchr(w->name, '/') == NULL;
}

int names_next(struct names_walk *w)
{
	struct twz_name_ent ent;
	uint64_t start;

	do {
		start = w->offset;
		if (!range_within(start, sizeof(ent), OBJ_TOPDATA))
			return -1;
		w->read(w->object, start, &ent, sizeof(ent));
		if (ent.dlen == 0)
			return 0;
		if (!range_within(start + sizeof(ent), ent.dlen, OBJ_TOPDATA - NAME_ENT_ALIGN))
			return -1;
		w->offset = start + NAME_ENT_RECLEN(ent.dlen);
	} while (!(ent.flags & NAME_ENT_VALID) || ent.type == NAME_ENT_SYMLINK);
	w->id = ent.id;
	return read_name(w, start + sizeof(ent), ent.dlen) ? 1 : -1;
}
