// SPDX-License-Identifier: BSD-3-Clause
/* Names: the default namespace is the program's, else the store's name root; none is -ENOENT. */
#ifndef TWZ_NAME_H
#define TWZ_NAME_H

#include <twz/_types.h>

/* Bind path to id; the parent must exist, an existing binding is replaced.
 * -ENOENT, -ENOTDIR, -EINVAL, -ENOSPC, -ENAMETOOLONG. */
int twz_name_dfl_assign(objid_t id, const char *path);
#define twz_name_assign twz_name_dfl_assign

/* Bind path to id as a namespace. */
int twz_name_assign_namespace(objid_t id, const char *path);

/* Look path up; flags as twz_hier_resolve_name. -ENOENT, -ENOTDIR, -ELOOP, -EINVAL. */
int twz_name_dfl_resolve(const char *path, int flags, objid_t *id);

/* Remove the last component of path from its namespace; the object stays. */
int twz_name_dfl_remove(const char *path);

/* A handle to the default namespace, or NULL. Shared: do not release it. */
twzobj *twz_name_get_root(void);

/* Make ns the default namespace of this program. The handle must stay open. */
int twz_name_switch_root(twzobj *ns);

#endif
