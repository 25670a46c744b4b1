// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the files about address spaces share with each other.
 */
#ifndef MM_SPACE_PRIVATE_H
#define MM_SPACE_PRIVATE_H

#include <mm/space.h>

/* The mapping in a slot, or NULL. space->lock held. */
struct mapping *space_mapping(struct addrspace *space, uint32_t slot);

/* Link an object into an empty slot. space->lock and object->lock held. -ENOMEM. */
int space_link(struct addrspace *space, struct object *object, uint32_t slot, enum object_prot prot);

/* ---- asid.c ---- */

/*
 * The number under which this CPU may install the space from now on. The space's `cpus` says that
 * it is about to. 0: numbers are not used. Takes no lock as long as numbers last.
 */
uint32_t asid_enter(struct addrspace *space);

/* The number that CPUs which have the space installed use for it. */
uint32_t asid_of(struct addrspace *space);

/* False: the machine has too few. Constant. */
bool asids_used(void);

/* ---- flush.c ---- */

/*
 * This CPU goes from one space to another (NULL: none). Both are kept by references. No lock held.
 */
void space_switch(struct addrspace *old, struct addrspace *space);

/*
 * The space's tables were changed for [va, va + length), or everywhere if length is 0: when this
 * returns no CPU uses what was there before. Any locks may be held.
 */
void space_flush(struct addrspace *space, uintptr_t va, size_t length);

#endif
