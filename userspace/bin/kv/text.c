// SPDX-License-Identifier: BSD-3-Clause
/* Text in and out: lines, escapes, messages. */
#include "kv.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/sys/kec.h>

#define CTRL_C 3
#define CTRL_D 4
#define CTRL_U 21
#define BACKSPACE 8
#define DELETE 127

/* A line of load holds a key and a value in which every byte is escaped. */
#define LINE_MOST (4 * (KEY_MOST + VALUE_MOST) + 16)

static char pending[4096];
static size_t pending_length;

void say_all(void)
{
	if (pending_length)
		kec_write(pending, pending_length);
	pending_length = 0;
}

static void put(void *arg, const char *text, size_t length)
{
	(void)arg;
	for (size_t i = 0; i < length; i++) {
		pending[pending_length++] = text[i];
		if (pending_length == sizeof(pending) || text[i] == '\n')
			say_all();
	}
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	base_vformat(put, NULL, fmt, ap);
	va_end(ap);
}

int refuse(const char *what, const char *fmt, ...)
{
	va_list ap;

	say("kv: %s: ", what);
	va_start(ap, fmt);
	base_vformat(put, NULL, fmt, ap);
	va_end(ap);
	say("\n");
	return REFUSED;
}

int refuse_error(const char *what, int error)
{
	static const struct {
		int number;
		const char *text;
	} texts[] = {
		{ ENOENT, "not there" },
		{ EINVAL, "a key has 1 to 512 bytes" },
		{ E2BIG, "a value has at most 1048576 bytes" },
		{ EINVLOBJ, "the store is damaged" },
		{ ENOMEM, "the store is full" },
		{ ENOSPC, "no space is left" },
		{ ENOTDIR, "a part of the path is no namespace" },
		{ ENAMETOOLONG, "the name is too long" },
		{ EACCES, "permission denied" },
		{ EROFS, "the machine's store is read-only" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].number == -error)
			return refuse(what, "%s", texts[i].text);
	return refuse(what, "error %d", -error);
}

void say_bytes(struct bytes b, bool key)
{
	for (size_t i = 0; i < b.length; i++) {
		unsigned char c = (unsigned char)b.text[i];

		if (c < ' ' || c > '~' || c == '\\' || (key && c == ' '))
			say("\\x%02x", c);
		else
			put(NULL, b.text + i, 1);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that an escape at s stands for, and how long it is; -1 if it is none. */
static int escaped(const char *s, size_t left, size_t *length)
{
	int high, low;

	*length = 2;
	if (left < 2)
		return -1;
	if (s[1] == 'n' || s[1] == 't' || s[1] == '\\')
		return s[1] == 'n' ? '\n' : s[1] == 't' ? '\t' : '\\';
	if (s[1] != 'x' || left < 4)
		return -1;
	high = hex_digit(s[2]);
	low = hex_digit(s[3]);
	*length = 4;
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

long unescape(char *text, size_t length)
{
	size_t n = 0, step;

	for (size_t i = 0; i < length; i += step) {
		int c = (unsigned char)text[i];

		step = 1;
		if (c == '\\')
			c = escaped(text + i, length - i, &step);
		if (c < 0)
			return -1;
		text[n++] = (char)c;
	}
	text[n] = 0;
	return (long)n;
}

/* What a typed key does to the line; true if it was one that edits. */
static bool edit(int c, size_t *n)
{
	size_t back = c == CTRL_U ? *n : *n ? 1 : 0;

	if (c != BACKSPACE && c != DELETE && c != CTRL_U)
		return false;
	*n -= back;
	while (back--)
		kec_write("\b \b", 3);
	return true;
}

char *read_line(bool echo, long *length)
{
	static char line[LINE_MOST + 1];
	bool too_long = false;
	size_t n = 0;
	int c;

	while ((c = kec_getchar()) >= 0 && c != '\n' && c != '\r') {
		char key = (char)c;

		if (c == CTRL_C || (c == CTRL_D && n == 0))
			return NULL;
		if (echo && edit(c, &n))
			continue;
		if (n == LINE_MOST) {
			too_long = true;
			continue;
		}
		line[n++] = key;
		if (echo)
			kec_write(&key, 1);
	}
	if (c < 0 && n == 0)
		return NULL;
	if (echo)
		kec_write("\n", 1);
	line[n] = 0;
	*length = too_long ? -1 : (long)n;
	return line;
}
