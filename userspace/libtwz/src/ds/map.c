// SPDX-License-Identifier: BSD-3-Clause
/* Ordered map: finding, putting, erasing. */
#include "map.h"

/* --- beginning */

int map_begin_read(const twzobj *o, const struct twz_map *m, unsigned kind)
{
	int r;

	if (!ds_root_ok(o, m, sizeof(*m)))
		return -EINVAL;
	r = ds_head_check(&m->head, TWZ_DS_MAP);
	if (r < 0)
		return r;
	if (m->head.flags != TWZ_MAP_U64 && m->head.flags != TWZ_MAP_BYTES)
		return -EINVLOBJ;
	return !kind || m->head.flags == kind ? 0 : -EINVAL;
}

static void lock(twzobj *o, struct twz_map *m)
{
	ds_lock(o, &m->guard);
}

/* With the lock, before anything is changed. */
static int begin_change(twzobj *o, struct twz_map *m, unsigned kind)
{
	int r = map_begin_read(o, m, kind);

	if (r == -ENOENT) {
		ds_head_write(o, &m->head, TWZ_DS_MAP, kind);
		r = 0;
	}
	return r == 0 && m->trash ? map_drain(o, m) : r;
}

int twz_map_init(twzobj *o, struct twz_map *m)
{
	if (!ds_root_ok(o, m, sizeof(*m)))
		return -EINVAL;
	memset(m, 0, sizeof(*m));
	ds_flush(o, m, sizeof(*m));
	ds_fence(o);
	return 0;
}

/* --- descending */

static inline struct node *leaf_for(const twzobj *o, uint64_t word, uint64_t key)
{
	struct node *n = map_node(o, word);

	for (unsigned level = 0; n && !map_is_leaf(n); level++) {
		if (level == MAX_LEVELS)
			return NULL;
		n = map_node(o, ds_load(&n->words[map_child(n, key)]));
	}
	return n;
}

static void step_down(struct spot *s, struct node *n, uint64_t key)
{
	unsigned i = map_child(n, key);

	s->parent = n;
	s->parent_word = s->word;
	s->index = i;
	s->word = &n->words[i];
	if (i > 0) {
		s->has_low = true;
		s->low = n->keys[i];
	}
	if (i + 1 < n->count) {
		s->has_high = true;
		s->high = n->keys[i + 1];
	}
}

int map_descend(const twzobj *o, uint64_t *top, uint64_t key, struct spot *s)
{
	*s = (struct spot){ .word = top };
	if (!ds_load(top))
		return -ENOENT;
	for (unsigned level = 0; level <= MAX_LEVELS; level++) {
		struct node *n = map_node(o, ds_load(s->word));
		if (!n)
			return -EINVLOBJ;
		if (map_is_leaf(n)) {
			s->leaf = n;
			return 0;
		}
		step_down(s, n, key);
	}
	return -EINVLOBJ;
}

/* --- finding */

/*
 * The record of a key, or NULL, with *error -ENOENT or -EINVLOBJ. word: that of the leaf, for those
 * who change it.
 */
static inline struct ds_record *lookup(twzobj *o, struct twz_map *m, const struct map_key *k,
    int *error)
{
	uint64_t word = ds_load(&m->root);

	*error = word ? -EINVLOBJ : -ENOENT;
	for (unsigned layer = 0; word && layer <= MAX_LAYERS; layer++) {
		uint64_t slice = map_slice(k, layer);
		struct node *leaf = leaf_for(o, word, slice);
		struct ds_record *r;
		if (!leaf || map_entry(leaf, slice, &word) < 0) {
			*error = leaf ? -ENOENT : -EINVLOBJ;
			return NULL;
		}
		if (word & LAYER && !k->whole && (slice & 0xff) == LONGER)
			continue;
		r = ds_record_at(o, word);
		*error = r ? -ENOENT : -EINVLOBJ;
		return r && ds_record_has_key(r, k->bytes, k->len) ? r : NULL;
	}
	return NULL;
}

static inline ssize_t get(twzobj *o, struct twz_map *m, const struct map_key *k, void *buf,
    size_t size)
{
	struct ds_record *r;
	uint64_t seq;
	ssize_t len;
	int error;

	do {
		error = ds_seq_read(o, &m->guard, &seq);
		if (error < 0)
			return error;
		r = lookup(o, m, k, &error);
		len = r ? ds_record_copy(o, r, buf, size) : error;
	} while (!ds_seq_valid(&m->guard.seq, seq));
	return len;
}

ssize_t twz_map_get(twzobj *o, struct twz_map *m, const void *key, size_t klen, void *buf,
    size_t size)
{
	struct map_key k = { key, klen, false };
	int r = map_begin_read(o, m, TWZ_MAP_BYTES);

	if (r < 0)
		return r;
	if (!ds_key_ok(key, klen, 0) || (size && !buf))
		return -EINVAL;
	return get(o, m, &k, buf, size);
}

ssize_t twz_map_get_u64(twzobj *o, struct twz_map *m, uint64_t key, void *buf, size_t size)
{
	struct map_key k = { (unsigned char *)&key, sizeof(key), true };
	int r = map_begin_read(o, m, TWZ_MAP_U64);

	return r < 0 ? r : get(o, m, &k, buf, size);
}

static void *find(twzobj *o, struct twz_map *m, const struct map_key *k, size_t *len)
{
	struct ds_record *r = NULL;
	uint64_t seq;
	int error;

	if (ds_seq_read(o, &m->guard, &seq) == 0)
		r = lookup(o, m, k, &error);
	if (!r)
		return NULL;
	if (len)
		*len = r->vlen;
	return ds_record_value(r);
}

void *twz_map_find(twzobj *o, struct twz_map *m, const void *key, size_t klen, size_t *len)
{
	struct map_key k = { key, klen, false };

	if (map_begin_read(o, m, TWZ_MAP_BYTES) < 0 || !ds_key_ok(key, klen, 0))
		return NULL;
	return find(o, m, &k, len);
}

void *twz_map_find_u64(twzobj *o, struct twz_map *m, uint64_t key, size_t *len)
{
	struct map_key k = { (unsigned char *)&key, sizeof(key), true };

	return map_begin_read(o, m, TWZ_MAP_U64) < 0 ? NULL : find(o, m, &k, len);
}

/* --- what a change works on */

struct place {
	struct spot spot;
	uint64_t *top; /* of the tree of this layer */
	uint64_t slice;
	unsigned layer;
	int entry; /* -1: none with this slice */
};

/* Descend through the layers to the last one that there is. 0; -ENOENT the map is empty. */
static int find_place(const twzobj *o, struct twz_map *m, const struct map_key *k,
    unsigned last, struct place *p)
{
	*p = (struct place){ .top = &m->root };
	for (; p->layer <= MAX_LAYERS; p->layer++) {
		uint64_t word;
		int r;
		p->slice = map_slice(k, p->layer);
		r = map_descend(o, p->top, p->slice, &p->spot);
		if (r < 0)
			return r;
		p->entry = map_entry(p->spot.leaf, p->slice, &word);
		if (p->entry < 0 || !(word & LAYER) || p->layer == last)
			return 0;
		if (k->whole || (p->slice & 0xff) != LONGER)
			return -EINVLOBJ;
		p->top = &p->spot.leaf->words[p->entry];
	}
	return -EINVLOBJ;
}

static struct ds_record *place_record(const twzobj *o, const struct place *p)
{
	return ds_record_at(o, p->spot.leaf->words[p->entry]);
}

/* --- putting */

static int free_entry(const struct node *leaf)
{
	for (int i = 0; i < (int)FANOUT; i++)
		if (!leaf->words[i])
			return i;
	return -1;
}

static int put_new(twzobj *o, const struct map_key *k, struct ds_value value, struct place *p)
{
	struct node *leaf = p->spot.leaf;
	int i = free_entry(leaf), error;
	struct ds_record *r;

	if (i < 0)
		return -ENOSPC;
	r = ds_record_new(o, k->bytes, k->len, value, &error);
	if (!r)
		return error;
	return ds_publish(o, (struct twz_alloc_action[]){
	    ds_keep(r, ds_record_size(k->len, value.len)), ds_set(&leaf->keys[i], p->slice),
	    ds_set(&leaf->words[i], ds_offset(o, r)) }, 3);
}

static int put_old(twzobj *o, struct twz_map *m, const struct map_key *k, struct ds_value value,
    struct place *p)
{
	struct ds_record *old = place_record(o, p), *r;
	int error;

	if (ds_record_fits(old, value.len)) {
		ds_record_overwrite(o, old, value);
		return 0;
	}
	r = ds_record_new(o, k->bytes, k->len, value, &error);
	if (!r)
		return error;
	return map_publish(o, m, (struct twz_alloc_action[]){
	    ds_keep(r, ds_record_size(k->len, value.len)),
	    ds_set(&p->spot.leaf->words[p->entry], ds_offset(o, r)), ds_drop(old) }, 3);
}

/* Another key has the slice: both go into a layer of their own. */
static int go_deeper(twzobj *o, struct place *p, const struct ds_record *r)
{
	struct map_key other = { r->bytes, r->klen, false };

	if ((p->slice & 0xff) != LONGER || r->klen <= (p->layer + 1) * SLICE)
		return -EINVLOBJ;
	return map_add_layer(o, &p->spot.leaf->words[p->entry], map_slice(&other, p->layer + 1));
}

/* After a step that made the tree ready: descend anew. */
static int again(int r)
{
	return r < 0 ? r : -EAGAIN;
}

/* There is an entry with the slice. */
static int put_at_entry(twzobj *o, struct twz_map *m, const struct map_key *k,
    struct ds_value value, unsigned flags, struct place *p)
{
	struct ds_record *r = place_record(o, p);

	if (!r)
		return -EINVLOBJ;
	if (ds_record_has_key(r, k->bytes, k->len))
		return flags & TWZ_DS_NEW ? -EEXIST : put_old(o, m, k, value, p);
	if (k->whole)
		return -EINVLOBJ;
	return flags & TWZ_DS_OLD ? -ENOENT : again(go_deeper(o, p, r));
}

static int put_once(twzobj *o, struct twz_map *m, const struct map_key *k, struct ds_value value,
    unsigned flags)
{
	struct place p;
	int r = find_place(o, m, k, MAX_LAYERS, &p);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && p.entry >= 0)
		return put_at_entry(o, m, k, value, flags, &p);
	if (flags & TWZ_DS_OLD)
		return -ENOENT;
	if (r == -ENOENT)
		return again(map_add_top(o, p.top));
	r = put_new(o, k, value, &p);
	return r == -ENOSPC ? again(map_make_room(o, m, p.top, p.slice)) : r;
}

static int put(twzobj *o, struct twz_map *m, const struct map_key *k, struct ds_value value,
    unsigned flags)
{
	int r;

	if (!ds_root_ok(o, m, sizeof(*m)) || !ds_key_ok(k->bytes, k->len, value.len) ||
	    (value.len && !value.bytes))
		return -EINVAL;
	lock(o, m);
	r = begin_change(o, m, k->whole ? TWZ_MAP_U64 : TWZ_MAP_BYTES);
	while (r == 0 && (r = put_once(o, m, k, value, flags)) == -EAGAIN)
		r = 0;
	ds_unlock(&m->guard);
	return r;
}

int twz_map_put(twzobj *o, struct twz_map *m, const void *key, size_t klen, const void *value,
    size_t len, unsigned flags)
{
	struct map_key k = { key, klen, false };

	return put(o, m, &k, (struct ds_value){ value, len }, flags);
}

int twz_map_put_u64(twzobj *o, struct twz_map *m, uint64_t key, const void *value, size_t len,
    unsigned flags)
{
	struct map_key k = { (unsigned char *)&key, sizeof(key), true };

	return put(o, m, &k, (struct ds_value){ value, len }, flags);
}

/* --- erasing */

static bool is_empty(const struct node *leaf)
{
	for (unsigned i = 0; i < FANOUT; i++)
		if (leaf->words[i])
			return false;
	return true;
}

/* Free the leaf of a key's layer if it is empty; then above, if that was all of the layer. */
static void tidy(twzobj *o, struct twz_map *m, const struct map_key *k, unsigned layer)
{
	struct place p;

	for (;; layer--) {
		if (find_place(o, m, k, layer, &p) < 0 || p.layer != layer ||
		    !is_empty(p.spot.leaf) || map_prune(o, m, &p.spot) < 0)
			return;
		if (layer == 0 || *p.top)
			return;
	}
}

static int erase_locked(twzobj *o, struct twz_map *m, const struct map_key *k)
{
	struct place p;
	struct ds_record *r;
	int error = find_place(o, m, k, MAX_LAYERS, &p);

	if (error < 0)
		return error;
	r = p.entry < 0 ? NULL : place_record(o, &p);
	if (!r || !ds_record_has_key(r, k->bytes, k->len))
		return p.entry < 0 || r ? -ENOENT : -EINVLOBJ;
	error = map_publish(o, m, (struct twz_alloc_action[]){
	    ds_set(&p.spot.leaf->words[p.entry], 0), ds_drop(r) }, 2);
	if (error == 0)
		tidy(o, m, k, p.layer);
	return error;
}

static int erase(twzobj *o, struct twz_map *m, const struct map_key *k)
{
	unsigned kind = k->whole ? TWZ_MAP_U64 : TWZ_MAP_BYTES;
	int r = map_begin_read(o, m, kind);

	if (r < 0)
		return r;
	if (!ds_key_ok(k->bytes, k->len, 0))
		return -EINVAL;
	lock(o, m);
	r = begin_change(o, m, kind);
	if (r == 0)
		r = erase_locked(o, m, k);
	ds_unlock(&m->guard);
	return r;
}

int twz_map_erase(twzobj *o, struct twz_map *m, const void *key, size_t klen)
{
	struct map_key k = { key, klen, false };

	return erase(o, m, &k);
}

int twz_map_erase_u64(twzobj *o, struct twz_map *m, uint64_t key)
{
	struct map_key k = { (unsigned char *)&key, sizeof(key), true };

	return erase(o, m, &k);
}
