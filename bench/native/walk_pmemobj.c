// SPDX-License-Identifier: BSD-3-Clause
/* Walks over OIDs, in one pool or from pool to pool: in one great array, laid out as the others'. */
#include "bench.h"
#include "pool.h"

#define WALK_SIZE (1ul << 28)

static PMEMobjpool *pools[2];
static char *arrays[2];
static size_t used[2];
static int part, part_count;

static void begin(int parts)
{
	part_count = parts;
	for (int i = 0; i < parts; i++) {
		PMEMoid oid;

		pools[i] = pool_make(i ? "pool2" : "pool1", WALK_SIZE + (64 << 20));
		must(pmemobj_zalloc(pools[i], &oid, WALK_SIZE, 1) == 0, "pmemobj_zalloc");
		arrays[i] = pmemobj_direct(oid);
		used[i] = 0;
	}
}

static void end(void)
{
	for (int i = 0; i < part_count; i++)
		pool_drop(pools[i], i ? "pool2" : "pool1");
}

static void *new_piece(size_t bytes)
{
	int i = part++ % part_count;
	void *p = arrays[i] + used[i];

	used[i] += (bytes + 63) / 64 * 64;
	must(used[i] <= WALK_SIZE, "room");
	return p;
}

#define REF PMEMoid
#define NODE(place) ((struct tree_node *)pmemobj_direct(place))
#define ITEM(place) ((struct hash_item *)pmemobj_direct(place))
#define IS_NULL(place) OID_IS_NULL(place)
#define NEW(bytes) new_piece(bytes)
#define SET(place, p) ((place) = pmemobj_oid(p))
#include "walk.h"

static struct tree_node *root;
static REF *buckets;

static bool begin_tree(int parts)
{
	begin(parts);
	root = tree_make(WALK_KEYS);
	return true;
}

static bool begin_hash(int parts)
{
	begin(parts);
	buckets = hash_make(WALK_KEYS);
	return true;
}

static double run_tree(void)
{
	return tree_run(root);
}

static double run_hash(void)
{
	return hash_run(buckets);
}

static bool begin_tree_one(void)
{
	return begin_tree(1);
}

static bool begin_hash_one(void)
{
	return begin_hash(1);
}

static bool begin_tree_two(void)
{
	return begin_tree(2);
}

static bool begin_hash_two(void)
{
	return begin_hash(2);
}

const struct contender pmemobj_tree = { "pmemobj", begin_tree_one, run_tree, end };
const struct contender pmemobj_hash = { "pmemobj", begin_hash_one, run_hash, end };
const struct contender pmemobj_tree_two = { "pmemobj", begin_tree_two, run_tree, end };
const struct contender pmemobj_hash_two = { "pmemobj", begin_hash_two, run_hash, end };
