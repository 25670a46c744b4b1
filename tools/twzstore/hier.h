// SPDX-License-Identifier: BSD-3-Clause
/* Namespaces (abi/hier.h) in a store: reading what they list, walking paths, adding records. */
#ifndef TWZSTORE_HIER_H
#define TWZSTORE_HIER_H

#include "object.h"

#include <abi/hier.h>
#include <stdio.h>

#define TARGET_MAXLEN 1023u /* of a symbolic link */

struct entry {
	objid_t id;   /* 0 for a symbolic link */
	uint8_t type; /* NAME_ENT_* */
	char *name;
	char *target; /* of a symbolic link, else NULL */
	uint64_t at;  /* object offset of its record */
};

/* What a namespace lists, but for "." and "..": by name, each name once. */
struct entries {
	struct entry *list;
	size_t count;
	size_t improper; /* records left out: no proper name, or a link to nothing */
	uint64_t end;    /* object offset where the next record goes */
};

/*
 * Read a namespace. 0; -ENOTDIR it is none; -EINVLOBJ its list is malformed (what stands before the
 * fault is in *out); -EUCLEAN. Free in any case.
 */
int entries_read(const struct object *ns, struct entries *out);
void entries_free(struct entries *e);

/* The entry with this name, or NULL. */
const struct entry *entries_find(const struct entries *e, const char *name, size_t len);

/* May an object be called this? 1 … 255 bytes, no slash, not "." or "..". */
bool name_fits(const char *name, size_t len);

/* What a path leads to. */
struct place {
	objid_t parent;      /* the namespace of the last component; 0: the path is the root */
	const char *name;    /* the last component, within the path, which may end in slashes */
	size_t name_len;
	objid_t id;          /* 0: there is no such name in parent */
	uint8_t type;
};

/*
 * Walk a path from the root of names; leading slashes are optional, symbolic links are not
 * followed. Everything but the last component must exist. False: reported.
 */
bool path_walk(struct store *st, const char *path, struct place *out);

/* The object meant by an ID (16 hex digits, colon, 16 hex digits) or a path. False: reported. */
bool object_named(struct store *st, const char *arg, struct object *o);

/* Fill a new namespace object with its header, "." and "..". *end: where the next record goes. */
int hier_begin(struct object *ns, objid_t parent, uint64_t *end);

/* Append a record in the order that a cut at any moment leaves nothing or all of it. Moves *end. */
int hier_append(struct object *ns, uint64_t *end, const struct entry *e);

/* Take back the record that was appended at an offset. */
int hier_withdraw(struct object *ns, uint64_t at);

/* Bytes that a record for this entry takes. */
uint64_t hier_record_size(const struct entry *e);

/* ---- All names of a store ---- */

struct named {
	objid_t id;
	char *path; /* with a slash in front; namespaces also behind */
};

struct names {
	struct named *list; /* by ID */
	size_t count;
	size_t faults; /* names that lead nowhere, malformed lists, namespaces met twice */
};

/* Collect all names from the root; faults are printed to `faults` if that is not NULL. */
void names_collect(struct store *st, FILE *faults, struct names *out);
void names_free(struct names *n);

/* The first name of an object in the list, or NULL; the others follow it, up to another ID. */
const struct named *names_of(const struct names *n, objid_t id);

#endif
