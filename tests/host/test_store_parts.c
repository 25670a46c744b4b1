// SPDX-License-Identifier: BSD-3-Clause
/*
 * Unit tests of the object store, second part: pages that are replaced and shared, runs, side
 * pages, ties.
 */
#include "unit.h"

#include "store/fixture.h"

/* ---- Replacing and sharing ---- */

static void test_replace(void **state)
{
	uint64_t content[PAGE_WORDS];
	struct fixture f;
	void *page, *old;

	(void)state;
	fresh(&f, SMALL);
	struct store_handle h = new_object(&f, 1);
	uint64_t before = free_pages(&f);

	fill(content, 3);
	assert_int_equal(store_page_replace(&f.st, &h, 0, content, &page), -EINVAL);
	assert_int_equal(store_page_replace(&f.st, &h, LAST, NULL, &page), -EINVAL);
	assert_int_equal(store_page_replace(&f.st, &h, 5, NULL, &page), 0);
	assert_null(page);
	assert_int_equal(store_page_replace(&f.st, &h, 5, content, &old), 0);
	assert_int_equal(free_pages(&f), before - 1);
	fill(content, 4);
	assert_int_equal(store_page_replace(&f.st, &h, 5, content, &page), 0);
	assert_ptr_not_equal(page, old);
	assert_ptr_equal(page, page_of(&f, &h, 5));
	assert_int_equal(free_pages(&f), before - 1);
	assert_int_equal(store_page_replace(&f.st, &h, LAST, content, &page), 0);
	assert_int_equal(store_page_replace(&f.st, &h, 7000, content, &page), 0);
	remount(&f);
	assert_true(filled(page_of(&f, &h, 5), 4));
	assert_true(filled(page_of(&f, &h, LAST), 4));
	assert_int_equal(store_page_replace(&f.st, &h, 5, NULL, &page), 0);
	assert_null(page_of(&f, &h, 5));
	assert_int_equal(store_page_replace(&f.st, &h, 7000, NULL, &page), 0);
	assert_int_equal(free_pages(&f), before - 2); /* node and leaf stay */
	free_object(&f, &h);
	done(&f);
}

static void test_share(void **state)
{
	uint64_t content[PAGE_WORDS];
	struct fixture f;
	void *page, *mine;

	(void)state;
	fresh(&f, SMALL);
	struct store_handle a = new_object(&f, 1), b = new_object(&f, 2);

	fill(content, 8);
	assert_int_equal(store_page_share(&f.st, &b, 9, &a, 1, &page), -ENOENT);
	assert_int_equal(store_page_share(&f.st, &b, 0, &a, 1, &page), -EINVAL);
	assert_int_equal(store_page_alloc(&f.st, &a, 1, content, &mine), 0);
	assert_int_equal(store_page_unshare(&f.st, &a, 1, &page), 0);
	assert_ptr_equal(page, mine);
	uint64_t before = free_pages(&f);

	assert_int_equal(store_page_share(&f.st, &b, 9, &a, 1, &page), 0);
	assert_ptr_equal(page, mine);
	assert_int_equal(free_pages(&f), before);
	assert_int_equal(store_page_share(&f.st, &b, 9, &a, 1, &page), 0);
	assert_int_equal(store_page_share(&f.st, &b, 900, &b, 9, &page), 0);
	assert_int_equal(store_page_shared(&f.st, &a, 1), 1);
	assert_int_equal(store_page_shared(&f.st, &b, 900), 1);
	assert_int_equal(store_page_shared(&f.st, &b, 10), 0);
	assert_int_equal(store_page_shared(&f.st, &b, LAST), 0);
	remount(&f);
	assert_int_equal(store_page_unshare(&f.st, &b, 9, &page), 0);
	assert_ptr_not_equal(page, mine);
	assert_true(filled(page, 8));
	assert_int_equal(store_page_unshare(&f.st, &b, 11, &page), -ENOENT);
	assert_int_equal(hosted_check(&f.st), 0);
	free_object(&f, &a);
	assert_true(filled(page_of(&f, &b, 900), 8));
	assert_int_equal(store_page_shared(&f.st, &b, 900), 0);
	assert_int_equal(store_page_unshare(&f.st, &b, 900, &page), 0);
	assert_ptr_equal(page, mine);
	free_object(&f, &b);
	done(&f);
}

static void test_share_limit(void **state)
{
	struct fixture f;
	void *page;
	uint64_t n;

	(void)state;
	fresh(&f, SMALL);
	struct store_handle h = new_object(&f, 1);

	assert_int_equal(store_page_alloc(&f.st, &h, 1, NULL, &page), 0);
	for (n = 2; n <= 4096; n++)
		assert_int_equal(store_page_share(&f.st, &h, n, &h, 1, &page), 0);
	assert_int_equal(store_page_share(&f.st, &h, n, &h, 1, &page), -EMLINK);
	assert_int_equal(store_page_replace(&f.st, &h, 70, NULL, &page), 0);
	assert_int_equal(store_page_share(&f.st, &h, n, &h, 1, &page), 0);
	remount(&f);
	free_object(&f, &h);
	done(&f);
}

/* ---- Runs ---- */

#define RUN_BYTES (STORE_RUN_PAGES * STORE_PAGE_SIZE)

static void test_runs(void **state)
{
	uint64_t content[PAGE_WORDS];
	struct fixture f;
	void *run, *page, *got;
	uint64_t at = 600;

	(void)state;
	fresh(&f, 16ul << 20);
	uint64_t before = free_pages(&f);
	struct store_handle h = new_object(&f, 1), other = new_object(&f, 2);

	fill(content, 6);
	assert_int_equal(store_run_alloc(&f.st, &h, 0, &run), -EINVAL);
	assert_int_equal(store_run_alloc(&f.st, &h, 513, &run), -EINVAL);
	assert_int_equal(store_run_alloc(&f.st, &h, 511 * 512, &run), -EINVAL);
	assert_int_equal(store_run_alloc(&f.st, &h, 512, &run), 0);
	assert_int_equal((uintptr_t)run % RUN_BYTES, 0);
	assert_int_equal(store_run_alloc(&f.st, &h, 512, &page), -EEXIST);
	assert_int_equal(store_page_alloc(&f.st, &h, 600, content, &page), 0);
	assert_ptr_equal(page, (char *)run + 88 * STORE_PAGE_SIZE);
	assert_true(filled(page, 0));
	assert_int_equal(store_run_get(&f.st, &h, 1023, &got), 1);
	assert_ptr_equal(got, run);
	assert_int_equal(store_run_get(&f.st, &h, 1024, &got), 0);
	assert_int_equal(store_page_next(&f.st, &h, &at, &got), 1);
	assert_int_equal(at, 600);
	remount(&f);
	assert_int_equal(store_page_share(&f.st, &other, 3, &h, 600, &got), 0);
	assert_ptr_equal(got, page);
	assert_int_equal(store_run_get(&f.st, &h, 600, &got), 0);
	assert_int_equal(hosted_check(&f.st), 0);
	assert_int_equal(store_run_alloc(&f.st, &other, 1024, &run), 0);
	assert_int_equal(store_page_replace(&f.st, &other, 1024, NULL, &page), 0);
	assert_int_equal(store_page_replace(&f.st, &other, 1500, content, &page), 0);
	assert_int_equal(hosted_check(&f.st), 0);
	assert_int_equal(store_run_alloc(&f.st, &other, 4096, &run), 0);
	free_object(&f, &h);
	free_object(&f, &other);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

/* All runs that there are, with pages in between; then none is left but single pages are. */
static void test_runs_run_out(void **state)
{
	struct fixture f;
	void *page;
	unsigned runs = 0;
	int error;

	(void)state;
	fresh(&f, 64ul << 20);
	struct store_handle h = new_object(&f, 1);

	while ((error = store_run_alloc(&f.st, &h, 512 * (runs + 1), &page)) == 0)
		runs++;
	assert_int_equal(error, -ENOSPC);
	assert_true(runs >= 29);
	assert_int_equal(store_page_alloc(&f.st, &h, 1, NULL, &page), 0);
	assert_int_equal(store_page_replace(&f.st, &h, 700, NULL, &page), 0);
	assert_int_equal(store_run_alloc(&f.st, &h, 512 * 100, &page), -ENOSPC);
	for (uint64_t n = 512; n < 1024; n++)
		assert_int_equal(store_page_replace(&f.st, &h, n, NULL, &page), 0);
	assert_int_equal(store_run_alloc(&f.st, &h, 512, &page), -EEXIST);
	assert_int_equal(store_run_alloc(&f.st, &h, 512 * 100, &page), 0);
	done(&f);
}

/* A store whose place has another alignment: runs are looked for where the machine wants them. */
static void test_runs_elsewhere(void **state)
{
	unsigned char *whole = hosted_region(32ul << 20);
	size_t len = 16ul << 20;
	struct store_handle h;
	struct store st;
	void *run, *got;

	(void)state;
	unsigned char *base = whole + RUN_BYTES - (uintptr_t)whole % RUN_BYTES + 5 * 4096;

	assert_int_equal(store_format(base, len, uuid, &hosted_ops), 0);
	assert_int_equal(store_mount(&st, base, len, 0, &hosted_ops), 0);
	assert_int_equal(store_create(&st, id_of(1), NULL, 0, &h), 0);
	assert_int_equal(store_run_alloc(&st, &h, 1024, &run), 0);
	assert_int_equal((uintptr_t)run % RUN_BYTES, 0);
	assert_int_equal(hosted_check(&st), 0);
	memmove(base + STORE_PAGE_SIZE, base, len);
	assert_int_equal(store_mount(&st, base + STORE_PAGE_SIZE, len, 0, &hosted_ops), 0);
	assert_int_equal(store_run_get(&st, &h, 1024, &got), 0);
	assert_int_equal(store_page_get(&st, &h, 1024, &got), 0);
	assert_ptr_equal(got, (char *)run + STORE_PAGE_SIZE);
	assert_int_equal(hosted_check(&st), 0);
	assert_int_equal(store_mark_deleted(&st, &h), 0);
	assert_int_equal(store_free(&st, &h), 0);
	assert_int_equal(hosted_check(&st), 0);
	hosted_region_free(whole, 32ul << 20);
}

static void test_side_pages(void **state)
{
	static const uint64_t numbers[] = { 0, 63, 64, 511, 512, 8191 };
	uint64_t content[PAGE_WORDS];
	struct fixture f;
	void *page;

	(void)state;
	fresh(&f, SMALL);
	uint64_t before = free_pages(&f);
	struct store_handle h = new_object(&f, 1);

	assert_int_equal(store_side_alloc(&f.st, &h, 8192, NULL, &page), -EINVAL);
	assert_int_equal(store_side_get(&f.st, &h, 8192, &page), -EINVAL);
	for (unsigned i = 0; i < 6; i++) {
		fill(content, 50 + i);
		assert_int_equal(store_side_alloc(&f.st, &h, numbers[i], content, &page), 0);
	}
	assert_int_equal(free_pages(&f), before - 2 - 6 - 3);
	remount(&f);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(store_side_get(&f.st, &h, numbers[i], &page), 0);
		assert_true(filled(page, 50 + i));
	}
	assert_int_equal(store_side_get(&f.st, &h, 65, &page), 0);
	assert_null(page);
	assert_null(page_of(&f, &h, 63));
	free_object(&f, &h);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

/* ---- Ties ---- */

static void assert_ties(struct fixture *f, const struct store_handle *h, uint64_t in, uint64_t out)
{
	uint64_t has_in, has_out;

	assert_int_equal(store_tie_counts(&f->st, h, &has_in, &has_out), 0);
	assert_int_equal(has_in, in);
	assert_int_equal(has_out, out);
}

static void test_ties(void **state)
{
	struct store_tie_cursor cursor = { 0 };
	struct store_handle other;
	struct fixture f;

	(void)state;
	fresh(&f, SMALL);
	uint64_t before = free_pages(&f);
	struct store_handle p = new_object(&f, 1), c = new_object(&f, 2);

	assert_int_equal(store_tie(&f.st, &p, &p), -EINVAL);
	assert_int_equal(store_untie(&f.st, &p, &c), -ENOENT);
	assert_int_equal(store_tie(&f.st, &p, &c), 0);
	assert_int_equal(store_tie(&f.st, &p, &c), 0);
	assert_ties(&f, &p, 0, 1);
	assert_ties(&f, &c, 1, 0);
	assert_int_equal(store_mark_deleted(&f.st, &c), 0);
	assert_int_equal(store_free(&f.st, &c), -EBUSY);
	remount(&f);
	assert_int_equal(store_lookup(&f.st, id_of(2), &c), 0);
	assert_int_equal(store_tie_next(&f.st, &p, STORE_CHILDREN, &cursor, &other), 1);
	assert_true(other.id == id_of(2) && other.inode == c.inode && cursor.count == 2);
	assert_int_equal(store_tie_next(&f.st, &p, STORE_CHILDREN, &cursor, &other), 0);
	assert_int_equal(store_untie(&f.st, &p, &c), 0);
	assert_ties(&f, &c, 1, 0);
	assert_int_equal(store_untie(&f.st, &p, &c), 0);
	assert_int_equal(store_tie_next(&f.st, &p, STORE_CHILDREN, &cursor, &other), -EAGAIN);
	assert_ties(&f, &c, 0, 0);
	assert_int_equal(store_tie(&f.st, &p, &c), 0);
	assert_int_equal(hosted_check(&f.st), 0);
	free_object(&f, &p);
	remount(&f);
	assert_int_equal(store_lookup(&f.st, id_of(2), &c), -ENOENT);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

/* Many parents and children, in an order that fills and empties tie pages; then one cascade. */
static void test_many_ties(void **state)
{
	struct store_handle h[40], other;
	struct fixture f;
	unsigned seen = 0;

	(void)state;
	fresh(&f, SMALL);
	uint64_t before = free_pages(&f);

	for (unsigned i = 0; i < 40; i++)
		h[i] = new_object(&f, i);
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned j = 0; j < 40; j += 1 + i % 3) {
			if (i < j)
				assert_int_equal(store_tie(&f.st, &h[i], &h[j]), 0);
		}
	}
	assert_int_equal(hosted_check(&f.st), 0);
	assert_ties(&f, &h[0], 0, 39);
	struct store_tie_cursor cursor = { 0 };

	while (store_tie_next(&f.st, &h[39], STORE_PARENTS, &cursor, &other) == 1)
		seen++;
	assert_true(seen > 20);
	for (unsigned i = 1; i < 40; i += 2)
		assert_int_equal(store_untie(&f.st, &h[0], &h[i]), 0);
	remount(&f);
	assert_int_equal(objects(&f), 40);
	for (unsigned i = 1; i < 40; i += 2)
		assert_int_equal(store_tie(&f.st, &h[0], &h[i]), 0);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(store_mark_deleted(&f.st, &h[i]), 0);
	remount(&f);
	assert_int_equal(objects(&f), 0);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

static int publish_below(struct fixture *f, const struct store_handle *h, unsigned flags,
			 const struct store_handle *parents, unsigned count)
{
	return store_publish_tied(&f->st, h, flags,
				  &(struct store_relatives){ .parents = parents, .parent_count = count });
}

static void test_publish_tied(void **state)
{
	struct store_handle h, parents[3];
	struct fixture f;

	(void)state;
	fresh(&f, SMALL);
	parents[0] = new_object(&f, 1);
	parents[1] = new_object(&f, 2);
	assert_int_equal(store_create(&f.st, id_of(3), NULL, STORE_CREATE_HIDDEN, &h), 0);
	parents[2] = h;
	assert_int_equal(publish_below(&f, &h, 0, parents, 65), -EINVAL);
	assert_int_equal(publish_below(&f, &h, 0, parents, 3), -EINVAL);
	assert_ties(&f, &h, 0, 0);
	assert_ties(&f, &parents[0], 0, 0);
	assert_int_equal(publish_below(&f, &h, STORE_CREATE_DELETED, parents, 2), 0);
	remount(&f);
	assert_int_equal(store_lookup(&f.st, id_of(3), &h), 0);
	assert_int_equal(store_is_deleted(&f.st, &h), 1);
	assert_ties(&f, &h, 2, 0);
	struct store ro;

	assert_int_equal(store_mount(&ro, f.base, f.len, STORE_RDONLY, NULL), 0);
	assert_int_equal(store_lookup(&ro, id_of(3), &h), 0);
	free_object(&f, &parents[0]);
	remount(&f);
	assert_int_equal(store_lookup(&f.st, id_of(3), &h), 0);
	free_object(&f, &parents[1]);
	remount(&f);
	assert_int_equal(objects(&f), 0);
	done(&f);
}

/* Children of the new object: a deleted one lives on by it. */
static void test_publish_above(void **state)
{
	struct store_handle h, children[2];
	struct store_relatives ties = { .children = children, .child_count = 65 };
	struct fixture f;

	(void)state;
	fresh(&f, SMALL);
	children[0] = new_object(&f, 1);
	children[1] = new_object(&f, 2);
	assert_int_equal(store_mark_deleted(&f.st, &children[1]), 0);
	assert_int_equal(store_create(&f.st, id_of(3), NULL, STORE_CREATE_HIDDEN, &h), 0);
	assert_int_equal(store_publish_tied(&f.st, &h, 0, &ties), -EINVAL);
	ties.child_count = 2;
	assert_int_equal(store_publish_tied(&f.st, &h, 0, &ties), 0);
	assert_ties(&f, &h, 0, 2);
	assert_ties(&f, &children[1], 1, 0);
	remount(&f);
	assert_int_equal(objects(&f), 3);
	free_object(&f, &h);
	remount(&f);
	assert_int_equal(objects(&f), 1);
	done(&f);
}

static void test_withdraw(void **state)
{
	struct store_handle parent, h, child;
	struct store_freeing at;
	struct fixture f;

	(void)state;
	fresh(&f, SMALL);
	uint64_t before = free_pages(&f);

	parent = new_object(&f, 1);
	h = new_object(&f, 2);
	child = new_object(&f, 3);
	assert_int_equal(store_tie(&f.st, &parent, &h), 0);
	assert_int_equal(store_tie(&f.st, &h, &child), 0);
	assert_int_equal(store_mark_deleted(&f.st, &child), 0);
	assert_int_equal(store_free_begin(&f.st, &h, &at), -EINVAL);
	assert_int_equal(store_withdraw_begin(&f.st, &h, &at), 0);
	assert_int_equal(store_lookup(&f.st, id_of(2), &h), -ENOENT);
	while (store_free_more(&f.st, &h, &at) == 1)
		;
	assert_ties(&f, &parent, 0, 0);
	remount(&f);
	assert_int_equal(objects(&f), 1);

	/* Half done, the mount does the rest. */
	h = new_object(&f, 4);
	assert_int_equal(store_tie(&f.st, &parent, &h), 0);
	assert_int_equal(store_withdraw_begin(&f.st, &h, &at), 0);
	remount(&f);
	assert_int_equal(objects(&f), 1);
	free_object(&f, &parent);
	remount(&f);
	assert_int_equal(free_pages(&f), before);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_share_limit),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_runs_run_out),
		cmocka_unit_test(test_runs_elsewhere),
		cmocka_unit_test(test_side_pages),
		cmocka_unit_test(test_ties),
		cmocka_unit_test(test_many_ties),
		cmocka_unit_test(test_publish_tied),
		cmocka_unit_test(test_publish_above),
		cmocka_unit_test(test_withdraw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
