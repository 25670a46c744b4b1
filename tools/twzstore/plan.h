// SPDX-License-Identifier: BSD-3-Clause
/* What is to be imported: files, folders and links, looked at before a store is touched. */
#ifndef TWZSTORE_PLAN_H
#define TWZSTORE_PLAN_H

#include "hier.h"

#define NO_ITEM SIZE_MAX

struct item {
	char *path;         /* on the host */
	struct entry entry; /* its name, type, target; import draws the ID */
	size_t parent;      /* its folder's index, NO_ITEM for those that were asked for by name */
	objid_t parent_id;  /* without a parent: the namespace of the store that it goes to */
	uint64_t size;      /* of a file, in bytes */
	uint64_t records;   /* of a folder: bytes of its list of names */
	uint64_t pages;     /* that the object will take */
	uint32_t mode;      /* type and permissions that C programs are to see; 0: they see the usual ones */
	uint64_t changed;   /* with it: when, in nanoseconds since 1970 */
	/* while importing */
	uint64_t end;       /* of a namespace: where the next record goes */
	uint64_t named_at;  /* its own record in the namespace parent_id, 0: not yet */
	bool created, published;
	struct object object;
};

/* Folders come before what is in them. */
struct plan {
	struct item *items;
	size_t count, room;
};

/*
 * Add a file, or a folder with everything in it, that is to become `name`, a path in the store.
 * False: reported (missing, unreadable, too large, neither file nor folder nor link). Free in any
 * case.
 */
bool plan_file(struct plan *p, const char *path, const char *name);
bool plan_folder(struct plan *p, const char *path, const char *name);
void plan_free(struct plan *p);

/* Mode and time of the file that was added last go with it. False: reported. */
bool plan_mode(struct plan *p);

/* Add the root of names, for a store that has none; returns its index. */
size_t plan_root(struct plan *p);

/* Pages that a namespace with a list of so many bytes takes. */
uint64_t plan_namespace_pages(uint64_t bytes);

#endif
