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

/* Put a new object into the table, which takes a reference of its own to volatile ones. -EEXIST. */
int object_publish(struct object *object);

/* One page of zeroes that holes of persistent objects are read through. Never written. */
extern unsigned char zero_page[PAGE_SIZE];

#endif
