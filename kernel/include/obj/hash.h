// SPDX-License-Identifier: BSD-3-Clause
/*
 * Hash-data objects: immutable, named by their content. docs/objects.md, "Hash-data objects".
 */
#ifndef OBJ_HASH_H
#define OBJ_HASH_H

#include <obj/object.h>

/* ---- Making (obj/hash.c) ---- */

/*
 * Bring a volatile draft that nobody knows into the form hash-data objects have (sized, nothing
 * outside of what the tree covers), draw a nonce unless it is to be 0, and set its ID and identity.
 * With `keep` the digests are kept for hash_store_digests().
 * OBJECT_AGAIN: there is more to hash, call again; -EINVAL: the metadata cannot be hashed, or a
 * zero nonce gives a reserved ID; -ENOMEM. On errors what is under way goes with the draft.
 */
int hash_name_draft(struct object *draft, bool zero_nonce, bool keep);

/*
 * Put the digests that were kept beside `handle`, the hidden copy of the object in the store.
 * Objects that have
 * none: nothing happens, and who verifies the copy computes them. Lock held, or nobody else knows
 * the object. -ENOSPC, -EROFS, -EUCLEAN.
 */
int hash_store_digests(struct object *object, struct store *store, const struct store_handle *handle);

/* ---- Verifying (obj/digest.c). Lock held for all. ---- */

/*
 * Whether a hash-data object's ID derives from it: `mi`, which has passed meta_check(), is a copy
 * of its metadata's fixed part. Of an object with digests beside it only the metadata page and what
 * is needed to verify other pages alone is read. 0, OBJECT_AGAIN, -EINVLOBJ, -ENOMEM.
 */
int hash_verify(struct object *object, const struct metainfo *mi);

/*
 * A page of a persistent hash-data object is about to be used: verify it unless it was. *page: its
 * address, NULL for a hole; changed to a hole where the tree covers nothing. Only for objects with
 * `hash` set. -EUCLEAN: it is not what the ID says; -EINVLOBJ: the object is not verified; -ENOMEM.
 */
int hash_check_page(struct object *object, uint64_t pgnr, void **page);

/* The first page at or behind `pgnr` that the tree covers, OBJ_MAXPAGES if there is none. */
uint64_t hash_next_covered(struct object *object, uint64_t pgnr);

/* Whether -EUCLEAN came from hash_check_page(), not from the store. */
bool hash_mismatch(struct object *object, uint64_t pgnr);

/*
 * Whether the 2 MiB around a page were verified in full, so that they may be mapped in one piece.
 */
bool hash_block_checked(struct object *object, uint64_t pgnr);

/*
 * Forget what was verified, and what was kept. The object is verified anew, or not used any more.
 */
void hash_forget(struct object *object);

#endif
