// SPDX-License-Identifier: BSD-3-Clause
/*
 * Persistent pointers. A p-ptr is FOT index << 30 | object offset and means the same in every
 * view; a d-ptr can be dereferenced now. "Throws" means: raises a FAULT_PPTR; if a handler
 * returns, the function returns NULL.
 */
#ifndef TWZ_PTR_H
#define TWZ_PTR_H

#include <abi/object.h>
#include <twz/_types.h>

/* Store-call flag: the permissions of the slot that the pointer is mapped in; READ and WRITE
 * when a target is given. */
#define TWZ_PTR_FLAGS_COPY (~0ull)

#define twz_ptr_islocal(p) ((uintptr_t)(p) < OBJ_MAXSIZE)
#define twz_ptr_local(p) ((__typeof__(p))((uintptr_t)(p) & (OBJ_MAXSIZE - 1)))
#define twz_ptr_rebase(fe, p) \
	((__typeof__(p))(((uintptr_t)(fe) << OBJ_SHIFT) | ((uintptr_t)(p) & (OBJ_MAXSIZE - 1))))

void *__twz_object_lea_foreign(twzobj *o, const void *p, uint32_t mask);

static inline void *__twz_object_lea(twzobj *o, const void *p, uint32_t mask)
{
	if (twz_ptr_islocal(p) && o->base)
		return p ? (char *)o->base - OBJ_NULLPAGE_SIZE + (uintptr_t)p : NULL;
	return __twz_object_lea_foreign(o, p, mask);
}

/*
 * The d-ptr for the p-ptr p as stored in o. NULL gives NULL. Valid until o is released; one made
 * through a borrowed handle stays valid while the object that holds p is mapped. Throws UNKNOWN,
 * INVALID (index out of range, entry not valid), RESOLVE (name), RESOURCES (no slot),
 * DERIVE (entries with FE_DERIVE are not supported yet).
 */
#define twz_object_lea(o, p) ((__typeof__(p))__twz_object_lea((o), (p), ~0u))

/* As twz_object_lea, the FOT entry's permissions ANDed with mask (FE_*). */
#define twz_object_lea_mask(o, p, mask) ((__typeof__(p))__twz_object_lea((o), (p), (mask)))

void *__twz_ptr_lea(const void *lvalue_address, const void *p);

/* lea with the object that holds the lvalue. */
#define twz_ptr_lea(lvalue) ((__typeof__(lvalue))__twz_ptr_lea(&(lvalue), (lvalue)))

int __twz_ptr_store_guid(twzobj *o, void *loc, twzobj *target, const void *p, uint64_t flags);

/*
 * Store at loc, in o, a p-ptr to p, durably, with an FOT entry with flags (FE_*) or
 * TWZ_PTR_FLAGS_COPY. target NULL: p is a d-ptr; else p is a local p-ptr in target.
 * A target equal to o gives a local p-ptr. p NULL stores NULL.
 * -EINVAL loc is not in o or bad flags, -ENOENT p is in no object, -ENOSPC the FOT is full.
 */
#define twz_ptr_store_guid(o, loc, target, p, flags) \
	__twz_ptr_store_guid((o), (void *)(loc), (target), (p), (flags))

int __twz_ptr_store_fote(twzobj *o, void *loc, const struct fotentry *fe, const void *p);

/* As above with a copy of *fe as a new entry; never reuses one. */
#define twz_ptr_store_fote(o, loc, fe, p) __twz_ptr_store_fote((o), (void *)(loc), (fe), (p))

void *__twz_ptr_swizzle(twzobj *o, const void *p, uint64_t flags);

/* The p-ptr to store in o for the d-ptr p. Throws INVALID (in no object), RESOURCES (FOT full). */
#define twz_ptr_swizzle(o, p, flags) ((__typeof__(p))__twz_ptr_swizzle((o), (p), (flags)))

/*
 * Index of an entry for (id, flags), found or added. Crash-safe: a p-ptr with the index may be
 * stored as soon as this returns. -ENOSPC, -EINVAL id 0 or flags outside FE_*.
 */
ssize_t twz_object_addfot(twzobj *o, objid_t id, uint64_t flags);

#endif
