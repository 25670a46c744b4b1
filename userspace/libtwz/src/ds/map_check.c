// SPDX-License-Identifier: BSD-3-Clause
/* Ordered map: counting, checking, clearing. */
#include "map.h"

#define BATCH 10u /* records freed in one step */

/* A walk over all nodes, as far as it may go. */
struct survey {
	twzobj *o;
	unsigned kind;
	bool checking;
	unsigned long nodes;
	ssize_t count;
	unsigned char prefix[TWZ_DS_KEY_MAX + SLICE]; /* what all keys of the layer begin with */
};

static int survey_tree(struct survey *v, uint64_t word, unsigned layer, unsigned level,
    uint64_t low, uint64_t high);

/* --- leaves */

static bool record_is_sound(struct survey *v, uint64_t word, uint64_t slice, unsigned layer)
{
	struct ds_record *r = ds_record_at(v->o, word);
	struct map_key k;

	if (!r || twz_alloc_usable(v->o, r) < ds_record_size(r->klen, r->vlen))
		return false;
	k = (struct map_key){ r->bytes, r->klen, v->kind == TWZ_MAP_U64 };
	if (k.whole ? k.len != sizeof(uint64_t) : k.len <= layer * SLICE)
		return false;
	return map_slice(&k, layer) == slice && memcmp(v->prefix, r->bytes, layer * SLICE) == 0;
}

static int survey_layer(struct survey *v, uint64_t word, uint64_t slice, unsigned layer)
{
	if (v->kind == TWZ_MAP_U64 || (slice & 0xff) != LONGER || layer + 1 >= MAX_LAYERS)
		return -EINVLOBJ;
	for (unsigned i = 0; i < SLICE; i++)
		v->prefix[layer * SLICE + i] = (unsigned char)(slice >> (56 - 8 * i));
	return survey_tree(v, word, layer + 1, 0, 0, ~0ull);
}

static bool is_first_of_its_key(const struct node *leaf, unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (leaf->words[j] && leaf->keys[j] == leaf->keys[i])
			return false;
	return true;
}

static int survey_entry(struct survey *v, const struct node *leaf, unsigned i, unsigned layer)
{
	uint64_t word = leaf->words[i];

	if (v->checking && !is_first_of_its_key(leaf, i))
		return -EINVLOBJ;
	if (word & LAYER)
		return survey_layer(v, word, leaf->keys[i], layer);
	if (v->checking && !record_is_sound(v, word, leaf->keys[i], layer))
		return -EINVLOBJ;
	v->count++;
	return 0;
}

static int survey_leaf(struct survey *v, const struct node *leaf, unsigned layer, uint64_t low,
    uint64_t high)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < FANOUT; i++) {
		if (!leaf->words[i])
			continue;
		if (v->checking && (leaf->keys[i] < low || leaf->keys[i] > high))
			return -EINVLOBJ;
		r = survey_entry(v, leaf, i, layer);
	}
	return r;
}

/* --- inner nodes; low and high are the least and the greatest key that may be there */

static int survey_inner(struct survey *v, const struct node *n, unsigned layer, unsigned level,
    uint64_t low, uint64_t high)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n->count; i++) {
		uint64_t from = i ? n->keys[i] : low;
		uint64_t to = i + 1 < n->count ? n->keys[i + 1] - 1 : high;
		if (from < low || from > to || to > high)
			return -EINVLOBJ;
		r = survey_tree(v, n->words[i], layer, level + 1, from, to);
	}
	return r;
}

static int survey_tree(struct survey *v, uint64_t word, unsigned layer, unsigned level,
    uint64_t low, uint64_t high)
{
	struct node *n = map_node(v->o, word);

	if (!n || level > MAX_LEVELS || ++v->nodes > MAX_NODES ||
	    (v->checking && twz_alloc_usable(v->o, n) < sizeof(*n)))
		return -EINVLOBJ;
	if (map_is_leaf(n))
		return survey_leaf(v, n, layer, low, high);
	return survey_inner(v, n, layer, level, low, high);
}

static ssize_t survey(twzobj *o, const struct twz_map *m, bool checking)
{
	struct survey v = { .o = o, .kind = m->head.flags, .checking = checking };
	uint64_t root = ds_load(&m->root);
	int r = root ? survey_tree(&v, root, 0, 0, 0, ~0ull) : 0;

	return r < 0 ? r : v.count;
}

ssize_t twz_map_count(twzobj *o, struct twz_map *m)
{
	ssize_t count = map_begin_read(o, m, 0);
	uint64_t seq;

	if (count < 0)
		return count == -ENOENT ? 0 : count;
	do {
		int r = ds_seq_read(o, &m->guard, &seq);
		if (r < 0)
			return r;
		count = survey(o, m, false);
	} while (!ds_seq_valid(&m->guard.seq, seq));
	return count;
}

int twz_map_check(twzobj *o, const struct twz_map *m)
{
	ssize_t r = map_begin_read(o, m, 0);

	if (r < 0)
		return r == -ENOENT ? 0 : (int)r;
	if (m->root & LAYER || (m->trash && !map_node(o, m->trash)))
		return -EINVLOBJ;
	r = survey(o, m, true);
	return r < 0 ? (int)r : 0;
}

/* --- clearing */

/* Free up to BATCH records of a leaf. Returns how many, or an error. */
static int drain_records(twzobj *o, struct node *leaf)
{
	struct twz_alloc_action actions[2 * BATCH];
	size_t n = 0;
	int r = 0;

	for (unsigned i = 0; n < 2 * BATCH && i < FANOUT; i++) {
		if (!leaf->words[i] || leaf->words[i] & LAYER)
			continue;
		actions[n++] = ds_set(&leaf->words[i], 0);
		actions[n++] = ds_drop(ds_at(o, leaf->words[i]));
	}
	if (n)
		r = ds_publish(o, actions, n);
	return r < 0 ? r : (int)n;
}

static uint64_t *some_word(struct node *n)
{
	for (unsigned i = 0; i < FANOUT; i++)
		if (n->words[i])
			return &n->words[i];
	return NULL;
}

/* Free something at the end of a branch. */
static int drain_some(twzobj *o, uint64_t *word)
{
	struct node *n = NULL;

	for (unsigned long level = 0; level < (MAX_LEVELS + 1ul) * MAX_LAYERS; level++) {
		uint64_t *next;
		int r;
		n = map_node(o, *word);
		if (!n)
			return -EINVLOBJ;
		r = map_is_leaf(n) ? drain_records(o, n) : 0;
		if (r)
			return r;
		next = some_word(n);
		if (!next)
			return ds_publish(o, (struct twz_alloc_action[]){ ds_set(word, 0),
			    ds_drop(n) }, 2);
		word = next;
	}
	return -EINVLOBJ;
}

int map_drain(twzobj *o, struct twz_map *m)
{
	int r = 0;

	while (r >= 0 && m->trash)
		r = drain_some(o, &m->trash);
	return r < 0 ? -EINVLOBJ : 0;
}

static int clear_locked(twzobj *o, struct twz_map *m)
{
	int r = map_drain(o, m);

	if (r < 0 || !m->root)
		return r;
	r = map_publish(o, m, (struct twz_alloc_action[]){ ds_set(&m->trash, m->root),
	    ds_set(&m->root, 0) }, 2);
	return r < 0 ? r : map_drain(o, m);
}

int twz_map_clear(twzobj *o, struct twz_map *m)
{
	int r = map_begin_read(o, m, 0);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	ds_lock(o, &m->guard);
	r = clear_locked(o, m);
	ds_unlock(&m->guard);
	return r;
}
