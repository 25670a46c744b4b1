// SPDX-License-Identifier: BSD-3-Clause
/* libtwz: allocation and transactions. */
/* The C library's headers come first: see twz/_types.h. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "ours.h"

#include <twz/alloc.h>
#include <twz/tx.h>

#define PIECES 50000u
#define FIELDS 1024
#define LOG 8192

struct arena {
	_Alignas(64) struct twz_tx tx;
	char log[LOG];
	_Alignas(64) char fields[FIELDS][64];
	void *owners[PIECES];
};

static twzobj object;
static struct arena *arena;

static bool begin_memory(void)
{
	ours_new(&object);
	arena = twz_object_base(&object);
	tx_init(&arena->tx, LOG);
	must(twz_object_init_alloc(&object, sizeof(*arena)) == 0, "twz_object_init_alloc");
	return true;
}

static void end_memory(void)
{
	ours_drop(&object);
}

static double alloc_all(void)
{
	double from = cpu_ns();

	for (uint32_t i = 0; i < PIECES; i++)
		must(twz_alloc(&object, 64, &arena->owners[i], 0, NULL, NULL) == 0, "twz_alloc");
	return (cpu_ns() - from) / PIECES;
}

static double free_all(void)
{
	double from = cpu_ns();

	for (uint32_t i = 0; i < PIECES; i++)
		twz_free(&object, arena->owners[i], &arena->owners[i], 0);
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

const struct contender ours_alloc_row = { "ours", begin_memory, run_alloc, end_memory };
const struct contender ours_free_row = { "ours", begin_memory, run_free, end_memory };

/* --- transactions: fields of 64 bytes, each in a line of its own */

#define TRANSACTIONS 100000u

static double run_tx1(void)
{
	double from = cpu_ns();

	for (uint32_t i = 0; i < TRANSACTIONS; i++) {
		char *field = arena->fields[i % FIELDS];

		TXSTART(&object, &arena->tx) {
			TXRECORD_LEN(&arena->tx, field, 64);
			memset(field, (int)i, 64);
			TXCOMMIT;
		} TXEND;
	}
	return (cpu_ns() - from) / TRANSACTIONS;
}

static double transactions(unsigned int fields)
{
	double from = cpu_ns();

	for (uint32_t i = 0; i < TRANSACTIONS / fields; i++) {
		TXSTART(&object, &arena->tx) {
			for (unsigned int k = 0; k < fields; k++)
				TXRECORD_LEN_TMP(&arena->tx, arena->fields[(i + 7 * k) % FIELDS], 64);
			TX_RECORD_COMMIT(&arena->tx);
			for (unsigned int k = 0; k < fields; k++)
				memset(arena->fields[(i + 7 * k) % FIELDS], (int)i, 64);
			TXCOMMIT;
		} TXEND;
	}
	return (cpu_ns() - from) / (TRANSACTIONS / fields);
}

static double run_tx10(void)
{
	return transactions(10);
}

static double run_tx16(void)
{
	return transactions(16);
}

const struct contender ours_tx1 = { "ours", begin_memory, run_tx1, end_memory };
const struct contender ours_tx10 = { "ours", begin_memory, run_tx10, end_memory };
const struct contender ours_tx16 = { "ours", begin_memory, run_tx16, end_memory };
