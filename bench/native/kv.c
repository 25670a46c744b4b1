// SPDX-License-Identifier: BSD-3-Clause
/*
 * The mixes of YCSB over 1,000,000 records, keys chosen with its scrambled Zipfian distribution
 * (D: the latest most often):
 *
 *	A  half reads, half updates         D  95 % reads of what is new, 5 % inserts
 *	B  95 % reads, 5 % updates          E  95 % scans of 1 to 100 records, 5 % inserts
 *	C  reads                            F  half reads, half read, change, write back
 *
 * What to do is drawn before the clock runs, the same for every store.
 */
#include "kv.h"
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPERATIONS 500000u /* drawn; a store may do fewer */
#define THETA 0.99

enum kind { READ, UPDATE, INSERT, SCAN, CHANGE };

struct op {
	uint64_t key;
	uint8_t kind, length;
};

static const struct mix {
	const char *row;
	unsigned int percent[5]; /* of each kind */
	bool latest;
} mixes[] = {
	{ "ycsb_a", { [READ] = 50, [UPDATE] = 50 }, false },
	{ "ycsb_b", { [READ] = 95, [UPDATE] = 5 }, false },
	{ "ycsb_c", { [READ] = 100 }, false },
	{ "ycsb_d", { [READ] = 95, [INSERT] = 5 }, true },
	{ "ycsb_e", { [SCAN] = 95, [INSERT] = 5 }, false },
	{ "ycsb_f", { [READ] = 50, [CHANGE] = 50 }, false },
};

#define MIXES (sizeof(mixes) / sizeof(*mixes))

static struct op *ops;
static double zeta_all;
static uint64_t records; /* in the store that is measured */

/* Record number to key: spread over all of them, and never 0. */
static uint64_t key_of(uint64_t record)
{
	uint64_t state = record;

	return random_next(&state) | 1;
}

static void make_zeta(void)
{
	for (uint32_t i = 1; i <= KV_RECORDS; i++)
		zeta_all += 1 / pow(i, THETA);
}

/* 0 … KV_RECORDS−1, small ones often (Gray et al., as YCSB draws it). */
static uint64_t zipf(uint64_t *state)
{
	double u = (double)(random_next(state) >> 11) / 9007199254740992.0, uz = u * zeta_all;
	double eta = (1 - pow(2.0 / KV_RECORDS, 1 - THETA)) / (1 - (1 + pow(0.5, THETA)) / zeta_all);
	double rank = KV_RECORDS * pow(eta * u - eta + 1, 1 / (1 - THETA));

	if (uz < 1)
		return 0;
	if (uz < 1 + pow(0.5, THETA))
		return 1;
	return rank < KV_RECORDS ? (uint64_t)rank : KV_RECORDS - 1;
}

static enum kind draw_kind(const struct mix *m, uint64_t *state)
{
	unsigned int at = (unsigned int)(random_next(state) % 100), kind = READ;

	while (at >= m->percent[kind])
		at -= m->percent[kind++];
	return (enum kind)kind;
}

static void draw(const struct mix *m, unsigned int count)
{
	uint64_t state = (uint64_t)(m - mixes) + 1, newest = records, scrambled;

	for (unsigned int i = 0; i < count; i++) {
		struct op *op = &ops[i];
		uint64_t rank = zipf(&state);

		op->kind = (uint8_t)draw_kind(m, &state);
		scrambled = rank;
		if (op->kind == INSERT)
			op->key = key_of(newest++);
		else
			op->key = key_of(m->latest ? newest - 1 - rank :
			    random_next(&scrambled) % KV_RECORDS);
		op->length = (uint8_t)(1 + random_next(&state) % KV_SCAN_MOST);
	}
	records = newest;
}

static void perform(const struct kv *kv, const struct op *op, char *value)
{
	switch ((enum kind)op->kind) {
	case READ:
		must(kv->get(op->key, value), "get");
		break;
	case SCAN:
		must(kv->scan(op->key, op->length, value) > 0, "scan");
		break;
	case CHANGE:
		must(kv->get(op->key, value), "get");
		value[0]++;
		kv->put(op->key, value);
		break;
	case UPDATE:
	case INSERT:
		value[1]++;
		kv->put(op->key, value);
	}
}

static void run_mix(const struct kv *kv, const struct mix *m)
{
	unsigned int count = kv->operations;
	char value[KV_VALUE] = "";
	double from;

	draw(m, count);
	from = cpu_ns();
	for (unsigned int i = 0; i < count; i++)
		perform(kv, &ops[i], value);
	print_row(m->row, kv->column, (cpu_ns() - from) / count, "ns");
	sink = (uint64_t)value[0];
}

/* Puts of new records, each by itself, into the store of 1,000,000; gets of any. */
static void run_plain(const struct kv *kv)
{
	unsigned int count = kv->operations / 2;
	uint64_t state = 77;
	char value[KV_VALUE] = "plain";
	double from = cpu_ns();

	for (unsigned int i = 0; i < count; i++)
		kv->put(key_of(records + i), value);
	print_row("kv_put", kv->column, (cpu_ns() - from) / count, "ns");
	records += count;
	from = cpu_ns();
	for (unsigned int i = 0; i < count; i++)
		must(kv->get(key_of(random_next(&state) % KV_RECORDS), value), "get");
	print_row("kv_get", kv->column, (cpu_ns() - from) / count, "ns");
}

static void run_store(const struct kv *kv)
{
	char value[KV_VALUE] = "value";

	if (!kv->begin())
		return;
	if (kv->load_begin)
		kv->load_begin();
	for (records = 0; records < KV_RECORDS; records++)
		kv->put(key_of(records), value);
	if (kv->load_end)
		kv->load_end();
	for (size_t i = 0; i < MIXES; i++)
		if (kv->ordered || !mixes[i].percent[SCAN])
			run_mix(kv, &mixes[i]);
	run_plain(kv);
	kv->end();
}

void kv_measure(void)
{
	const struct kv *const stores[] = { &kv_ours_hash, &kv_ours_map, &kv_pmemobj_hash,
		&kv_pmemobj_tree, &kv_lmdb, &kv_sqlite };

	ops = malloc(OPERATIONS * sizeof(*ops));
	must(ops, "memory");
	make_zeta();
	for (size_t i = 0; i < sizeof(stores) / sizeof(*stores); i++)
		run_store(stores[i]);
	free(ops);
}
