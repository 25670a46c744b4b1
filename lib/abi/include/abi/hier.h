// SPDX-License-Identifier: BSD-3-Clause
/*
 * Namespaces: an object whose base is a twz_namespace_hdr, followed by name records.
 * A record is 32 bytes and dlen bytes of names, padded to 16; a record with dlen 0 ends the
 * list. Of two valid records with one name the later counts. Appending: write id, type and
 * name; flush, fence; store dlen; flush, fence; set VALID; flush, fence. The room of a record that
 * is not valid may be used for another of its length; dlen then stays.
 */
#ifndef ABI_HIER_H
#define ABI_HIER_H

#include <abi/mutex.h>
#include <abi/object.h>
#include <abi/types.h>

#define NAMESPACE_MAGIC 0xa13a1300bbbbccccull
#define NAMESPACE_VERSION 1u

struct twz_namespace_hdr {
	uint64_t magic;
	uint32_t version;
	uint32_t flags; /* 0 */
	struct mutex lock;
	/* Written under the lock; 0 in a namespace that nobody changes. See docs/names.md. */
	uint64_t changes;   /* atomic, never durable: how often records were used anew or replaced */
	uint64_t pending;   /* atomic: a rename that is half done, NAMESPACE_PENDING */
	uint32_t recent[4]; /* where: NAMESPACE_PLACE of change n at n % 4 */
	/* records follow at NAMESPACE_ENTS_OFFSET */
};

#define NAMESPACE_ENTS_OFFSET 64u

/* A record's place, from its byte position in the list; 0 is none. */
#define NAMESPACE_PLACE(pos) ((uint32_t)((pos) / NAME_ENT_ALIGN + 1))
#define NAMESPACE_PLACE_POS(place) (((uint64_t)(place) - 1) * NAME_ENT_ALIGN)
/* The record at `from` no longer counts, the one at `to` does, whatever their flags say. */
#define NAMESPACE_PENDING(from, to) ((uint64_t)NAMESPACE_PLACE(from) << 32 | NAMESPACE_PLACE(to))

struct twz_name_ent {
	objid_t id;
	uint32_t flags; /* NAME_ENT_VALID */
	uint16_t reserved0;
	uint8_t type; /* NAME_ENT_REGULAR … */
	uint8_t reserved1;
	uint64_t dlen; /* bytes of name, its NUL, and a symlink's target with its NUL */
	char name[];
};

#define NAME_ENT_VALID 1u
#define NAME_ENT_REGULAR 0u
#define NAME_ENT_NAMESPACE 1u
#define NAME_ENT_SYMLINK 2u
#define NAME_MAXLEN 255u
#define NAME_ENT_ALIGN 16u

/* Bytes a record with this dlen takes. */
#define NAME_ENT_RECLEN(dlen) \
	((sizeof(struct twz_name_ent) + (dlen) + NAME_ENT_ALIGN - 1) / NAME_ENT_ALIGN * \
	    (uint64_t)NAME_ENT_ALIGN)

_Static_assert(sizeof(struct twz_namespace_hdr) == NAMESPACE_ENTS_OFFSET, "namespace header");
_Static_assert(offsetof(struct twz_namespace_hdr, lock) == 16, "namespace lock");
_Static_assert(offsetof(struct twz_namespace_hdr, changes) == 32, "namespace changes");
_Static_assert(offsetof(struct twz_namespace_hdr, pending) == 40, "namespace pending rename");
_Static_assert(offsetof(struct twz_namespace_hdr, recent) == 48, "namespace recent changes");
_Static_assert(offsetof(struct twz_name_ent, flags) == 16, "name record flags");
_Static_assert(offsetof(struct twz_name_ent, type) == 22, "name record type");
_Static_assert(offsetof(struct twz_name_ent, dlen) == 24, "name record dlen");
_Static_assert(sizeof(struct twz_name_ent) == 32, "name record");

#endif
