// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ordered map: nodes that come and go. Whatever is changed is made anew and put in place, with what
 * it replaces freed, in one step of the allocator.
 */
#include "map.h"

int map_publish(twzobj *o, struct twz_map *m, const struct twz_alloc_action *actions, size_t n)
{
	int r;

	ds_seq_begin(&m->guard.seq);
	r = ds_publish(o, actions, n);
	ds_seq_end(&m->guard.seq);
	return r;
}

static struct node *new_node(twzobj *o, uint32_t magic, int *error)
{
	struct node *n = twz_alloc_reserve(o, sizeof(*n), TWZ_ALLOC_ALIGN(64), error);

	if (!n)
		return NULL;
	memset(n, 0, sizeof(*n));
	n->magic = magic;
	if (magic == INNER_MAGIC)
		memset(n->keys, 0xff, sizeof(n->keys));
	return n;
}

static void add_child(struct node *n, uint64_t key, uint64_t word)
{
	n->keys[n->count] = key;
	n->words[n->count] = word;
	n->count++;
}

/* A word like the old one that leads to n. */
static struct twz_alloc_action lead_to(uint64_t *word, uint64_t offset)
{
	return ds_set(word, offset | (*word & LAYER));
}

int map_add_top(twzobj *o, uint64_t *top)
{
	int error;
	struct node *n = new_node(o, LEAF_MAGIC, &error);

	if (!n)
		return error;
	return ds_publish(o, (struct twz_alloc_action[]){ ds_keep(n, sizeof(*n)),
	    ds_set(top, ds_offset(o, n)) }, 2);
}

int map_add_layer(twzobj *o, uint64_t *word, uint64_t slice)
{
	int error;
	struct node *n = new_node(o, LEAF_MAGIC, &error);

	if (!n)
		return error;
	n->keys[0] = slice;
	n->words[0] = *word;
	return ds_publish(o, (struct twz_alloc_action[]){ ds_keep(n, sizeof(*n)),
	    ds_set(word, ds_offset(o, n) | LAYER) }, 2);
}

/* --- splitting */

/* What replaces a node, and its parent with them; parent is a new top if it was the top node. */
struct halves {
	struct node *low, *high, *parent;
};

static void cancel(twzobj *o, const struct halves *h)
{
	struct node *made[] = { h->low, h->high, h->parent };

	for (unsigned i = 0; i < 3; i++)
		if (made[i])
			twz_alloc_cancel(o, made[i]);
}

static int make(twzobj *o, uint32_t magic, struct halves *h)
{
	int error = 0;

	*h = (struct halves){ 0 };
	h->low = new_node(o, magic, &error);
	if (h->low)
		h->high = new_node(o, magic, &error);
	if (h->high)
		h->parent = new_node(o, INNER_MAGIC, &error);
	if (h->parent)
		return 0;
	cancel(o, h);
	return error;
}

/* The entries of a leaf, sorted. */
static unsigned sorted(const struct node *leaf, uint64_t *keys, uint64_t *words)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FANOUT; i++) {
		unsigned at = n;
		if (!leaf->words[i])
			continue;
		for (; at > 0 && keys[at - 1] > leaf->keys[i]; at--) {
			keys[at] = keys[at - 1];
			words[at] = words[at - 1];
		}
		keys[at] = leaf->keys[i];
		words[at] = leaf->words[i];
		n++;
	}
	return n;
}

/* Returns the first key of the upper half. Keys that only rise leave full nodes behind. */
static uint64_t halve_leaf(const struct node *leaf, const struct halves *h, uint64_t key)
{
	uint64_t keys[FANOUT], words[FANOUT];
	unsigned n = sorted(leaf, keys, words), middle = key > keys[n - 1] ? n - 1 : n / 2;

	memcpy(h->low->keys, keys, middle * sizeof(keys[0]));
	memcpy(h->low->words, words, middle * sizeof(words[0]));
	memcpy(h->high->keys, keys + middle, (n - middle) * sizeof(keys[0]));
	memcpy(h->high->words, words + middle, (n - middle) * sizeof(words[0]));
	return keys[middle];
}

static uint64_t halve_inner(const struct node *n, const struct halves *h, uint64_t key)
{
	unsigned middle = key >= n->keys[FANOUT - 1] ? FANOUT - 2 : FANOUT / 2;

	for (unsigned i = 0; i < FANOUT; i++)
		add_child(i < middle ? h->low : h->high, n->keys[i], n->words[i]);
	return n->keys[middle];
}

static void make_parent(const twzobj *o, const struct spot *s, const struct halves *h,
    uint64_t first)
{
	const struct node *old = s->parent;

	if (!old) {
		add_child(h->parent, 0, ds_offset(o, h->low));
		add_child(h->parent, first, ds_offset(o, h->high));
		return;
	}
	for (unsigned i = 0; i < old->count; i++) {
		bool split = i == s->index;
		add_child(h->parent, old->keys[i], split ? ds_offset(o, h->low) : old->words[i]);
		if (split)
			add_child(h->parent, first, ds_offset(o, h->high));
	}
}

/* Split a full node, whose parent has room. */
static int split(twzobj *o, struct twz_map *m, const struct spot *s, struct node *n, uint64_t key)
{
	struct twz_alloc_action actions[6];
	struct halves h;
	size_t count = 0;
	int r = make(o, n->magic, &h);

	if (r < 0)
		return r;
	make_parent(o, s, &h, map_is_leaf(n) ? halve_leaf(n, &h, key) : halve_inner(n, &h, key));
	actions[count++] = ds_keep(h.low, sizeof(*h.low));
	actions[count++] = ds_keep(h.high, sizeof(*h.high));
	actions[count++] = ds_keep(h.parent, sizeof(*h.parent));
	actions[count++] = lead_to(s->parent ? s->parent_word : s->word, ds_offset(o, h.parent));
	actions[count++] = ds_drop(n);
	if (s->parent)
		actions[count++] = ds_drop(s->parent);
	return map_publish(o, m, actions, count);
}

static void go_down(struct spot *s, struct node *n, uint64_t key)
{
	s->parent = n;
	s->parent_word = s->word;
	s->index = map_child(n, key);
	s->word = &n->words[s->index];
}

/* The first full node on the way is split; the caller comes again until that is the leaf. */
int map_make_room(twzobj *o, struct twz_map *m, uint64_t *top, uint64_t key)
{
	struct spot s = { .word = top };

	for (unsigned level = 0; level <= MAX_LEVELS; level++) {
		struct node *n = map_node(o, *s.word);
		if (!n)
			return -EINVLOBJ;
		if (map_is_leaf(n) || n->count == FANOUT)
			return split(o, m, &s, n, key);
		go_down(&s, n, key);
	}
	return -EINVLOBJ;
}

/* --- pruning */

static int prune_one_of_many(twzobj *o, struct twz_map *m, const struct spot *s)
{
	const struct node *old = s->parent;
	int error;
	struct node *n = new_node(o, INNER_MAGIC, &error);

	if (!n)
		return error;
	for (unsigned i = 0; i < old->count; i++)
		if (i != s->index)
			add_child(n, old->keys[i], old->words[i]);
	return map_publish(o, m, (struct twz_alloc_action[]){ ds_keep(n, sizeof(*n)),
	    lead_to(s->parent_word, ds_offset(o, n)), ds_drop(s->leaf), ds_drop(s->parent) }, 4);
}

int map_prune(twzobj *o, struct twz_map *m, const struct spot *s)
{
	if (!s->parent)
		return map_publish(o, m, (struct twz_alloc_action[]){ ds_set(s->word, 0),
		    ds_drop(s->leaf) }, 2);
	if (s->parent->count > 2)
		return prune_one_of_many(o, m, s);
	return map_publish(o, m, (struct twz_alloc_action[]){
	    lead_to(s->parent_word, s->parent->words[!s->index]), ds_drop(s->leaf),
	    ds_drop(s->parent) }, 3);
}
