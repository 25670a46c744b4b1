// SPDX-License-Identifier: BSD-3-Clause
/*
 * A million objects in one store: what lookup, creation, tying and deletion cost does not depend on
 * how many there are, and neither does mounting. Counted are words of metadata read, not time,
 * which is only printed.
 *
 * Environment: STORE_SCALE: how many objects (1000000; takes 4 GiB of memory, 100000 if the machine
 * has not twice that). STORE_SCALE_FILE: a new file that the store is made in, and left in.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../kernel/store/internal.h"
#include "store/hosted.h"

#define SAMPLES 1000u

static const uint8_t uuid[16] = "scale";

static objid_t id_of(uint64_t n)
{
	return MKID(n * 0x9e3779b97f4a7c15ull | 1, n);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static unsigned long wanted(void)
{
	const char *text = getenv("STORE_SCALE");
	unsigned long free_bytes = (unsigned long)sysconf(_SC_AVPHYS_PAGES) *
				   (unsigned long)sysconf(_SC_PAGESIZE);

	if (text)
		return strtoul(text, NULL, 10);
	return free_bytes >> 33 ? 1000000 : 100000;
}

static void grow(struct store *st, unsigned long from, unsigned long to)
{
	struct store_handle h;

	for (unsigned long i = from; i < to; i++) {
		if (store_create(st, id_of(i), NULL, 0, &h))
			fail_msg("object %lu cannot be created", i);
	}
}

/* Objects beside those there are, made, tied, and gone again; nanoseconds of each. */
static void measure(struct store *st, unsigned long count)
{
	static struct store_handle h[SAMPLES];
	struct store_handle found;
	double at[6];

	at[0] = now();
	for (unsigned i = 0; i < SAMPLES; i++)
		assert_int_equal(store_create(st, id_of(1ull << 40 | i), NULL, 0, &h[i]), 0);
	at[1] = now();
	for (unsigned i = 0; i < SAMPLES; i++)
		assert_int_equal(store_lookup(st, id_of(i * (count / SAMPLES)), &found), 0);
	at[2] = now();
	for (unsigned i = 0; i < SAMPLES; i++)
		assert_int_equal(store_tie(st, &found, &h[i]), 0);
	at[3] = now();
	for (unsigned i = 0; i < SAMPLES; i++)
		assert_int_equal(store_untie(st, &found, &h[i]), 0);
	at[4] = now();
	for (unsigned i = 0; i < SAMPLES; i++)
		assert_int_equal(store_mark_deleted(st, &h[i]) | store_free(st, &h[i]), 0);
	at[5] = now();
	print_message("# %8lu objects: create %5.0f ns, lookup %4.0f, tie %4.0f, untie %4.0f, "
		      "delete and free %5.0f\n", count, (at[1] - at[0]) / SAMPLES,
		      (at[2] - at[1]) / SAMPLES, (at[3] - at[2]) / SAMPLES,
		      (at[4] - at[3]) / SAMPLES, (at[5] - at[4]) / SAMPLES);
}

/* Inodes met on the way to objects, on average times 100. */
static unsigned long chain_steps(struct store *st, unsigned long count)
{
	unsigned long steps = 0;
	struct chain chain;

	for (unsigned i = 0; i < SAMPLES; i++) {
		assert_int_equal(store_chain_find(st, id_of(i * (count / SAMPLES)), &chain), 0);
		steps += chain.steps;
	}
	return steps * 100 / SAMPLES;
}

static void assert_flushes(struct store *st, unsigned long count)
{
	struct store_handle h;
	unsigned long before = hosted_flushes;

	assert_int_equal(store_create(st, id_of(1ull << 41), NULL, 0, &h), 0);
	assert_int_equal(store_mark_deleted(st, &h) | store_free(st, &h), 0);
	if (hosted_flushes - before > 30)
		fail_msg("%lu flushes with %lu objects", hosted_flushes - before, count);
}

/* A new region, in a file if one is asked for. */
static void *region(size_t len)
{
	const char *path = getenv("STORE_SCALE_FILE");

	if (!path)
		return hosted_region(len);
	int file = open(path, O_RDWR | O_CREAT | O_EXCL, 0666);

	assert_true(file >= 0 && ftruncate(file, (off_t)len) == 0);
	void *base = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	assert_true(base != MAP_FAILED);
	close(file);
	return base;
}

static void test_a_million_objects(void **state)
{
	unsigned long most = wanted(), have = 0;
	size_t len = (most * 3 + 65536) * STORE_PAGE_SIZE / (2ul << 20) * (2ul << 20);
	void *base = region(len);
	struct store st;

	(void)state;
	assert_int_equal(store_format(base, len, uuid, &hosted_ops), 0);
	assert_int_equal(store_mount(&st, base, len, 0, &hosted_ops), 0);
	for (unsigned long count = 1000; count <= most; count *= 10) {
		grow(&st, have, count);
		have = count;
		measure(&st, count);
		assert_flushes(&st, count);
		assert_true(chain_steps(&st, count) < 200);
	}
	double from = now();

	assert_int_equal(store_mount(&st, base, len, 0, &hosted_ops), 0);
	print_message("# mounting %lu objects: %.0f us\n", have, (now() - from) / 1000);
	assert_int_equal(hosted_check(&st), 0);
	hosted_region_free(base, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_million_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
