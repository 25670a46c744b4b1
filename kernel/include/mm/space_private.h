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

#endif
