// SPDX-License-Identifier: BSD-3-Clause
/* Walks over p-ptrs from object to object: every other piece is in the second one. */
/* The C library's headers come first: see twz/_types.h. */
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "ours.h"

#define WALK_SIZE (1ul << 28)

static twzobj objects[2];
static size_t used[2];
static int part;

static void begin(void)
{
	for (int i = 0; i < 2; i++) {
		used[i] = 0;
		ours_new(&objects[i]);
	}
}

static void end(void)
{
	ours_drop(&objects[0]);
	ours_drop(&objects[1]);
}

static void *new_piece(size_t bytes)
{
	int i = part++ % 2;
	char *p = (char *)twz_object_base(&objects[i]) + used[i];

	used[i] += (bytes + 63) / 64 * 64;
	must(used[i] <= WALK_SIZE, "room");
	return p;
}

static void set(void *place, void *p)
{
	twzobj holder = twz_object_from_ptr(place);

	*(void **)place = twz_ptr_swizzle(&holder, p, ACCESS);
}

#define REF void *
#define NODE(place) ((struct tree_node *)twz_ptr_lea(place))
#define ITEM(place) ((struct hash_item *)twz_ptr_lea(place))
#define IS_NULL(place) (!(place))
#define NEW(bytes) new_piece(bytes)
#define SET(place, p) set(&(place), (p))
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

const struct contender ours_tree_two = { "ours", begin_tree, run_tree, end };
const struct contender ours_hash_two = { "ours", begin_hash, run_hash, end };
