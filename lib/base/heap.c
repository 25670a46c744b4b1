// SPDX-License-Identifier: BSD-3-Clause
/* The pairing heap of base/heap.h. */
#include <base/heap.h>

/* Join two trees, neither of them linked; returns the root of the result. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
	struct heap_node *t;

	if (b->key < a->key) {
		t = a;
		a = b;
		b = t;
	}
	b->sibling = a->child;
	if (b->sibling != NULL)
		b->sibling->link = &b->sibling;
	b->link = &a->child;
	a->child = b;
	return a;
}

static void set_root(struct heap *h, struct heap_node *n)
{
	h->root = n;
	if (n != NULL) {
		n->sibling = NULL;
		n->link = &h->root;
	}
}

/*
 * Join a list of siblings into one tree: neighbours in pairs from the left, stacking the pairs,
 * then the stack from its top. That order is what makes removal logarithmic.
 */
static struct heap_node *meld_siblings(struct heap_node *list)
{
	struct heap_node *pairs = NULL, *root, *next;

	while (list != NULL) {
		struct heap_node *a = list, *b = list->sibling;

		list = b != NULL ? b->sibling : NULL;
		if (b != NULL)
			a = meld(a, b);
		a->sibling = pairs;
		pairs = a;
	}
	root = pairs;
	pairs = root != NULL ? root->sibling : NULL;
	for (; pairs != NULL; pairs = next) {
		next = pairs->sibling;
		root = meld(root, pairs);
	}
	return root;
}

void heap_insert(struct heap *h, struct heap_node *n, uint64_t key)
{
	n->key = key;
	n->child = NULL;
	n->sibling = NULL;
	set_root(h, h->root != NULL ? meld(h->root, n) : n);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *rest;

	*n->link = n->sibling;
	if (n->sibling != NULL)
		n->sibling->link = n->link;
	n->link = NULL;
	n->sibling = NULL;
	rest = meld_siblings(n->child);
	n->child = NULL;
	if (h->root != NULL && rest != NULL)
		rest = meld(h->root, rest);
	set_root(h, rest != NULL ? rest : h->root);
}

struct heap_node *heap_pop(struct heap *h)
{
	struct heap_node *n = h->root;

	if (n != NULL)
		heap_remove(h, n);
	return n;
}
