// SPDX-License-Identifier: BSD-3-Clause
/* Tests of boot options: boot/options.h and boot_option() and its kin. */
#include "unit.h"

#include <boot/machine.h>
#include <boot/options.h>

#include "host.h"

struct machine machine;

static void line(const char *text)
{
	snprintf(machine.bootargs, sizeof(machine.bootargs), "%s", text);
}

static void expect(const char *name, const char *value)
{
	size_t length = 12345;
	const char *found = boot_option(name, &length);

	if (value == NULL) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_int_equal(length, strlen(value));
	assert_memory_equal(found, value, length);
}

static void words_are_found(void **state)
{
	(void)state;
	line("quiet  panic=poweroff\tautorun=\"demo one; test two\" init=/bin/init empty= last");
	expect("quiet", "");
	expect("panic", "poweroff");
	expect("autorun", "demo one; test two");
	expect("init", "/bin/init");
	expect("empty", "");
	expect("last", "");
	expect("demo", NULL);
	expect("one", NULL);
	expect("pani", NULL);
	expect("panicc", NULL);
	assert_true(boot_option_is("panic", "poweroff"));
	assert_false(boot_option_is("panic", "power"));
	assert_false(boot_option_is("absent", ""));
}

static void the_last_of_several_counts(void **state)
{
	(void)state;
	line("a=1 a=2 b=1 a=3");
	expect("a", "3");
}

static void odd_lines_are_survived(void **state)
{
	(void)state;
	line("");
	expect("", NULL);
	line("=");
	expect("", "");
	line("===== a");
	expect("a", "");
	line("a=\"no end");
	expect("a", "no end");
	line("a=\"\"b=2 c=\"x\"");
	expect("a", "");
	expect("b", "2");
	expect("c", "x");
	line("\" \"");
	expect("\"", "");
}

static void numbers_are_checked(void **state)
{
	(void)state;
	line("a=12 b= c=12x d=18446744073709551615 e=18446744073709551616 f=-1 g=007");
	assert_int_equal(boot_option_number("a", 9), 12);
	assert_int_equal(boot_option_number("b", 9), 9);
	assert_int_equal(boot_option_number("c", 9), 9);
	assert_true(boot_option_number("d", 9) == UINT64_MAX);
	assert_int_equal(boot_option_number("e", 9), 9);
	host_log_lines = 0;
	assert_int_equal(boot_option_number("f", 9), 9);
	assert_int_equal(host_log_lines, 1);
	assert_int_equal(boot_option_number("g", 9), 7);
	assert_int_equal(boot_option_number("h", 9), 9);
	assert_int_equal(host_log_lines, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found),
		cmocka_unit_test(the_last_of_several_counts),
		cmocka_unit_test(odd_lines_are_survived),
		cmocka_unit_test(numbers_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
