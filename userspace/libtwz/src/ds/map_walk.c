// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ordered map: iterators. An iterator copies the entries of a leaf that are still to come, in
 * order, and goes on in that copy as long as nothing was freed; then, and at the leaf's end, it
 * looks for the key after its own. All of it works in both directions: "before" is meant in the
 * direction of walking.
 */
#include "map.h"

/* What is looked for: the first key that is not before a key, or that is behind it, or any. */
struct quest {
	struct twz_map_iter *it;
	const struct map_key *key; /* NULL: from the end */
	bool behind;
	unsigned long nodes; /* looked at: more than there can be are a cycle */
};

static bool whole_keys(const struct twz_map_iter *it)
{
	return it->m->head.flags == TWZ_MAP_U64;
}

void twz_map_iter_init(struct twz_map_iter *it, twzobj *o, struct twz_map *m)
{
	memset(it, 0, offsetof(struct twz_map_iter, keys));
	it->o = o;
	it->m = m;
}

/* --- copying a leaf */

static bool before(const struct twz_map_iter *it, uint64_t a, uint64_t b)
{
	return it->back ? a > b : a < b;
}

static void insert_sorted(struct twz_map_iter *it, uint64_t key, uint64_t word)
{
	unsigned at = it->count++;

	for (; at > 0 && before(it, key, it->keys[at - 1]); at--) {
		it->keys[at] = it->keys[at - 1];
		it->words[at] = it->words[at - 1];
	}
	it->keys[at] = key;
	it->words[at] = word;
}

/* Keys and values of the usual size. */
static void prefetch_record(const struct twz_map_iter *it, uint64_t word)
{
	const char *record = ds_at(it->o, word & ~LAYER);

	__builtin_prefetch(record);
	__builtin_prefetch(record + 64);
}

/* The leaf that comes after this one, if they have a parent in common. */
static void prefetch_next_leaf(const struct twz_map_iter *it, const struct spot *s)
{
	unsigned next = it->back ? s->index - 1 : s->index + 1;
	const char *leaf;

	if (!s->parent || next >= s->parent->count || next >= FANOUT)
		return;
	leaf = ds_at(it->o, ds_load(&s->parent->words[next]));
	for (unsigned line = 0; line < sizeof(struct node); line += 64)
		__builtin_prefetch(leaf + line);
}

static void copy_leaf(struct twz_map_iter *it, const struct spot *s, uint64_t from)
{
	it->count = it->at = 0;
	for (unsigned i = 0; i < FANOUT; i++) {
		uint64_t word = ds_load(&s->leaf->words[i]), key = s->leaf->keys[i];
		if (!word || before(it, key, from))
			continue;
		prefetch_record(it, word);
		insert_sorted(it, key, word);
	}
	prefetch_next_leaf(it, s);
	it->bounded = it->back ? s->has_low : s->has_high;
	it->bound = it->back ? s->low - 1 : s->high;
}

/* --- taking an entry */

static int compare_keys(const struct ds_record *r, const struct map_key *k)
{
	size_t len = r->klen < k->len ? r->klen : k->len;
	int c = memcmp(r->bytes, k->bytes, len);

	return c ? c : (r->klen > k->len) - (r->klen < k->len);
}

/* Whether a record that has the slice of the key looked for is not before it. */
static bool is_wanted(const struct quest *q, const struct ds_record *r)
{
	int c = whole_keys(q->it) ? 0 : compare_keys(r, q->key);

	if (q->it->back)
		c = -c;
	return c > 0 || (c == 0 && !q->behind);
}

/* Make the record the iterator's entry. -EAGAIN: something was freed meanwhile. */
static int take(struct twz_map_iter *it, const struct ds_record *r)
{
	unsigned char copy[TWZ_DS_KEY_MAX];
	size_t klen = r->klen, len = r->vlen;

	if (klen > sizeof(copy))
		return -EAGAIN;
	memcpy(copy, r->bytes, klen);
	if (!ds_seq_valid(&it->m->guard.seq, it->seq))
		return -EAGAIN;
	memcpy(it->copy, copy, klen);
	if (whole_keys(it))
		memcpy(&it->key64, copy, sizeof(it->key64));
	it->key = it->copy;
	it->klen = klen;
	it->len = len;
	it->value = r->bytes + ds_round8(klen);
	it->placed = 1;
	return 1;
}

/* --- looking for a key: 1 found, 0 there is none, -EAGAIN, -EINVLOBJ */

static int search_tree(struct quest *q, uint64_t *top, unsigned layer, bool from_end);

/* An entry of the copied leaf. at_key: it has the slice of the key looked for. */
static int search_entry(struct quest *q, const struct spot *s, unsigned layer, bool at_key)
{
	struct twz_map_iter *it = q->it;
	uint64_t word = it->words[it->at];
	struct ds_record *r;

	if (word & LAYER) {
		int i = map_entry(s->leaf, it->keys[it->at], &word);
		if (i < 0 || whole_keys(it) || (it->keys[it->at] & 0xff) != LONGER)
			return -EINVLOBJ;
		return search_tree(q, &s->leaf->words[i], layer + 1, !at_key);
	}
	r = ds_record_at(it->o, word);
	if (!r)
		return -EINVLOBJ;
	if (at_key && !is_wanted(q, r))
		return 0;
	it->layer = (uint8_t)layer;
	it->at++;
	return take(it, r);
}

/* The leaf for a key of the tree. *from: where to go on, unless *done. */
static int search_leaf(struct quest *q, uint64_t *top, unsigned layer, uint64_t *from,
    const uint64_t *slice, bool *done)
{
	struct twz_map_iter *it = q->it;
	struct spot s;
	int r = map_descend(it->o, top, *from, &s);

	*done = true;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (++q->nodes > MAX_NODES)
		return -EINVLOBJ;
	copy_leaf(it, &s, *from);
	while (it->at < it->count) {
		uint64_t key = it->keys[it->at];
		bool layer_below = it->words[it->at] & LAYER;
		r = search_entry(q, &s, layer, slice && key == *slice);
		if (r)
			return r;
		/* The search of a layer has used the copy for itself: copy the rest again. */
		if (layer_below && key == (it->back ? 0 : ~0ull))
			return 0;
		if (layer_below) {
			*from = it->back ? key - 1 : key + 1;
			*done = false;
			return 0;
		}
		it->at++;
	}
	*done = !it->bounded;
	*from = it->bound;
	return 0;
}

static int search_tree(struct quest *q, uint64_t *top, unsigned layer, bool from_end)
{
	uint64_t from = q->it->back ? ~0ull : 0, slice;
	bool done = false;
	int r = 0;

	if (layer >= MAX_LAYERS || (!from_end && layer * SLICE >= q->key->len))
		return -EINVLOBJ;
	if (!from_end)
		from = slice = map_slice(q->key, layer);
	while (r == 0 && !done)
		r = search_leaf(q, top, layer, &from, from_end ? NULL : &slice, &done);
	return r;
}

/* Go to the first key from `key` on, or behind it; NULL: from the end. */
static int search(struct twz_map_iter *it, const struct map_key *key, bool behind)
{
	int r;

	do {
		struct quest q = { it, key, behind, 0 };
		r = ds_seq_read(it->o, &it->m->guard, &it->seq);
		if (r < 0)
			return r;
		r = search_tree(&q, &it->m->root, 0, !key);
	} while (r == -EAGAIN || !ds_seq_valid(&it->m->guard.seq, it->seq));
	if (r <= 0)
		it->count = it->at = it->bounded = 0;
	return r;
}

/* --- seeking */

static int seek(struct twz_map_iter *it, const struct map_key *k, bool back)
{
	int r = map_begin_read(it->o, it->m, k->whole ? TWZ_MAP_U64 : TWZ_MAP_BYTES);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!ds_key_ok(k->bytes, k->len, 0))
		return -EINVAL;
	it->back = back;
	return search(it, k, false);
}

int twz_map_seek(struct twz_map_iter *it, const void *key, size_t klen)
{
	return seek(it, &(struct map_key){ key, klen, false }, false);
}

int twz_map_seek_u64(struct twz_map_iter *it, uint64_t key)
{
	return seek(it, &(struct map_key){ (unsigned char *)&key, sizeof(key), true }, false);
}

int twz_map_seek_back(struct twz_map_iter *it, const void *key, size_t klen)
{
	return seek(it, &(struct map_key){ key, klen, false }, true);
}

int twz_map_seek_back_u64(struct twz_map_iter *it, uint64_t key)
{
	return seek(it, &(struct map_key){ (unsigned char *)&key, sizeof(key), true }, true);
}

/* --- stepping */

/* The next entry of the copied leaf, or of the next leaf of the first layer; 0: search. */
static int step(struct twz_map_iter *it)
{
	struct ds_record *r;
	struct spot s;

	if (!ds_seq_valid(&it->m->guard.seq, it->seq))
		return 0;
	if (it->at == it->count && it->bounded && it->layer == 0 &&
	    map_descend(it->o, &it->m->root, it->bound, &s) == 0)
		copy_leaf(it, &s, it->bound);
	if (it->at == it->count || it->words[it->at] & LAYER)
		return 0;
	r = ds_record_at(it->o, it->words[it->at]);
	return r && take(it, r) == 1 ? (it->at++, 1) : 0;
}

static int go(struct twz_map_iter *it, bool back)
{
	struct map_key here;
	int r = map_begin_read(it->o, it->m, 0);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (it->placed && it->back == back && step(it))
		return 1;
	it->back = back;
	if (!it->placed)
		return search(it, NULL, false);
	here = (struct map_key){ it->copy, it->klen, whole_keys(it) };
	return search(it, &here, true);
}

int twz_map_next(struct twz_map_iter *it)
{
	return go(it, false);
}

int twz_map_prev(struct twz_map_iter *it)
{
	return go(it, true);
}

ssize_t twz_map_iter_value(struct twz_map_iter *it, void *buf, size_t size)
{
	uint64_t key;

	if (!it->placed)
		return -ENOENT;
	if (!whole_keys(it))
		return twz_map_get(it->o, it->m, it->copy, it->klen, buf, size);
	memcpy(&key, it->copy, sizeof(key));
	return twz_map_get_u64(it->o, it->m, key, buf, size);
}
