// SPDX-License-Identifier: BSD-3-Clause
/* Tests of base/string.h against the C library's functions. */
#include "unit.h"

#include "rename.h"
#include <base/string.h>
#include "undo_rename.h"

#define MAX_SHIFT 9 /* beyond a word */
#define MAX_LEN 90  /* beyond the unrolled part, with rests */

static void fill(unsigned char *p, size_t n, unsigned int seed)
{
	uint64_t state = seed;

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)next_random(&state);
}

/* Source and destination are blocks of their own, so that a byte too many is seen. */
static void copy_once(size_t from, size_t to, size_t len)
{
	unsigned char *src = block(from + len), *dst = block(to + len), *kept = block(to);

	fill(src, from + len, 1);
	fill(dst, to + len, 2);
	memcpy(kept, dst, to);
	assert_ptr_equal(base_memcpy(dst + to, src + from, len), dst + to);
	assert_memory_equal(dst + to, src + from, len);
	assert_memory_equal(dst, kept, to);
	free(src);
	free(dst);
	free(kept);
}

static void memcpy_copies_every_alignment_and_length(void **state)
{
	(void)state;
	for (size_t from = 0; from < MAX_SHIFT; from++) {
		for (size_t to = 0; to < MAX_SHIFT; to++) {
			for (size_t len = 0; len < MAX_LEN; len++)
				copy_once(from, to, len);
		}
	}
}

static void memmove_is_right_for_every_overlap(void **state)
{
	unsigned char a[160], b[160];

	(void)state;
	for (size_t from = 0; from < 48; from++) {
		for (size_t to = 0; to < 48; to++) {
			for (size_t len = 0; len < MAX_LEN; len += 1 + len / 24) {
				fill(a, sizeof(a), 3);
				memcpy(b, a, sizeof(a));
				assert_ptr_equal(base_memmove(a + to, a + from, len), a + to);
				memmove(b + to, b + from, len);
				assert_memory_equal(a, b, sizeof(a));
			}
		}
	}
}

static void memset_fills_just_its_range(void **state)
{
	unsigned char a[128], b[128];

	(void)state;
	for (size_t start = 0; start < MAX_SHIFT; start++) {
		for (size_t len = 0; len < MAX_LEN; len++) {
			fill(a, sizeof(a), 4);
			memcpy(b, a, sizeof(a));
			assert_ptr_equal(base_memset(a + start, 0x1a5, len), a + start);
			memset(b + start, 0xa5, len);
			assert_memory_equal(a, b, sizeof(a));
		}
	}
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void compare_once(const unsigned char *a, size_t shift, size_t len, size_t at)
{
	unsigned char *b = block(shift + len);

	memcpy(b + shift, a, len);
	assert_int_equal(base_memcmp(a, b + shift, len), 0);
	if (at < len) {
		b[shift + at] ^= 0x80;
		assert_int_equal(sign(base_memcmp(a, b + shift, len)),
				 sign(memcmp(a, b + shift, len)));
		assert_int_equal(sign(base_memcmp(b + shift, a, len)),
				 sign(memcmp(b + shift, a, len)));
	}
	free(b);
}

static void memcmp_finds_every_difference(void **state)
{
	unsigned char *a = block(40);

	(void)state;
	fill(a, 40, 5);
	for (size_t shift = 0; shift < MAX_SHIFT; shift++) {
		for (size_t len = 0; len <= 40; len++) {
			for (size_t at = 0; at <= len; at++)
				compare_once(a, shift, len, at);
		}
	}
	free(a);
}

static void memchr_finds_the_first(void **state)
{
	char *s = block(6);

	(void)state;
	memcpy(s, "abcab\xff", 6);
	assert_ptr_equal(base_memchr(s, 'b', 6), s + 1);
	assert_ptr_equal(base_memchr(s, 0xff, 6), s + 5);
	assert_ptr_equal(base_memchr(s, -1, 6), s + 5);
	assert_null(base_memchr(s, 0xff, 5));
	assert_null(base_memchr(s, 'a', 0));
	free(s);
}

static void lengths(void **state)
{
	char *bare = block(3);

	(void)state;
	memcpy(bare, "abc", 3);
	assert_int_equal(base_strlen(""), 0);
	assert_int_equal(base_strlen("hello"), 5);
	assert_int_equal(base_strnlen("hello", 9), 5);
	assert_int_equal(base_strnlen("hello", 2), 2);
	assert_int_equal(base_strnlen(bare, 3), 3);
	assert_int_equal(base_strnlen(bare, 0), 0);
	free(bare);
}

static void string_comparison(void **state)
{
	static const char *const s[] = { "", "a", "ab", "abc", "abd", "b", "\x7f", "\x80", "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		for (size_t k = 0; k < sizeof(s) / sizeof(s[0]); k++) {
			assert_int_equal(sign(base_strcmp(s[i], s[k])), sign(strcmp(s[i], s[k])));
			for (size_t n = 0; n < 5; n++)
				assert_int_equal(sign(base_strncmp(s[i], s[k], n)),
						 sign(strncmp(s[i], s[k], n)));
		}
	}
}

static void strchr_finds_the_first_and_the_end(void **state)
{
	const char *s = "path/to/it";

	(void)state;
	assert_ptr_equal(base_strchr(s, '/'), s + 4);
	assert_ptr_equal(base_strchr(s, '\0'), s + 10);
	assert_null(base_strchr(s, 'x'));
	assert_null(base_strchr("", 'x'));
}

static void strlcpy_cuts_and_terminates(void **state)
{
	char *d = block(4);

	(void)state;
	assert_int_equal(strlcpy(d, "abc", 4), 3);
	assert_string_equal(d, "abc");
	assert_int_equal(strlcpy(d, "defg", 4), 4);
	assert_string_equal(d, "def");
	assert_int_equal(strlcpy(d, "xyz", 0), 3);
	assert_string_equal(d, "def");
	assert_int_equal(strlcpy(d, "x", 1), 1);
	assert_string_equal(d, "");
	free(d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(memcpy_copies_every_alignment_and_length),
		cmocka_unit_test(memmove_is_right_for_every_overlap),
		cmocka_unit_test(memset_fills_just_its_range),
		cmocka_unit_test(memcmp_finds_every_difference),
		cmocka_unit_test(memchr_finds_the_first),
		cmocka_unit_test(lengths),
		cmocka_unit_test(string_comparison),
		cmocka_unit_test(strchr_finds_the_first_and_the_end),
		cmocka_unit_test(strlcpy_cuts_and_terminates),
	};

	return cmocka_run_group_tests_name("base/string", tests, NULL, NULL);
}
