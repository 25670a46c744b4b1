// SPDX-License-Identifier: BSD-3-Clause
/* Plain pointers into mapped files: what nothing can be faster than. */
#include "bench.h"

#include <cpuid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct node {
	struct node *next;
	uint64_t value;
	uint64_t rest[6];
};

_Static_assert(sizeof(struct node) == 64, "one line a node");

void *map_file(const char *name, size_t size)
{
	int fd = open(bench_path(name), O_RDWR | O_CREAT, 0600);
	void *p;

	must(fd >= 0 && ftruncate(fd, (off_t)size) == 0, "a file");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED, "mmap");
	close(fd);
	return p;
}

/* clwb where the machine has it, as libpmem chooses and we do. */
void flush(const void *p, size_t len)
{
	static int kind;
	unsigned int a, b = 0, c, d;

	if (!kind)
		kind = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 24) ? 2 : 1;
	for (uintptr_t at = (uintptr_t)p & ~63ul; at < (uintptr_t)p + len; at += 64) {
		if (kind == 2)
			__asm__ volatile(".byte 0x66; xsaveopt (%0)" : : "r"(at) : "memory");
		else
			__asm__ volatile("clflush (%0)" : : "r"(at) : "memory");
	}
	__asm__ volatile("sfence" : : : "memory");
}

static struct node *files[2];
static struct node *start;

/* A ring of count nodes in random order; every other one in the second file if there are two. */
static void make_ring(size_t count, int parts)
{
	uint32_t *order = shuffled(count);

	for (int i = 0; i < parts; i++) {
		files[i] = map_file(i ? "raw2" : "raw1", count * sizeof(struct node));
		memset(files[i], 0, count * sizeof(struct node)); /* pages in order, for everybody */
	}
	for (size_t i = 0; i < count; i++) {
		struct node *n = &files[i % (size_t)parts][order[i]];

		n->next = &files[(i + 1) % count % (size_t)parts][order[(i + 1) % count]];
		n->value = order[i];
	}
	start = &files[0][order[0]];
	free(order);
}

static double hop(uint32_t hops)
{
	uint64_t sum = 0;
	struct node *n = start;
	double from = cpu_ns();

	for (uint32_t i = 0; i < hops; i++) {
		sum += n->value;
		n = n->next;
	}
	sink = sum;
	return (cpu_ns() - from) / hops;
}

static bool begin_list(void)
{
	make_ring(LIST_SMALL, 1);
	return true;
}

static bool begin_two(void)
{
	make_ring(LIST_SMALL, 2);
	return true;
}

static bool begin_large(void)
{
	make_ring(LIST_LARGE, 1);
	return true;
}

static bool begin_two_large(void)
{
	make_ring(LIST_LARGE, 2);
	return true;
}

static double run_list(void)
{
	return hop(HOPS);
}

static double run_large(void)
{
	return hop(HOPS_LARGE);
}

static void end_ring(size_t count)
{
	for (int i = 0; i < 2; i++) {
		if (files[i])
			munmap(files[i], count * sizeof(struct node));
		files[i] = NULL;
	}
	unlink(bench_path("raw1"));
	unlink(bench_path("raw2"));
}

static void end_list(void)
{
	end_ring(LIST_SMALL);
}

static void end_large(void)
{
	end_ring(LIST_LARGE);
}

const struct contender raw_list = { "raw", begin_list, run_list, end_list };
const struct contender raw_list_two = { "raw", begin_two, run_list, end_list };
const struct contender raw_list_large = { "raw", begin_large, run_large, end_large };
const struct contender raw_list_two_large = { "raw", begin_two_large, run_large, end_large };

/* --- one pointer stored durably, over and over in a few lines */

#define STORES 200000u

static double run_store(void)
{
	struct node *nodes = files[0];
	double from = cpu_ns();

	for (uint32_t i = 0; i < STORES; i++) {
		struct node *n = &nodes[i % LIST_SMALL];

		n->next = nodes;
		flush(&n->next, sizeof(n->next));
	}
	return (cpu_ns() - from) / STORES;
}

const struct contender raw_store = { "raw", begin_list, run_store, end_list };

/* --- open, map, read a word, unmap */

#define OPENS 5000u

static bool begin_open(void)
{
	munmap(map_file("raw1", 1 << 20), 1 << 20);
	return true;
}

static double run_open(void)
{
	double from = cpu_ns();

	for (uint32_t i = 0; i < OPENS; i++) {
		volatile uint64_t *p = map_file("raw1", 1 << 20);

		sink = *p;
		munmap((void *)p, 1 << 20);
	}
	return (cpu_ns() - from) / OPENS;
}

const struct contender raw_open = { "raw", begin_open, run_open, end_list };
