// SPDX-License-Identifier: BSD-3-Clause
/* Tests of base/bits.h and base/endian.h. */
#include "unit.h"

#include <base/bits.h>
#include <base/endian.h>

static void alignment(void **state)
{
	uint64_t out;

	(void)state;
	assert_int_equal(align_up(0, 4096), 0);
	assert_int_equal(align_up(1, 4096), 4096);
	assert_int_equal(align_up(4096, 4096), 4096);
	assert_int_equal(align_down(8191, 4096), 4096);
	assert_true(is_aligned(4096, 4096));
	assert_false(is_aligned(4095, 4096));
	assert_false(align_up_checked(4097, 4096, &out));
	assert_int_equal(out, 8192);
	assert_false(align_up_checked(UINT64_MAX - 4095, 4096, &out));
	assert_int_equal(out, UINT64_MAX - 4095);
	assert_true(align_up_checked(UINT64_MAX - 4094, 4096, &out));
	assert_true(align_up_checked(UINT64_MAX, 2, &out));
}

static void powers_of_two(void **state)
{
	(void)state;
	assert_false(is_pow2(0));
	assert_false(is_pow2(3));
	for (unsigned int i = 0; i < 64; i++) {
		assert_true(is_pow2(1ull << i));
		assert_int_equal(ilog2(1ull << i), i);
		assert_int_equal(ilog2(UINT64_MAX >> (63 - i)), i);
		assert_int_equal(bit_lowest(UINT64_MAX << i), i);
		assert_int_equal(bit_count(UINT64_MAX >> i), 64 - i);
	}
	assert_int_equal(bit_count(0), 0);
}

static void checked_arithmetic(void **state)
{
	uint64_t out;

	(void)state;
	assert_false(add_overflow(UINT64_MAX, 0, &out));
	assert_true(add_overflow(UINT64_MAX, 1, &out));
	assert_false(sub_overflow(5, 5, &out));
	assert_int_equal(out, 0);
	assert_true(sub_overflow(5, 6, &out));
	assert_false(mul_overflow(1ull << 32, (1ull << 32) - 1, &out));
	assert_true(mul_overflow(1ull << 32, 1ull << 32, &out));
	assert_int_equal(div_round_up(UINT64_MAX, 2), 1ull << 63);
	assert_int_equal(div_round_up(0, 7), 0);
}

static void ranges(void **state)
{
	(void)state;
	assert_true(range_within(0, 10, 10));
	assert_true(range_within(10, 0, 10));
	assert_false(range_within(11, 0, 10));
	assert_false(range_within(5, UINT64_MAX, 10));
	assert_false(range_within(UINT64_MAX, 2, UINT64_MAX));
	assert_true(range_between(5, 5, 5, 10));
	assert_false(range_between(4, 5, 5, 10));
	assert_true(ranges_overlap(0, 10, 9, 1));
	assert_false(ranges_overlap(0, 10, 10, 1));
	assert_false(ranges_overlap(5, 0, 0, 10));
}

struct outer {
	int before;
	int member;
};

static void macros(void **state)
{
	struct outer o;
	int array[7], calls = 0;

	(void)state;
	assert_ptr_equal(container_of(&o.member, struct outer, member), &o);
	assert_int_equal(ARRAY_SIZE(array), 7);
	assert_int_equal(MIN(3, 4), 3);
	assert_int_equal(MAX(3, 4), 4);
	assert_int_equal(MAX(calls++, -1), 0);
	assert_int_equal(calls, 1);
}

static void byte_order(void **state)
{
	uint8_t b[9];

	(void)state;
	store_le64(b + 1, 0x0102030405060708ull);
	assert_int_equal(b[1], 8);
	assert_int_equal(load_le64(b + 1), 0x0102030405060708ull);
	assert_int_equal(load_be64(b + 1), 0x0807060504030201ull);
	assert_int_equal(load_le32(b + 1), 0x05060708);
	assert_int_equal(load_be32(b + 1), 0x08070605);
	assert_int_equal(load_le16(b + 1), 0x0708);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(alignment), cmocka_unit_test(powers_of_two),
		cmocka_unit_test(checked_arithmetic), cmocka_unit_test(ranges),
		cmocka_unit_test(macros), cmocka_unit_test(byte_order),
	};

	return cmocka_run_group_tests_name("base/bits", tests, NULL, NULL);
}
