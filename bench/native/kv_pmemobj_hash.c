// SPDX-License-Identifier: BSD-3-Clause
/*
 * A chained hash table in a pool of libpmemobj: as many buckets as records. A new record is
 * allocated and linked in one transaction; a known one's value is replaced in place.
 */
#include "bench.h"
#include "kv.h"
#include "pool.h"

#include <string.h>

#define BUCKETS (1u << 20)

struct record {
	PMEMoid next;
	uint64_t key;
	char value[KV_VALUE];
};

static PMEMobjpool *pool;
static PMEMoid *buckets;

static bool begin(void)
{
	PMEMoid table;

	pool = pool_make("hash", 512ul << 20);
	must(pmemobj_zalloc(pool, &table, BUCKETS * sizeof(PMEMoid), 1) == 0, "pmemobj_zalloc");
	buckets = pmemobj_direct(table);
	return true;
}

static PMEMoid *bucket_of(uint64_t key)
{
	return &buckets[(key * 0x9e3779b97f4a7c15ull) >> 44];
}

static struct record *find(uint64_t key)
{
	for (PMEMoid oid = *bucket_of(key); !OID_IS_NULL(oid);) {
		struct record *r = pmemobj_direct(oid);

		if (r->key == key)
			return r;
		oid = r->next;
	}
	return NULL;
}

static void insert(uint64_t key, const char *value)
{
	PMEMoid *bucket = bucket_of(key);
	PMEMoid oid = pmemobj_tx_alloc(sizeof(struct record), 2);
	struct record *r = pmemobj_direct(oid);

	r->next = *bucket;
	r->key = key;
	memcpy(r->value, value, KV_VALUE);
	pmemobj_tx_add_range_direct(bucket, sizeof(*bucket));
	*bucket = oid;
}

static void put(uint64_t key, const char *value)
{
	struct record *r = find(key);

	must(pmemobj_tx_begin(pool, NULL, TX_PARAM_NONE) == 0, "pmemobj_tx_begin");
	if (r) {
		pmemobj_tx_add_range_direct(r->value, KV_VALUE);
		memcpy(r->value, value, KV_VALUE);
	} else {
		insert(key, value);
	}
	pmemobj_tx_commit();
	pmemobj_tx_end();
}

static bool get(uint64_t key, char *value)
{
	struct record *r = find(key);

	if (r)
		memcpy(value, r->value, KV_VALUE);
	return r;
}

static void end(void)
{
	pool_drop(pool, "hash");
}

const struct kv kv_pmemobj_hash = {
	"pmemobj", 400000, false, begin, NULL, NULL, put, get, NULL, end,
};
