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

#ifdef __cplusplus
extern "C" {
#endif

/* Store-call flag: the permissions of the slot that the pointer is mapped in; READ and WRITE
 * when a target is given. */
#define TWZ_PTR_FLAGS_COPY (~0ull)

#define twz_ptr_islocal(p) ((uintptr_t)(p) < OBJ_MAXSIZE)
#define twz_ptr_local(p) ((__typeof__(p))((uintptr_t)(p) & (OBJ_MAXSIZE - 1)))
#define twz_ptr_rebase(fe, p) \
	((__typeof__(p))(((uintptr_t)(fe) << OBJ_SHIFT) | ((uintptr_t)(p) & (OBJ_MAXSIZE - 1))))

/*
 * Where FOT indices lead to: what is to be added to a p-ptr, less 1; 0 is not known yet. Only
 * grows, entries are set once; both as long as the object that has the FOT is open. Private.
 */
struct __twz_fotmap {
	uint64_t count;
	struct __twz_fotmap *older, *next;
	uint64_t kind;
	uint64_t delta[];
};

#ifdef __PIC__ /* without a call, wherever it is linked */
#define __TWZ_TLS __attribute__((tls_model("initial-exec")))
#else
#define __TWZ_TLS
#endif

/* The map of the object in each slot of this thread's view. Private. */
extern __thread struct __twz_fotmap **__twz_fotmaps __TWZ_TLS;

void *__twz_object_lea_foreign(twzobj *o, const void *p, uint32_t mask);
void *__twz_ptr_lea_foreign(const void *lvalue_address, const void *p);

/* Relaxed loads: what follows depends on what they load. */
static inline void *__twz_fotmap_lea(const struct __twz_fotmap *m, const void *p)
{
	uintptr_t fote = (uintptr_t)p >> OBJ_SHIFT;
	uint64_t delta;

	if (!m || fote >= m->count)
		return NULL;
	delta = __atomic_load_n(&m->delta[fote], __ATOMIC_RELAXED);
	return delta ? (void *)((uintptr_t)p + delta + 1) : NULL;
}

static inline void *__twz_object_lea(twzobj *o, const void *p, uint32_t mask)
{
	void *d;

	if (__builtin_expect((uintptr_t)p - 1 < OBJ_MAXSIZE - 1 && o->base, 1))
		return (void *)((uintptr_t)o->base - OBJ_NULLPAGE_SIZE + (uintptr_t)p);
	if (!p)
		return NULL;
	d = mask == ~0u ? __twz_fotmap_lea(__atomic_load_n(&o->cache, __ATOMIC_RELAXED), p) : NULL;
	return __builtin_expect(d != NULL, 1) ? d : __twz_object_lea_foreign(o, p, mask);
}

static inline void *__twz_ptr_lea(const void *lvalue_address, const void *p)
{
	uintptr_t at = (uintptr_t)lvalue_address;
	struct __twz_fotmap *m;
	void *d;

	if (__builtin_expect((uintptr_t)p - 1 < OBJ_MAXSIZE - 1, 1))
		return (void *)((at & ~(OBJ_MAXSIZE - 1)) + (uintptr_t)p);
	if (!p)
		return NULL;
	m = __atomic_load_n(&__twz_fotmaps[at >> OBJ_SHIFT], __ATOMIC_RELAXED);
	d = __twz_fotmap_lea(m, p);
	return __builtin_expect(d != NULL, 1) ? d : __twz_ptr_lea_foreign(lvalue_address, p);
}

/*
 * The d-ptr for the p-ptr p as stored in o. NULL gives NULL. Valid until o is released; one made
 * through a borrowed handle as long as the object that holds p is open. In-object pointers cost an
 * addition; foreign ones, after the first, a few instructions and no lock.
 *
 * An entry with FE_NAME asks its resolver; with FE_DERIVE the first lea through a handle makes a
 * private volatile copy, which goes with the handle (or, through a borrowed handle, with the last
 * handle of the object). Throws UNKNOWN, INVALID (index out of range, entry not valid, no access
 * asked for), RESOLVE (retval is the resolver's error, name the string), RESOURCES (no slot),
 * DERIVE (the copy failed: retval).
 */
#define twz_object_lea(o, p) ((__typeof__(p))__twz_object_lea((o), (p), ~0u))

/* As twz_object_lea, the FOT entry's permissions ANDed with mask (FE_*). */
#define twz_object_lea_mask(o, p, mask) ((__typeof__(p))__twz_object_lea((o), (p), (mask)))

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

/* As above with a copy of *fe (of its flags, id or name) as a new entry; never reuses one. -EINVAL
 * also: flags that are none, or neither id nor name. */
#define twz_ptr_store_fote(o, loc, fe, p) __twz_ptr_store_fote((o), (void *)(loc), (fe), (p))

void *__twz_ptr_swizzle(twzobj *o, const void *p, uint64_t flags);

/* The p-ptr to store in o for the d-ptr p. Throws INVALID (in no object), RESOURCES (FOT full). */
#define twz_ptr_swizzle(o, p, flags) ((__typeof__(p))__twz_ptr_swizzle((o), (p), (flags)))

#define TWZ_FOT_NAME_MAXLEN 1023 /* bytes of a name in an FOT entry */
#define TWZ_SOFN_MAXLEN 128      /* of "library::symbol" */

/* Fill in an entry that is bound late: name is a local p-ptr to a string in the object the entry
 * is for, resolver one of TWZ_NAME_RESOLVER_* or a p-ptr of that object. Adds FE_NAME. */
void twz_fote_init_name(struct fotentry *fe, char *name, void *resolver, uint64_t flags);

int(twz_ptr_store_name)(twzobj *o, void *loc, const char *name, const void *p,
    const void *resolver, uint64_t flags);

/*
 * Store at loc, in o, a p-ptr with the offset of p through a new entry that is bound to name when
 * it is followed. The string (1 … 1023 bytes) is copied into o with its allocator and belongs to
 * the entry. The form with five arguments has the default resolver. -EINVAL loc is not in o, bad
 * flags or name, o has no allocator; -ENOSPC the FOT is full; -ENOMEM. On error the FOT has no new
 * valid entry.
 *
 * Resolvers: TWZ_NAME_RESOLVER_DFL = _HIER look the name up in the default namespace. _SOFN finds
 * "library::symbol" among twz_sofn_register's; the result is the symbol's address plus the offset.
 * Any other value is a p-ptr of o to a function
 *	int f(twzobj *o, struct fotentry *fe, const void *p, void **vptr, uint64_t *info)
 * in an object that may be executed, without FE_NAME of its own; fe is a copy in which name.data is
 * the address of the string. It stores in *vptr where p leads, in what is mapped, and returns 0; or
 * returns a negative error, and may say in *info which FAULT_PPTR_* that is. What it finds for one
 * offset counts for all offsets of the entry, until o is released.
 */
#define __TWZ_STORE_NAME6(o, loc, name, p, res, flags) \
	(twz_ptr_store_name)((o), (void *)(loc), (name), (p), (res), (flags))
#define __TWZ_STORE_NAME5(o, loc, name, p, flags) \
	(twz_ptr_store_name)((o), (void *)(loc), (name), (p), (const void *)0, (flags))
#define __TWZ_STORE_NAME_PICK(a, b, c, d, e, f, name, ...) name
#define twz_ptr_store_name(...)                                                              \
	__TWZ_STORE_NAME_PICK(__VA_ARGS__, __TWZ_STORE_NAME6, __TWZ_STORE_NAME5, )(__VA_ARGS__)

/* Make fn what entries with TWZ_NAME_RESOLVER_SOFN find in this program under a name, which is
 * "library::symbol". Once more replaces it, for what was not followed yet. -EINVAL, -ENOMEM. */
int twz_sofn_register(const char *name, void *fn);

/*
 * Only resolve: what the p-ptr p of o leads to if fe, with FE_NAME, is its entry. *vptr stays mapped
 * until o is released. An error of the resolver, or -EINVAL, -ENOSPC, -ENOMEM; *info is then the
 * FAULT_PPTR_* it would be. FE_DERIVE in fe has no effect here.
 */
int twz_fot_indirect_resolve(twzobj *o, struct fotentry *fe, const void *p, void **vptr,
    uint64_t *info);

/*
 * Index of an entry for (id, flags), found or added. Crash-safe: a p-ptr with the index may be
 * stored as soon as this returns. -ENOSPC, -EINVAL id 0 or flags outside FE_*.
 */
ssize_t twz_object_addfot(twzobj *o, objid_t id, uint64_t flags);

#ifdef __cplusplus
}
#endif

#endif
