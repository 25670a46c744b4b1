// SPDX-License-Identifier: BSD-3-Clause
/*
 * A B+tree in a pool of libpmemobj. A leaf keeps its keys sorted and its values where they were
 * put: inserting moves keys and the bytes that say where, not the values; a new value needs no
 * snapshot, because nothing led to its place. Leaves are linked for scans.
 */
#include "bench.h"
#include "kv.h"
#include "pool.h"

#include <string.h>

#define FANOUT 32

struct head {
	uint32_t count, leaf;
	uint64_t keys[FANOUT];
};

struct inner {
	struct head head;
	PMEMoid children[FANOUT]; /* child i has the keys from keys[i] on; keys[0] counts as 0 */
};

struct leaf {
	struct head head;
	uint8_t places[FANOUT]; /* of key i: which value */
	PMEMoid next;
	char values[FANOUT][KV_VALUE];
};

struct top {
	PMEMoid root;
};

static PMEMobjpool *pool;
static struct top *top;

static struct head *node(PMEMoid oid)
{
	return pmemobj_direct(oid);
}

/* The last place whose key is not greater, 0 if all are. */
static uint32_t place_of(const struct head *h, uint64_t key)
{
	uint32_t low = 0, high = h->count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (h->keys[middle] <= key)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static struct leaf *leaf_of(uint64_t key)
{
	struct head *h = node(top->root);

	while (!h->leaf)
		h = node(((struct inner *)h)->children[place_of(h, key)]);
	return (struct leaf *)h;
}

static bool begin(void)
{
	pool = pool_make("tree", 768ul << 20);
	top = pmemobj_direct(pmemobj_root(pool, sizeof(*top)));
	must(pmemobj_zalloc(pool, &top->root, sizeof(struct leaf), 1) == 0, "pmemobj_zalloc");
	node(top->root)->leaf = 1;
	pmemobj_persist(pool, &node(top->root)->leaf, 4);
	return true;
}

/* The upper half of a full leaf goes to a new one. */
static PMEMoid split_leaf(struct leaf *l)
{
	PMEMoid oid = pmemobj_tx_zalloc(sizeof(struct leaf), 1);
	struct leaf *n = pmemobj_direct(oid);

	n->head.leaf = 1;
	n->head.count = FANOUT / 2;
	for (uint32_t i = 0; i < FANOUT / 2; i++) {
		n->head.keys[i] = l->head.keys[FANOUT / 2 + i];
		n->places[i] = (uint8_t)i;
		memcpy(n->values[i], l->values[l->places[FANOUT / 2 + i]], KV_VALUE);
	}
	n->next = l->next;
	pmemobj_tx_add_range_direct(&l->head.count, sizeof(l->head.count));
	pmemobj_tx_add_range_direct(&l->next, sizeof(l->next));
	l->head.count = FANOUT / 2;
	l->next = oid;
	return oid;
}

static PMEMoid split_inner(struct inner *l)
{
	PMEMoid oid = pmemobj_tx_zalloc(sizeof(struct inner), 1);
	struct inner *n = pmemobj_direct(oid);

	n->head.count = FANOUT / 2;
	memcpy(n->head.keys, l->head.keys + FANOUT / 2, sizeof(l->head.keys) / 2);
	memcpy(n->children, l->children + FANOUT / 2, sizeof(l->children) / 2);
	pmemobj_tx_add_range_direct(&l->head.count, sizeof(l->head.count));
	l->head.count = FANOUT / 2;
	return oid;
}

static void insert_child(struct inner *n, uint32_t at, uint64_t key, PMEMoid child)
{
	uint32_t behind = n->head.count - at;

	pmemobj_tx_add_range_direct(&n->head.count, sizeof(n->head.count));
	pmemobj_tx_add_range_direct(&n->head.keys[at], (behind + 1) * sizeof(uint64_t));
	pmemobj_tx_add_range_direct(&n->children[at], (behind + 1) * sizeof(PMEMoid));
	memmove(&n->head.keys[at + 1], &n->head.keys[at], behind * sizeof(uint64_t));
	memmove(&n->children[at + 1], &n->children[at], behind * sizeof(PMEMoid));
	n->head.keys[at] = key;
	n->children[at] = child;
	n->head.count++;
}

static void grow_root(PMEMoid right)
{
	PMEMoid oid = pmemobj_tx_zalloc(sizeof(struct inner), 1);
	struct inner *n = pmemobj_direct(oid);

	n->head.count = 2;
	n->head.keys[1] = node(right)->keys[0];
	n->children[0] = top->root;
	n->children[1] = right;
	pmemobj_tx_add_range_direct(&top->root, sizeof(top->root));
	top->root = oid;
}

/* Split what is full on the way down, so that a parent always has room. */
static struct leaf *descend_splitting(uint64_t key)
{
	struct inner *parent = NULL;
	PMEMoid at = top->root;
	uint32_t place = 0;

	for (;;) {
		struct head *h = node(at);

		if (h->count == FANOUT) {
			PMEMoid right = h->leaf ? split_leaf((struct leaf *)h) :
			    split_inner((struct inner *)h);

			if (parent)
				insert_child(parent, place + 1, node(right)->keys[0], right);
			else
				grow_root(right);
			if (key >= node(right)->keys[0])
				h = node(right);
		}
		if (h->leaf)
			return (struct leaf *)h;
		parent = (struct inner *)h;
		place = place_of(h, key);
		at = parent->children[place];
	}
}

/* A value place that nothing leads to: the leaf has room. */
static uint8_t free_place(const struct leaf *l)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < l->head.count; i++)
		used |= 1u << l->places[i];
	return (uint8_t)__builtin_ctz(~used);
}

static void insert(uint64_t key, const char *value)
{
	struct leaf *l = descend_splitting(key);
	uint32_t at = place_of(&l->head, key), behind;
	uint8_t place = free_place(l);

	at += l->head.count && l->head.keys[at] < key;
	behind = l->head.count - at;
	pmemobj_tx_xadd_range_direct(l->values[place], KV_VALUE, POBJ_XADD_NO_SNAPSHOT);
	memcpy(l->values[place], value, KV_VALUE);
	pmemobj_tx_add_range_direct(&l->head.count, sizeof(l->head.count));
	pmemobj_tx_add_range_direct(&l->head.keys[at], (behind + 1) * sizeof(uint64_t));
	pmemobj_tx_add_range_direct(&l->places[at], behind + 1);
	memmove(&l->head.keys[at + 1], &l->head.keys[at], behind * sizeof(uint64_t));
	memmove(&l->places[at + 1], &l->places[at], behind);
	l->head.keys[at] = key;
	l->places[at] = place;
	l->head.count++;
}

static char *find(uint64_t key)
{
	struct leaf *l = leaf_of(key);
	uint32_t at = place_of(&l->head, key);

	return l->head.count && l->head.keys[at] == key ? l->values[l->places[at]] : NULL;
}

static void put(uint64_t key, const char *value)
{
	char *known = find(key);

	must(pmemobj_tx_begin(pool, NULL, TX_PARAM_NONE) == 0, "pmemobj_tx_begin");
	if (known) {
		pmemobj_tx_add_range_direct(known, KV_VALUE);
		memcpy(known, value, KV_VALUE);
	} else {
		insert(key, value);
	}
	pmemobj_tx_commit();
	pmemobj_tx_end();
}

static bool get(uint64_t key, char *value)
{
	const char *known = find(key);

	if (known)
		memcpy(value, known, KV_VALUE);
	return known;
}

static unsigned int scan(uint64_t from, unsigned int most, char *value)
{
	struct leaf *l = leaf_of(from);
	uint32_t at = place_of(&l->head, from);
	unsigned int n = 0;

	at += l->head.count && l->head.keys[at] < from;
	while (l && n < most) {
		for (; at < l->head.count && n < most; at++, n++)
			memcpy(value, l->values[l->places[at]], KV_VALUE);
		at = 0;
		l = pmemobj_direct(l->next);
	}
	return n;
}

static void end(void)
{
	pool_drop(pool, "tree");
}

const struct kv kv_pmemobj_tree = {
	"pmemobj_tree", 300000, true, begin, NULL, NULL, put, get, scan, end,
};
