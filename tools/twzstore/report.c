// SPDX-License-Identifier: BSD-3-Clause
/* Reports, see report.h. */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static FILE *target;

void complain_to(FILE *out)
{
	target = out;
}

FILE *complaints(void)
{
	return target != NULL ? target : stderr;
}

bool complain(const char *format, ...)
{
	va_list args;

	fputs("twzstore: ", complaints());
	va_start(args, format);
	vfprintf(complaints(), format, args);
	va_end(args);
	fputc('\n', complaints());
	return false;
}

const char *error_text(int error)
{
	switch (error < 0 ? -error : error) {
	case EUCLEAN:
		return "the store is damaged there";
	case ENOSPC:
		return "no space left";
	case EINTR:
		return "interrupted";
	default:
		return strerror(error < 0 ? -error : error);
	}
}

static bool is_plain(const char *name, size_t i)
{
	unsigned char c = (unsigned char)name[i];

	if (c == ' ')
		return i != 0 && name[i + 1] != '\0';
	return c > ' ' && c != 0x7f && c != '\\';
}

void print_name(FILE *out, const char *name)
{
	for (size_t i = 0; name[i] != '\0'; i++) {
		if (is_plain(name, i))
			fputc(name[i], out);
		else
			fprintf(out, "\\x%02x", (unsigned char)name[i]);
	}
}

void *grow(void *old, size_t count, size_t size)
{
	void *new = reallocarray(old, count, size);

	if (new == NULL && count != 0) {
		complain("out of memory");
		exit(FAILED);
	}
	return new;
}
