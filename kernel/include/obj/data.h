// SPDX-License-Identifier: BSD-3-Clause
/*
 * Kernel-owned data objects: pages that the kernel writes where they stand and everybody may map
 * read-only, so that what changes all the time needs no call to be read. They live for ever.
 */
#ifndef OBJ_DATA_H
#define OBJ_DATA_H

#include <stdint.h>

#include <abi/types.h>

struct object;

/*
 * Make one with a reserved ID that no object has yet, and a name in its header (struct kso_hdr, at
 * its base). Returns it with a reference, NULL when out of memory. No lock held.
 */
struct object *data_object_create(objid_t id, const char *name);

/*
 * The page of one, by number (1 is the base), zeroed when it is first asked for; NULL when out of
 * memory. It stays where it is. No lock held.
 */
void *data_object_page(struct object *object, uint64_t pgnr);

#endif
