// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory inside an object. docs/alloc.md tells the layout and what a crash can leave.
 *
 * A region is owned by a word in the same object, where the allocator writes its pointer as part of
 * the allocation: after a crash it is owned and constructed, or free, never lost. Pointers in an
 * object are local p-ptrs, twz_object_lea() makes them usable; functions take either form. Any
 * thread of any program that has the object mapped may call everything here at any time, except
 * that two calls must not change the same owner word or free the same region at once.
 *
 * In a transaction (twz/tx.h) a call here is a step of its own; twz/txalloc.h makes it part of one.
 *
 * A call that returned is durable. Its record is put away by the next fence of the same thread; a
 * thread that hands an owner to another thread, which then changes the word by stores of its own,
 * calls _pfence() before it does. Nobody changes a region before the call that allocates it
 * returns.
 */
#ifndef TWZ_ALLOC_H
#define TWZ_ALLOC_H

#include <abi/object.h>
#include <stdbool.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* flags: no failure atomicity and nothing durable; an alignment in bytes, 0 for 16. */
#define TWZ_ALLOC_VOLATILE 1ull
#define TWZ_ALLOC_ALIGN(x) ((uint64_t)(x) << 32)

/* As ctor: the region is zeroes. */
#define TWZ_ALLOC_CTOR_ZERO ((void (*)(void *, void *))1)

/*
 * Manage what lies from base offset `offset`, rounded up to a page, to the end of the data
 * (OBJ_TOPDATA). Touches few pages; the others with the regions in them. Durable on return.
 * -EEXIST there is an allocator already; -EINVAL no room at `offset`; -ENOMEM no free extension.
 */
int twz_object_init_alloc(twzobj *o, size_t offset);
#define twz_object_build_alloc twz_object_init_alloc

/*
 * Allocate len bytes (0: a pointer like no other), run ctor(region, data), make what it wrote
 * durable and store the region's local p-ptr in *owner, all in one failure-atomic step. owner lies
 * in o; NULL with VOLATILE when data is a void ** that takes the p-ptr, and ctor is NULL or ZERO.
 * ctor NULL: contents undefined. ctor may allocate and free in o, and leave by a fault: then the
 * region is free. -ENOMEM; -EINVAL no allocator, owner, flags, or an alignment that is no power of
 * two up to 4096; -EINVLOBJ the allocator's words make no sense. On error nothing has changed.
 */
int twz_alloc(twzobj *o, size_t len, void **owner, uint64_t flags, void (*ctor)(void *, void *),
    void *data);

/*
 * Free the region at p (NULL: nothing happens) and set *owner to NULL (owner NULL: no word) in one
 * failure-atomic step. Throws FAULT_PPTR/INVALID, and has changed nothing, if p is not the start of
 * a live region of o or owner does not lie in o.
 */
void twz_free(twzobj *o, void *p, void **owner, uint64_t flags);

/*
 * Resize the region at p, moving it if need be; contents up to the smaller size are kept, *owner is
 * the new region: one failure-atomic step. p NULL is twz_alloc(). Errors as twz_alloc, then the old
 * region is untouched; a p that is not live throws as twz_free and gives -EINVAL.
 */
int twz_realloc(twzobj *o, void *p, void **owner, size_t newlen, uint64_t flags);

/*
 * Copy-on-write: allocate and construct a region, store it in *owner and free the one that *owner
 * held (NULL: none), in one failure-atomic step. ctor may read the old one. Errors as twz_realloc.
 */
int twz_alloc_replace(twzobj *o, void **owner, size_t len, uint64_t flags,
    void (*ctor)(void *, void *), void *data);

/* The early form: a local p-ptr or NULL. Nobody owns the region, a crash may lose it. */
void *twz_object_alloc(twzobj *o, size_t sz);
void twz_object_free(twzobj *o, void *p);

/* --- several regions and words in one failure-atomic step
 *
 * Reserve regions, fill them in, then publish them together with the words that shall hold them
 * and the regions they replace. What is reserved and not published is free after a crash.
 */

/*
 * A region nobody owns yet, as a d-ptr into the caller's mapping (contents undefined), or NULL with
 * *error, if error is not NULL, -ENOMEM, -EINVAL or -EINVLOBJ. Only ALIGN in flags.
 */
void *twz_alloc_reserve(twzobj *o, size_t len, uint64_t flags, int *error);

/* Give a reserved region back. Throws as twz_free if it is not one that is reserved. */
void twz_alloc_cancel(twzobj *o, void *p);

enum twz_alloc_action_kind {
	TWZ_ALLOC_KEEP = 1, /* at: a reserved region, filled in; value: bytes of it that are made
			     * durable here, 0 if they have been flushed (no fence is needed) */
	TWZ_ALLOC_DROP = 2, /* at: a live region, freed */
	TWZ_ALLOC_SET = 3,  /* at: an aligned 8-byte word in o, which becomes value */
};

struct twz_alloc_action {
	uint32_t kind; /* TWZ_ALLOC_KEEP … */
	uint32_t zero; /* 0 */
	void *at;      /* d-ptr, or local p-ptr */
	uint64_t value;
};

/* Most actions of one call: KEEP with a length up to 256 counts 2, as does SET unless value is
 * below 2^30; all others 1. */
#define TWZ_ALLOC_ACTIONS 22u

/*
 * Do all of it or nothing, durably; stores become visible in the order given, all after what was
 * kept is durable. -EINVAL an action that makes no sense, a region that is not reserved (KEEP) or
 * not live (DROP), the same region twice, a word outside of o's data; -E2BIG too many. On error
 * nothing has changed, and what was reserved still is.
 */
int twz_alloc_publish(twzobj *o, const struct twz_alloc_action *actions, size_t n);

/* --- looking at it */

/* Bytes that can be used at p, at least what was asked for; 0 if p is not a live region's start. */
size_t twz_alloc_usable(twzobj *o, const void *p);

/*
 * Call fn for every live region, lowest first, with a d-ptr and its usable size, until it returns
 * other than 0, which is returned; 0 after the last. -EINVAL no allocator, -EINVLOBJ. Regions that
 * others allocate or free meanwhile are met or not.
 */
int twz_alloc_walk(twzobj *o, int (*fn)(void *p, size_t len, void *data), void *data);

struct twz_alloc_stats {
	uint64_t live_count; /* regions */
	uint64_t live_bytes; /* their usable sizes */
	uint64_t runs;       /* groups of small regions, TWZ_ALLOC_RUN_SIZE each */
	uint64_t large;      /* regions of whole pages */
	uint64_t used_bytes; /* runs and large regions */
	uint64_t free_bytes; /* of whole pages */
	uint64_t end;        /* base offset behind the last page that is in use */
};

#define TWZ_ALLOC_RUN_SIZE 65536u

/* Count. -EINVAL no allocator, -EINVLOBJ. */
int twz_alloc_stats(twzobj *o, struct twz_alloc_stats *st);

/*
 * Look for what cannot be, believing nothing; report (NULL: none) is told each with its object
 * offset. Returns how many, or -EINVAL without an allocator. Changes nothing; exact while nobody
 * allocates or frees.
 */
int twz_alloc_check(twzobj *o, void (*report)(const char *what, uint64_t offset, void *data),
    void *data);

/*
 * Finish what threads that ended in the middle of a call had begun. Call it before the repair of
 * what a mutex guards when mutex_acquire_r() said 1; after a reset the first call of anything here
 * does it. 0, -EINVAL no allocator, -EINVLOBJ.
 */
int twz_alloc_recover(twzobj *o);

#ifdef __cplusplus
}
#endif

#endif
