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

#ifdef __cplusplus
extern "C" {
#endif

enum object_backing_type { OBJ_VOLATILE = 0, OBJ_PERSISTENT = 1 };

/* As ku: the key whose ID the environment variable TWZUSERKU has. */
#define TWZ_KU_USER ((twzobj *)-1)

/*
 * Map id with FE_READ, FE_WRITE, FE_EXEC. Handles of one view with equal (id, flags) share a
 * slot. Permission is checked at first access, and a missing object shows there too.
 * FE_DERIVE: a private volatile copy instead, READ, WRITE (and EXEC if asked for) to all, that
 * lives as long as this thread or the handle; then also the errors of creation.
 * -EINVAL id 0, no access flag, unknown flag; -EACCES WRITE and EXEC together; -ENOSPC no slot.
 * On error the handle is released.
 */
int twz_object_init_guid(twzobj *o, objid_t id, uint32_t flags);

/* Resolve name with the default resolver, then as above; also -ENOENT, -ENOTDIR, -ELOOP. */
int twz_object_init_name(twzobj *o, const char *name, uint32_t flags);

/* A borrowed handle for the object that holds the d-ptr p; never fails, release does nothing. */
twzobj twz_object_from_ptr(const void *p);
int twz_object_init_ptr(twzobj *o, const void *p);

/*
 * Create an object and open it read-write (hash-data: read-only). src NULL: zeroes, else a copy.
 * ku NULL: no key. flags: TWZ_OC_*. How long it lives:
 *   default              as long as this thread's object or anything that uses it
 *   TWZ_OC_TIED_VIEW     the same, with the current view
 *   TWZ_OC_TIED_NONE     until it is deleted
 * With ku NULL and DFL_WRITE, DFL_DEL is added unless TWZ_OC_NODEL. The four-argument form takes
 * the backing from TWZ_OC_VOLATILE, TWZ_OC_PERSIST, or (with neither) persistent if TIED_NONE is
 * given and the machine has a store. A zero-nonce hash-data object that exists already is opened
 * and tied; it is not made again.
 * -EINVAL flags, TWZ_KU_USER without a TWZUSERKU that is an ID; -ENODEV OBJ_PERSISTENT without a store;
 * -ENOSPC store full, or no slot; -ENOMEM; -EROFS and -EUCLEAN the store; -ENOENT, -EINVLOBJ and
 * -EACCES the source; -EBUSY the hash-data object is being deleted at once. Nothing remains on
 * error, except that an untied zero-nonce object may when there was no slot for it.
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

/*
 * Mark for deletion: it goes with its last tie, mapping, pin and kernel use. TWZ_OD_IMMEDIATE: new
 * lookups fail at once. -ENOENT; -EACCES; -EINVAL flags; -EROFS and -EUCLEAN the store. Once more
 * without IMMEDIATE is 0.
 */
int twz_object_delete(twzobj *o, int flags);
int twz_object_delete_guid(objid_t id, int flags);

#define TIE_UNTIE OTIE_UNTIE

/*
 * The child lives at least as long as the parent; parent NULL is this thread's object. Ties count:
 * n of them need n calls with TIE_UNTIE. -EPERM parent and child are the same; -ENOENT either is
 * missing, or there is no such tie; -ELOOP it would close a cycle; -EMLINK a chain of more than 16;
 * -EXDEV the two are in different stores; -ENOSPC, -EROFS, -EUCLEAN between persistent objects;
 * -EINVAL flags; -ENOMEM.
 */
int twz_object_tie(twzobj *parent, twzobj *child, int flags);
int twz_object_tie_guid(objid_t parent, objid_t child, int flags);

/* Tie to, untie from a view; NULL is the current one. Errors as above. */
int twz_object_wire(twzobj *view, twzobj *o);
int twz_object_wire_guid(twzobj *view, objid_t id);
int twz_object_unwire(twzobj *view, twzobj *o);

/*
 * Keep all pages, present and future, where they are; counted, and taken back with OP_UNPIN
 * (-EINVAL: not pinned). The object is kept meanwhile. *addr, if addr is not NULL, becomes the
 * device address of the base: -ENOTSUP, and not pinned, where not all devices have the same.
 */
int twz_object_pin(twzobj *o, uintptr_t *addr, int flags);

/*
 * Control; up to three more arguments of any integer type, 0 if left out.
 *   OCO_PERSIST, 1 or 0    make it persistent or volatile with all it contains. -EBUSY it is tied
 *                          or pinned; -ENODEV no store; -ENOSPC, -ENOMEM, -EROFS, -EUCLEAN
 *   OCO_CACHE_MODE, base offset, length, OC_CM_*    -ENOTSUP other than OC_CM_WB; -EINVAL range,
 *                          or other than OC_CM_WB of persistent memory
 * -ENOTSUP those for devices; -EINVAL other operations. Nothing has changed on error.
 */
int(twz_object_ctl)(twzobj *o, int cmd, long a1, long a2, long a3);
#define __TWZ_CTL(o, cmd, a, b, c, ...) \
	(twz_object_ctl)(o, cmd, (long)(a), (long)(b), (long)(c))
#define twz_object_ctl(o, ...) __TWZ_CTL(o, __VA_ARGS__, 0, 0, 0, 0)

/* One KACTION_CMD_* on a kernel-owned object; its result or a negative error. */
int(twz_object_kaction)(twzobj *o, long cmd, long arg);
#define __TWZ_KACTION(o, cmd, a, ...) (twz_object_kaction)(o, cmd, (long)(a))
#define twz_object_kaction(o, ...) __TWZ_KACTION(o, __VA_ARGS__, 0, 0)

/* What the kernel knows about the object, or about its page pgnr (-EINVAL: 0, or beyond). */
int twz_object_kstat(twzobj *o, struct kernel_ostat *st);
int twz_object_kstat_page(twzobj *o, size_t pgnr, struct kernel_ostat_page *st);

#ifdef __cplusplus
}
#endif

#endif
