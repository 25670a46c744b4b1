// SPDX-License-Identifier: BSD-3-Clause
/*
 * Hierarchies of names. Changes take the namespace's lock and are crash-safe; readers take no
 * lock. Paths: components separated by '/', a leading '/' means the namespace itself; "." and
 * ".." are ordinary entries. Names have 1 … 255 bytes.
 */
#ifndef TWZ_OBJ_HIER_H
#define TWZ_OBJ_HIER_H

#include <abi/hier.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Do not follow a symlink that is the last component. */
#define TWZ_HIER_SYM 1

/* Make the object behind ns a namespace with "." and ".." (parent NULL: itself). -EEXIST if it
 * is one already. Durable on return. */
int twz_hier_namespace_init(twzobj *ns, objid_t parent);

/* Create a namespace, open it in ns, and enter it in parent under name; backing as parent's. */
int twz_hier_namespace_new(twzobj *ns, twzobj *parent, const char *name, uint64_t flags);

/* Add or replace an entry of type NAME_ENT_REGULAR or NAME_ENT_NAMESPACE. Durable on return.
 * -EINVAL bad name or type, -ENAMETOOLONG, -ENOSPC, -ENOTDIR ns is no namespace, -EINVLOBJ. */
int twz_hier_assign_name(twzobj *ns, const char *name, int type, objid_t id);

/* Add or replace a symlink. target: 1 … 1023 bytes. */
int twz_hier_symlink(twzobj *ns, const char *name, const char *target);

/*
 * The entry x of a becomes y of b; what y was bound to is not any more. In one namespace all at
 * once; between two, a crash may leave both names, never neither. A namespace that moves to
 * another gets a new "..". -ENOENT no x; otherwise as assign.
 */
int twz_hier_rename(twzobj *a, const char *x, twzobj *b, const char *y);

/* Remove an entry; the object stays. -ENOENT. */
int twz_hier_remove_name(twzobj *ns, const char *name);

/* Look a path up; fills id and type of *ent, dlen 0. -ENOENT, -ENOTDIR, -ELOOP, -EINVLOBJ. */
int twz_hier_resolve_name(twzobj *ns, const char *path, int flags, struct twz_name_ent *ent);

/* The entry at byte pos of the list: returns its record length and sets *ent, 0 at the end,
 * -EINVLOBJ where the list is malformed. The caller skips those without NAME_ENT_VALID. */
ssize_t twz_hier_get_entry(twzobj *ns, size_t pos, struct twz_name_ent **ent);

/* The target of the symlink at path: the length copied, no NUL. -EINVAL not a symlink. */
int twz_hier_readlink(twzobj *ns, const char *path, char *buf, size_t n);

#ifdef __cplusplus
}
#endif

#endif
