// SPDX-License-Identifier: BSD-3-Clause
/* obj hexdump and fot: the bytes of an object, and what it leads to. */
#include "obj.h"

#include <base/printf.h>
#include <base/string.h>

#define LINE 16u
#define SHOWN 256u

static void dump_line(const unsigned char *p, uint64_t offset, size_t n)
{
	char text[128];
	int at = snprintf(text, sizeof(text), "%08lx ", (unsigned long)offset);

	for (size_t i = 0; i < LINE; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, i < n ? "%s%02x" : "%s  ",
		    i == LINE / 2 ? "  " : " ", i < n ? p[i] : 0u);
	at += snprintf(text + at, sizeof(text) - (size_t)at, "  |");
	for (size_t i = 0; i < n; i++)
		text[at++] = p[i] >= ' ' && p[i] <= '~' ? (char)p[i] : '.';
	say("%.*s|\n", at, text);
}

/* Lines that repeat the one before are one star. */
static void dump(const unsigned char *object, uint64_t from, uint64_t to)
{
	const unsigned char *last = NULL;
	bool starred = false;

	for (uint64_t at = from; at < to; at += LINE) {
		size_t n = to - at < LINE ? (size_t)(to - at) : LINE;

		if (last && n == LINE && memcmp(last, object + at, LINE) == 0) {
			if (!starred)
				say("*\n");
			starred = true;
			continue;
		}
		dump_line(object + at, at, n);
		last = object + at;
		starred = false;
	}
	say("%08lx\n", (unsigned long)to);
}

int command_hexdump(int argc, char **argv)
{
	uint64_t from = OBJ_NULLPAGE_SIZE, bytes = SHOWN;
	twzobj o;

	if ((argc > 1 && !parse_number(argv[1], &from)) ||
	    (argc > 2 && !parse_number(argv[2], &bytes)))
		return refuse("hexdump", "FROM and BYTES are numbers, decimal or 0x…"), USAGE;
	if (from < OBJ_NULLPAGE_SIZE || from >= OBJ_MAXSIZE)
		return refuse("hexdump", "an object has bytes from 0x1000 to 0x3fffffff"), USAGE;
	if (bytes > OBJ_MAXSIZE - from)
		bytes = OBJ_MAXSIZE - from;
	if (!open_object(argv[0], &o, ACCESS_READ))
		return REFUSED;
	dump((unsigned char *)twz_object_base(&o) - OBJ_NULLPAGE_SIZE, from, from + bytes);
	twz_object_release(&o);
	return DONE;
}

static void say_entry(twzobj *o, uint64_t index, const struct fotentry *fe)
{
	const char *name;
	long length;

	say("%6lu  ", (unsigned long)index);
	say_rights((uint32_t)fe->flags);
	say("%s  ", fe->flags & FE_DERIVE ? " derive" : "");
	if (!(fe->flags & FE_NAME)) {
		name = names_of(fe->id);
		say(IDFMT "  %s%s\n", IDPR(fe->id), name ? name : "",
		    object_exists(fe->id) ? "" : "(gone)");
		return;
	}
	length = fot_name(o, fe, &name);
	say("name ");
	if (length < 0)
		say("at %lx, damaged", (unsigned long)fe->name.data);
	else
		say_text(name, (size_t)length);
	if (fe->name.nresolver)
		say("  resolver %lx", (unsigned long)fe->name.nresolver);
	say("\n");
}

/* Entries that were begun and never finished: how many are there from this index on. */
static uint64_t holes(twzobj *o, uint64_t index)
{
	uint64_t n = 0;

	while (index + n < fot_count(o) && !(fot_entry(o, index + n)->flags & _FE_VALID))
		n++;
	return n;
}

int command_fot(int argc, char **argv)
{
	twzobj o;

	(void)argc;
	if (!open_object(argv[0], &o, ACCESS_READ))
		return REFUSED;
	names_collect();
	for (uint64_t i = 1; i < fot_count(&o);) {
		uint64_t n = holes(&o, i);

		if (n)
			say("%6lu  %lu never finished\n", (unsigned long)i, (unsigned long)n);
		else
			say_entry(&o, i, fot_entry(&o, i));
		i += n ? n : 1;
	}
	twz_object_release(&o);
	return DONE;
}
