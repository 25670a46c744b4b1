// SPDX-License-Identifier: BSD-3-Clause
/*
 * The map's nodes, as they stand in the object.
 *
 * A tree is reached through one word: the map's root, or a word of a leaf (with LAYER) in which
 * keys of bytes go on that have a slice in common. In a leaf, entry i is there if words[i] is not
 * 0: the record, or a layer. In an inner node, child i has the keys from keys[i] (child 0: whatever
 * is less, too) to below keys[i + 1]; keys that are not used are ~0.
 */
#ifndef DS_MAP_H
#define DS_MAP_H

#include "record.h"

#include <twz/ds/map.h>

#define FANOUT TWZ_MAP_NODE_KEYS
#define LEAF_MAGIC 0x6661654cu
#define INNER_MAGIC 0x726e6e49u
#define LAYER 1ull      /* in a word: the top node of a tree for the next slice */
#define MAX_LEVELS 24u  /* of one tree */
#define SLICE 7u        /* bytes of a key */
#define LONGER 8u       /* lowest byte of a slice's number: the key goes on */
#define MAX_LAYERS (TWZ_DS_KEY_MAX / SLICE + 1)
#define MAX_NODES (OBJ_MAXSIZE / 512) /* more would be a cycle */

struct node {
	uint32_t magic;
	uint32_t count; /* inner: children */
	uint64_t keys[FANOUT + 1];
	uint64_t words[FANOUT]; /* local p-ptrs */
};

_Static_assert(sizeof(struct node) == 512, "map node");

/* Where a key of a tree is or would be. */
struct spot {
	uint64_t *word; /* leads to leaf */
	struct node *leaf;
	uint64_t *parent_word; /* leads to parent */
	struct node *parent;   /* NULL: the leaf is the top node */
	unsigned index;        /* of leaf in parent */
	bool has_low, has_high;
	uint64_t low, high; /* keys of leaf are ≥ low, < high */
};

/* A key, and how it reads in a map of either kind. */
struct map_key {
	const unsigned char *bytes;
	size_t len;
	bool whole; /* 64 bits: one slice is all of it */
};

/* The node of a word; NULL: none that can be. */
static inline struct node *map_node(const twzobj *o, uint64_t word)
{
	uint64_t offset = word & ~LAYER;
	struct node *n = ds_at(o, offset);

	if (!ds_inside(offset, sizeof(*n), 64))
		return NULL;
	if (n->magic == LEAF_MAGIC)
		return n;
	return n->magic == INNER_MAGIC && n->count - 2 <= FANOUT - 2 ? n : NULL;
}

static inline bool map_is_leaf(const struct node *n)
{
	return n->magic == LEAF_MAGIC;
}

/* The child that has a key: three keys tell in which eighth it is. */
static inline unsigned map_child(const struct node *n, uint64_t key)
{
	const uint64_t *k = n->keys;
	unsigned group = 8u * ((k[8] <= key) + (k[16] <= key) + (k[24] <= key));
	unsigned i = group, last = n->count - 1;

	k += group;
	i += (k[1] <= key) + (k[2] <= key) + (k[3] <= key) + (k[4] <= key) + (k[5] <= key) +
	     (k[6] <= key) + (k[7] <= key);
	return i < last ? i : last;
}

/*
 * The entry of a leaf with a key, and its word; -1: none. A free entry may have the key, too, and
 * be taken for another one meanwhile: its key is stored before its word and looked at again.
 */
static inline int map_entry(const struct node *leaf, uint64_t key, uint64_t *word)
{
	uint32_t found = 0;

	for (unsigned i = 0; i < FANOUT; i++)
		found |= (uint32_t)(leaf->keys[i] == key) << i;
	for (; found; found &= found - 1) {
		int i = __builtin_ctz(found);
		*word = ds_load(&leaf->words[i]);
		if (*word && __atomic_load_n(&leaf->keys[i], __ATOMIC_RELAXED) == key)
			return i;
	}
	return -1;
}

/* The number of a key's slice in a layer: 7 bytes, big-endian, and how many of them there are. */
static inline uint64_t map_slice(const struct map_key *k, unsigned layer)
{
	uint64_t bytes = 0, left = k->len - layer * SLICE;

	if (k->whole) {
		__builtin_memcpy(&bytes, k->bytes, sizeof(bytes));
		return bytes;
	}
	for (unsigned i = 0; i < SLICE; i++)
		bytes = bytes << 8 | (i < left ? k->bytes[layer * SLICE + i] : 0);
	return bytes << 8 | (left > SLICE ? LONGER : left);
}

/* map.c */
int map_begin_read(const twzobj *o, const struct twz_map *m, unsigned kind);
/* Descend to the leaf for a key. 0; -ENOENT there is no tree; -EINVLOBJ. */
int map_descend(const twzobj *o, uint64_t *top, uint64_t key, struct spot *s);

/* map_split.c; with the lock. Each is one step. */
/* Make room in the leaf for a key of a tree that has top; the caller descends anew. */
int map_make_room(twzobj *o, struct twz_map *m, uint64_t *top, uint64_t key);
/* Take an empty leaf out of its tree. */
int map_prune(twzobj *o, struct twz_map *m, const struct spot *s);
/* A new layer below an entry of a leaf, with the record that the entry had, under slice. */
int map_add_layer(twzobj *o, uint64_t *word, uint64_t slice);
/* The first leaf of a tree that is empty, or its top. */
int map_add_top(twzobj *o, uint64_t *top);
/* Publish with readers on the way starting again. */
int map_publish(twzobj *o, struct twz_map *m, const struct twz_alloc_action *actions, size_t n);

/* map_check.c: free a tree. With the lock. */
int map_drain(twzobj *o, struct twz_map *m);

#endif
