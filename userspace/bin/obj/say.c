// SPDX-License-Identifier: BSD-3-Clause
/* Printing, and numbers from text. */
#include "obj.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/sys/kec.h>

/* What was said and not yet printed: a line is written in one piece. */
static char pending[2048];
static size_t pending_length;

void say_all(void)
{
	kec_write(pending, pending_length);
	pending_length = 0;
}

static void put(void *arg, const char *text, size_t length)
{
	(void)arg;
	while (length) {
		size_t n = sizeof(pending) - pending_length;

		n = length < n ? length : n;
		memcpy(pending + pending_length, text, n);
		pending_length += n;
		text += n;
		length -= n;
		if (pending_length == sizeof(pending))
			say_all();
	}
	if (pending_length && pending[pending_length - 1] == '\n')
		say_all();
}

void say_with(const char *fmt, va_list ap)
{
	base_vformat(put, NULL, fmt, ap);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_with(fmt, ap);
	va_end(ap);
}

int refuse(const char *what, const char *fmt, ...)
{
	va_list ap;

	say("obj: %s: ", what);
	va_start(ap, fmt);
	say_with(fmt, ap);
	va_end(ap);
	say("\n");
	return REFUSED;
}

int refuse_error(const char *what, long error)
{
	static const struct {
		int number;
		const char *text;
	} texts[] = {
		{ ENOENT, "there is no such name or object" },
		{ ENOTDIR, "a part of the path is no namespace" },
		{ ELOOP, "too many symbolic links, or a circle of ties" },
		{ EINVAL, "not a valid name, or arguments that do not go together" },
		{ ENAMETOOLONG, "the name is too long" },
		{ EEXIST, "it exists already" },
		{ ENODEV, "there is no persistent store" },
		{ ENOSPC, "no space is left" },
		{ ENOMEM, "no memory is left" },
		{ EACCES, "permission denied" },
		{ EPERM, "an object cannot be tied to itself" },
		{ EMLINK, "the chain of ties would be too long" },
		{ EXDEV, "the two are in different stores" },
		{ EROFS, "the store is read-only" },
		{ EUCLEAN, "the store is damaged" },
		{ EINVLOBJ, "it is damaged" },
		{ ENOTEMPTY, "the namespace is not empty" },
		{ EBUSY, "it is in use" },
		{ ENOTSUP, "this machine cannot do that" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].number == -error)
			return refuse(what, "%s", texts[i].text);
	return refuse(what, "error %ld", -error);
}

void say_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		say(c < ' ' || c > '~' || c == '"' || c == '\\' ? "\\x%02x" : "%c", c);
	}
}

void say_rights(uint32_t flags)
{
	say("%c%c%c%c%c", flags & MIP_DFL_READ ? 'r' : '-', flags & MIP_DFL_WRITE ? 'w' : '-',
	    flags & MIP_DFL_EXEC ? 'x' : '-', flags & MIP_DFL_USE ? 'u' : '-',
	    flags & MIP_DFL_DEL ? 'd' : '-');
}

static int digit(char c, unsigned int base)
{
	int d = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' ? (c | 0x20) - 'a' + 10 : 99;

	return d < (int)base ? d : -1;
}

bool parse_number(const char *text, uint64_t *value)
{
	unsigned int base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	const char *s = base == 16 ? text + 2 : text;
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		int d = digit(*s, base);

		if (d < 0 || v > (UINT64_MAX - (uint64_t)d) / base)
			return false;
		v = v * base + (uint64_t)d;
	}
	*value = v;
	return true;
}
