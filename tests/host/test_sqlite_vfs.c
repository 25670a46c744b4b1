// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts under the VFS "objects" of SQLite, which is called as SQLite does it. After any cut a
 * transaction is there whole or not at all, and what was committed or synced is there. Then every flush and
 * every fence is left out in turn, and that must show.
 */
#include "unit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "libtwz/explore.h"

EXPLORE_SEEN_ONLY_LIBTWZ

#include <twz/name.h>

#define PAGE 64u /* of the database */
#define DB 0u
#define JOURNAL 1u

int sqlite3_objects_init(const char *unused);

/* --- what the VFS rests on: names are objects, all locks are free */

static int below_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int below_lock(sqlite3_file *f, int level)
{
	(void)f, (void)level;
	return SQLITE_OK;
}

static const sqlite3_io_methods below_methods = {
	.iVersion = 3, .xClose = below_close, .xLock = below_lock, .xUnlock = below_lock,
};

static int below_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *got)
{
	(void)v, (void)path;
	f->pMethods = &below_methods;
	*got = flags;
	return SQLITE_OK;
}

static sqlite3_vfs below = { .iVersion = 3, .szOsFile = sizeof(sqlite3_file), .zName = "unix", .xOpen = below_open };
static sqlite3_vfs *vfs;

sqlite3_vfs *sqlite3_vfs_find(const char *name)
{
	(void)name;
	return &below;
}

int sqlite3_vfs_register(sqlite3_vfs *v, int dflt)
{
	(void)dflt;
	vfs = v;
	return SQLITE_OK;
}

char *sqlite3_mprintf(const char *format, ...)
{
	(void)format;
	return NULL;
}

void sqlite3_free(void *p)
{
	(void)p;
}

int twz_name_dfl_resolve(const char *name, int flags, objid_t *id)
{
	(void)flags;
	*id = explore_id(strcmp(name, "journal") == 0 ? JOURNAL : DB);
	return 0;
}

/* --- a file as SQLite has it */

union opened {
	sqlite3_file file;
	unsigned char room[512];
};

static sqlite3_file *open_file(union opened *o, unsigned object)
{
	int kind = object == DB ? SQLITE_OPEN_MAIN_DB : SQLITE_OPEN_MAIN_JOURNAL, got;

	assert_true((size_t)vfs->szOsFile <= sizeof(*o));
	memset(o, 0, sizeof(*o));
	if (vfs->xOpen(vfs, object == DB ? "db" : "journal", &o->file, kind | SQLITE_OPEN_READWRITE, &got) != SQLITE_OK)
		explore_fail("a file cannot be opened");
	return &o->file;
}

static void write_page(sqlite3_file *f, unsigned page, int byte)
{
	unsigned char data[PAGE];

	memset(data, byte, sizeof(data));
	if (f->pMethods->xWrite(f, data, PAGE, page * PAGE) != SQLITE_OK)
		explore_fail("a page cannot be written");
}

static void control(sqlite3_file *f, int op)
{
	if (f->pMethods->xFileControl(f, op, NULL) != SQLITE_OK)
		explore_fail("a batch is refused");
}

/* --- judging: whoever opens the database finds the state before or the one after */

#define PAGES 3u

struct state {
	unsigned pages; /* that it has */
	int byte[PAGES];
};

static struct state now, next;
static bool journal_first; /* the database may only be torn if the journal is whole */

/* The byte a page is full of; -1: of several. */
static int byte_of(sqlite3_file *f, unsigned page)
{
	unsigned char data[PAGE];

	if (f->pMethods->xRead(f, data, PAGE, page * PAGE) != SQLITE_OK)
		return -1;
	for (unsigned i = 1; i < PAGE; i++)
		if (data[i] != data[0])
			return -1;
	return data[0];
}

static bool is_like(sqlite3_file *f, const struct state *s)
{
	sqlite3_int64 size = 0;

	f->pMethods->xFileSize(f, &size);
	if (size != s->pages * PAGE)
		return false;
	for (unsigned i = 0; i < s->pages; i++)
		if (byte_of(f, i) != s->byte[i])
			return false;
	return true;
}

static bool journal_is_whole(void)
{
	union opened o;

	return byte_of(open_file(&o, JOURNAL), 1) == 'j';
}

static const char *judge(void)
{
	union opened o;
	sqlite3_file *f = open_file(&o, DB);

	if (f->pMethods->xLock(f, SQLITE_LOCK_SHARED) != SQLITE_OK)
		return "the log cannot be carried out";
	if (is_like(f, &now) || is_like(f, &next))
		return NULL;
	if (!journal_first)
		return "a transaction is neither there nor not";
	return journal_is_whole() ? NULL : "the database is torn, and there is no journal";
}

/* A reader does it, and may be cut as well. */
static void recover(void)
{
	union opened o;
	sqlite3_file *f = open_file(&o, DB);

	f->pMethods->xLock(f, SQLITE_LOCK_SHARED);
	f->pMethods->xUnlock(f, SQLITE_LOCK_NONE);
}

/* --- the runs */

static void set_page(unsigned page, int byte)
{
	next.byte[page] = byte;
	next.pages = page + 1 > next.pages ? page + 1 : next.pages;
}

static void setup(void)
{
	union opened o, j;
	sqlite3_file *f;

	sqlite3_objects_init(NULL);
	f = open_file(&o, DB);
	memset(&next, 0, sizeof(next));
	journal_first = false;
	set_page(0, 'a');
	write_page(f, 0, 'a');
	f->pMethods->xSync(f, SQLITE_SYNC_FULL);
	write_page(open_file(&j, JOURNAL), 0, 'h');
	now = next;
}

static void commit(sqlite3_file *f, unsigned first, unsigned count, int byte)
{
	explore_step_begin();
	for (unsigned i = first; i < first + count; i++)
		set_page(i, byte);
	control(f, SQLITE_FCNTL_BEGIN_ATOMIC_WRITE);
	for (unsigned i = first; i < first + count; i++)
		write_page(f, i, byte);
	control(f, SQLITE_FCNTL_COMMIT_ATOMIC_WRITE);
	now = next;
	explore_step_end();
}

static void transactions(void)
{
	union opened o;
	sqlite3_file *f = open_file(&o, DB);

	commit(f, 0, 2, 'b');
	commit(f, 1, 1, 'c');
	commit(f, 0, 3, 'd');
}

/* What does not fit a batch: the journal first, synced, then the database. */
static void journaled(void)
{
	union opened o, j;
	sqlite3_file *f = open_file(&o, DB), *journal = open_file(&j, JOURNAL);

	explore_step_begin();
	journal_first = true;
	control(f, SQLITE_FCNTL_BEGIN_ATOMIC_WRITE);
	write_page(f, 0, 'b');
	control(f, SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE);
	write_page(journal, 1, 'j');
	set_page(0, 'b');
	set_page(1, 'b');
	write_page(f, 0, 'b');
	write_page(f, 1, 'b');
	f->pMethods->xSync(f, SQLITE_SYNC_FULL);
	journal_first = false;
	now = next;
	explore_step_end();
}

/* The journal as SQLite syncs it otherwise. */
static void synced(void)
{
	union opened o, j;
	sqlite3_file *f = open_file(&o, DB), *journal = open_file(&j, JOURNAL);

	explore_step_begin();
	journal_first = true;
	write_page(journal, 1, 'j');
	journal->pMethods->xSync(journal, SQLITE_SYNC_NORMAL);
	set_page(0, 'b');
	write_page(f, 0, 'b');
	f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
	journal_first = false;
	now = next;
	explore_step_end();
}

static void cuts_leave_whole_transactions(void **state)
{
	/* Whoever comes next carries it out once more. */
	static const char *const unneeded[] = { "file_lock", NULL };
	static const struct explore_test tests[] = {
#define TEST(what) { .objects = 2, .data_pages = 4, .setup = setup, .operation = what, .recover = recover, \
	.judge = judge, .unneeded = unneeded }
		TEST(transactions), TEST(journaled), TEST(synced),
	};

	(void)state;
	explore_check_all(tests, sizeof(tests) / sizeof(tests[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_leave_whole_transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
