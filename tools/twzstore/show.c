// SPDX-License-Identifier: BSD-3-Clause
/* Showing a store, see show.h. */
#include "show.h"

#include <base/bits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "inside.h"

static void print_size(FILE *out, const char *what, uint64_t pages)
{
	fprintf(out, "%-10s %llu pages, %llu KiB\n", what, (unsigned long long)pages,
		(unsigned long long)pages * (STORE_PAGE_SIZE / 1024));
}

static void print_clock(FILE *out, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[40];

	if (ms == 0 || gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		fprintf(out, "clock      not set\n");
	else
		fprintf(out, "clock      %s\n", text);
}

void show_info(struct store *st, FILE *out)
{
	struct store_stats stats;
	objid_t root = 0;

	store_stats(st, &stats);
	fputs("uuid       ", out);
	for (unsigned int i = 0; i < sizeof(stats.uuid); i++)
		fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			stats.uuid[i]);
	fputc('\n', out);
	print_size(out, "size", stats.total_pages);
	print_size(out, "free", stats.free_pages);
	fprintf(out, "objects    %llu\n", (unsigned long long)stats.objects);
	fprintf(out, "boots      %llu\n", (unsigned long long)stats.boots);
	print_clock(out, store_clock_mark(st));
	if (store_nameroot(st, &root) != 0)
		fprintf(out, "name root  damaged\n");
	else if (root == 0)
		fprintf(out, "name root  none\n");
	else
		fprintf(out, "name root  " IDFMT "\n", IDPR(root));
	fprintf(out, "last cut   %s\n", inside_log_pending(st) ?
		"in an operation that the next mount for writing completes" :
		"none that left work");
}

void print_permissions(FILE *out, unsigned int p_flags)
{
	static const struct {
		unsigned int flag;
		char letter;
	} letters[] = { { MIP_DFL_READ, 'r' }, { MIP_DFL_WRITE, 'w' }, { MIP_DFL_EXEC, 'x' },
			{ MIP_DFL_USE, 'u' }, { MIP_DFL_DEL, 'd' }, { MIP_HASHDATA, 'h' } };

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		fputc(p_flags & letters[i].flag ? letters[i].letter : '-', out);
}

static void list_object(struct store *st, const struct store_handle *h, const struct names *names,
			FILE *out)
{
	const struct named *n = names_of(names, h->id);
	struct object o;
	uint64_t size;

	fprintf(out, IDFMT " ", IDPR(h->id));
	if (object_from(st, h, &o) != 0 || object_size(&o, &size) != 0)
		fprintf(out, "%10s", "?");
	else if (o.mi.flags & MIF_SZ)
		fprintf(out, "%10llu", (unsigned long long)size);
	else
		fprintf(out, "%10s", "-");
	fprintf(out, " %7llu ", (unsigned long long)inside_object_pages(st, h));
	print_permissions(out, o.mi.p_flags);
	for (; n != NULL && n < names->list + names->count && n->id == h->id; n++) {
		fputc(' ', out);
		print_name(out, n->path);
	}
	fputc('\n', out);
}

static int by_id(const void *a, const void *b)
{
	const struct store_handle *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* A damaged store may show one object more often than it has room for objects: then stop. */
static size_t all_objects(struct store *st, struct store_handle **list, bool *damaged)
{
	struct store_cursor cursor = { 0 };
	struct store_handle h;
	size_t count = 0, room = 0;
	int found;

	while ((found = store_next(st, &cursor, &h)) != 0 && count < st->pages) {
		if (found < 0) {
			*damaged = true;
			continue;
		}
		if (count == room) {
			room = 2 * room + 64;
			*list = grow(*list, room, sizeof(**list));
		}
		(*list)[count++] = h;
	}
	if (count > 0)
		qsort(*list, count, sizeof(**list), by_id);
	return count;
}

enum status show_list(struct store *st, FILE *out)
{
	struct store_handle *list = NULL;
	struct names names;
	bool damaged = false;
	size_t count = all_objects(st, &list, &damaged);

	names_collect(st, NULL, &names);
	fprintf(out, "%-33s %10s %7s %s\n", "ID", "size", "pages", "perms  names");
	for (size_t i = 0; i < count; i++)
		list_object(st, &list[i], &names, out);
	names_free(&names);
	free(list);
	if (!damaged)
		return DONE;
	complain("the store is damaged: there may be more objects");
	return FAILED;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->path, ((const struct named *)b)->path);
}

enum status show_names(struct store *st, FILE *out)
{
	struct names names;
	enum status status;

	names_collect(st, complaints(), &names);
	if (names.count > 0)
		qsort(names.list, names.count, sizeof(*names.list), by_path);
	for (size_t i = 0; i < names.count; i++) {
		fprintf(out, IDFMT " ", IDPR(names.list[i].id));
		print_name(out, names.list[i].path);
		fputc('\n', out);
	}
	status = names.faults != 0 ? FAILED : DONE;
	names_free(&names);
	return status;
}
