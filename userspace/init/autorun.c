// SPDX-License-Identifier: BSD-3-Clause
/*
 * The boot option autorun="prog args; prog args": programs to run in order, to the closing
 * quote. Without quotes it ends at the next space.
 */
#include "init.h"

#include <base/string.h>
#include <twz/sys/kec.h>

/* The end of the option that begins at s: a space or NUL that no quotes enclose. */
static const char *option_end(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || (*s != ' ' && *s != '\t' && *s != '\n')); s++)
		if (*s == '"')
			quoted = !quoted;
	return s;
}

bool find_option(const char *cmdline, const char *name, char *value, size_t size)
{
	size_t nlen = strlen(name);
	bool found = false;

	while (*cmdline) {
		const char *end = option_end(cmdline);

		if (strncmp(cmdline, name, nlen) == 0 && cmdline[nlen] == '=') {
			size_t n = 0;

			for (const char *s = cmdline + nlen + 1; s < end && n + 1 < size; s++)
				if (*s != '"')
					value[n++] = *s;
			value[n] = 0;
			found = true;
		}
		cmdline = *end ? end + 1 : end;
	}
	return found;
}

static bool is_blank(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return !*s;
}

int autorun(const char *cmdline)
{
	static char programs_line[3072];
	int count = 0, failed = 0;
	char *next;

	if (!find_option(cmdline, "autorun", programs_line, sizeof(programs_line)))
		return -1;
	for (char *line = programs_line; line; line = next) {
		next = strchr(line, ';');
		if (next)
			*next++ = 0;
		if (is_blank(line))
			continue;
		count++;
		if (run_line(line) != 0)
			failed++;
	}
	kec_printf("autorun: %d program%s, %d failed\n", count, count == 1 ? "" : "s", failed);
	return failed;
}
