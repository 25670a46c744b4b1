// SPDX-License-Identifier: BSD-3-Clause
/* The hash map and the ordered map of libtwz. */
/* The C library's headers come first: see twz/_types.h. */
#include <string.h>
#include <time.h>

#include "bench.h"
#include "kv.h"
#include "ours.h"

#include <twz/alloc.h>
#include <twz/ds/hash.h>
#include <twz/ds/map.h>

static twzobj object;

static bool begin(void)
{
	ours_new(&object);
	must(twz_object_init_alloc(&object, 4096) == 0, "twz_object_init_alloc");
	return true;
}

static void end(void)
{
	ours_drop(&object);
}

static void hash_put(uint64_t key, const char *value)
{
	must(twz_hash_put_u64(&object, twz_object_base(&object), key, value, KV_VALUE, 0) == 0,
	    "twz_hash_put_u64");
}

static bool hash_get(uint64_t key, char *value)
{
	return twz_hash_get_u64(&object, twz_object_base(&object), key, value, KV_VALUE) == KV_VALUE;
}

static void map_put(uint64_t key, const char *value)
{
	must(twz_map_put_u64(&object, twz_object_base(&object), key, value, KV_VALUE, 0) == 0,
	    "twz_map_put_u64");
}

static bool map_get(uint64_t key, char *value)
{
	return twz_map_get_u64(&object, twz_object_base(&object), key, value, KV_VALUE) == KV_VALUE;
}

static unsigned int map_scan(uint64_t from, unsigned int most, char *value)
{
	static struct twz_map_iter it;
	unsigned int n = 0;

	twz_map_iter_init(&it, &object, twz_object_base(&object));
	for (int r = twz_map_seek_u64(&it, from); r == 1 && n < most; r = twz_map_next(&it)) {
		memcpy(value, it.value, KV_VALUE);
		n++;
	}
	return n;
}

const struct kv kv_ours_hash = {
	"ours", 500000, false, begin, NULL, NULL, hash_put, hash_get, NULL, end,
};
const struct kv kv_ours_map = {
	"ours_map", 500000, true, begin, NULL, NULL, map_put, map_get, map_scan, end,
};
