// SPDX-License-Identifier: BSD-3-Clause
/*
 * Unit tests of the object store: every operation, its errors, what a remount finds, a full store.
 */
#include "unit.h"

#include <pthread.h>

#include <abi/errno.h>

#include "store/fixture.h"

/* ---- Words and sums ---- */

static uint64_t flip_syndrome(unsigned bit)
{
	return bit < PAYLOAD_BITS ? store_seal(1ull << bit) >> PAYLOAD_BITS :
				    1ull << (bit - PAYLOAD_BITS);
}

/* The code is linear: flips go unnoticed exactly if their syndromes cancel. All sets of up to 5. */
static void test_word_notices_five_flips(void **state)
{
	static uint8_t singles[65536], pairs[65536];
	uint64_t s[64];

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		s[i] = flip_syndrome(i);
		assert_true(s[i] != 0);
		assert_int_equal(singles[s[i]]++, 0); /* no 2 */
	}
	for (unsigned i = 0; i < 64; i++) {
		for (unsigned j = 0; j < i; j++) {
			assert_int_equal(singles[s[i] ^ s[j]], 0);  /* no 3 */
			assert_int_equal(pairs[s[i] ^ s[j]]++, 0);  /* no 4 */
		}
	}
	for (unsigned i = 0; i < 64; i++) {
		for (unsigned j = 0; j < i; j++) {
			for (unsigned k = 0; k < j; k++)
				assert_int_equal(pairs[s[i] ^ s[j] ^ s[k]], 0); /* no 5 */
		}
	}
}

static void test_word_round_trip(void **state)
{
	uint64_t values[] = { 0, 1, 2, 0xffffffff, PAYLOAD_MAX, 0x123456789abc };

	(void)state;
	assert_int_equal(store_seal(0), 0);
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint64_t payload = 77, sealed = store_seal(values[i]);

		assert_true(store_unseal(sealed, &payload));
		assert_true(payload == values[i]);
		for (unsigned bit = 0; bit < 64; bit++)
			assert_false(store_unseal(sealed ^ 1ull << bit, &payload));
	}
}

static void test_sum_notices_every_bit(void **state)
{
	uint64_t words[8] = { 1, 2, 3, 0, 0, 0, ~0ull, 8 };
	uint64_t sum = store_sum(5, words, 8);

	(void)state;
	for (unsigned bit = 0; bit < 512; bit++) {
		words[bit / 64] ^= 1ull << bit % 64;
		assert_true(store_sum(5, words, 8) != sum);
		words[bit / 64] ^= 1ull << bit % 64;
	}
	assert_true(store_sum(6, words, 8) != sum);
}

/* ---- Probe and format ---- */

static void test_probe_sizes(void **state)
{
	unsigned char *base = hosted_region(SMALL);

	(void)state;
	assert_int_equal(store_probe(base, SMALL), STORE_BLANK);
	assert_int_equal(store_probe(base, SMALL - 1), STORE_TOO_SMALL);
	assert_int_equal(store_probe(base, 0), STORE_TOO_SMALL);
	assert_int_equal(store_probe(base + 8, SMALL), STORE_TOO_SMALL);
	assert_int_equal(store_probe(base, SIZE_MAX), STORE_TOO_SMALL);
	assert_int_equal(store_format(base, SMALL - 1, uuid, &hosted_ops), -EINVAL);
	hosted_region_free(base, SMALL);
}

static void check_foreign(size_t len, size_t at, enum store_content expected)
{
	unsigned char *base = hosted_region(len);

	base[at] = 1;
	assert_int_equal(store_probe(base, len), expected);
	if (expected == STORE_FOREIGN) {
		struct store st;

		assert_int_equal(store_format(base, len, uuid, &hosted_ops), -EEXIST);
		assert_int_equal(store_mount(&st, base, len, 0, &hosted_ops), -EINVAL);
		assert_int_equal(base[at], 1);
		base[at] = 0;
		assert_int_equal(store_probe(base, len), STORE_BLANK);
	}
	hosted_region_free(base, len);
}

static void test_probe_foreign(void **state)
{
	static const size_t places[] = { 0, 510, 1024, 4086, 32768, 61440, 65536 + 64, 1048575 };

	(void)state;
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		check_foreign(SMALL, places[i], STORE_FOREIGN);
	check_foreign(16ul << 20, 5ul << 20, STORE_FOREIGN);
	/* firmware may scribble on the end */
	check_foreign(SMALL, SMALL - STORE_TAIL_RESERVE, STORE_BLANK);
	check_foreign(SMALL, SMALL - 1, STORE_BLANK);
}

static void test_format_and_mount(void **state)
{
	unsigned char *base = hosted_region(SMALL);
	struct store_stats stats;
	struct store st;

	(void)state;
	assert_int_equal(store_mount(&st, base, SMALL, 0, &hosted_ops), -ENODEV);
	assert_int_equal(store_format(base, SMALL, uuid, &hosted_ops), 0);
	assert_int_equal(store_probe(base, SMALL), STORE_OURS);
	assert_int_equal(store_format(base, SMALL, uuid, &hosted_ops), -EEXIST);
	for (uint64_t boots = 1; boots < 5; boots++) {
		assert_int_equal(store_mount(&st, base, SMALL, 0, &hosted_ops), 0);
		assert_int_equal(store_boot_count(&st), boots);
		assert_int_equal(hosted_check(&st), 0);
		store_stats(&st, &stats);
		assert_memory_equal(stats.uuid, uuid, 16);
		assert_int_equal(stats.objects, 0);
		assert_int_equal(stats.free_pages, stats.total_pages);
		store_unmount(&st);
	}
	for (size_t i = SMALL - STORE_TAIL_RESERVE; i < SMALL; i++)
		assert_int_equal(base[i], 0);
	hosted_region_free(base, SMALL);
}

static void test_unfinished_format(void **state)
{
	unsigned char *base = hosted_region(SMALL);
	struct store st;

	(void)state;
	assert_int_equal(store_format(base, SMALL, uuid, &hosted_ops), 0);
	*(uint64_t *)base = FORMAT_MAGIC;
	assert_int_equal(store_probe(base, SMALL), STORE_UNFINISHED);
	assert_int_equal(store_mount(&st, base, SMALL, 0, &hosted_ops), -ENODEV);
	assert_int_equal(store_format(base, SMALL, uuid, &hosted_ops), 0);
	assert_int_equal(store_mount(&st, base, SMALL, 0, &hosted_ops), 0);
	assert_int_equal(hosted_check(&st), 0);
	hosted_region_free(base, SMALL);
}

/* A region that grew keeps its store; one that shrank is refused. */
static void test_region_size_changes(void **state)
{
	unsigned char *base = hosted_region(2 * SMALL);
	struct store st;

	(void)state;
	assert_int_equal(store_format(base, SMALL + 4096, uuid, &hosted_ops), 0);
	assert_int_equal(store_mount(&st, base, 2 * SMALL, 0, &hosted_ops), 0);
	assert_int_equal(store_mount(&st, base, SMALL + 4096, 0, &hosted_ops), 0);
	assert_int_equal(store_mount(&st, base, SMALL, 0, &hosted_ops), -EUCLEAN);
	assert_true(hosted_log_has("shorter"));
	assert_int_equal(store_mount(&st, base, SMALL, STORE_RDONLY, NULL), -EUCLEAN);
	hosted_region_free(base, 2 * SMALL);
}

static void patch_super(struct fixture *f, size_t at, uint64_t value)
{
	static const uint64_t pages[] = { SUPER_A_PAGE, SUPER_B_PAGE };

	for (unsigned i = 0; i < 2; i++) {
		unsigned char *page = f->base + pages[i] * STORE_PAGE_SIZE;
		struct super_header *super = (void *)page;

		memcpy(page + at, &value, 8);
		super->sum = store_super_sum(super);
	}
}

static void test_features_and_versions(void **state)
{
	struct fixture f;
	uint64_t version = STORE_VERSION | 512ull << 32;

	(void)state;
	fresh(&f, SMALL);
	patch_super(&f, offsetof(struct super_header, version), version + 1);
	assert_int_equal(store_mount(&f.st, f.base, f.len, 0, &hosted_ops), -ENOTSUP);
	patch_super(&f, offsetof(struct super_header, version), version);
	patch_super(&f, offsetof(struct super_header, incompat), 1);
	assert_int_equal(store_mount(&f.st, f.base, f.len, STORE_RDONLY, NULL), -ENOTSUP);
	patch_super(&f, offsetof(struct super_header, incompat), 0);
	patch_super(&f, offsetof(struct super_header, ro_compat), 4);
	assert_int_equal(store_mount(&f.st, f.base, f.len, 0, &hosted_ops), -EROFS);
	assert_int_equal(store_mount(&f.st, f.base, f.len, STORE_RDONLY, NULL), 0);
	patch_super(&f, offsetof(struct super_header, ro_compat), 0);
	patch_super(&f, offsetof(struct super_header, compat), 8);
	remount(&f);
	done(&f);
}

/* ---- Objects ---- */

static void test_create_and_lookup(void **state)
{
	uint64_t meta[PAGE_WORDS];
	struct store_handle h, again;
	struct fixture f;
	void *page;

	(void)state;
	fresh(&f, SMALL);
	fill(meta, 9);
	uint64_t before = free_pages(&f);

	assert_int_equal(store_lookup(&f.st, id_of(1), &h), -ENOENT);
	assert_int_equal(store_create(&f.st, 0, meta, 0, &h), -EINVAL);
	assert_int_equal(store_create(&f.st, id_of(1), meta, 4, &h), -EINVAL);
	assert_int_equal(store_create(&f.st, id_of(1), meta, 0, &h), 0);
	assert_int_equal(store_create(&f.st, id_of(1), meta, 0, &again), -EEXIST);
	assert_int_equal(free_pages(&f), before - 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(store_lookup(&f.st, id_of(1), &h), 0);
		assert_true(h.id == id_of(1));
		assert_int_equal(store_page_get(&f.st, &h, LAST, &page), 0);
		assert_true(filled(page, 9));
		assert_int_equal(store_page_get(&f.st, &h, 1, &page), 0);
		assert_null(page);
		assert_int_equal(store_page_get(&f.st, &h, STORE_OBJECT_PAGES, &page), -EINVAL);
		remount(&f);
	}
	assert_int_equal(store_create(&f.st, id_of(2), NULL, 0, &h), 0);
	assert_int_equal(store_page_get(&f.st, &h, LAST, &page), 0);
	assert_true(filled(page, 0));
	done(&f);
}

static void test_pages(void **state)
{
	static const uint64_t numbers[] = { 1, 2, 63, 64, 65, 511, 512, 100000, 262079, 262080,
					    262142 };
	const unsigned count = sizeof(numbers) / sizeof(numbers[0]);
	struct store_handle h;
	struct fixture f;
	uint64_t content[PAGE_WORDS];
	void *page, *again;

	(void)state;
	fresh(&f, SMALL);
	uint64_t before = free_pages(&f);

	assert_int_equal(store_create(&f.st, id_of(1), NULL, 0, &h), 0);
	assert_int_equal(store_page_alloc(&f.st, &h, 0, NULL, &page), -EINVAL);
	assert_int_equal(store_page_alloc(&f.st, &h, STORE_OBJECT_PAGES, NULL, &page), -EINVAL);
	for (unsigned i = 0; i < count; i++) {
		fill(content, numbers[i]);
		assert_int_equal(store_page_alloc(&f.st, &h, numbers[i], i % 2 ? NULL : content,
						  &page), 0);
		assert_true(filled(page, i % 2 ? 0 : numbers[i]));
		assert_int_equal(store_page_alloc(&f.st, &h, numbers[i], content, &again), 0);
		assert_ptr_equal(page, again);
		assert_true(filled(page, i % 2 ? 0 : numbers[i]));
	}
	/* 11 content pages, inode, metadata, node, leaves 0, 1, 195 and 511 */
	assert_int_equal(free_pages(&f), before - count - 2 - 1 - 4);
	remount(&f);
	assert_int_equal(store_lookup(&f.st, id_of(1), &h), 0);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(store_page_get(&f.st, &h, numbers[i], &page), 0);
		assert_true(filled(page, i % 2 ? 0 : numbers[i]));
	}
	assert_int_equal(store_page_get(&f.st, &h, 3, &page), 0);
	assert_null(page);
	assert_int_equal(store_page_get(&f.st, &h, 50000, &page), 0);
	assert_null(page);
	assert_int_equal(store_mark_deleted(&f.st, &h), 0);
	assert_int_equal(store_free(&f.st, &h), 0);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

static void test_page_next(void **state)
{
	static const uint64_t numbers[] = { 1, 63, 64, 511, 512, 100000, 262079, 262080, LAST };
	struct store_handle h;
	struct fixture f;
	void *page, *got;
	uint64_t at = 0;

	(void)state;
	fresh(&f, SMALL);
	assert_int_equal(store_create(&f.st, id_of(1), NULL, 0, &h), 0);
	assert_int_equal(store_page_next(&f.st, &h, &at, &page), 1);
	assert_int_equal(at, LAST);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(store_page_alloc(&f.st, &h, numbers[i], NULL, &page), 0);
	at = 0;
	for (unsigned i = 0; i < 9; i++, at++) {
		assert_int_equal(store_page_next(&f.st, &h, &at, &got), 1);
		assert_int_equal(at, numbers[i]);
		assert_int_equal(store_page_get(&f.st, &h, at, &page), 0);
		assert_ptr_equal(page, got);
	}
	assert_int_equal(store_page_next(&f.st, &h, &at, &got), 0);
	at = ~0ull;
	assert_int_equal(store_page_next(&f.st, &h, &at, &got), 0);
	done(&f);
}

/* A page that is reused shows nothing of what it held. */
static void test_reused_pages_are_zero(void **state)
{
	uint64_t content[PAGE_WORDS];
	struct store_handle h;
	struct fixture f;
	void *page;

	(void)state;
	fresh(&f, SMALL);
	fill(content, 5);
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(store_create(&f.st, id_of(round), NULL, 0, &h), 0);
		for (uint64_t n = 1; n < 400; n++) {
			assert_int_equal(store_page_alloc(&f.st, &h, n, NULL, &page), 0);
			assert_true(filled(page, 0));
			memcpy(page, content, sizeof(content));
		}
		assert_int_equal(store_mark_deleted(&f.st, &h), 0);
		assert_int_equal(store_free(&f.st, &h), 0);
	}
	done(&f);
}

static void test_delete(void **state)
{
	struct store_handle h[5], found;
	struct fixture f;
	void *page;

	(void)state;
	fresh(&f, SMALL);
	uint64_t before = free_pages(&f);

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(store_create(&f.st, id_of(i), NULL, 0, &h[i]), 0);
		assert_int_equal(store_page_alloc(&f.st, &h[i], 1, NULL, &page), 0);
	}
	assert_int_equal(store_free(&f.st, &h[0]), -EINVAL);
	assert_int_equal(store_is_deleted(&f.st, &h[0]), 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(store_mark_deleted(&f.st, &h[i]), 0);
		assert_int_equal(store_mark_deleted(&f.st, &h[i]), 0);
		assert_int_equal(store_is_deleted(&f.st, &h[i]), 1);
		assert_int_equal(store_lookup(&f.st, id_of(i), &found), 0);
		assert_int_equal(store_page_alloc(&f.st, &found, 2, NULL, &page), 0);
	}
	assert_int_equal(hosted_check(&f.st), 0);
	static const unsigned order[] = { 2, 4, 0 }; /* middle, head and tail of the list */

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(store_free(&f.st, &h[order[i]]), 0);
		assert_int_equal(store_lookup(&f.st, id_of(order[i]), &found), -ENOENT);
		assert_int_equal(hosted_check(&f.st), 0);
	}
	assert_int_equal(objects(&f), 2);
	remount(&f);
	assert_true(hosted_log_has("freed 2 deleted objects"));
	assert_int_equal(objects(&f), 0);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

static void test_born_deleted(void **state)
{
	struct store_handle h;
	struct fixture f;

	(void)state;
	fresh(&f, SMALL);
	assert_int_equal(store_create(&f.st, id_of(1), NULL, STORE_CREATE_DELETED, &h), 0);
	assert_int_equal(store_lookup(&f.st, id_of(1), &h), 0);
	assert_int_equal(store_is_deleted(&f.st, &h), 1);
	remount(&f);
	assert_int_equal(store_lookup(&f.st, id_of(1), &h), -ENOENT);
	assert_int_equal(objects(&f), 0);
	done(&f);
}

static void test_hidden_and_publish(void **state)
{
	struct store_handle h, other;
	struct fixture f;
	void *page;

	(void)state;
	fresh(&f, SMALL);
	uint64_t before = free_pages(&f);

	assert_int_equal(store_create(&f.st, id_of(1), NULL, STORE_CREATE_HIDDEN, &h), 0);
	assert_int_equal(store_lookup(&f.st, id_of(1), &other), -ENOENT);
	assert_int_equal(store_mark_deleted(&f.st, &h), -EINVAL);
	assert_int_equal(store_page_alloc(&f.st, &h, 70, NULL, &page), 0);
	assert_int_equal(hosted_check(&f.st), 0);
	remount(&f);
	assert_int_equal(free_pages(&f), before);

	assert_int_equal(store_create(&f.st, id_of(1), NULL, STORE_CREATE_HIDDEN, &h), 0);
	assert_int_equal(store_publish(&f.st, &h, 2), -EINVAL);
	assert_int_equal(store_publish(&f.st, &h, 0), 0);
	assert_int_equal(store_publish(&f.st, &h, 0), -EINVAL);
	remount(&f);
	assert_int_equal(store_lookup(&f.st, id_of(1), &h), 0);
	assert_int_equal(store_is_deleted(&f.st, &h), 0);

	assert_int_equal(store_create(&f.st, id_of(2), NULL, STORE_CREATE_HIDDEN, &h), 0);
	assert_int_equal(store_create(&f.st, id_of(2), NULL, 0, &other), 0);
	assert_int_equal(store_publish(&f.st, &h, 0), -EEXIST);
	assert_int_equal(store_free(&f.st, &h), 0);
	assert_int_equal(store_create(&f.st, id_of(3), NULL, STORE_CREATE_HIDDEN, &h), 0);
	assert_int_equal(store_publish(&f.st, &h, STORE_CREATE_DELETED), 0);
	assert_int_equal(store_is_deleted(&f.st, &h), 1);
	assert_int_equal(hosted_check(&f.st), 0);
	remount(&f);
	assert_int_equal(objects(&f), 2);
	done(&f);
}

static void test_store_words(void **state)
{
	objid_t root = MKID(0xfedcba9876543210ull, 0x0123456789abcdefull), got = 1;
	struct fixture f;

	(void)state;
	fresh(&f, SMALL);
	assert_int_equal(store_nameroot(&f.st, &got), 0);
	assert_true(got == 0);
	assert_int_equal(store_set_nameroot(&f.st, root), 0);
	assert_int_equal(store_set_clock_mark(&f.st, 1ull << 48), -EINVAL);
	assert_int_equal(store_set_clock_mark(&f.st, 5000), 0);
	assert_int_equal(store_set_clock_mark(&f.st, 4000), 0);
	remount(&f);
	assert_int_equal(store_nameroot(&f.st, &got), 0);
	assert_true(got == root);
	assert_int_equal(store_clock_mark(&f.st), 5000);
	done(&f);
}

static void test_system_object(void **state)
{
	struct store_handle h;
	struct fixture f;
	objid_t got = 1;

	(void)state;
	fresh(&f, SMALL);
	assert_int_equal(store_system_object(&f.st, &got), 0);
	assert_true(got == 0);
	assert_int_equal(store_create(&f.st, id_of(1), NULL, STORE_CREATE_SYSTEM, &h), -EINVAL);
	assert_int_equal(store_create(&f.st, id_of(1), NULL, STORE_CREATE_HIDDEN, &h), 0);
	remount(&f);
	assert_int_equal(store_system_object(&f.st, &got), 0);
	assert_true(got == 0);
	assert_int_equal(store_create(&f.st, id_of(2), NULL, STORE_CREATE_HIDDEN, &h), 0);
	assert_int_equal(store_publish(&f.st, &h, STORE_CREATE_SYSTEM), 0);
	remount(&f);
	assert_int_equal(store_system_object(&f.st, &got), 0);
	assert_true(got == id_of(2));
	assert_int_equal(store_lookup(&f.st, id_of(2), &h), 0);
	assert_true(!store_is_deleted(&f.st, &h));
	done(&f);
}

/* ---- Space ---- */

static unsigned fill_store(struct fixture *f)
{
	struct store_handle h;
	unsigned count = 0;
	int error;

	while ((error = store_create(&f->st, id_of(count), NULL, 0, &h)) == 0)
		count++;
	assert_int_equal(error, -ENOSPC);
	if (free_pages(f)) { /* an odd one */
		void *page;

		assert_int_equal(store_lookup(&f->st, id_of(0), &h), 0);
		assert_int_equal(store_page_alloc(&f->st, &h, 1, NULL, &page), 0);
	}
	return count;
}

static void test_full_store(void **state)
{
	struct store_handle h;
	struct fixture f;
	void *page = NULL;

	(void)state;
	fresh(&f, SMALL);
	unsigned count = fill_store(&f);

	assert_int_equal(count, (512 - 19) / 2);
	assert_int_equal(free_pages(&f), 0);
	assert_int_equal(hosted_check(&f.st), 0);
	assert_int_equal(store_lookup(&f.st, id_of(7), &h), 0);
	assert_int_equal(store_page_alloc(&f.st, &h, 1, NULL, &page), -ENOSPC);
	assert_int_equal(store_page_alloc(&f.st, &h, 1000, NULL, &page), -ENOSPC);
	assert_null(page);
	assert_int_equal(hosted_check(&f.st), 0);
	assert_int_equal(store_mark_deleted(&f.st, &h), 0);
	assert_int_equal(store_free(&f.st, &h), 0);
	assert_int_equal(free_pages(&f), 2);
	assert_int_equal(store_lookup(&f.st, id_of(8), &h), 0);
	assert_int_equal(store_page_alloc(&f.st, &h, 1000, NULL, &page), -ENOSPC);
	assert_int_equal(free_pages(&f), 2);
	assert_int_equal(store_page_alloc(&f.st, &h, 1, NULL, &page), 0);
	assert_int_equal(store_page_alloc(&f.st, &h, 2, NULL, &page), 0);
	for (unsigned i = 0; i < count; i++) {
		if (i == 7)
			continue;
		assert_int_equal(store_lookup(&f.st, id_of(i), &h), 0);
		assert_int_equal(store_mark_deleted(&f.st, &h), 0);
	}
	remount(&f);
	assert_int_equal(free_pages(&f), 512 - 19);
	assert_int_equal(fill_store(&f), count);
	done(&f);
}

static void test_big_object(void **state)
{
	struct store_handle h;
	struct fixture f;
	void *page;
	uint64_t n = 1;
	int error;

	(void)state;
	fresh(&f, 64ul << 20);
	uint64_t before = free_pages(&f);

	assert_int_equal(store_create(&f.st, id_of(1), NULL, 0, &h), 0);
	while ((error = store_page_alloc(&f.st, &h, n, NULL, &page)) == 0)
		n++;
	assert_int_equal(error, -ENOSPC);
	assert_true(n > 15000);
	assert_int_equal(store_mark_deleted(&f.st, &h), 0);
	assert_int_equal(store_free(&f.st, &h), 0);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

#define MANY 20000u

static void test_many_objects(void **state)
{
	static unsigned char seen[MANY];
	struct store_cursor cursor = { 0 };
	struct store_handle h;
	struct fixture f;
	void *page;

	(void)state;
	fresh(&f, 300ul << 20);
	uint64_t before = free_pages(&f);

	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(store_create(&f.st, id_of(i), NULL, 0, &h), 0);
		assert_int_equal(store_page_alloc(&f.st, &h, 1, NULL, &page), 0);
		*(uint64_t *)page = i;
	}
	assert_int_equal(free_pages(&f), before - 3 * MANY);
	remount(&f);
	while (store_next(&f.st, &cursor, &h) == 1) {
		assert_true(ID_LO(h.id) < MANY);
		assert_int_equal(seen[ID_LO(h.id)]++, 0);
	}
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(seen[i], 1);
		assert_int_equal(store_lookup(&f.st, id_of(i), &h), 0);
		assert_int_equal(store_page_get(&f.st, &h, 1, &page), 0);
		assert_int_equal(*(uint64_t *)page, i);
		assert_int_equal(store_mark_deleted(&f.st, &h), 0);
		if (i % 2)
			assert_int_equal(store_free(&f.st, &h), 0);
	}
	remount(&f);
	assert_int_equal(objects(&f), 0);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

/* ---- Read-only ---- */

static void test_read_only(void **state)
{
	struct store_handle h;
	struct fixture f;
	struct store ro;
	void *page;
	objid_t id;

	(void)state;
	fresh(&f, SMALL);
	assert_int_equal(store_create(&f.st, id_of(1), NULL, 0, &h), 0);
	assert_int_equal(store_create(&f.st, id_of(2), NULL, STORE_CREATE_DELETED, &h), 0);
	unsigned char *copy = malloc(f.len);

	memcpy(copy, f.base, f.len);
	assert_int_equal(store_mount(&ro, f.base, f.len, STORE_RDONLY, NULL), 0);
	assert_int_equal(store_lookup(&ro, id_of(1), &h), 0);
	assert_int_equal(store_create(&ro, id_of(3), NULL, 0, &h), -EROFS);
	assert_int_equal(store_page_alloc(&ro, &h, 1, NULL, &page), -EROFS);
	assert_int_equal(store_mark_deleted(&ro, &h), -EROFS);
	assert_int_equal(store_free(&ro, &h), -EROFS);
	assert_int_equal(store_publish(&ro, &h, 0), -EROFS);
	assert_int_equal(store_set_nameroot(&ro, 5), -EROFS);
	assert_int_equal(store_set_clock_mark(&ro, 5), -EROFS);
	assert_int_equal(store_nameroot(&ro, &id), 0);
	assert_int_equal(store_lookup(&ro, id_of(2), &h), -ENOENT);
	struct store_cursor cursor = { 0 };

	assert_int_equal(store_next(&ro, &cursor, &h), 1);
	assert_true(h.id == id_of(1));
	assert_int_equal(store_next(&ro, &cursor, &h), 0);
	assert_int_equal(hosted_check(&ro), 0);
	assert_memory_equal(copy, f.base, f.len);
	free(copy);
	done(&f);
}

/* ---- Threads ---- */

struct worker {
	struct store *st;
	struct store_handle shared;
	unsigned number;
	unsigned long wrong;
};

/* Objects of its own, and pages of one that all share. */
static void *churn(void *arg)
{
	struct worker *w = arg;
	struct store_handle h;
	void *page;

	for (unsigned i = 0; i < 300; i++) {
		objid_t id = id_of(1000 * (w->number + 1) + i);

		w->wrong += store_create(w->st, id, NULL, 0, &h) != 0;
		w->wrong += store_page_alloc(w->st, &h, 1 + i, NULL, &page) != 0;
		w->wrong += store_page_alloc(w->st, &w->shared, 1 + i * 4 + w->number, NULL,
					     &page) != 0;
		w->wrong += store_lookup(w->st, id, &h) != 0;
		w->wrong += store_mark_deleted(w->st, &h) != 0;
		w->wrong += store_free(w->st, &h) != 0;
	}
	return NULL;
}

/* Without the lock, beside those who allocate: a page is absent or whole. */
static void *watch(void *arg)
{
	struct worker *w = arg;
	uint64_t *page;

	for (unsigned i = 0; i < 200000; i++) {
		if (store_page_get(w->st, &w->shared, i % 1300, (void **)&page))
			w->wrong++;
		else if (page && (page[0] | page[511]))
			w->wrong++;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct worker workers[4];
	pthread_t threads[4];
	struct store_handle shared;
	struct fixture f;

	(void)state;
	fresh(&f, 32ul << 20);
	assert_int_equal(store_create(&f.st, id_of(1), NULL, 0, &shared), 0);
	for (unsigned i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .st = &f.st, .shared = shared, .number = i };
		assert_int_equal(pthread_create(&threads[i], NULL, i < 3 ? churn : watch,
						&workers[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	assert_int_equal(objects(&f), 1);
	done(&f);
}

/* ---- What each operation costs, so that nobody adds a flush or a fence unnoticed ---- */

struct cost {
	unsigned long flushes, fences;
};

static struct cost cost_since(struct cost *mark)
{
	struct cost now = { hosted_flushes, hosted_fences };
	struct cost spent = { now.flushes - mark->flushes, now.fences - mark->fences };

	*mark = now;
	return spent;
}

static void assert_cost(struct cost *mark, unsigned long flushes, unsigned long fences)
{
	struct cost spent = cost_since(mark);

	assert_int_equal(spent.flushes, flushes);
	assert_int_equal(spent.fences, fences);
}

static void test_sharing_costs(void **state)
{
	uint64_t content[PAGE_WORDS] = { 1 };
	struct fixture f;
	struct cost mark = { 0, 0 };
	void *page;

	(void)state;
	fresh(&f, SMALL);
	struct store_handle a = new_object(&f, 1), b = new_object(&f, 2);

	assert_int_equal(store_page_alloc(&f.st, &a, 1, NULL, &page), 0);
	cost_since(&mark);
	/* page, record, lines: bitmap, two states, page word */
	assert_int_equal(store_page_replace(&f.st, &a, 1, content, &page), 0);
	assert_cost(&mark, 6, 3);
	/* record, lines: reference, page word, page count */
	assert_int_equal(store_page_share(&f.st, &b, 1, &a, 1, &page), 0);
	assert_cost(&mark, 4, 2);
	assert_int_equal(store_page_shared(&f.st, &a, 1), 1);
	assert_cost(&mark, 0, 0);
	/* page, record, lines: reference, bitmap, states, page word */
	assert_int_equal(store_page_unshare(&f.st, &b, 1, &page), 0);
	assert_cost(&mark, 7, 3);
	/* the first takes a page for records */
	assert_int_equal(store_tie(&f.st, &a, &b), 0);
	assert_int_equal(store_tie(&f.st, &b, &a), 0);
	cost_since(&mark);
	/* record, the tie's line */
	assert_int_equal(store_tie(&f.st, &a, &b), 0);
	assert_cost(&mark, 2, 2);
	done(&f);
}

static void test_persistence_costs(void **state)
{
	struct store_handle h, found;
	struct fixture f;
	struct cost mark = { 0, 0 };
	void *page;

	(void)state;
	fresh(&f, SMALL);
	cost_since(&mark);
	/* pages 2, record 1, lines: bitmap, two states, inode, bucket */
	assert_int_equal(store_create(&f.st, id_of(1), NULL, 0, &h), 0);
	assert_cost(&mark, 8, 3);
	/* page, record, lines: bitmap, states, inode count, page word */
	assert_int_equal(store_page_alloc(&f.st, &h, 1, NULL, &page), 0);
	assert_cost(&mark, 7, 3);
	assert_int_equal(store_page_alloc(&f.st, &h, 1, NULL, &page), 0);
	assert_int_equal(store_lookup(&f.st, id_of(1), &found), 0);
	assert_int_equal(store_page_get(&f.st, &h, 1, &page), 0);
	assert_cost(&mark, 0, 0);
	assert_int_equal(store_mark_deleted(&f.st, &h), 0);
	assert_cost(&mark, 4, 2);
	/* record, lines: bucket, bitmap, states, links of the inode */
	assert_int_equal(store_free(&f.st, &h), 0);
	assert_cost(&mark, 6, 2);
	assert_int_equal(store_set_nameroot(&f.st, 7), 0);
	assert_cost(&mark, 3, 2);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_word_notices_five_flips),
		cmocka_unit_test(test_word_round_trip),
		cmocka_unit_test(test_sum_notices_every_bit),
		cmocka_unit_test(test_probe_sizes),
		cmocka_unit_test(test_probe_foreign),
		cmocka_unit_test(test_format_and_mount),
		cmocka_unit_test(test_unfinished_format),
		cmocka_unit_test(test_region_size_changes),
		cmocka_unit_test(test_features_and_versions),
		cmocka_unit_test(test_create_and_lookup),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_page_next),
		cmocka_unit_test(test_reused_pages_are_zero),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_born_deleted),
		cmocka_unit_test(test_hidden_and_publish),
		cmocka_unit_test(test_store_words),
		cmocka_unit_test(test_system_object),
		cmocka_unit_test(test_full_store),
		cmocka_unit_test(test_big_object),
		cmocka_unit_test(test_many_objects),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_persistence_costs),
		cmocka_unit_test(test_sharing_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
