// SPDX-License-Identifier: BSD-3-Clause
/* Objects: handles, creation, deletion. Pulls in meta.h and ptr.h. */
#ifndef TWZ_OBJ_H
#define TWZ_OBJ_H

#include <abi/errno.h>
#include <abi/object.h>
#include <abi/sysinfo.h>
#include <twz/_types.h>
#include <twz/meta.h>
#include <twz/ptr.h>

enum object_backing_type { OBJ_VOLATILE = 0, OBJ_PERSISTENT = 1 };

/* As ku: the key named by the environment. */
#define TWZ_KU_USER ((twzobj *)-1)

/*
 * Map id with FE_READ, FE_WRITE, FE_EXEC. Handles of one view with equal (id, flags) share a
 * slot. Permission is checked at first access, and a missing object shows there too.
 * -EINVAL id 0, no access flag, unknown flag; -EACCES WRITE and EXEC together; -ENOSPC no slot;
 * -ENOTSUP FE_DERIVE (comes with ties). On error the handle is released.
 */
int twz_object_init_guid(twzobj *o, objid_t id, uint32_t flags);

/* Resolve name with the default resolver, then as above; also -ENOENT, -ENOTDIR, -ELOOP. */
int twz_object_init_name(twzobj *o, const char *name, uint32_t flags);

/* A borrowed handle for the object that holds the d-ptr p; never fails, release does nothing. */
twzobj twz_object_from_ptr(const void *p);
int twz_object_init_ptr(twzobj *o, const void *p);

/*
 * Create an object and open it read-write (hash-data: read-only). src NULL: zeroes, else a copy.
 * ku NULL: no key. flags: TWZ_OC_*. TWZ_OC_TIED_NONE is needed for now: tied objects are
 * -ENOTSUP until the kernel has them. OBJ_PERSISTENT without a store is -ENODEV; a full store
 * -ENOSPC. With ku NULL and DFL_WRITE, DFL_DEL is added unless TWZ_OC_NODEL. Nothing remains on
 * error. The four-argument form takes the backing from TWZ_OC_VOLATILE, TWZ_OC_PERSIST, or (with
 * neither) persistent if TIED_NONE is given and the machine has a store.
 */
int(twz_object_new)(twzobj *o, twzobj *src, twzobj *ku, enum object_backing_type type,
    uint64_t flags);
int twz_object_new4(twzobj *o, twzobj *src, twzobj *ku, uint64_t flags);

#define __TWZ_NEW5(o, s, k, t, f) (twz_object_new)(o, s, k, t, f)
#define __TWZ_NEW4(o, s, k, f) twz_object_new4(o, s, k, f)
#define __TWZ_NEW_PICK(a, b, c, d, e, name, ...) name
#define twz_object_new(...) __TWZ_NEW_PICK(__VA_ARGS__, __TWZ_NEW5, __TWZ_NEW4, )(__VA_ARGS__)

/* Create without opening; backing as the four-argument form. */
int twz_object_create(int flags, objid_t kuid, objid_t src, objid_t *id);

/* Drop the handle's slot reference. Idempotent; 0. */
int twz_object_release(twzobj *o);

/* d-ptr to object offset 0x1000. Throws FAULT_PPTR/INVALID on a released handle. */
void *twz_object_base(twzobj *o);

/* The ID; of a borrowed handle as the view says. Throws FAULT_OBJECT/UNKNOWN: nothing there. */
objid_t twz_object_guid(twzobj *o);

/* Mark for deletion. TWZ_OD_IMMEDIATE: new lookups fail at once. -ENOENT, -EACCES. */
int twz_object_delete(twzobj *o, int flags);
int twz_object_delete_guid(objid_t id, int flags);

/* What the kernel knows about the object, or about its page pgnr. */
int twz_object_kstat(twzobj *o, struct kernel_ostat *st);
int twz_object_kstat_page(twzobj *o, size_t pgnr, struct kernel_ostat_page *st);

#endif
