// SPDX-License-Identifier: BSD-3-Clause
/* The first line of a script: "#! interpreter argument", as Linux reads it. */
#include "twix.h"

#include <errno.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

/* Where a word ends: at a blank, a NUL, or the end. */
static char *word_end(char *p, const char *end)
{
	while (p < end && *p && !is_blank(*p))
		p++;
	return p;
}

/* The last byte of the line is not looked at, but for an end of the line. */
int twix_script_read(char line[TWIX_SCRIPT_LINE], char **interpreter, char **argument)
{
	char *end, *last = line + TWIX_SCRIPT_LINE - 1, *name, *behind;
	bool cut;

	if (line[0] != '#' || line[1] != '!')
		return -ENOEXEC;
	end = memchr(line, '\n', TWIX_SCRIPT_LINE);
	cut = !end || end == last;
	if (cut)
		end = last;
	name = skip_blanks(line + 2, end);
	behind = word_end(name, end);
	/* A name that may go on behind what was read is none; an argument is just cut. */
	if (cut && behind == end)
		return -ENOEXEC;
	while (end > name && is_blank(end[-1]))
		end--;
	if (name >= end || !*name)
		return -ENOEXEC;
	*end = 0;
	*interpreter = name;
	*argument = NULL;
	if (behind < end && *behind) {
		*behind = 0;
		*argument = skip_blanks(behind + 1, end);
	}
	if (*argument && !**argument)
		*argument = NULL;
	return 0;
}
