// SPDX-License-Identifier: BSD-3-Clause
/*
 * Derivation of object IDs, and the checks a metadata page passes before anything in it is
 * believed. Pure functions: no locks, no allocation, no kernel services, callable anywhere;
 * host tools and tests compile the same file. Layouts are those of abi/object.h.
 *
 * The metadata may be in memory that someone else is writing. Callers take a private copy of
 * struct metainfo first and hand that copy to every function here.
 */
#ifndef OBJ_ID_H
#define OBJ_ID_H

#include <abi/object.h>
#include <sodium/crypto_generichash_blake2b.h>

/*
 * Is this metadata well formed? Magic, milen, fotentries, sz (with MIF_SZ), p_flags; for
 * hash-data objects also flags, pad and the absence of DFL_WRITE. Only the 64 fixed bytes are
 * read. Returns 0 or -EINVLOBJ. Says nothing about the ID.
 */
int meta_check(const struct metainfo *mi);

/* As meta_check; *why names the first thing that is wrong, a constant string (untouched if 0). */
int meta_check_why(const struct metainfo *mi, const char **why);

/*
 * The ID of an object that is not hash-data; mi has passed meta_check. Returns 0 (no ID) for a
 * hash-data object. A result with objid_is_reserved() must not be given to a new object.
 */
objid_t id_derive(const struct metainfo *mi);

/* ---- The shape of the hash tree ---- */

#define ID_MAX_LEVELS 3u
#define ID_NO_LEAF UINT64_MAX

/*
 * Level 0 are the leaves, one a covered page in ascending order of page numbers; a digest of level
 * n + 1 is over HASH_FANOUT digests of level n, which are a *group*; the only digest of level
 * `levels` is the root.
 */
struct id_shape {
	uint64_t data_size;  /* bytes covered from base */
	uint64_t data_pages; /* covered pages are 1 … data_pages, */
	uint64_t fot_start;  /* then from the page of this object offset up to the metadata page */
	uint32_t digests[ID_MAX_LEVELS + 1]; /* of each level; 1 of level `levels`, 0 above */
	unsigned int levels; /* above the leaves, 1 … 3 */
};

/* The shape for the hash-data object that mi, which has passed meta_check, describes. */
void id_shape(struct id_shape *s, const struct metainfo *mi);

/* The leaf of a page (number: object offset / 4096); ID_NO_LEAF: the tree does not cover it. */
uint64_t id_leaf_of(const struct id_shape *s, uint64_t number);

/* The page of a leaf, which exists. */
uint64_t id_page_of(const struct id_shape *s, uint64_t leaf);

/* Which bytes of a covered page are covered: from *start up to the result. */
size_t id_covered(const struct id_shape *s, uint64_t number, size_t *start);

/* The digest of a covered page: its 4096 bytes as stored, NULL if it was never written. */
void id_hash_leaf(const struct id_shape *s, uint64_t number, const void *page,
		  uint8_t digest[HASH_SIZE]);

/* Digests in a group of `level`, which is below `levels`. */
uint32_t id_group_size(const struct id_shape *s, unsigned int level, uint32_t group);

/* The digest of level `level` + 1 that a group of digests, one after the other, gives. */
void id_hash_group(const struct id_shape *s, unsigned int level, uint32_t group, const void *digests,
		   uint8_t digest[HASH_SIZE]);

/*
 * Digests are kept in pages beside the object, a group a page: page 0 is the highest group there is
 * below the root, then level by level, each in order. The page of a group, and how many pages there
 * are.
 */
uint32_t id_side_page(const struct id_shape *s, unsigned int level, uint32_t group);
uint32_t id_side_pages(const struct id_shape *s);

/* ---- Making the tree ---- */

/* Told each digest below the root, as soon as it is there. */
typedef void (*id_tree_keeper)(void *arg, unsigned int level, uint32_t index,
			       const uint8_t digest[HASH_SIZE]);

/*
 * The hash tree of a hash-data object, built a page at a time so that a caller may pause
 * between pages: begin, then while id_tree_next() gives a number, id_tree_add() that page, then
 * id_tree_finish(). About 1.3 KiB; keep it out of deep stacks.
 */
struct id_tree {
	struct id_shape shape;
	uint64_t next;       /* page number, 0 = all added */
	uint32_t children[ID_MAX_LEVELS];
	uint32_t index[ID_MAX_LEVELS]; /* of the node being built in each level */
	id_tree_keeper keep; /* may be set after id_tree_begin() */
	void *keep_arg;
	crypto_generichash_blake2b_state node[ID_MAX_LEVELS];
};

/* Begin the tree of the hash-data object that mi, which has passed meta_check, describes. */
void id_tree_begin(struct id_tree *t, const struct metainfo *mi);

/* Number (object offset / 4096) of the page to add next; 0 = all pages were added. */
static inline uint64_t id_tree_next(const struct id_tree *t)
{
	return t->next;
}

/*
 * Add page id_tree_next(): its 4096 bytes as stored, or NULL if it was never written. Bytes
 * that the tree does not cover are ignored. The page must not change during the call.
 */
void id_tree_add(struct id_tree *t, const void *page);

/* The root, once id_tree_next() is 0; t is spent afterwards. */
void id_tree_finish(struct id_tree *t, uint8_t root[HASH_SIZE]);

/* The ID of a hash-data object with this root; mi as for id_tree_begin. */
objid_t id_derive_root(const struct metainfo *mi, const uint8_t root[HASH_SIZE]);

/*
 * Gives the content of a page: *page = 4096 bytes, valid until the next call, or NULL for a page
 * that was never written. Returns 0, or a negative errno, which ends the derivation.
 */
typedef int (*id_page_reader)(void *arg, uint64_t number, const void **page);

/*
 * The ID of a hash-data object, all pages read through read(arg, …) in ascending order. mi as for
 * id_tree_begin, and the page read as metadata page should hold the same. *id is set only on
 * success. Returns 0, -EINVAL if mi is not hash-data, or what read returned.
 */
int id_derive_hashdata(const struct metainfo *mi, id_page_reader read, void *arg, objid_t *id);

#endif
