// SPDX-License-Identifier: BSD-3-Clause
/* Checking, see check.h. The store's checker logs what it finds; its lines are taken apart here. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "hier.h"
#include "inside.h"

/* ---- What each fault means ---- */

struct meaning {
	const char *what;
	bool has_place; /* the first number is an offset in the region */
	const char *text;
};

static const struct meaning meanings[] = {
	{ "page number out of range", true, "the word names a page that cannot be an object's" },
	{ "page used twice", true,
	  "two words name one page, so two objects, or two parts of one, share it: what is written "
	  "to one shows in the other" },
	{ "word fails its check", true,
	  "the word is not what was written: what it leads to cannot be reached" },
	{ "superblock fails its check", true, "the store is opened by the other copy" },
	{ "superblock contradicts the store", true,
	  "this copy does not describe the store that the other describes" },
	{ "reserved superblock bytes in use", true, "written by something else, or damaged" },
	{ "superblock copies differ, state word", false,
	  "the two copies of this counter disagree, so it is not opened for writing" },
	{ "log record fails its check", true,
	  "if the last operation was cut off before it was in place, it is lost" },
	{ "reserved log bytes in use", true, "written by something else, or damaged" },
	{ "reserved page in use", true, "written by something else, or damaged" },
	{ "run where none can be", true, "its pages cannot be reached" },
	{ "leaf names a page that the inode should", true,
	  "the page cannot be reached where it stands" },
	{ "object has a null page", true,
	  "page 0 of an object does not exist: nobody can reach it" },
	{ "object's page count is wrong", true,
	  "the object does not have the number of pages that its inode says" },
	{ "inode header fails its check", true,
	  "the object cannot be found; others of its chain can" },
	{ "unknown inode flags", true, "the object is in no state that exists" },
	{ "reserved inode bytes in use", true, "written by something else, or damaged" },
	{ "object in the wrong chain", true, "its ID leads elsewhere: the object cannot be found" },
	{ "two objects of one ID", true, "only the first of them can be found" },
	{ "hidden object in a chain", true,
	  "an object that should not be there yet, or no more, can be found" },
	{ "object with orphan links that is none", true,
	  "the object is on the list of those that go at the next boot, but is not to go" },
	{ "orphan list leads nowhere", true,
	  "deleted objects behind this one are never freed: their pages stay in use" },
	{ "orphan list is broken", true,
	  "deleted objects behind this one are never freed: their pages stay in use" },
	{ "object on the orphan list is in no chain", true,
	  "an object is to be freed that is not deleted" },
	{ "hidden object with a chain link", true, "it is in no chain, and yet leads into one" },
	{ "deleted objects missing from the orphan list", false,
	  "they are never freed: their pages stay in use (numbers: on the list, deleted)" },
	{ "bitmap word with unknown bits", true, "none of its pages is given to new objects" },
	{ "leaked page", true, "marked as in use, but nothing uses it: room is lost, no data" },
	{ "page in use is marked free", true,
	  "the page may be given to another object: do not write to this store" },
	{ "reserved bitmap bytes in use", true, "written by something else, or damaged" },
	{ "reserved reference bytes in use", true, "written by something else, or damaged" },
	{ "count of further owners is wrong", true,
	  "objects share this page: if the count is too low it may be freed under one of them, if "
	  "too high it is never freed" },
	{ "tie page header fails its check", true,
	  "who lives as long as whom cannot be told for the ties in this page" },
	{ "tie that is not in use", true, "a list of ties leads to a free place" },
	{ "list of ties is broken", true, "ties behind this one are not found from this object" },
	{ "tie counted to zero", true, "it should not be there: it keeps its child for nothing" },
	{ "reserved tie word in use", true, "written by something else, or damaged" },
	{ "tie of another object", true, "it stands in the list of an object that it is not of" },
	{ "count of children is wrong", true, "(number: found)" },
	{ "count of parents is wrong", true,
	  "the object may be freed too early or never (number: found)" },
	{ "tie page without ties", true, "room is lost, no data" },
	{ "tie page with unknown bits", true, "written by something else, or damaged" },
	{ "reserved tie page word in use", true, "written by something else, or damaged" },
	{ "free tie that is not zero", true, "written by something else, or damaged" },
	{ "full tie page with links", true, "new ties may be put where there is no room" },
	{ "list of tie pages is broken", true, "room for ties behind this page is not found" },
	{ "tie pages missing from their list", false,
	  "room for ties is not found (numbers: on the list, with room)" },
	{ "ties in use that are in no list", false,
	  "they keep children for nothing (numbers: in lists, in use)" },
	{ "free page count is wrong", false,
	  "the store may seem full too early or too late (numbers: said, found)" },
	{ "object count is wrong", false, "(numbers: said, found)" },
};

#define MEANINGS (sizeof(meanings) / sizeof(meanings[0]))

static const struct meaning *find_meaning(const char *what)
{
	for (size_t i = 0; i < MEANINGS; i++) {
		if (strcmp(meanings[i].what, what) == 0)
			return &meanings[i];
	}
	return NULL;
}

const char *fault_meaning(const char *what)
{
	const struct meaning *m = find_meaning(what);

	return m != NULL ? m->text : NULL;
}

/* ---- Lines of the checker ---- */

struct lines {
	char **list;
	size_t count;
};

static struct lines kept;

static void keep_line(enum store_log_level level, const char *line)
{
	(void)level;
	kept.list = grow(kept.list, kept.count + 1, sizeof(*kept.list));
	kept.list[kept.count] = strcpy(grow(NULL, strlen(line) + 1, 1), line);
	kept.count++;
}

static void drop_lines(void)
{
	for (size_t i = 0; i < kept.count; i++)
		free(kept.list[i]);
	free(kept.list);
	kept = (struct lines){ .list = NULL };
}

/* "check: WHAT at 0xWHERE (0xDETAIL)", split in place. False: another line. */
static bool split_line(char *line, const char **what, unsigned long long *where,
		       unsigned long long *detail)
{
	char *at, *found = NULL;

	if (strncmp(line, "check: ", 7) != 0)
		return false;
	for (at = line; (at = strstr(at, " at 0x")) != NULL; at++)
		found = at;
	if (found == NULL || sscanf(found, " at 0x%llx (0x%llx)", where, detail) != 2)
		return false;
	*found = '\0';
	*what = line + 7;
	return true;
}

static void print_fault(struct store *st, const struct page_map *map, char *line, FILE *out)
{
	const struct meaning *m;
	const char *what;
	unsigned long long where, detail;

	if (!split_line(line, &what, &where, &detail)) {
		fprintf(out, "%s\n", line);
		return;
	}
	m = find_meaning(what);
	fprintf(out, "%s (0x%llx, 0x%llx)", what, where, detail);
	if (m != NULL && m->has_place) {
		fputs(": ", out);
		inside_place(st, map, where, out);
	}
	fputc('\n', out);
	if (m != NULL)
		fprintf(out, "    %s\n", m->text);
}

static void print_faults(struct store *st, uint64_t faults, FILE *out)
{
	struct page_map map = { .owner = NULL };

	if (faults != 0)
		inside_map(st, &map);
	for (size_t i = 0; i < kept.count; i++)
		print_fault(st, &map, kept.list[i], out);
	if (faults > kept.count)
		fprintf(out, "and %llu more\n", (unsigned long long)(faults - kept.count));
	inside_map_free(&map);
}

uint64_t check_store(struct store *st, FILE *out)
{
	void *scratch = grow(NULL, store_check_scratch(st), 1);
	log_sink before = redirect_log(keep_line);
	uint64_t faults = store_check(st, scratch);

	redirect_log(NULL);
	free(scratch);
	print_faults(st, faults, out);
	redirect_log(before);
	drop_lines();
	return faults;
}

/* ---- Objects and names ---- */

uint64_t check_objects(struct store *st, FILE *out)
{
	struct store_cursor cursor = { 0 };
	struct store_handle h;
	struct names names;
	struct object o;
	uint64_t faults = 0, left = st->pages;
	int found;

	while ((found = store_next(st, &cursor, &h)) != 0 && left-- > 0) {
		const char *why = NULL;

		if (found > 0)
			why = object_from(st, &h, &o) ? "its metadata cannot be read" :
							object_fault(&o);
		if (why == NULL)
			continue;
		faults++;
		fprintf(out, "object " IDFMT ": %s\n", IDPR(h.id), why);
	}
	names_collect(st, out, &names);
	faults += names.faults;
	names_free(&names);
	return faults;
}

/* ---- Whole regions ---- */

static FILE *notes;

static void print_note(enum store_log_level level, const char *line)
{
	(void)level;
	fprintf(notes, "%s\n", line);
}

enum status check_region(struct region *r, bool objects, FILE *out)
{
	log_sink before = redirect_log(print_note);
	enum status status;
	struct store_stats stats;
	struct store st;
	uint64_t faults;

	notes = out;
	if (!region_mount(r, &st, &status)) {
		redirect_log(before);
		return status;
	}
	redirect_log(NULL);
	faults = check_store(&st, out);
	if (objects)
		faults += check_objects(&st, out);
	store_stats(&st, &stats);
	fprintf(out, "%s: %llu objects, %llu of %llu pages free, ", r->path,
		(unsigned long long)stats.objects, (unsigned long long)stats.free_pages,
		(unsigned long long)stats.total_pages);
	if (faults == 0)
		fprintf(out, "no faults\n");
	else
		fprintf(out, "%llu fault%s\n", (unsigned long long)faults, faults == 1 ? "" : "s");
	redirect_log(before);
	return faults == 0 ? DONE : FAILED;
}

bool check_before_writing(struct region *r, struct store *st, enum status *status)
{
	struct region reader = *r;
	void *scratch;
	log_sink before;
	uint64_t faults;

	reader.writable = false;
	if (!region_mount(&reader, st, status))
		return false;
	before = redirect_log(NULL);
	scratch = grow(NULL, store_check_scratch(st), 1);
	faults = store_check(st, scratch);
	free(scratch);
	redirect_log(before);
	if (faults == 0)
		return true;
	store_unmount(st);
	*status = FAILED;
	return complain("%s: the store is damaged and is not written; twzstore check tells more",
			r->path);
}
