// SPDX-License-Identifier: BSD-3-Clause
/* Walks over p-ptrs within an object, whose handle is at hand. */
/* The C library's headers come first: see twz/_types.h. */
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "ours.h"

#define WALK_SIZE (1ul << 28)

static twzobj objects[1];
static size_t used[1];

static void begin(void)
{
	used[0] = 0;
	ours_new(&objects[0]);
}

static void end(void)
{
	ours_drop(&objects[0]);
}

static void *new_piece(size_t bytes)
{
	char *p = (char *)twz_object_base(&objects[0]) + used[0];

	used[0] += (bytes + 63) / 64 * 64;
	must(used[0] <= WALK_SIZE, "room");
	return p;
}

#define REF void *
#define NODE(place) ((struct tree_node *)twz_object_lea(&objects[0], (place)))
#define ITEM(place) ((struct hash_item *)twz_object_lea(&objects[0], (place)))
#define IS_NULL(place) (!(place))
#define NEW(bytes) new_piece(bytes)
#define SET(place, p) ((place) = twz_ptr_local((void *)(p)))
#include "walk.h"

static struct tree_node *root;
static REF *buckets;

static bool begin_tree(void)
{
	begin();
	root = tree_make(WALK_KEYS);
	return true;
}

static bool begin_hash(void)
{
	begin();
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

const struct contender ours_tree = { "ours", begin_tree, run_tree, end };
const struct contender ours_hash = { "ours", begin_hash, run_hash, end };
