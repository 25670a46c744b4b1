// SPDX-License-Identifier: BSD-3-Clause
/* The environment within one program. What others inherit of it: test_programs.c. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/env.h>

static bool is(const char *name, const char *value)
{
	const char *got = twz_getenv(name);

	return value ? got && strcmp(got, value) == 0 : !got;
}

static void set_and_get(void)
{
	CHECK(is("TEST_ONE", NULL));
	CHECK_EQ(twz_setenv("TEST_ONE", "first"), 0);
	CHECK_EQ(twz_setenv("TEST_ON", "shorter name"), 0);
	CHECK_EQ(twz_setenv("TEST_ONE_", "longer name"), 0);
	CHECK(is("TEST_ONE", "first"));
	CHECK_EQ(twz_setenv("TEST_ONE", ""), 0);
	CHECK(is("TEST_ONE", ""));
	CHECK_EQ(twz_setenv("TEST_ONE", "a=b = c"), 0);
	CHECK(is("TEST_ONE", "a=b = c"));
	CHECK(is("TEST_ON", "shorter name"));
	CHECK(is("TEST_ONE_", "longer name"));
	CHECK_EQ(twz_setenv("TEST_ONE", NULL), 0);
	CHECK(is("TEST_ONE", NULL));
	CHECK(is("TEST_ON", "shorter name"));
	CHECK_EQ(twz_setenv("TEST_ONE", NULL), 0);
	CHECK_EQ(twz_setenv("TEST_ON", NULL), 0);
	CHECK_EQ(twz_setenv("TEST_ONE_", NULL), 0);
}

static void refused(void)
{
	CHECK_EQ(twz_setenv("", "x"), -EINVAL);
	CHECK_EQ(twz_setenv("A=B", "x"), -EINVAL);
	CHECK(is("", NULL));
	CHECK(is("A=B", NULL));
}

/* A value that is part of the environment itself. */
static void from_itself(void)
{
	CHECK_EQ(twz_setenv("TEST_A", "the value of a"), 0);
	CHECK_EQ(twz_setenv("TEST_B", "b"), 0);
	CHECK_EQ(twz_setenv("TEST_A", twz_getenv("TEST_A") + 4), 0);
	CHECK(is("TEST_A", "value of a"));
	CHECK_EQ(twz_setenv("TEST_B", twz_getenv("TEST_A")), 0);
	CHECK(is("TEST_B", "value of a"));
	CHECK_EQ(twz_setenv("TEST_A", NULL), 0);
	CHECK(is("TEST_B", "value of a"));
	CHECK_EQ(twz_setenv("TEST_B", NULL), 0);
}

static void copies(void)
{
	char buffer[8];

	CHECK_EQ(twz_getenv_copy("TEST_C", buffer, sizeof(buffer)), -ENOENT);
	CHECK_EQ(twz_setenv("TEST_C", "1234567"), 0);
	CHECK_EQ(twz_getenv_copy("TEST_C", buffer, sizeof(buffer)), 7);
	CHECK(strcmp(buffer, "1234567") == 0);
	CHECK_EQ(twz_setenv("TEST_C", "12345678"), 0);
	CHECK_EQ(twz_getenv_copy("TEST_C", buffer, sizeof(buffer)), -ERANGE);
	CHECK(strcmp(buffer, "1234567") == 0);
	CHECK_EQ(twz_setenv("TEST_C", NULL), 0);
}

static void ids(void)
{
	objid_t id = 7;

	CHECK_EQ(twz_getenv_id("TEST_ID", &id), -ENOENT);
	CHECK_EQ(twz_setenv("TEST_ID", "0123456789abcdef:fedcba9876543210"), 0);
	CHECK_EQ(twz_getenv_id("TEST_ID", &id), 0);
	CHECK(id == MKID(0x0123456789abcdef, 0xfedcba9876543210));
	CHECK_EQ(twz_setenv("TEST_ID", "0123456789abcdef:fedcba987654321"), 0);
	CHECK_EQ(twz_getenv_id("TEST_ID", &id), -EINVAL);
	CHECK_EQ(twz_setenv("TEST_ID", "0x0123456789abcdef:0xfedcba98765432100x0123456789abcdef"), 0);
	CHECK_EQ(twz_getenv_id("TEST_ID", &id), -EINVAL);
	CHECK(id == MKID(0x0123456789abcdef, 0xfedcba9876543210));
	CHECK_EQ(twz_setenv("TEST_ID", NULL), 0);
}

static size_t entries(const char *wanted, size_t *found)
{
	size_t n = 0;

	for (const char *e = NULL; (e = twz_env_next(e)); n++)
		*found += strcmp(e, wanted) == 0;
	return n;
}

static void all_of_them(void)
{
	char name[] = "TEST_000";
	size_t found = 0, before = entries("TEST_042=forty-two", &found);

	for (int i = 0; i < 100; i++) {
		name[6] = (char)('0' + i / 10);
		name[7] = (char)('0' + i % 10);
		CHECK_EQ(twz_setenv(name, i == 42 ? "forty-two" : ""), 0);
	}
	CHECK_EQ(entries("TEST_042=forty-two", &found), before + 100);
	CHECK_EQ(found, 1);
	for (int i = 0; i < 100; i++) {
		name[6] = (char)('0' + i % 10);
		name[7] = (char)('0' + i / 10);
		CHECK_EQ(twz_setenv(name, NULL), 0);
	}
	CHECK_EQ(entries("TEST_042=forty-two", &found), before);
	CHECK_EQ(found, 1);
}

/* ---- Threads that change and copy ---- */

static void change(void *arg)
{
	char value[3] = "aa";
	char copy[8];

	for (int i = 0; i < 300; i++) {
		value[0] = value[1] = (char)('a' + i % 26);
		CHECK_EQ(twz_setenv(arg, value), 0);
		CHECK_EQ(twz_getenv_copy("TEST_T0", copy, sizeof(copy)), 2);
		CHECK(copy[0] == copy[1]);
	}
}

static void threads(void)
{
	static char names[3][8] = { "TEST_T0", "TEST_T1", "TEST_T2" };
	struct thread t[3];

	CHECK_EQ(twz_setenv(names[0], "zz"), 0);
	for (int i = 0; i < 3; i++)
		NEED(run_thread(&t[i], change, names[i]) == 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	for (int i = 0; i < 3; i++) {
		CHECK(is(names[i], "nn"));
		CHECK_EQ(twz_setenv(names[i], NULL), 0);
	}
}

static const struct ktap_case cases[] = {
	{ "variables are set, changed and removed", set_and_get },
	{ "names that are none are refused", refused },
	{ "a value may come from the environment itself", from_itself },
	{ "values are copied whole or not at all", copies },
	{ "IDs", ids },
	{ "every variable is found once", all_of_them },
	{ "threads change and copy", threads },
};

int main(void)
{
	return KTAP_RUN(cases);
}
