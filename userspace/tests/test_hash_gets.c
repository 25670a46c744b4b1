// SPDX-License-Identifier: BSD-3-Clause
/*
 * Getting from a hash map by keys of 64 bits: values of a word and of a line have a way of their own
 * there, which must say the same as the other one, beside writers and with noise in the directory.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/alloc.h>
#include <twz/ds/hash.h>

#define MOST 200u /* bytes of a value */
#define KEYS 3000u
#define ROUNDS 400u

static twzobj object;
static struct twz_hash *map;

static bool begin(void)
{
	if (new_object(&object) < 0 || twz_object_init_alloc(&object, sizeof(*map)) < 0)
		return false;
	map = twz_object_base(&object);
	return true;
}

static int put(uint64_t key, unsigned char fill, size_t len)
{
	unsigned char value[MOST];

	memset(value, fill, sizeof(value));
	return twz_hash_put_u64(&object, map, key, value, len, 0);
}

/* What get returns, if it stored what it had to and nothing else; or -1000. */
static ssize_t get(uint64_t key, unsigned char fill, size_t size)
{
	unsigned char buffer[MOST + 1];
	ssize_t len;
	size_t i = 0;

	memset(buffer, (unsigned char)~fill, sizeof(buffer));
	len = twz_hash_get_u64(&object, map, key, buffer, size);
	while (i < sizeof(buffer) && buffer[i] == fill)
		i++;
	if (i != (len < 0 ? 0 : (size_t)len < size ? (size_t)len : size))
		return -1000;
	for (; i < sizeof(buffer); i++)
		if (buffer[i] == fill)
			return -1000;
	return len;
}

static void any_size(void)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 9, 16, 63, 64, 65, 72, 128, MOST };

	NEED(begin());
	for (size_t len = 0; len <= MOST; len++)
		CHECK_EQ(put(len, (unsigned char)len, len), 0);
	for (size_t len = 0; len <= MOST; len++)
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
			CHECK_EQ(get(len, (unsigned char)len, sizes[i]), len);
	CHECK_EQ(get(MOST + 1, 1, 64), -ENOENT);
	CHECK_EQ(get(MOST + 1, 1, 8), -ENOENT);
	drop_object(&object);
}

static void changing(void)
{
	static const size_t lengths[] = { 8, 64, 8, 0, 64, 63, 65, 64 };
	const unsigned count = sizeof(lengths) / sizeof(*lengths);

	NEED(begin());
	for (unsigned i = 0; i < 2 * count; i++) {
		size_t len = lengths[i % count];

		CHECK_EQ(put(5, (unsigned char)i, len), 0);
		CHECK_EQ(get(5, (unsigned char)i, 64), len);
		CHECK_EQ(get(5, (unsigned char)i, 8), len);
	}
	CHECK_EQ(twz_hash_erase_u64(&object, map, 5), 0);
	CHECK_EQ(get(5, 1, 64), -ENOENT);
	CHECK_EQ(get(5, 1, 8), -ENOENT);
	drop_object(&object);
}

static void wrong_calls(void)
{
	struct twz_hash elsewhere = { 0 };
	uint64_t word;

	NEED(begin());
	CHECK_EQ(twz_hash_get_u64(&object, map, 1, &word, 8), -ENOENT);
	CHECK_EQ(put(1, 1, 8), 0);
	CHECK_EQ(twz_hash_get_u64(&object, &elsewhere, 1, &word, 8), -EINVAL);
	CHECK_EQ(twz_hash_get_u64(&object, NULL, 1, &word, 8), -EINVAL);
	CHECK_EQ(twz_hash_get_u64(&object, (void *)((char *)map + 4), 1, &word, 8), -EINVAL);
	drop_object(&object);
}

/* --- beside writers */

static atomic_bool stop;
static _Atomic unsigned long torn, reads;

/* A value is the key and a number, over and over. */
static void fill(uint64_t *value, uint64_t key, uint64_t n)
{
	for (unsigned i = 0; i < 8; i++)
		value[i] = key << 32 | n;
}

static void writer(void *arg)
{
	uint64_t value[8];

	for (uint64_t n = 1; n <= ROUNDS; n++)
		for (uint64_t key = (uintptr_t)arg; key < 64; key += 2) {
			fill(value, key, n);
			torn += twz_hash_put_u64(&object, map, key, value, key % 3 ? 64 : 8, 0) != 0;
			if (n % 7 == 0)
				torn += twz_hash_erase_u64(&object, map, key) != 0;
			/* Segments split. */
			torn += twz_hash_put_u64(&object, map, n << 20 | key, value, 8, 0) != 0;
		}
}

static void reader(void *arg)
{
	uint64_t value[8], key = (uintptr_t)arg;

	for (; !atomic_load(&stop); key = (key + 1) % 64, reads++) {
		size_t size = key % 3 ? 64 : 8;
		ssize_t len = twz_hash_get_u64(&object, map, key, value, size);
		if (len == -ENOENT)
			continue;
		torn += len != (ssize_t)size || value[0] >> 32 != key;
		for (size_t i = 1; i < size / 8; i++)
			torn += value[i] != value[0];
	}
}

static void beside_writers(void)
{
	struct thread w[2], r[2];

	NEED(begin());
	torn = reads = 0;
	atomic_store(&stop, false);
	for (uintptr_t i = 0; i < 2; i++)
		CHECK_EQ(run_thread(&r[i], reader, (void *)i), 0);
	for (uintptr_t i = 0; i < 2; i++)
		CHECK_EQ(run_thread(&w[i], writer, (void *)i), 0);
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(finish_thread(&w[i]), 0);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(finish_thread(&r[i]), 0);
	CHECK_EQ(torn, 0);
	CHECK_EQ(twz_hash_check(&object, map), 0);
	ktap_note("%lu reads", (unsigned long)reads);
	drop_object(&object);
}

/* --- noise */

static uint64_t state = 1;

static uint64_t chance(uint64_t below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (state >> 20) % below;
}

static uint64_t noise(uint64_t old)
{
	switch (chance(6)) {
	case 0:
		return 0;
	case 1:
		return chance(OBJ_MAXSIZE);
	case 2:
		return OBJ_TOPDATA - 64 + chance(128);
	case 3:
		return old ^ 1ull << chance(64);
	case 4:
		return state;
	default:
		return (old & ~(uint64_t)(OBJ_MAXSIZE - 1)) | chance(OBJ_MAXSIZE);
	}
}

/* A word of the directory, or of a segment. The map is in use: its guards are not looked at. */
static void hit(void)
{
	char *zero = (char *)map - OBJ_NULLPAGE_SIZE;
	uint64_t *directory = (void *)(zero + (map->dir & ~7ull));
	uint64_t segment = directory[1], *words;

	if (chance(20) == 0) {
		((uint32_t *)directory)[1] = (uint32_t)chance(64);
		return;
	}
	words = chance(4) && segment > OBJ_NULLPAGE_SIZE && segment < OBJ_TOPDATA - 4096 ?
	    (void *)(zero + (segment & ~7ull)) : directory + 1;
	words += words == directory + 1 ? chance(8) : chance(512);
	*words = noise(*words);
}

static void with_noise(void)
{
	for (unsigned round = 0; round < 8; round++) {
		uint64_t value[8];

		NEED(begin());
		for (uint64_t key = 0; key < KEYS; key++)
			CHECK_EQ(put(key, 7, key % 3 ? 64 : 8), 0);
		for (unsigned n = 0; n < 40; n++) {
			hit();
			for (uint64_t key = n % 8; key < KEYS; key += 16) {
				twz_hash_get_u64(&object, map, key, value, 64);
				twz_hash_get_u64(&object, map, key, value, 8);
			}
		}
		map->dir = noise(map->dir);
		CHECK(twz_hash_get_u64(&object, map, KEYS + 1, value, 64) < 0);
		drop_object(&object);
	}
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "values of any size into room of any size", any_size },
		{ "a value that changes its length", changing },
		{ "what is no map of the object", wrong_calls },
		{ "words and lines are whole beside writers", beside_writers },
		{ "noise in directory and segments does no harm", with_noise },
	};

	(void)argc, (void)argv;
	return KTAP_RUN(cases);
}
