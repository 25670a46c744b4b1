// SPDX-License-Identifier: BSD-3-Clause
/*
 * What comes after the start: the program `session`, which keeps a shell running, where the machine was
 * built with one.
 */
#include "init.h"

#include <base/string.h>
#include <twz/sys/kec.h>

#define SESSION "session"

/* init=twz: the prompt of init, whatever programs there are. */
static bool is_unwanted(const char *cmdline)
{
	char which[16];

	return find_option(cmdline, "init", which, sizeof(which)) && strcmp(which, "twz") == 0;
}

void shell_session(const char *cmdline)
{
	char line[] = SESSION;

	if (is_unwanted(cmdline) || !is_program(SESSION))
		return;
	run_line(line);
	kec_printf("init: no session any more: `" SESSION "' begins another\n");
}
