// SPDX-License-Identifier: BSD-3-Clause
/*
 * What is known of a hash-data object's content: shared by the files that verify it, and by nobody
 * else.
 *
 * Beside an object of the store its digests are kept (obj/id.h, "side pages"). They are as little
 * trusted as the content. From the ID down, a digest is believed once the group it is in gives a
 * digest that is believed.
 */
#ifndef OBJ_DIGEST_H
#define OBJ_DIGEST_H

#include <base/bits.h>
#include <obj/id.h>
#include <obj/object.h>

#define HASH_GROUPS (OBJ_MAXPAGES / HASH_FANOUT)
#define SEEN_FEW 512u                  /* leaves whose bits need no page of their own */
#define SEEN_PAGE_BITS (PAGE_SIZE * 8)

/* Guarded by the object's lock; gone when the object leaves the table. */
struct hash_state {
	struct metainfo mi;    /* what the shape is that of */
	struct id_shape shape;
	bool trusted;          /* all digests above the leaves' are; they are in the side pages */
	bool whole;            /* all pages were verified at once */
	uint32_t told;         /* pages that were reported as wrong */
	uint64_t groups[HASH_GROUPS / 64];    /* a bit for each group of leaves whose digests are trusted */
	uint64_t few[SEEN_FEW / 64];          /* a bit for each leaf that was verified, */
	uint64_t *many[OBJ_MAXPAGES / SEEN_PAGE_BITS]; /* or in pages, made as they are needed */
	struct recompute *recompute; /* under way, or NULL */
	struct object *side;   /* a volatile object nobody knows: page n + 1 is to be side page n; or NULL */
};

/* NULL: no memory. */
struct hash_state *hash_state_new(const struct metainfo *mi);
void hash_state_free(struct hash_state *state);

void hash_side_drop(struct hash_state *state);

/* Put `content` into side page n, which it derives from trusted content. Best effort. */
void hash_side_write(struct object *object, uint32_t n, const void *content);

/*
 * Compute the tree from the object's pages, a bounded number a call, and see whether it gives the
 * ID. Then all pages are verified, and the side pages are made right. 0; OBJECT_AGAIN: call again;
 * -EINVLOBJ: it does not; -ENOMEM.
 */
int hash_recompute(struct object *object, struct hash_state *state);

/*
 * The root of a draft's tree, in the same steps. With `keep` its digests are in state->side
 * afterwards, if there was memory for them. 0; OBJECT_AGAIN; -ENOMEM.
 */
int hash_draft_root(struct object *draft, struct hash_state *state, bool keep, uint8_t root[HASH_SIZE]);

/* Give up what is under way. */
void hash_recompute_stop(struct hash_state *state);

/* Make a volatile hash-data object's bytes that the tree does not cover zero. -ENOMEM. */
int hash_drop_uncovered(struct object *object, const struct metainfo *mi);

#endif
