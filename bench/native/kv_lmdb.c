// SPDX-License-Identifier: BSD-3-Clause
/* LMDB in its fastest mode: a writable map, and no waiting for the disk (unsafe in a power cut). */
#include "bench.h"
#include "kv.h"

#include <lmdb.h>
#include <string.h>
#include <unistd.h>

static MDB_env *env;
static MDB_dbi dbi;
static MDB_txn *load, *reader;
static MDB_cursor *cursor;

static bool begin(void)
{
	MDB_txn *txn;

	must(mdb_env_create(&env) == 0 && mdb_env_set_mapsize(env, 2ul << 30) == 0, "mdb_env_create");
	must(mdb_env_open(env, bench_path("lmdb"), MDB_NOSUBDIR | MDB_WRITEMAP | MDB_NOSYNC, 0600) == 0,
	    "mdb_env_open");
	must(mdb_txn_begin(env, NULL, 0, &txn) == 0, "mdb_txn_begin");
	must(mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &dbi) == 0, "mdb_dbi_open");
	must(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
	return true;
}

static void load_begin(void)
{
	must(mdb_txn_begin(env, NULL, 0, &load) == 0, "mdb_txn_begin");
}

static void load_end(void)
{
	must(mdb_txn_commit(load) == 0, "mdb_txn_commit");
	load = NULL;
	must(mdb_txn_begin(env, NULL, MDB_RDONLY, &reader) == 0, "mdb_txn_begin");
	must(mdb_cursor_open(reader, dbi, &cursor) == 0, "mdb_cursor_open");
	mdb_txn_reset(reader);
}

static void put(uint64_t key, const char *value)
{
	MDB_val k = { sizeof(key), &key }, v = { KV_VALUE, (void *)value };
	MDB_txn *txn = load;

	if (!load)
		must(mdb_txn_begin(env, NULL, 0, &txn) == 0, "mdb_txn_begin");
	must(mdb_put(txn, dbi, &k, &v, 0) == 0, "mdb_put");
	if (!load)
		must(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
}

static bool get(uint64_t key, char *value)
{
	MDB_val k = { sizeof(key), &key }, v;
	bool found;

	must(mdb_txn_renew(reader) == 0, "mdb_txn_renew");
	found = mdb_get(reader, dbi, &k, &v) == 0;
	if (found)
		memcpy(value, v.mv_data, KV_VALUE);
	mdb_txn_reset(reader);
	return found;
}

static unsigned int scan(uint64_t from, unsigned int most, char *value)
{
	MDB_val k = { sizeof(from), &from }, v;
	unsigned int n = 0;

	must(mdb_txn_renew(reader) == 0 && mdb_cursor_renew(reader, cursor) == 0, "mdb_txn_renew");
	for (int r = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE); r == 0 && n < most;
	     r = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		memcpy(value, v.mv_data, KV_VALUE);
		n++;
	}
	mdb_txn_reset(reader);
	return n;
}

static void end(void)
{
	mdb_cursor_close(cursor);
	mdb_txn_abort(reader);
	mdb_env_close(env);
	unlink(bench_path("lmdb"));
	unlink(bench_path("lmdb-lock"));
}

const struct kv kv_lmdb = {
	"lmdb", 100000, true, begin, load_begin, load_end, put, get, scan, end,
};
