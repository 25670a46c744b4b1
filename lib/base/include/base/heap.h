// SPDX-License-Identifier: BSD-3-Clause
/*
 * Intrusive pairing heap keyed by u64: the smallest key is at hand in O(1), insertion is
 * O(1), removal of any node O(log n) amortised. No recursion, no allocation. Equal keys
 * come out in no particular order. No locking: the owner of the heap says which lock guards it.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t key;              /* must not change while the node is in a heap */
	struct heap_node *child;   /* first child */
	struct heap_node *sibling; /* next sibling */
	/* The link (root, child or sibling) that points at this node; NULL = in no heap. */
	struct heap_node **link;
};

struct heap {
	struct heap_node *root;
};

/* Make the heap empty. A heap of zero bytes is empty, too. */
static inline void heap_init(struct heap *h)
{
	h->root = NULL;
}

static inline bool heap_empty(const struct heap *h)
{
	return h->root == NULL;
}

/* Make a node ready for heap_contains; zero bytes do the same. */
static inline void heap_node_init(struct heap_node *n)
{
	n->link = NULL;
}

/* Is the node (initialised earlier) in a heap? */
static inline bool heap_contains(const struct heap_node *n)
{
	return n->link != NULL;
}

/* Insert a node that is in no heap. */
void heap_insert(struct heap *h, struct heap_node *n, uint64_t key);

/* Remove a node that is in this heap. */
void heap_remove(struct heap *h, struct heap_node *n);

/* The node with the smallest key, left where it is; NULL = empty. */
static inline struct heap_node *heap_min(const struct heap *h)
{
	return h->root;
}

/* Remove and return the node with the smallest key; NULL = empty. */
struct heap_node *heap_pop(struct heap *h);

#endif
