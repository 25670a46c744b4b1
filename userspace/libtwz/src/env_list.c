// SPDX-License-Identifier: BSD-3-Clause
/* Reading and changing an environment where it stands (env.h). Nothing outside the list is read. */
#include "env.h"

#include <abi/errno.h>
#include <base/string.h>

/* Where an entry at `at` ends, behind its NUL; NULL: there is no entry. */
static char *entry_end(char *list, char *at)
{
	size_t room = (size_t)(list + TWZ_ENV_MAX - at);
	size_t len = strnlen(at, room);
	const char *equals = memchr(at, '=', len);

	return len == room || !equals || equals == at ? NULL : at + len + 1;
}

char *__twz_env_list_next(char *list, const char *entry)
{
	char *at = entry ? list + (entry - list) + strlen(entry) + 1 : list;

	return entry_end(list, at) ? at : NULL;
}

/* Where the list ends: there the empty string stands, or will. */
static char *list_end(char *list)
{
	char *at = list, *end;

	while ((end = entry_end(list, at)))
		at = end;
	return at;
}

char *__twz_env_list_find(char *list, const char *name, size_t len)
{
	char *entry = NULL;

	while ((entry = __twz_env_list_next(list, entry)))
		if (strncmp(entry, name, len) == 0 && entry[len] == '=')
			return entry;
	return NULL;
}

static void cut_out(char *list, char *entry)
{
	char *behind = entry + strlen(entry) + 1, *end = list_end(list);

	memmove(entry, behind, (size_t)(end - behind));
	entry[end - behind] = 0;
}

static int append(char *list, const char *name, size_t len, const char *value)
{
	char *end = list_end(list);
	size_t vlen = strnlen(value, TWZ_ENV_MAX);

	/* name, '=', value, its NUL, and the NUL that ends the list */
	if (len + vlen + 3 > TWZ_ENV_MAX - (size_t)(end - list))
		return -ENOMEM;
	memcpy(end, name, len);
	end[len] = '=';
	memcpy(end + len + 1, value, vlen);
	end[len + 1 + vlen] = 0;
	end[len + 2 + vlen] = 0;
	return 0;
}

/* The new one is appended before the old one goes: value may be part of the list. */
int __twz_env_list_set(char *list, const char *name, size_t len, const char *value)
{
	char *old;
	int r = 0;

	if (len == 0 || len >= TWZ_ENV_MAX || memchr(name, '=', len) || memchr(name, 0, len))
		return -EINVAL;
	old = __twz_env_list_find(list, name, len);
	if (value)
		r = append(list, name, len, value);
	if (r == 0 && old)
		cut_out(list, old);
	return r;
}

void __twz_env_list_copy(char *to, char *from)
{
	size_t len = (size_t)(list_end(from) - from);

	/* No page of `to` is touched for nothing. */
	if (len)
		memcpy(to, from, len);
}

int __twz_env_list_fill(char *list, const char *const *env)
{
	char *at = list, *end = list + TWZ_ENV_MAX - 1; /* the last NUL ends the list */

	for (; env && *env; env++) {
		size_t len = strnlen(*env, TWZ_ENV_MAX) + 1;
		const char *equals = memchr(*env, '=', len - 1);

		if (!equals || equals == *env)
			continue;
		if (len > (size_t)(end - at))
			return -ENOMEM;
		memcpy(at, *env, len);
		at += len;
	}
	return 0;
}

int __twz_env_list_put(char *list, const char *entry)
{
	const char *equals = strchr(entry, '=');

	return equals ? __twz_env_list_set(list, entry, (size_t)(equals - entry), equals + 1) : -EINVAL;
}
