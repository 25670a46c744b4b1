// SPDX-License-Identifier: BSD-3-Clause
/*
 * What persistent data structures cost: walks of a list, a tree and a hash map, put and get at
 * 1,000 and 10,000 records, appending to a log. As bench_core: meant for instruction counting with
 * one CPU, each figure the mean of a batch. With a store the objects are persistent.
 */
#include <base/string.h>
#include <twz/alloc.h>
#include <twz/ds/hash.h>
#include <twz/ds/list.h>
#include <twz/ds/log.h>
#include <twz/ds/map.h>
#include <twz/ds/vector.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define VALUE 64u
#define ROUNDS 1000u

struct roots {
	_Alignas(64) struct twz_hash hash;
	_Alignas(64) struct twz_map map;
	struct twz_vec vec;
	struct twz_list list;
	_Alignas(64) struct twz_log log;
};

static twzobj object;
static struct roots *roots;
static char value[VALUE];
static int failed;

static uint64_t ns_since(uint64_t start)
{
	uint64_t ticks = twz_cpu_counter() - start;

	return ticks * (1000000000u / 1000) / (twz_sysinfo()->timer_hz / 1000);
}

static void report(const char *what, uint64_t records, uint64_t start, uint64_t count)
{
	uint64_t ns = ns_since(start);

	if (records)
		kec_printf("bench: %s_at_%lu %lu instructions\n", what, (unsigned long)records,
		    (unsigned long)(ns / count));
	else
		kec_printf("bench: %s %lu instructions\n", what, (unsigned long)(ns / count));
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	kec_printf("bench: %s failed\n", what);
	failed = 1;
}

/* Keys far apart, the same in every run. */
static uint64_t key_of(uint64_t i)
{
	return i * 0x9e3779b97f4a7c15ull;
}

static void hash_at(uint64_t from, uint64_t to)
{
	struct twz_hash *h = &roots->hash;
	uint64_t start = twz_cpu_counter();

	for (uint64_t i = from; i < to; i++)
		must(twz_hash_put_u64(&object, h, key_of(i), value, VALUE, 0) == 0, "hash_put");
	report("hash_put", to, start, to - from);
	start = twz_cpu_counter();
	for (uint64_t i = 0; i < ROUNDS; i++)
		must(twz_hash_get_u64(&object, h, key_of(i * 7 % to), value, VALUE) == VALUE,
		    "hash_get");
	report("hash_get", to, start, ROUNDS);
	start = twz_cpu_counter();
	for (uint64_t i = 0; i < ROUNDS; i++)
		must(twz_hash_put_u64(&object, h, key_of(i * 7 % to), value, VALUE, 0) == 0,
		    "hash_replace");
	report("hash_replace", to, start, ROUNDS);
}

static void map_at(uint64_t from, uint64_t to)
{
	struct twz_map *m = &roots->map;
	uint64_t start = twz_cpu_counter();

	for (uint64_t i = from; i < to; i++)
		must(twz_map_put_u64(&object, m, key_of(i), value, VALUE, 0) == 0, "map_put");
	report("map_put", to, start, to - from);
	start = twz_cpu_counter();
	for (uint64_t i = 0; i < ROUNDS; i++)
		must(twz_map_get_u64(&object, m, key_of(i * 7 % to), value, VALUE) == VALUE,
		    "map_get");
	report("map_get", to, start, ROUNDS);
}

static void walks(void)
{
	struct twz_list_node *n;
	struct twz_map_iter m;
	struct twz_hash_iter h;
	uint64_t start = twz_cpu_counter(), sum = 0, count = 0;

	twz_list_for_each(&object, &roots->list, n)
		sum += n->data[0], count++;
	report("list_hop", 0, start, count);
	start = twz_cpu_counter();
	twz_map_iter_init(&m, &object, &roots->map);
	for (count = 0; twz_map_next(&m) == 1; count++)
		sum += *(const unsigned char *)m.value;
	report("map_next", 0, start, count);
	start = twz_cpu_counter();
	twz_hash_iter_init(&h, &object, &roots->hash);
	for (count = 0; twz_hash_next(&h) == 1; count++)
		sum += *(const unsigned char *)h.value;
	report("hash_next", 0, start, count);
	must(count == 10000 && sum != 1, "walks");
}

static void lists_and_vectors(void)
{
	uint64_t start = twz_cpu_counter();

	for (unsigned i = 0; i < ROUNDS; i++)
		must(twz_list_push(&object, &roots->list, value, VALUE) == 0, "list_push");
	report("list_push", 0, start, ROUNDS);
	must(twz_vec_init(&object, &roots->vec, VALUE) == 0, "vec_init");
	start = twz_cpu_counter();
	for (unsigned i = 0; i < ROUNDS; i++)
		must(twz_vec_push(&object, &roots->vec, value, VALUE) == i, "vec_push");
	report("vec_push", 0, start, ROUNDS);
}

static void logs(void)
{
	uint64_t start;

	must(twz_log_init(&object, &roots->log, 1u << 20) == 0, "log_init");
	start = twz_cpu_counter();
	for (unsigned i = 0; i < ROUNDS; i++)
		must(twz_log_append(&object, &roots->log, value, VALUE, NULL) == 0, "log_append");
	report("log_append", 0, start, ROUNDS);
}

int main(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (twz_object_new(&object, NULL, NULL, FLAGS) < 0 ||
	    twz_object_init_alloc(&object, sizeof(struct roots)) < 0) {
		kec_printf("bench: no object\n");
		return 1;
	}
	roots = twz_object_base(&object);
	hash_at(0, 1000);
	hash_at(1000, 10000);
	map_at(0, 1000);
	map_at(1000, 10000);
	lists_and_vectors();
	walks();
	logs();
	twz_object_delete(&object, TWZ_OD_IMMEDIATE);
	return failed;
}
