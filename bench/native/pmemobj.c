// SPDX-License-Identifier: BSD-3-Clause
/* libpmemobj: pointers, allocation, transactions. */
#include "bench.h"
#include "pool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
	PMEMoid next;
	uint64_t value;
	uint64_t rest[5];
};

_Static_assert(sizeof(struct node) == 64, "one line a node");

static PMEMobjpool *pools[2];
static PMEMoid arrays[2];
static PMEMoid start;

PMEMobjpool *pool_make(const char *name, size_t size)
{
	PMEMobjpool *p = pmemobj_create(bench_path(name), "bench", size, 0600);

	must(p, "pmemobj_create");
	return p;
}

void pool_drop(PMEMobjpool *pool, const char *name)
{
	pmemobj_close(pool);
	unlink(bench_path(name));
}

static PMEMoid node_oid(int part, size_t index)
{
	PMEMoid oid = arrays[part];

	oid.off += index * sizeof(struct node);
	return oid;
}

static bool make_ring(size_t count, int parts)
{
	uint32_t *order = shuffled(count);

	for (int i = 0; i < parts; i++) {
		pools[i] = pool_make(i ? "pool2" : "pool1", count * sizeof(struct node) + (32 << 20));
		must(pmemobj_alloc(pools[i], &arrays[i], count * sizeof(struct node), 1, NULL,
		    NULL) == 0, "pmemobj_alloc");
	}
	for (size_t i = 0; i < count; i++) {
		struct node *n = pmemobj_direct(node_oid((int)(i % (size_t)parts), order[i]));
		size_t after = (i + 1) % count;

		n->next = node_oid((int)(after % (size_t)parts), order[after]);
		n->value = order[i];
	}
	start = node_oid(0, order[0]);
	free(order);
	return true;
}

static double hop(uint32_t hops)
{
	uint64_t sum = 0;
	const struct node *n = pmemobj_direct(start);
	double from = cpu_ns();

	for (uint32_t i = 0; i < hops; i++) {
		sum += n->value;
		n = pmemobj_direct(n->next);
	}
	sink = sum;
	return (cpu_ns() - from) / hops;
}

static bool begin_list(void)
{
	return make_ring(LIST_SMALL, 1);
}

static bool begin_two(void)
{
	return make_ring(LIST_SMALL, 2);
}

static bool begin_large(void)
{
	return make_ring(LIST_LARGE, 1);
}

static bool begin_two_large(void)
{
	return make_ring(LIST_LARGE, 2);
}

static double run_list(void)
{
	return hop(HOPS);
}

static double run_large(void)
{
	return hop(HOPS_LARGE);
}

static void end_list(void)
{
	for (int i = 0; i < 2; i++) {
		if (pools[i])
			pool_drop(pools[i], i ? "pool2" : "pool1");
		pools[i] = NULL;
	}
}

const struct contender pmemobj_list = { "pmemobj", begin_list, run_list, end_list };
const struct contender pmemobj_list_two = { "pmemobj", begin_two, run_list, end_list };
const struct contender pmemobj_list_large = { "pmemobj", begin_large, run_large, end_list };
const struct contender pmemobj_list_two_large = { "pmemobj", begin_two_large, run_large, end_list };

#define STORES 200000u

static double run_store(void)
{
	struct node *nodes = pmemobj_direct(arrays[0]);
	double from = cpu_ns();

	for (uint32_t i = 0; i < STORES; i++) {
		struct node *n = &nodes[i % LIST_SMALL];

		n->next = start;
		pmemobj_persist(pools[0], &n->next, sizeof(n->next));
	}
	return (cpu_ns() - from) / STORES;
}

const struct contender pmemobj_store = { "pmemobj", begin_list, run_store, end_list };

#define OPENS 100u

static bool begin_open(void)
{
	pmemobj_close(pool_make("pool1", 32 << 20));
	return true;
}

static double run_open(void)
{
	double from = cpu_ns();

	for (uint32_t i = 0; i < OPENS; i++) {
		PMEMobjpool *p = pmemobj_open(bench_path("pool1"), "bench");

		must(p, "pmemobj_open");
		pmemobj_close(p);
	}
	return (cpu_ns() - from) / OPENS;
}

static void end_open(void)
{
	unlink(bench_path("pool1"));
}

const struct contender pmemobj_open_close = { "pmemobj", begin_open, run_open, end_open };

/* --- allocation: with the pointer to it written in the same failure-atomic step */

#define PIECES 50000u

static PMEMoid owners;

static bool begin_memory(void)
{
	pools[0] = pool_make("pool1", 256 << 20);
	must(pmemobj_zalloc(pools[0], &owners, PIECES * sizeof(PMEMoid), 1) == 0, "pmemobj_zalloc");
	return true;
}

static double alloc_all(void)
{
	PMEMoid *owner = pmemobj_direct(owners);
	double from = cpu_ns();

	for (uint32_t i = 0; i < PIECES; i++)
		must(pmemobj_alloc(pools[0], &owner[i], 64, 1, NULL, NULL) == 0, "pmemobj_alloc");
	return (cpu_ns() - from) / PIECES;
}

static double free_all(void)
{
	PMEMoid *owner = pmemobj_direct(owners);
	double from = cpu_ns();

	for (uint32_t i = 0; i < PIECES; i++)
		pmemobj_free(&owner[i]);
	return (cpu_ns() - from) / PIECES;
}

static double run_alloc(void)
{
	double result = alloc_all();

	free_all();
	return result;
}

static double run_free(void)
{
	alloc_all();
	return free_all();
}

const struct contender pmemobj_alloc_row = { "pmemobj", begin_memory, run_alloc, end_list };
const struct contender pmemobj_free_row = { "pmemobj", begin_memory, run_free, end_list };

/* --- transactions: fields of 64 bytes, each in a line of its own */

#define TRANSACTIONS 100000u

static double transactions(unsigned int fields)
{
	char *p = pmemobj_direct(owners);
	double from = cpu_ns();

	for (uint32_t i = 0; i < TRANSACTIONS / fields; i++) {
		must(pmemobj_tx_begin(pools[0], NULL, TX_PARAM_NONE) == 0, "pmemobj_tx_begin");
		for (unsigned int k = 0; k < fields; k++) {
			char *field = p + 64 * ((i + 7 * k) % 1024);

			pmemobj_tx_add_range_direct(field, 64);
			memset(field, (int)i, 64);
		}
		pmemobj_tx_commit();
		pmemobj_tx_end();
	}
	return (cpu_ns() - from) / (TRANSACTIONS / fields);
}

static double run_tx1(void)
{
	return transactions(1);
}

static double run_tx10(void)
{
	return transactions(10);
}

static double run_tx16(void)
{
	return transactions(16);
}

const struct contender pmemobj_tx1 = { "pmemobj", begin_memory, run_tx1, end_list };
const struct contender pmemobj_tx10 = { "pmemobj", begin_memory, run_tx10, end_list };
const struct contender pmemobj_tx16 = { "pmemobj", begin_memory, run_tx16, end_list };
