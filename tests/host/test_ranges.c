// SPDX-License-Identifier: BSD-3-Clause
/* Tests of boot/ranges.h, against a bitmap of small addresses. */
#include "unit.h"

#include <boot/ranges.h>

#define MAX 8
#define SPACE 64 /* addresses that the bitmap knows */

struct set {
	struct range r[MAX];
	unsigned int count;
};

static uint64_t bitmap(const struct set *s)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < s->count; i++) {
		assert_true(s->r[i].size > 0);
		/* Sorted, disjoint, and not even touching. */
		assert_true(i == 0 || s->r[i - 1].base + s->r[i - 1].size < s->r[i].base);
		for (uint64_t a = 0; a < s->r[i].size; a++)
			bits |= 1ull << (s->r[i].base + a);
	}
	return bits;
}

static uint64_t bits_of(struct range r)
{
	uint64_t bits = 0;

	for (uint64_t a = 0; a < r.size; a++)
		bits |= 1ull << (r.base + a);
	return bits;
}

static void sets_are_what_a_bitmap_says(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct set s = { .count = 0 };
		uint64_t want = 0;

		for (int step = 0; step < 12; step++) {
			struct range r = { next_random(&random) % SPACE, 0 };
			r.size = next_random(&random) % (SPACE - r.base) % 16;
			if (next_random(&random) % 2) {
				if (ranges_add(s.r, &s.count, MAX, r))
					want |= bits_of(r);
			} else if (ranges_subtract(s.r, &s.count, MAX, r)) {
				want &= ~bits_of(r);
			} else {
				/*
				 * Whatever was dropped, nothing of r is left and nothing was added.
				 */
				assert_int_equal(bitmap(&s) & ~(want & ~bits_of(r)), 0);
				want = bitmap(&s);
			}
			assert_int_equal(bitmap(&s), want);
		}
	}
}

static void a_full_set_keeps_what_it_has(void **state)
{
	struct set s = { .count = 0 };

	(void)state;
	for (unsigned int i = 0; i < MAX; i++)
		assert_true(ranges_add(s.r, &s.count, MAX, (struct range){ 4 * i, 2 }));
	assert_false(ranges_add(s.r, &s.count, MAX, (struct range){ 100, 1 }));
	assert_true(ranges_add(s.r, &s.count, MAX, (struct range){ 2, 2 }));
	assert_int_equal(s.count, MAX - 1);
}

static void the_top_of_the_address_space_is_ordinary(void **state)
{
	struct set s = { .count = 0 };

	(void)state;
	assert_true(ranges_add(s.r, &s.count, MAX, (struct range){ UINT64_MAX - 9, 9 }));
	assert_true(ranges_subtract(s.r, &s.count, MAX, (struct range){ UINT64_MAX - 4, 4 }));
	assert_int_equal(s.r[0].size, 5);
	assert_int_equal(range_inner_pages((struct range){ UINT64_MAX - 100, 100 }).size, 0);
	assert_true(range_outer_pages((struct range){ UINT64_MAX - 100, 100 }).size <= PAGE_SIZE);
}

static void pages_are_cut_inwards_and_outwards(void **state)
{
	struct range r = { 0x1001, 0x2fff };

	(void)state;
	assert_int_equal(range_inner_pages(r).base, 0x2000);
	assert_int_equal(range_inner_pages(r).size, 0x2000);
	assert_int_equal(range_outer_pages(r).base, 0x1000);
	assert_int_equal(range_outer_pages(r).size, 0x3000);
	assert_int_equal(range_inner_pages((struct range){ 0x1001, 0x10 }).size, 0);
	assert_int_equal(range_outer_pages((struct range){ 0x1001, 0 }).size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_what_a_bitmap_says),
		cmocka_unit_test(a_full_set_keeps_what_it_has),
		cmocka_unit_test(the_top_of_the_address_space_is_ordinary),
		cmocka_unit_test(pages_are_cut_inwards_and_outwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
