// SPDX-License-Identifier: BSD-3-Clause
/* SQLite: a write-ahead log, synchronous NORMAL, prepared statements, one transaction each. */
#include "bench.h"
#include "kv.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

static sqlite3 *db;
static sqlite3_stmt *puts_, *gets_, *scans_;

static void execute(const char *sql)
{
	must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *s;

	must(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) == SQLITE_OK, sql);
	return s;
}

static bool begin(void)
{
	must(sqlite3_open(bench_path("sqlite"), &db) == SQLITE_OK, "sqlite3_open");
	execute("PRAGMA journal_mode=WAL");
	execute("PRAGMA synchronous=NORMAL");
	execute("PRAGMA cache_size=-262144");
	execute("PRAGMA mmap_size=1073741824");
	execute("CREATE TABLE kv (k INTEGER PRIMARY KEY, v BLOB)");
	puts_ = prepare("INSERT OR REPLACE INTO kv VALUES (?, ?)");
	gets_ = prepare("SELECT v FROM kv WHERE k = ?");
	scans_ = prepare("SELECT v FROM kv WHERE k >= ? ORDER BY k LIMIT ?");
	return true;
}

static void load_begin(void)
{
	execute("BEGIN");
}

static void load_end(void)
{
	execute("COMMIT");
}

static void put(uint64_t key, const char *value)
{
	sqlite3_bind_int64(puts_, 1, (sqlite3_int64)key);
	sqlite3_bind_blob(puts_, 2, value, KV_VALUE, SQLITE_STATIC);
	must(sqlite3_step(puts_) == SQLITE_DONE, "sqlite3_step");
	sqlite3_reset(puts_);
}

static bool get(uint64_t key, char *value)
{
	bool found;

	sqlite3_bind_int64(gets_, 1, (sqlite3_int64)key);
	found = sqlite3_step(gets_) == SQLITE_ROW;
	if (found)
		memcpy(value, sqlite3_column_blob(gets_, 0), KV_VALUE);
	sqlite3_reset(gets_);
	return found;
}

static unsigned int scan(uint64_t from, unsigned int most, char *value)
{
	unsigned int n = 0;

	sqlite3_bind_int64(scans_, 1, (sqlite3_int64)from);
	sqlite3_bind_int(scans_, 2, (int)most);
	for (; sqlite3_step(scans_) == SQLITE_ROW; n++)
		memcpy(value, sqlite3_column_blob(scans_, 0), KV_VALUE);
	sqlite3_reset(scans_);
	return n;
}

static void end(void)
{
	sqlite3_finalize(puts_);
	sqlite3_finalize(gets_);
	sqlite3_finalize(scans_);
	sqlite3_close(db);
	unlink(bench_path("sqlite"));
}

const struct kv kv_sqlite = {
	"sqlite", 50000, true, begin, load_begin, load_end, put, get, scan, end,
};
