// SPDX-License-Identifier: BSD-3-Clause
/*
 * What libtwz's allocator, transactions and maps cost, in a persistent object. As in
 * bench_core.c a figure is in instructions where the emulator counts them, else in nanoseconds.
 */
#include <base/string.h>
#include <twz/alloc.h>
#include <twz/ds/hash.h>
#include <twz/ds/map.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/tx.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define PIECES 2000u
#define TRANSACTIONS 1000u
#define RECORDS 2000u
#define LOG 4096

struct arena {
	_Alignas(64) struct twz_hash hash;
	struct twz_map map;
	_Alignas(64) struct twz_tx tx;
	char log[LOG];
	_Alignas(64) char fields[16][64];
	void *owners[PIECES];
};

static twzobj object;
static struct arena *arena;

static uint64_t ns_since(uint64_t start)
{
	uint64_t ticks = twz_cpu_counter() - start;

	return ticks * (1000000000u / 1000) / (twz_sysinfo()->timer_hz / 1000);
}

static void report(const char *name, uint64_t start, uint64_t count)
{
	kec_printf("bench: %s %lu instructions\n", name, (unsigned long)(ns_since(start) / count));
}

static int allocations(void)
{
	uint64_t start = twz_cpu_counter();
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < PIECES; i++)
		r = twz_alloc(&object, 64, &arena->owners[i], 0, NULL, NULL);
	report("alloc_64", start, PIECES);
	start = twz_cpu_counter();
	for (uint32_t i = 0; r == 0 && i < PIECES; i++)
		twz_free(&object, arena->owners[i], &arena->owners[i], 0);
	report("free_64", start, PIECES);
	return r;
}

static void transactions(const char *name, unsigned int fields)
{
	uint64_t start = twz_cpu_counter();

	for (uint32_t i = 0; i < TRANSACTIONS; i++) {
		TXSTART(&object, &arena->tx) {
			for (unsigned int k = 0; k < fields; k++)
				TXRECORD_LEN_TMP(&arena->tx, arena->fields[k], 64);
			TX_RECORD_COMMIT(&arena->tx);
			for (unsigned int k = 0; k < fields; k++)
				memset(arena->fields[k], (int)i, 64);
			TXCOMMIT;
		} TXEND;
	}
	report(name, start, TRANSACTIONS);
}

static int maps(void)
{
	char value[64] = "value";
	uint64_t start = twz_cpu_counter();
	int r = 0;

	for (uint64_t i = 1; r == 0 && i <= RECORDS; i++)
		r = twz_hash_put_u64(&object, &arena->hash, i, value, sizeof(value), 0);
	report("hash_put", start, RECORDS);
	start = twz_cpu_counter();
	for (uint64_t i = 1; i <= RECORDS; i++)
		twz_hash_get_u64(&object, &arena->hash, i, value, sizeof(value));
	report("hash_get", start, RECORDS);
	start = twz_cpu_counter();
	for (uint64_t i = 1; r == 0 && i <= RECORDS; i++)
		r = twz_map_put_u64(&object, &arena->map, i * 7919 % RECORDS, value, sizeof(value), 0);
	report("map_put", start, RECORDS);
	start = twz_cpu_counter();
	for (uint64_t i = 1; i <= RECORDS; i++)
		twz_map_get_u64(&object, &arena->map, i, value, sizeof(value));
	report("map_get", start, RECORDS);
	return r;
}

static int prepare(void)
{
	int r = twz_object_new(&object, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS);

	if (r < 0)
		return r;
	arena = twz_object_base(&object);
	tx_init(&arena->tx, LOG);
	return twz_object_init_alloc(&object, sizeof(*arena));
}

int main(void)
{
	int r = prepare();

	if (r == 0) {
		transactions("tx_1", 1);
		transactions("tx_10", 10);
		r = allocations();
	}
	if (r == 0)
		r = maps();
	if (r < 0)
		kec_printf("bench_libtwz: error %d\n", -r);
	twz_object_delete(&object, 0);
	return r < 0;
}
