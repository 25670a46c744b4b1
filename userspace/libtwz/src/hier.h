// SPDX-License-Identifier: BSD-3-Clause
/* Records of namespaces: what the changes (hier.c), walks (path.c) and the index share. */
#ifndef TWZ_SRC_HIER_H
#define TWZ_SRC_HIER_H

#include "runtime.h"

#include <twz/obj/hier.h>

#define HIER_LIST_SIZE (OBJ_MAXDATA - NAMESPACE_ENTS_OFFSET)
#define HIER_TARGET_MAXLEN 1023u
#define HIER_DLEN_MAX (NAME_MAXLEN + 1 + HIER_TARGET_MAXLEN + 1)
/* So many records are looked through; there is an index of longer lists. */
#define HIER_FEW 24u

struct hier_found {
	objid_t id;
	uint8_t type;
	char target[HIER_TARGET_MAXLEN + 1]; /* of a symlink */
};

/* The header; NULL if it is no namespace. */
struct twz_namespace_hdr *__twz_hier_header(twzobj *ns);

/* Whether the record has this name. */
bool __twz_hier_is_named(const struct twz_name_ent *e, const char *name, size_t len);

/* What a name is bound to, without a lock: 0, -ENOENT, -ENOTDIR, -EINVLOBJ. */
int __twz_hier_find(twzobj *ns, const char *name, size_t len, struct hier_found *f);

/* --- hierindex.c: where the records of a name are, in namespaces with many */

struct hierindex;

/*
 * The index of a namespace, up to date, and only the caller's until it is closed. NULL: there is
 * none now, or the list is malformed; look through the list instead.
 */
struct hierindex *__twz_hierindex_open(twzobj *ns);
void __twz_hierindex_close(struct hierindex *x);

/* Whether there is one, as far as one can say without asking for it. */
bool __twz_hierindex_exists(twzobj *ns);

/* Positions of records that may have this name, as many as fit; returns how many there are. */
size_t __twz_hierindex_find(struct hierindex *x, const char *name, size_t len, size_t *pos,
    size_t max);

/* Where the list ends. */
size_t __twz_hierindex_end(const struct hierindex *x);

/* The caller holds the namespace's lock. A record that is not valid and has room for dlen:
 * whether there is one. */
bool __twz_hierindex_take_hole(struct hierindex *x, twzobj *ns, uint64_t dlen, size_t *pos);
/* The record at pos became one. */
void __twz_hierindex_add_hole(struct hierindex *x, size_t pos, uint64_t dlen);
/* The record at pos has this name now. */
void __twz_hierindex_add(struct hierindex *x, size_t pos, const char *name, size_t len);
/* What this program did is known to the index. */
void __twz_hierindex_caught_up(struct hierindex *x, const struct twz_namespace_hdr *h);

#endif
