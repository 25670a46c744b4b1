// SPDX-License-Identifier: BSD-3-Clause
/*
 * Where the entries of an object's FOT lead to: a map for the object in each slot, and maps that
 * belong to one handle. Every entry of a map owns a reference to the slot it leads to, and what was
 * looked up stays mapped until the map is dropped: with the last reference to the slot that the
 * FOT stands in, or with the handle. Lookups take no lock.
 */
#ifndef TWZ_FOTMAP_H
#define TWZ_FOTMAP_H

#include "slots.h"

/* The map of what a handle's FOT leads to with these permissions (FE_*); NULL without memory. */
struct __twz_fotmap **__twz_fotmap_shared(twzobj *o, uint32_t mask);

/* The same of private copies (FE_DERIVE), which are the handle's own. */
struct __twz_fotmap **__twz_fotmap_derived(twzobj *o, uint32_t mask);

/* The d-ptr for p, or NULL. */
void *__twz_fotmap_find(struct __twz_fotmap **map, const void *p);

/*
 * Remember that p leads to d; the reference to the slot of d, if it is one that is counted, now
 * belongs to the map. Returns 0; -EEXIST if p leads somewhere already (*d is made that), -ENOMEM:
 * the caller keeps the reference.
 */
int __twz_fotmap_add(struct __twz_fotmap **map, const void *p, void **d);

/* Keep a slot, whose reference is given over, as long as the handle: 0; -ENOMEM, not given over. */
int __twz_fotmap_hold(twzobj *o, size_t slot);

/* Take the maps of a slot from it and put them into a list. Caller holds the slot table's lock. */
void __twz_fotmap_detach(size_t slot, struct __twz_fotmap **list);

/* Drop a list of maps and all that they refer to. The slot table is not locked. */
void __twz_fotmap_drop(struct __twz_fotmap *list);

/* What belongs to this handle alone. */
void __twz_fotmap_release(twzobj *o);

/* Where the hash of an object's FOT stands (fothash.c); NULL without memory. */
struct fothash **__twz_fotmap_hash(twzobj *o);

/* Note which view the program began in; before there are other threads. */
void __twz_fotmap_view_known(void);

/* --- ptr.c: as twz_object_lea_mask, but NULL where that throws. */
void *__twz_lea_quiet(twzobj *o, const void *p, uint32_t mask);

/* --- slots.c: drop a reference; the slot's maps, if it was the last, go into the list */
void __twz_slot_drop(size_t slot, struct __twz_fotmap **maps);

#endif
