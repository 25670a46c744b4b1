// SPDX-License-Identifier: BSD-3-Clause
/* The environment of a hosted program is that of its Linux process. */
#include "../src/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <twz/env.h>

extern char **environ;

static struct mutex lock;

const char *twz_getenv(const char *name)
{
	const char *value;

	mutex_acquire(&lock);
	value = getenv(name);
	mutex_release(&lock);
	return value;
}

ssize_t twz_getenv_copy(const char *name, char *buffer, size_t size)
{
	const char *value;
	ssize_t r = -ENOENT;

	mutex_acquire(&lock);
	value = getenv(name);
	if (value) {
		size_t len = strlen(value);

		r = len < size ? (ssize_t)len : -ERANGE;
		if (len < size)
			memcpy(buffer, value, len + 1);
	}
	mutex_release(&lock);
	return r;
}

int twz_setenv(const char *name, const char *value)
{
	int r;

	mutex_acquire(&lock);
	r = value ? setenv(name, value, 1) : unsetenv(name);
	r = r == 0 ? 0 : errno == EINVAL ? -EINVAL : -ENOMEM;
	mutex_release(&lock);
	return r;
}

const char *twz_env_next(const char *entry)
{
	char **at = environ;

	while (entry && at && *at && *at != entry)
		at++;
	if (entry && at && *at)
		at++;
	return at ? *at : NULL;
}
