// SPDX-License-Identifier: BSD-3-Clause
/* Prints what a store holds of storm's, word for word where words differ. Reads only. */
#include "storm.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/name.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>

#define KINDS 6u /* different patterns told apart in one page */
#define LINE 1800u

struct line {
	char text[LINE];
	size_t length;
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(l->text + l->length, LINE - l->length, format, ap);
	va_end(ap);
	l->length += n > 0 ? (size_t)n : 0;
	if (l->length >= LINE)
		l->length = LINE - 1;
}

static void print(struct line *l)
{
	add(l, "\n");
	kec_write(l->text, l->length);
	l->length = 0;
}

/* How often each pattern stands in a page; words that no write of this place made are bad. */
struct contents {
	uint32_t pattern[KINDS];
	unsigned words[KINDS];
	unsigned kinds, zero, bad;
};

static void count_pattern(struct contents *c, uint32_t pattern)
{
	for (unsigned k = 0; k < c->kinds; k++) {
		if (c->pattern[k] == pattern) {
			c->words[k]++;
			return;
		}
	}
	if (c->kinds == KINDS) {
		c->bad++;
		return;
	}
	c->pattern[c->kinds] = pattern;
	c->words[c->kinds++] = 1;
}

static void read_page(struct contents *c, const uint64_t *page, unsigned place)
{
	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < WORDS_PER_PAGE; i++) {
		uint32_t pattern = (uint32_t)(page[i] >> 32);

		if (page[i] == 0)
			c->zero++;
		else if (page[i] == pattern_word(pattern, place, i))
			count_pattern(c, pattern);
		else
			c->bad++;
	}
}

/* " PLACE:PATTERN" for a page of one write, else " PLACE:PATTERN*WORDS+…". */
static void add_page(struct line *l, const uint64_t *page, unsigned place)
{
	struct contents c;

	read_page(&c, page, place);
	add(l, " %u:", place);
	if (c.kinds == 1 && !c.zero && !c.bad) {
		add(l, "%u", c.pattern[0]);
		return;
	}
	add(l, "0*%u", c.zero);
	for (unsigned k = 0; k < c.kinds; k++)
		add(l, "+%u*%u", c.pattern[k], c.words[k]);
	if (c.bad)
		add(l, "+bad*%u", c.bad);
}

static void add_pages(struct line *l, twzobj *o)
{
	const char *start = (char *)twz_object_base(o) - OBJ_NULLPAGE_SIZE;
	struct kernel_ostat_page st;

	for (unsigned i = 0; i < PLACES; i++) {
		if (twz_object_kstat_page(o, places[i], &st) < 0)
			add(l, " %u:unreadable", i);
		else if (st.flags & OS_PAGE_EXIST)
			add_page(l, (const uint64_t *)(start + places[i] * TWZ_PAGE_SIZE), i);
	}
}

/* " gone", " error N", or " size BYTES", "ties:N", "deleted:1" and the pages. */
static void add_object(struct line *l, objid_t id)
{
	struct kernel_ostat st;
	twzobj o;
	int r = (int)sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st);

	if (r == 0)
		r = twz_object_init_guid(&o, id, FE_READ);
	if (r == -ENOENT) {
		add(l, " gone");
	} else if (r < 0) {
		add(l, " error %d", -r);
	} else {
		add(l, " size %lu", (unsigned long)st.sz);
		if (st.ties_in)
			add(l, " ties:%lu", (unsigned long)st.ties_in);
		if (st.flags & OS_FLAGS_DELETED)
			add(l, " deleted:1");
		add_pages(l, &o);
	}
	if (r == 0)
		twz_object_release(&o);
}

static bool record_is_right(const struct log *log, unsigned thread, uint64_t number)
{
	const struct record *found = &log->records[(number - 1) % LOG_RECORDS];
	struct record wanted;

	record_fill(&wanted, thread, number);
	return memcmp(found, &wanted, sizeof(wanted)) == 0;
}

/* The record that the next one will replace may be torn. */
static void add_log(struct line *l, objid_t id, unsigned thread)
{
	struct kernel_ostat st;
	const struct log *log;
	uint64_t first, n;
	twzobj o;

	if (sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st) < 0 || twz_object_init_guid(&o, id, FE_READ) < 0) {
		add(l, " gone");
		return;
	}
	log = twz_object_base(&o);
	first = log->count >= LOG_RECORDS ? log->count - LOG_RECORDS + 2 : 1;
	for (n = first; n <= log->count && record_is_right(log, thread, n); n++)
		;
	add(l, " log %lu", (unsigned long)log->count);
	if (n <= log->count)
		add(l, " wrong %lu", (unsigned long)n);
	twz_object_release(&o);
}

static void print_area(struct line *l, unsigned thread)
{
	const struct area *a = &directory->areas[thread];
	char name[32];
	objid_t id;

	add(l, "has counter %u %lu", thread, (unsigned long)a->counter);
	print(l);
	for (unsigned i = 0; i < SLOTS; i++) {
		if (!slot_is_used(&a->slots[i]))
			continue;
		add(l, "has slot %u %u " IDFMT, thread, i, IDPR(a->slots[i].id));
		if (i == LOG_SLOT)
			add_log(l, a->slots[i].id, thread);
		else
			add_object(l, a->slots[i].id);
		print(l);
	}
	for (unsigned k = 0; k < NAMES; k++) {
		snprintf(name, sizeof(name), STORM_NAME ".%u.%u", thread, k);
		if (twz_name_dfl_resolve(name, 0, &id) < 0)
			continue;
		add(l, "has name %u %u " IDFMT, thread, k, IDPR(id));
		print(l);
	}
}

void check_all(const struct request *q)
{
	static struct line line;
	struct line *l = &line;

	add(l, "has begun");
	print(l);
	if (directory) {
		add(l, "has directory " IDFMT, IDPR(twz_object_guid(&directory_object)));
		print(l);
		add(l, "has shared %lu", (unsigned long)directory->shared);
		print(l);
	}
	for (unsigned t = 0; directory && t < MAX_THREADS; t++)
		print_area(l, t);
	for (unsigned i = 0; i < q->look_count; i++) {
		add(l, "has loose " IDFMT, IDPR(q->looks[i]));
		add_object(l, q->looks[i]);
		print(l);
	}
	add(l, "has ended");
	print(l);
}
