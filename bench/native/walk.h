// SPDX-License-Identifier: BSD-3-Clause
/*
 * A B+tree and a chained hash table over whatever pointers the includer has, so that plain
 * pointers, ours and OIDs are measured with one and the same code. The includer defines:
 *
 *	REF               the stored pointer's type
 *	NODE(place)       the tree_node that the pointer stored in `place` leads to
 *	ITEM(place)       the same for a hash_item
 *	IS_NULL(place)
 *	NEW(bytes)        fresh, zeroed memory: an address
 *	SET(place, p)     store a pointer to the address p in `place`
 *
 * The trees are filled from sorted keys, full to the brim; lookups are what is measured.
 */
#include <stdint.h>

#define FANOUT 32

struct tree_node {
	uint32_t count; /* keys */
	uint32_t leaf;
	uint64_t keys[FANOUT];
	union {
		REF children[FANOUT]; /* child i has the keys from keys[i] on */
		uint64_t values[FANOUT];
	};
};

struct hash_item {
	uint64_t key, value;
	REF next;
};

static uint64_t tree_find(const struct tree_node *n, uint64_t key)
{
	for (;;) {
		uint32_t low = 0, high = n->count;

		while (high - low > 1) {
			uint32_t middle = (low + high) / 2;

			if (n->keys[middle] <= key)
				low = middle;
			else
				high = middle;
		}
		if (n->leaf)
			return n->keys[low] == key ? n->values[low] : 0;
		n = NODE(n->children[low]);
	}
}

/* The tree of keys first, first + step …; returns its root. */
static struct tree_node *tree_fill(uint64_t first, uint64_t count, uint64_t step,
    unsigned int height)
{
	struct tree_node *n = NEW(sizeof(*n));
	uint64_t below = 1;

	for (unsigned int i = 0; i < height; i++)
		below *= FANOUT;
	n->leaf = height == 0;
	for (; n->count < FANOUT && n->count * below < count; n->count++) {
		uint64_t start = n->count * below, left = count - start;

		n->keys[n->count] = first + start * step;
		if (n->leaf)
			n->values[n->count] = n->keys[n->count] + 1;
		else
			SET(n->children[n->count], tree_fill(first + start * step,
			    left < below ? left : below, step, height - 1));
	}
	return n;
}

static struct tree_node *tree_make(uint64_t count)
{
	unsigned int height = 0;

	for (uint64_t room = FANOUT; room < count; room *= FANOUT)
		height++;
	return tree_fill(2, count, 2, height);
}

static uint64_t hash_slot(uint64_t key, uint64_t buckets)
{
	return (key * 0x9e3779b97f4a7c15ull >> 32) % buckets;
}

static uint64_t hash_find(REF const *buckets, uint64_t count, uint64_t key)
{
	REF const *at = &buckets[hash_slot(key, count)];

	while (!IS_NULL(*at)) {
		const struct hash_item *item = ITEM(*at);

		if (item->key == key)
			return item->value;
		at = &item->next;
	}
	return 0;
}

/* Longer chains grow at their ends. */
static REF *hash_make(uint64_t count)
{
	REF *buckets = NEW(count * sizeof(REF));

	for (uint64_t i = 0; i < count; i++) {
		struct hash_item *item = NEW(sizeof(*item));
		REF *at;

		item->key = 2 + 2 * i;
		item->value = item->key + 1;
		for (at = &buckets[hash_slot(item->key, count)]; !IS_NULL(*at); at = &ITEM(*at)->next)
			;
		SET(*at, item);
	}
	return buckets;
}

/* Keys in random order; what is returned is nanoseconds for one. */
static double tree_run(const struct tree_node *root)
{
	uint64_t state = 1, sum = 0;
	double start = cpu_ns();

	for (uint32_t i = 0; i < WALK_LOOKUPS; i++)
		sum += tree_find(root, 2 + 2 * (random_next(&state) % WALK_KEYS));
	sink = sum;
	return (cpu_ns() - start) / WALK_LOOKUPS;
}

static double hash_run(REF const *buckets)
{
	uint64_t state = 1, sum = 0;
	double start = cpu_ns();

	for (uint32_t i = 0; i < WALK_LOOKUPS; i++)
		sum += hash_find(buckets, WALK_KEYS, 2 + 2 * (random_next(&state) % WALK_KEYS));
	sink = sum;
	return (cpu_ns() - start) / WALK_LOOKUPS;
}
