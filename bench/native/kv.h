// SPDX-License-Identifier: BSD-3-Clause
/* Key-value stores under the mixes A to F of YCSB: 8-byte keys, values of 64 bytes. */
#ifndef BENCH_KV_H
#define BENCH_KV_H

#include <stdbool.h>
#include <stdint.h>

#define KV_RECORDS 1000000u
#define KV_VALUE 64
#define KV_SCAN_MOST 100

/* A store. Every put is durable, or as durable as its library's fast mode makes it, when it returns. */
struct kv {
	const char *column;
	unsigned int operations; /* how many to measure of each mix: slow ones get fewer */
	bool ordered;            /* has scan() */
	bool (*begin)(void);     /* make an empty store; false: leave it out */
	void (*load_begin)(void); /* may be NULL; the load may be one transaction */
	void (*load_end)(void);
	void (*put)(uint64_t key, const char *value); /* insert or replace */
	bool (*get)(uint64_t key, char *value);
	unsigned int (*scan)(uint64_t from, unsigned int most, char *value); /* how many were read */
	void (*end)(void);
};

extern const struct kv kv_pmemobj_hash, kv_pmemobj_tree, kv_lmdb, kv_sqlite;
extern const struct kv kv_ours_hash, kv_ours_map;

/* Measure and print the rows of all stores. */
void kv_measure(void);

#endif
