// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the native benchmarks share. One program measures libtwz, plain pointers and the peers in
 * one run, each row for all of them by turns, so that what disturbs the machine disturbs all.
 * A line of the output is `native: ROW COLUMN VALUE UNIT`; VALUE is CPU time, or operations per
 * second of CPU time.
 */
#ifndef BENCH_NATIVE_H
#define BENCH_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPEATS 5

/* Nanoseconds of CPU time of this process, all threads. */
double cpu_ns(void);

/* One column of a row: set up once, measured REPEATS times, taken down. */
struct contender {
	const char *column; /* "ours", "raw", "pmemobj", "lmdb", "sqlite", "pipe", "socketpair" */
	bool (*begin)(void);   /* NULL: nothing to do. False: leave this column out */
	double (*run)(void);   /* nanoseconds for one operation */
	void (*end)(void);     /* may be NULL */
};

/* Measure a row, the contenders by turns, and print the medians. */
void measure(const char *row, const struct contender *contenders, size_t count);
#define MEASURE(row, list) measure(row, list, sizeof(list) / sizeof(*(list)))
void print_row(const char *row, const char *column, double value, const char *unit);

/* A generator that repeats: the same numbers for everybody. */
uint64_t random_next(uint64_t *state);
/* 0 … count−1 in random order, the same for everybody. */
uint32_t *shuffled(size_t count);

/* A path in the folder of this run, which is in memory and goes with the run. */
const char *bench_path(const char *name);
/* Something that must work. */
void must(bool good, const char *what);

/* Keep what was computed. */
extern volatile uint64_t sink;

/* Nodes of lists. */
#define LIST_SMALL 256      /* 16 KiB: in the first cache */
#define LIST_LARGE 1000000u /* 64 MB: in none */
#define HOPS 4000000u
#define HOPS_LARGE 1000000u

/* Keys of tree and hash walks. */
#define WALK_KEYS 1000000u
#define WALK_LOOKUPS 500000u

/* --- raw.c: plain pointers into a mapped file; store: with clwb and sfence */
extern const struct contender raw_list, raw_list_two, raw_list_large, raw_list_two_large;
extern const struct contender raw_store, raw_open, raw_tree, raw_hash;
void *map_file(const char *name, size_t size);
void flush(const void *p, size_t len); /* clwb and sfence */

/* --- pmemobj.c */
extern const struct contender pmemobj_list, pmemobj_list_two, pmemobj_list_large,
    pmemobj_list_two_large;
extern const struct contender pmemobj_store, pmemobj_open_close;
extern const struct contender pmemobj_alloc_row, pmemobj_free_row;
extern const struct contender pmemobj_tx1, pmemobj_tx10, pmemobj_tx16;
extern const struct contender pmemobj_tree, pmemobj_hash;

/* --- ours_*.c: libtwz */
extern const struct contender ours_list, ours_list_two, ours_list_large, ours_list_two_large;
extern const struct contender ours_first, ours_store, ours_store_foreign, ours_open, ours_open_first;
extern const struct contender ours_tree, ours_hash;
extern const struct contender ours_alloc_row, ours_free_row, ours_tx1, ours_tx10, ours_tx16;

#endif
