// SPDX-License-Identifier: BSD-3-Clause
/* Tests of base/printf.h against the C library's printf. */
#include "unit.h"

#include <limits.h>

#include "rename.h"
#include <base/printf.h>
#include "undo_rename.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-security"

/* Both must print the same and return the same. */
#define SAME(...)                                                                 \
	do {                                                                      \
		char ours[400], theirs[400];                                      \
		int n = base_snprintf(ours, sizeof(ours), __VA_ARGS__);           \
                                                                                  \
		assert_int_equal(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__)); \
		assert_string_equal(ours, theirs);                                \
	} while (0)

static void plain_text(void **state)
{
	(void)state;
	SAME("%s", "");
	SAME("nothing special");
	SAME("100%% of %s", "it");
}

static void signed_numbers(void **state)
{
	static const int values[] = { 0, 1, -1, 7, -42, 123456, INT_MAX, INT_MIN };
	static const char *const formats[] = { "%d", "%i", "%5d|", "%-5d|", "%05d", "%+d", "% d",
					       "%.3d", "%8.3d|", "%-8.3d|", "%08.3d|", "%+06d",
					       "%- 9d|", "%.0d|", "%012d", "%+.12d" };

	(void)state;
	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
			SAME(formats[f], values[v]);
	}
}

static void unsigned_numbers(void **state)
{
	static const unsigned int values[] = { 0, 1, 8, 255, 65536, UINT_MAX };
	static const char *const formats[] = { "%u", "%x", "%X", "%o", "%#x", "%#X", "%#o",
					       "%10x|", "%-10x|", "%010x", "%#010x", "%.5x",
					       "%#.5x", "%#12.5x|", "%-#12x|", "%.0u|", "%#.0o|",
					       "%#.0x|", "%#.4o", "%#6o" };

	(void)state;
	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
			SAME(formats[f], values[v]);
	}
}

static void length_modifiers(void **state)
{
	(void)state;
	SAME("%hhd %hhu %hhx", 300, 300, -1);
	SAME("%hd %hu %hx", 70000, 70000, -1);
	SAME("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
	SAME("%lld %llu %llx", LLONG_MIN, ULLONG_MAX, 1ull << 63);
	SAME("%zu %zd %zx", (size_t)-1, (ssize_t)-5, (size_t)77);
	SAME("%jd %ju", (intmax_t)-9, (uintmax_t)9);
	SAME("%td", (ptrdiff_t)-3);
	SAME("%.16lx:%.16lx", 0x123ul, ~0ul);
}

static void strings_and_characters(void **state)
{
	char *bare = block(3);

	(void)state;
	memcpy(bare, "xyz", 3);
	SAME("%s|%6s|%-6s|%s", "a", "bc", "de", "");
	SAME("%.2s|%.0s|%.9s|%6.1s|%-6.1s|", "abc", "abc", "abc", "abc", "abc");
	SAME("%.3s", bare);
	SAME("%c|%4c|%-4c|", 'x', 'y', 'z');
	SAME("%*s|%-*s|%*s|", 4, "a", 4, "b", -4, "c");
	SAME("%.*s|%.*s|", 1, "abc", -1, "abc");
	SAME("%*.*d|%*.*d|", 7, 3, 5, -7, -3, 5);
	SAME("%s", "(null)");
	free(bare);
}

static void null_string(void **state)
{
	char out[20];
	const char *volatile none = NULL;

	(void)state;
	assert_int_equal(base_snprintf(out, sizeof(out), "%s", none), 6);
	assert_string_equal(out, "(null)");
}

static void pointers(void **state)
{
	char out[40];

	(void)state;
	SAME("%p", (void *)0x1234abcd);
	assert_int_equal(base_snprintf(out, sizeof(out), "%p", NULL), 3);
	assert_string_equal(out, "0x0");
}

static void output_is_cut_and_terminated(void **state)
{
	char *d;

	(void)state;
	for (size_t size = 1; size < 12; size++) {
		char want[12];

		d = block(size);
		snprintf(want, size, "ab%5dyz", 42);
		assert_int_equal(base_snprintf(d, size, "ab%5dyz", 42), 9);
		assert_string_equal(d, want);
		free(d);
	}
	assert_int_equal(base_snprintf(NULL, 0, "%d", 12345), 5);
}

static void unknown_conversions_are_copied(void **state)
{
	char out[60];
	const char *volatile fmt = "%q %5.2y %";

	(void)state;
	assert_int_equal(base_snprintf(out, sizeof(out), fmt), 10);
	assert_string_equal(out, "%q %5.2y %");
	fmt = "%ld%l";
	base_snprintf(out, sizeof(out), fmt, 5l);
	assert_string_equal(out, "5%l");
}

static void count_only(void *arg, const char *text, size_t len)
{
	size_t *total = arg;

	assert_non_null(text);
	assert_true(len >= 1);
	*total += len;
}

static void huge_widths_do_not_overflow(void **state)
{
	size_t total = 0;

	(void)state;
	assert_int_equal(base_format(count_only, &total, "%1000000d", 1), 1000000);
	assert_int_equal(total, 1000000);
	total = 0;
	assert_int_equal(base_format(count_only, &total, "%.*d%*d", 40000, -7, -50000, 1), 90001);
	assert_int_equal(total, 90001);
	assert_int_equal(base_format(count_only, &total, "%s", ""), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text),
		cmocka_unit_test(signed_numbers),
		cmocka_unit_test(unsigned_numbers),
		cmocka_unit_test(length_modifiers),
		cmocka_unit_test(strings_and_characters),
		cmocka_unit_test(null_string),
		cmocka_unit_test(pointers),
		cmocka_unit_test(output_is_cut_and_terminated),
		cmocka_unit_test(unknown_conversions_are_copied),
		cmocka_unit_test(huge_widths_do_not_overflow),
	};

	return cmocka_run_group_tests_name("base/printf", tests, NULL, NULL);
}
