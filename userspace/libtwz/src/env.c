// SPDX-License-Identifier: BSD-3-Clause
/*
 * This program's environment: it stands where whoever started the program wrote it, in the first
 * thread's stack object, and is changed there.
 */
#include "env.h"
#include "locks.h"
#include "runtime.h"

#include <twz/env.h>

static char *list(void)
{
	return (char *)(SLOT_TO_VADDR(TWZSLOT_STACK) + TWZ_ENV_OFFSET);
}

static const char *value_of(const char *name)
{
	size_t len = strnlen(name, TWZ_ENV_MAX);
	char *entry = len ? __twz_env_list_find(list(), name, len) : NULL;

	return entry ? entry + len + 1 : NULL;
}

const char *twz_getenv(const char *name)
{
	const char *value;

	mutex_acquire(&__twz_locks[LOCK_ENV]);
	value = value_of(name);
	mutex_release(&__twz_locks[LOCK_ENV]);
	return value;
}

ssize_t twz_getenv_copy(const char *name, char *buffer, size_t size)
{
	const char *value;
	ssize_t r = -ENOENT;

	mutex_acquire(&__twz_locks[LOCK_ENV]);
	value = value_of(name);
	if (value)
		r = strlen(value) < size ? (ssize_t)strlcpy(buffer, value, size) : -ERANGE;
	mutex_release(&__twz_locks[LOCK_ENV]);
	return r;
}

int twz_setenv(const char *name, const char *value)
{
	int r;

	mutex_acquire(&__twz_locks[LOCK_ENV]);
	r = __twz_env_list_set(list(), name, strnlen(name, TWZ_ENV_MAX), value);
	mutex_release(&__twz_locks[LOCK_ENV]);
	return r;
}

const char *twz_env_next(const char *entry)
{
	return __twz_env_list_next(list(), entry);
}

void __twz_env_inherit(char *to)
{
	mutex_acquire(&__twz_locks[LOCK_ENV]);
	__twz_env_list_copy(to, list());
	mutex_release(&__twz_locks[LOCK_ENV]);
}
