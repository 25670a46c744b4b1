// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ordered map: a B+tree with nodes of 512 bytes for 31 keys of 64 bits. Leaves are unsorted, as in
 * FPTree (Oukid et al. 2016): an entry is there as soon as its pointer is not 0, and that store is
 * part of the allocator's step that publishes the record. Inner nodes are sorted and never change
 * but for a child pointer: a split makes new nodes and a new parent, put in place in one step. Keys
 * of bytes are cut into slices of 7 bytes, each with a tree of its own where two keys have a slice
 * in common, as in Masstree (Mao et al. 2012).
 *
 * A map has keys of 64 bits (ordered as unsigned numbers) or keys of bytes (ordered as memcmp, the
 * shorter first); the first put decides which, and the other kind is -EINVAL from then on.
 *
 * Threads and views: one writer at a time (m->guard.lock, crash-proof). Readers take no lock: they
 * read, then look whether something was freed under them (m->guard.seq), and read again if so. What
 * get returns was the value at one moment of the call.
 */
#ifndef TWZ_DS_MAP_H
#define TWZ_DS_MAP_H

#include <twz/ds/ds.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TWZ_MAP_U64 1u   /* head.flags: keys of 64 bits */
#define TWZ_MAP_BYTES 2u /* keys of bytes */

struct twz_map {
	struct twz_ds_head head;
	uint64_t root;  /* local p-ptr: the top node, 0 while empty */
	uint64_t trash; /* local p-ptr: the top node of a tree that is being freed, or 0 */
	struct twz_ds_guard guard; /* of all of the map */
	uint64_t reserved;
};

_Static_assert(sizeof(struct twz_map) == 64, "map root");

/* Make *m an empty map; only for memory that is not zeroed. Durable on return. */
int twz_map_init(twzobj *o, struct twz_map *m);

/* As twz_hash_put. */
int twz_map_put(twzobj *o, struct twz_map *m, const void *key, size_t klen, const void *value,
    size_t len, unsigned flags);

/* As twz_hash_get. */
ssize_t twz_map_get(twzobj *o, struct twz_map *m, const void *key, size_t klen, void *buf,
    size_t size);

/* As twz_hash_find. */
void *twz_map_find(twzobj *o, struct twz_map *m, const void *key, size_t klen, size_t *len);

/* As twz_hash_erase. Nodes that become empty are freed. */
int twz_map_erase(twzobj *o, struct twz_map *m, const void *key, size_t klen);

/* The same for maps with keys of 64 bits. */
int twz_map_put_u64(twzobj *o, struct twz_map *m, uint64_t key, const void *value, size_t len,
    unsigned flags);
ssize_t twz_map_get_u64(twzobj *o, struct twz_map *m, uint64_t key, void *buf, size_t size);
void *twz_map_find_u64(twzobj *o, struct twz_map *m, uint64_t key, size_t *len);
int twz_map_erase_u64(twzobj *o, struct twz_map *m, uint64_t key);

/* How many keys there are. Walks all leaves. */
ssize_t twz_map_count(twzobj *o, struct twz_map *m);

/* As twz_hash_clear. */
int twz_map_clear(twzobj *o, struct twz_map *m);

#define TWZ_MAP_NODE_KEYS 31

/*
 * A place in the order of a map, and the entry that stands there. It holds a copy of its key and of
 * the leaf it was in: it may be kept for any time while the map changes. Under concurrent changes a
 * key that is there all the time is seen once, in order; one that comes or goes is seen or not.
 */
struct twz_map_iter {
	twzobj *o;
	struct twz_map *m;
	/* The entry. value is in the object: as twz_map_find; twz_map_iter_value copies it. */
	const void *key; /* klen bytes; in a map with keys of 64 bits see key64 */
	const void *value;
	size_t klen, len;
	uint64_t key64;
	/* The rest is private. */
	uint64_t seq, bound;
	uint16_t count, at;
	uint8_t layer, back, bounded, placed;
	uint64_t keys[TWZ_MAP_NODE_KEYS], words[TWZ_MAP_NODE_KEYS];
	unsigned char copy[TWZ_DS_KEY_MAX];
};

/* Stand at neither end: twz_map_next goes to the first key then, twz_map_prev to the last. */
void twz_map_iter_init(struct twz_map_iter *it, twzobj *o, struct twz_map *m);

/* Go to the first key that is not less (lower bound): 1, 0 there is none, or an error. */
int twz_map_seek(struct twz_map_iter *it, const void *key, size_t klen);
int twz_map_seek_u64(struct twz_map_iter *it, uint64_t key);

/* Go to the last key that is not greater: 1, 0 there is none, or an error. */
int twz_map_seek_back(struct twz_map_iter *it, const void *key, size_t klen);
int twz_map_seek_back_u64(struct twz_map_iter *it, uint64_t key);

/* Go to the next, the previous key: 1, 0 that was all (and the place is kept), or an error. */
int twz_map_next(struct twz_map_iter *it);
int twz_map_prev(struct twz_map_iter *it);

/* Copy up to size bytes of the entry's value: its length; -ENOENT it was erased meanwhile. */
ssize_t twz_map_iter_value(struct twz_map_iter *it, void *buf, size_t size);

/* Check the whole map, as twz_ds_check. */
int twz_map_check(twzobj *o, const struct twz_map *m);

#ifdef __cplusplus
}
#endif

#endif
