// SPDX-License-Identifier: BSD-3-Clause
/* Walks over plain pointers, in one mapped file or from file to file. */
#include "bench.h"

#include <sys/mman.h>
#include <unistd.h>

#define WALK_SIZE (1ul << 28)

static char *files[2];
static size_t used[2];
static int part, part_count;

static void begin(int parts)
{
	part_count = parts;
	for (int i = 0; i < parts; i++) {
		files[i] = map_file(i ? "raw2" : "raw1", WALK_SIZE);
		used[i] = 0;
	}
}

static void end(void)
{
	for (int i = 0; i < part_count; i++) {
		munmap(files[i], WALK_SIZE);
		unlink(bench_path(i ? "raw2" : "raw1"));
	}
}

/* One piece after the other from one file after the other. */
static void *new_piece(size_t bytes)
{
	int i = part++ % part_count;
	void *p = files[i] + used[i];

	used[i] += (bytes + 63) / 64 * 64;
	must(used[i] <= WALK_SIZE, "room");
	return p;
}

#define REF void *
#define NODE(place) ((struct tree_node *)(place))
#define ITEM(place) ((struct hash_item *)(place))
#define IS_NULL(place) (!(place))
#define NEW(bytes) new_piece(bytes)
#define SET(place, p) ((place) = (p))
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

const struct contender raw_tree = { "raw", begin_tree_one, run_tree, end };
const struct contender raw_hash = { "raw", begin_hash_one, run_hash, end };
const struct contender raw_tree_two = { "raw", begin_tree_two, run_tree, end };
const struct contender raw_hash_two = { "raw", begin_hash_two, run_hash, end };
