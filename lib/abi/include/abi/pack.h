// SPDX-License-Identifier: BSD-3-Clause
/*
 * The object pack: the boot objects, as an initrd. Documented in docs/format-pack.md.
 *
 *   struct pack_header                          offset 0, 128 bytes
 *   struct pack_object objects[object_count]    offset 128, in ascending order of ID
 *   struct pack_page   pages[page_count]        offset pages_offset
 *   page data, each 4096 bytes                  offset data_offset, page-aligned
 *
 * Nothing in a pack is trusted: the reader checks every count and bound, and the kernel
 * verifies an object's ID against its metadata page before it trusts the metadata.
 */
#ifndef ABI_PACK_H
#define ABI_PACK_H

#include <abi/types.h>

#define PACK_MAGIC 0x314b4341505a5754ull /* "TWZPACK1" */
#define PACK_VERSION 1u
#define PACK_MAX_OBJECTS 65536u

/* Bits of pack_object.flags; others are refused. */
#define PACK_OBJECT_PROGRAM 1u /* base holds a struct twz_program */

struct pack_header {
	uint64_t magic;
	uint32_t version;
	uint32_t object_count;
	uint64_t page_count;
	uint64_t pages_offset;
	uint64_t data_offset;
	uint64_t total_size; /* of the whole pack, bytes */
	objid_t init;        /* the program object to start; 0 = none */
	objid_t nameroot;    /* namespace object with the names of the packed objects; 0 = none */
	/*
	 * BLAKE2b-256 of everything from offset 128 to data_offset: finds accidental damage to the
	 * tables.
	 */
	uint8_t table_hash[32];
	uint64_t reserved[2]; /* 0; the header hash field comes first in a later version */
};

struct pack_object {
	objid_t id;
	uint64_t first_page; /* index into pages[] */
	uint32_t page_count;
	uint32_t flags;
};

/* One page of an object. Pages of an object are in ascending order of number. */
struct pack_page {
	uint32_t number; /* object offset / 4096; 1 … 262143 */
	uint32_t data;   /* index of the page's data, counted in pages from data_offset */
};

_Static_assert(sizeof(struct pack_header) == 128, "pack header");
_Static_assert(offsetof(struct pack_header, init) == 48, "pack header init");
_Static_assert(sizeof(struct pack_object) == 32, "pack object");
_Static_assert(sizeof(struct pack_page) == 8, "pack page");

#endif
