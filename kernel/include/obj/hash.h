// SPDX-License-Identifier: BSD-3-Clause
/*
 * Hash-data objects: immutable, named by their content. docs/objects.md, "Hash-data objects".
 */
#ifndef OBJ_HASH_H
#define OBJ_HASH_H

#include <obj/object.h>

/*
 * Bring a volatile draft that nobody knows into the form hash-data objects have (sized, nothing outside of
 * what the tree covers), draw a nonce unless it is to be 0, and set its ID and identity.
 * -EINVAL: the metadata cannot be hashed, or a zero nonce gives a reserved ID; -ENOMEM.
 */
int hash_name_draft(struct object *draft, bool zero_nonce);

#endif
