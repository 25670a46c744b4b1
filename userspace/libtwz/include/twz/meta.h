// SPDX-License-Identifier: BSD-3-Clause
/* The metadata of an object: size, extensions. Part of twz/obj.h. */
#ifndef TWZ_META_H
#define TWZ_META_H

#include <abi/object.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum twz_object_setsz_mode { TWZ_OSSM_ABSOLUTE = 0, TWZ_OSSM_RELATIVE = 1 };

/* Pointer to the metadata page. Throws FAULT_PPTR/INVALID on a released handle. */
struct metainfo *twz_object_meta(twzobj *o);

/*
 * Set the data size (bytes from base, 0 … 0x3dfff000) or add n to it, and mark the object sized.
 * Durable on return. Out of range throws FAULT_PPTR/INVALID and changes nothing.
 */
void twz_object_setsz(twzobj *o, enum twz_object_setsz_mode mode, ssize_t n);

/* What the first extension with this tag points at, or NULL. */
void *twz_object_getext(twzobj *o, uint64_t tag);

/*
 * Register an extension; ptr is a d-ptr or local p-ptr into o. Crash-safe, durable on return.
 * -EEXIST the tag is there, -ENOMEM no free slot, -EINVAL tag 0 or 1, or ptr not in o.
 */
int twz_object_addext(twzobj *o, uint64_t tag, void *ptr);

/* Remove the extension with this tag (and, in the three-argument form, this pointer): -ENOENT. */
int(twz_object_delext)(twzobj *o, uint64_t tag);
int __twz_object_delext_ptr(twzobj *o, uint64_t tag, void *ptr);

#define __TWZ_DELEXT2(o, t) (twz_object_delext)(o, t)
#define __TWZ_DELEXT3(o, t, p) __twz_object_delext_ptr(o, t, p)
#define __TWZ_DELEXT_PICK(a, b, c, name, ...) name
#define twz_object_delext(...) \
	__TWZ_DELEXT_PICK(__VA_ARGS__, __TWZ_DELEXT3, __TWZ_DELEXT2, )(__VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
