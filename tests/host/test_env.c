// SPDX-License-Identifier: BSD-3-Clause
/*
 * Environments where they stand (userspace/libtwz/src/env_list.c): against a model, and with noise
 * in memory of exactly their size, so that the sanitizer sees every byte beyond.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/libtwz/src/env.h"

#define NAMES 20u

static uint64_t noise_state = 88172645463325252ull;

static uint64_t noise(void)
{
	noise_state ^= noise_state << 13;
	noise_state ^= noise_state >> 7;
	noise_state ^= noise_state << 17;
	return noise_state;
}

static size_t entries(char *list)
{
	const char *e = NULL;
	size_t n = 0;

	while ((e = __twz_env_list_next(list, e))) {
		assert_true(e >= list && e + strlen(e) < list + TWZ_ENV_MAX);
		n++;
	}
	return n;
}

/* What should be set; NULL: nothing. */
static char *model[NAMES];

static void check_model(char *list)
{
	size_t count = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		char name[16];
		int len = snprintf(name, sizeof(name), "NAME%u", i);
		char *entry = __twz_env_list_find(list, name, (size_t)len);

		assert_int_equal(entry != NULL, model[i] != NULL);
		if (entry)
			assert_string_equal(entry + len + 1, model[i]);
		count += model[i] != NULL;
	}
	assert_int_equal(entries(list), count);
}

static void as_the_model_says(void **state)
{
	char *list = calloc(1, TWZ_ENV_MAX), *copy = calloc(1, TWZ_ENV_MAX);
	char *value = malloc(TWZ_ENV_MAX);

	(void)state;
	for (unsigned n = 0; n < 3000; n++) {
		unsigned i = noise() % NAMES;
		size_t len = noise() % 8 ? noise() % 40 : noise() % 9000;
		char name[16];
		int r;

		snprintf(name, sizeof(name), "NAME%u", i);
		memset(value, 'a' + (int)(noise() % 26), len);
		value[len] = 0;
		r = __twz_env_list_set(list, name, strlen(name), noise() % 4 ? value : NULL);
		assert_true(r == 0 || r == -ENOMEM);
		if (r == 0) {
			char *entry = __twz_env_list_find(list, name, strlen(name));

			free(model[i]);
			model[i] = entry ? strdup(value) : NULL;
		}
		if (n % 16 == 0)
			check_model(list);
	}
	check_model(list);
	__twz_env_list_copy(copy, list);
	check_model(copy);
	for (unsigned i = 0; i < NAMES; i++)
		free(model[i]);
	free(value);
	free(copy);
	free(list);
}

/* To the last byte, and not one more. */
static void full(void **state)
{
	char *list = calloc(1, TWZ_ENV_MAX), *value = malloc(TWZ_ENV_MAX + 1);

	(void)state;
	memset(value, 'x', TWZ_ENV_MAX);
	value[TWZ_ENV_MAX] = 0;
	assert_int_equal(__twz_env_list_set(list, "A", 1, value), -ENOMEM);
	value[TWZ_ENV_MAX - 4] = 0;
	assert_int_equal(__twz_env_list_set(list, "AB", 2, value), -ENOMEM);
	assert_int_equal(__twz_env_list_set(list, "A", 1, value), 0);
	assert_int_equal(entries(list), 1);
	assert_int_equal(__twz_env_list_set(list, "A", 1, ""), -ENOMEM);
	assert_int_equal(__twz_env_list_set(list, "A", 1, NULL), 0);
	assert_int_equal(entries(list), 0);
	assert_int_equal(__twz_env_list_put(list, "no equals sign"), -EINVAL);
	assert_int_equal(__twz_env_list_put(list, "=x"), -EINVAL);
	free(value);
	free(list);
}

static void fill_with_noise(char *list)
{
	static const char letters[] = "AB=\0xA\0=\0";
	unsigned dense = noise() % 4;

	for (size_t i = 0; i < TWZ_ENV_MAX; i++) {
		char c = letters[noise() % (sizeof(letters) - 1)];

		list[i] = dense == 0 || (c == 0 && noise() % 64 >= dense) ? 'x' : c;
	}
	if (noise() % 2)
		list[TWZ_ENV_MAX - 1] = 0;
}

static void noise_is_no_danger(void **state)
{
	char *list = malloc(TWZ_ENV_MAX), *copy = calloc(1, TWZ_ENV_MAX);

	(void)state;
	for (unsigned n = 0; n < 20; n++) {
		size_t count;
		int r;

		fill_with_noise(list);
		count = entries(list);
		memset(copy, 0, TWZ_ENV_MAX);
		__twz_env_list_copy(copy, list);
		assert_int_equal(entries(copy), count);
		r = __twz_env_list_set(list, "NEW", 3, "value");
		assert_true(r == 0 || r == -ENOMEM);
		if (r == 0)
			assert_string_equal(__twz_env_list_find(list, "NEW", 3), "NEW=value");
		__twz_env_list_set(list, "A", 1, NULL);
		assert_true(entries(list) <= count + 1);
	}
	free(copy);
	free(list);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_model_says),
		cmocka_unit_test(full),
		cmocka_unit_test(noise_is_no_danger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
