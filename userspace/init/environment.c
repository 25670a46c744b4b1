// SPDX-License-Identifier: BSD-3-Clause
/* The environment of the programs that are run: words NAME=value before a program's name are for it,
 * alone on a line for all that follow. */
#include "init.h"

#include <base/string.h>
#include <twz/env.h>
#include <twz/sys/kec.h>

static bool is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    (!first && c >= '0' && c <= '9');
}

bool is_assignment(const char *word)
{
	const char *c = word;

	while (is_name_char(*c, c == word))
		c++;
	return c > word && *c == '=';
}

int environment_set(char *const *words, int count)
{
	for (int i = 0; i < count; i++) {
		char *equals = strchr(words[i], '=');
		int r;

		*equals = 0;
		r = twz_setenv(words[i], equals + 1);
		if (r < 0) {
			kec_printf("init: %s: cannot be set (error %d)\n", words[i], -r);
			return r;
		}
	}
	return 0;
}

void environment_list(void)
{
	for (const char *e = NULL; (e = twz_env_next(e));)
		kec_printf("%s\n", e);
}
