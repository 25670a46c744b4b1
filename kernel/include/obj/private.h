// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the files of kernel/obj share with each other and with nobody else.
 */
#ifndef OBJ_PRIVATE_H
#define OBJ_PRIVATE_H

#include <mm/slab.h>
#include <obj/object.h>

extern struct slab_cache object_cache;

/* A struct object with one reference, not in the table. NULL: no memory. */
struct object *object_new(objid_t id);

/* object_page() without `alloc`, but the page is given as it stands, verified or not. Lock held. */
int object_page_unchecked(struct object *object, uint64_t pgnr, void **page);

/* Put a new object into the table, which takes a reference of its own to volatile ones. -EEXIST. */
int object_publish(struct object *object);

/*
 * An object that was published while `hidden` may be found from now on, or (`whole` false) leaves
 * the table again.
 */
void object_reveal(struct object *object, bool whole);

/*
 * Copy the pages *first … end-1 of `from` but its metadata page into an object nobody else knows
 * yet, `shift` pages further on; OBJECT_COPY_BATCH at most. Pages in memory are shared until one
 * side writes; between memory and store the bytes are copied. from->lock is taken. 0: done; 1:
 * there may be more from *first on. On error some pages were copied.
 */
int object_copy_into_new(struct object *to, struct object *from, uint64_t *first, uint64_t end,
			 int64_t shift);

/*
 * Put a page (NULL: a hole) in the place of what a volatile object has there, which is dropped with
 * its translations. Takes the page over. Lock held, or nobody else knows the object. -ENOMEM.
 */
int object_page_replace(struct object *object, uint64_t pgnr, void *page);

/*
 * Put content (4096 bytes; NULL: a hole) in the place of a persistent object's page, durably and in
 * one step, and drop the old one with its translations. Lock held. Errors as object_copy_pages().
 */
int object_page_store(struct object *object, uint64_t pgnr, const void *content);

/* Drop a reference that is not the last: the caller has another. Any lock may be held. */
static inline void object_unref(struct object *object)
{
	atomic_fetch_sub_explicit(&object->refs, 1, memory_order_release);
}

/*
 * What keeps an object for its ties has changed: its deletion, its place, its parents. No lock
 * held.
 */
void object_tie_review(struct object *object);

/*
 * A new reference to an object that exists, whether lookups find it or not. *out is NULL if it is
 * on its way out. -ENOMEM: it cannot be opened. The lock of all ties may be held.
 */
int object_hold(objid_t id, struct object **out);

/*
 * The object of that ID if it is in memory and has such ties there, else NULL. The lock of all ties
 * is held.
 */
struct object *object_tied(objid_t id, enum store_tie_way way);

/*
 * Untie a deleted persistent object from its children, which go if nothing else keeps them. No lock
 * held.
 */
void object_stored_ties_drop(struct object *parent);

/* Drop a page of any object, with its translations. Lock held, or nobody else knows the object. */
int object_make_hole(struct object *object, uint64_t pgnr);

/*
 * The same for the pages *first … end-1, but at most so many. 0: done; 1: there may be more from
 * *first on; errors as object_page_store().
 */
int object_make_holes(struct object *object, uint64_t *first, uint64_t end, unsigned int most);

/* As object_pages_free(), but at most so many nodes of 64 pages. False: some are left. */
bool object_pages_free_some(struct object *object, unsigned int nodes);

/*
 * Free a struct object and its pages: those in memory, or with `leaving` set those in its store,
 * where store_free_begin() was called. All else that it held is gone, nobody knows it. Much of it
 * is freed later.
 */
void object_dissolve(struct object *object);

/* ---- Cache modes (obj/cache.c). Lock held. ---- */

/* PTE_* that say how a page is cached. */
unsigned int object_memory_type(const struct object *object, uint64_t pgnr, bool executed);

/*
 * The kernel is about to read a page after users wrote it, or has written it, or is about to
 * translate it.
 */
void object_cache_settle(const struct object *object, uint64_t pgnr, const void *page);

/* All of the object is as ever. Nothing translates to it. */
void object_cache_forget(struct object *object);

/* ---- A copy in a store (obj/move.c) ---- */

/*
 * Begin a hidden copy, in place->store; then copy up to OBJECT_COPY_BATCH pages a call: 1 more is
 * to do, 0 done. On an error there is none. Lock held, or nobody else knows the object.
 */
int object_place_begin(struct object *object, struct object_place *place);
int object_place_more(struct object *object, struct object_place *place);

/* The object, whose pages go, is the copy from now on. */
void object_adopt(struct object *object, const struct object_place *place);

/* One page of zeroes that holes of persistent objects are read through. Never written. */
extern unsigned char zero_page[PAGE_SIZE];

#endif
