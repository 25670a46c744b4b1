// SPDX-License-Identifier: BSD-3-Clause
/*
 * The native benchmarks: see bench.h.
 *
 *	bench_native [GROUP...]     pointers, memory, kv, streams; all of them when none is named
 */
#include "bench.h"
#include "kv.h"
#include "streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

volatile uint64_t sink;

static char folder[] = "/dev/shm/twizzler-bench-XXXXXX";

double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_native: %s failed\n", what);
	exit(1);
}

const char *bench_path(const char *name)
{
	static char path[4][256];
	static unsigned int next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint32_t *shuffled(size_t count)
{
	uint32_t *order = malloc(count * sizeof(*order));
	uint64_t state = count;

	must(order, "memory");
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	for (size_t i = count - 1; i; i--) {
		size_t k = random_next(&state) % (i + 1);
		uint32_t at = order[i];

		order[i] = order[k];
		order[k] = at;
	}
	return order;
}

void print_row(const char *row, const char *column, double value, const char *unit)
{
	printf("native: %s %s %.2f %s\n", row, column, value, unit);
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

#define MOST 8

void measure(const char *row, const struct contender *contenders, size_t count)
{
	double results[MOST][REPEATS];
	bool in[MOST];

	for (size_t i = 0; i < count; i++)
		in[i] = !contenders[i].begin || contenders[i].begin();
	for (int r = 0; r < REPEATS; r++)
		for (size_t i = 0; i < count; i++)
			if (in[i])
				results[i][r] = contenders[i].run();
	for (size_t i = 0; i < count; i++) {
		if (!in[i])
			continue;
		if (contenders[i].end)
			contenders[i].end();
		qsort(results[i], REPEATS, sizeof(double), compare);
		print_row(row, contenders[i].column, results[i][REPEATS / 2], "ns");
	}
}

static void pointers(void)
{
	const struct contender hop[] = { raw_list, ours_list, pmemobj_list };
	const struct contender hop_large[] = { raw_list_large, ours_list_large, pmemobj_list_large };
	const struct contender two[] = { raw_list_two, ours_list_two, pmemobj_list_two };
	const struct contender two_large[] = { raw_list_two_large, ours_list_two_large,
		pmemobj_list_two_large };
	const struct contender first[] = { ours_first };
	const struct contender store[] = { raw_store, ours_store, pmemobj_store };
	const struct contender store_foreign[] = { raw_store, ours_store_foreign, pmemobj_store };
	const struct contender open[] = { raw_open, ours_open_first, pmemobj_open_close };
	const struct contender again[] = { raw_open, ours_open, pmemobj_open_close };
	const struct contender tree[] = { raw_tree, ours_tree, pmemobj_tree };
	const struct contender hash[] = { raw_hash, ours_hash, pmemobj_hash };

	MEASURE("pointer_local", hop);
	MEASURE("pointer_local_memory", hop_large);
	MEASURE("pointer_foreign", two);
	MEASURE("pointer_foreign_memory", two_large);
	MEASURE("pointer_foreign_first", first);
	MEASURE("pointer_store", store);
	MEASURE("pointer_store_foreign", store_foreign);
	MEASURE("open", open);
	MEASURE("open_again", again);
	MEASURE("tree_walk", tree);
	MEASURE("hash_walk", hash);
}

static void memory(void)
{
	const struct contender alloc[] = { ours_alloc_row, pmemobj_alloc_row };
	const struct contender free[] = { ours_free_row, pmemobj_free_row };
	const struct contender tx1[] = { ours_tx1, pmemobj_tx1 };
	const struct contender tx10[] = { ours_tx10, pmemobj_tx10 };
	const struct contender tx16[] = { ours_tx16, pmemobj_tx16 };

	MEASURE("alloc_64", alloc);
	MEASURE("free_64", free);
	MEASURE("tx_1", tx1);
	MEASURE("tx_10", tx10);
	MEASURE("tx_16", tx16);
}

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "pointers", pointers },
	{ "memory", memory },
	{ "kv", kv_measure },
	{ "streams", streams_measure },
};

#define GROUPS (sizeof(groups) / sizeof(*groups))

static bool chosen(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc < 2;
}

static void remove_folder(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		fprintf(stderr, "bench_native: %s is left\n", folder);
}

int main(int argc, char **argv)
{
	setenv("PMEM_IS_PMEM_FORCE", "1", 1);
	must(mkdtemp(folder), "a folder in /dev/shm");
	atexit(remove_folder);
	for (size_t i = 0; i < GROUPS; i++)
		if (chosen(groups[i].name, argc, argv))
			groups[i].run();
	return 0;
}
