// SPDX-License-Identifier: BSD-3-Clause
/*
 * Names. The default namespace is the one twz_name_switch_root set, else that of the environment
 * variable TWZNAME, else the one given by whoever started the program, else the store's name root;
 * none is -ENOENT.
 */
#ifndef TWZ_NAME_H
#define TWZ_NAME_H

#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/*
 * Look name up with fn, or in the default namespace if fn is NULL. o NULL: name and fn are
 * pointers; else both are p-ptrs of o, and fn lies in an object that may be executed. -EFAULT a
 * p-ptr leads nowhere; -EINVAL no name, one of more than 2047 bytes, or flags; fn's errors.
 */
int twz_name_resolve(twzobj *o, const char *name,
    int (*fn)(twzobj *o, const char *name, int flags, objid_t *id), int flags, objid_t *id);

/* One name of twz_name_dfl_getnames. */
struct twz_nament {
	objid_t id;      /* 0 of a symlink */
	uint64_t reclen; /* bytes to the next one, a multiple of 16 */
	uint64_t flags;  /* NAME_ENT_REGULAR … */
	char name[];
};

/*
 * The names in the namespace at path dir ("" or "/": the default namespace itself), as records
 * one after the other, as many as fit in len bytes. Returns the bytes that all of them take, which
 * may be more than len. -ENOENT, -ENOTDIR, -ELOOP, -EINVLOBJ.
 */
ssize_t twz_name_dfl_getnames(const char *dir, struct twz_nament *names, size_t len);

/* A handle to the default namespace, or NULL. Shared: do not release it. */
twzobj *twz_name_get_root(void);

/* Make ns the default namespace of this program. The handle must stay open. */
int twz_name_switch_root(twzobj *ns);

#ifdef __cplusplus
}
#endif

#endif
