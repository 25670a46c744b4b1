// SPDX-License-Identifier: BSD-3-Clause
/* Variables of the environment that are object IDs. */
#include "runtime.h"

#include <twz/env.h>

int twz_getenv_id(const char *name, objid_t *id)
{
	char text[48]; /* no ID is longer */
	ssize_t len = twz_getenv_copy(name, text, sizeof(text));

	if (len < 0)
		return len == -ENOENT ? -ENOENT : -EINVAL;
	return objid_parse(text, (size_t)len, id) ? 0 : -EINVAL;
}
