// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reading an object pack (abi/pack.h, docs/format-pack.md) that lies in memory. Nothing in it is
 * trusted. No allocation, no kernel services: host tools and tests compile the same file.
 * The pack must not change between pack_open and the last use of what it gave.
 */
#ifndef BOOT_PACK_H
#define BOOT_PACK_H

#include <abi/object.h>
#include <abi/pack.h>
#include <abi/program.h>

/* A pack that pack_open accepted. Points into the memory it was opened on, and owns nothing. */
struct pack {
	const struct pack_header *header;
	const struct pack_object *objects; /* header->object_count, in ascending order of ID */
	const struct pack_page *pages;
	const uint8_t *data;
};

/*
 * Check everything about the pack of up to len bytes at mem but the content of its pages: header,
 * bounds, hash of the tables, order of objects and pages, that init and nameroot exist. Bytes
 * behind the pack are allowed: boot loaders pad. mem must be 16-aligned. Takes time in proportion
 * to the tables. Returns 0, or -EINVAL with *why = what is wrong, a constant one-line string.
 */
int pack_open(const void *mem, size_t len, struct pack *p, const char **why);

/* Object i, i < header->object_count. */
static inline const struct pack_object *pack_object(const struct pack *p, uint32_t i)
{
	return &p->objects[i];
}

/* The object with this ID, or NULL. */
const struct pack_object *pack_find(const struct pack *p, objid_t id);

/*
 * The k-th page of an object, k < o->page_count: its 4096 bytes, and its number in *number.
 * The pages come in ascending order of number, and the last is always the metadata page.
 */
const void *pack_page(const struct pack *p, const struct pack_object *o, uint32_t k,
		      uint32_t *number);

/* The page of an object with this number, or NULL if the pack has none (it reads as zeroes). */
const void *pack_page_numbered(const struct pack *p, const struct pack_object *o, uint32_t number);

/*
 * Check an object's content: its metadata, that its ID derives from it (hash-data: from all of
 * its pages), and, for a program, its header and that its data template is in the pack.
 * Returns 0, or -EINVLOBJ with *why as in pack_open.
 */
int pack_verify(const struct pack *p, const struct pack_object *o, const char **why);

/*
 * Copy the program header of a program object out. Only after pack_verify returned 0 for it
 * are its fields within bounds. Returns 0, or -ENOENT if o is not a program.
 */
int pack_program(const struct pack *p, const struct pack_object *o, struct twz_program *prog);

#endif
