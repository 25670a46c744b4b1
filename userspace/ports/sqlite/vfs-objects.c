// SPDX-License-Identifier: BSD-3-Clause
/*
 * A VFS of SQLite, "objects", that uses databases where they stand. A file is an object; its pages are the bytes
 * from the base on, which SQLite is given pointers to (xFetch), and which are stored to and flushed without
 * a call into any kernel. Names, locks and the shared memory of WALs are those of the VFS "unix" beneath.
 *
 * A transaction in rollback mode needs no journal: its pages are written to a log in the same object, and
 * then to where they belong. The log stands behind the largest database there can be, from LOG_AT on:
 *
 *	struct log         its first cache line
 *	struct record      each on a cache line of its own, with its bytes from the next one on
 *
 * One store of log.state makes the transaction. If it says LOG_WHOLE, whoever next gets a lock for reading carries
 * out what the log says before reading anything: all who do so store the same bytes, and nobody writes
 * others before they have let go of their locks. What is too large for the log goes by a journal.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <twz/meta.h>
#include <twz/obj.h>
#include <twz/persist.h>

#include "sqlite3.h"

#define LINE 64u
#ifndef LOG_AT /* a test has it elsewhere */
#define LOG_AT 0x38000000u
#define LOG_BYTES (64u << 20)
#endif
#define LOG_WHOLE 0x656c6f6877676f6cull

struct log {
	uint64_t state; /* LOG_WHOLE: carry it out; 0: there is nothing to do */
	uint64_t bytes; /* of all records, from the second line on */
	uint64_t size;  /* of the database afterwards; it is never made smaller by this */
};

struct record {
	uint64_t at, len;
};

_Static_assert(LOG_AT + LOG_BYTES <= OBJ_MAXDATA, "the log is in the object");

struct file {
	sqlite3_file base;
	twzobj obj;
	char *bytes;        /* the object's */
	struct log *log;    /* NULL: not a database */
	char *path;
	sqlite3_int64 fetch_limit;
	uint64_t used;      /* of the log, by the batch */
	uint64_t size;      /* of the database after the batch */
	bool batch, changed, may_write;
	bool fence_first;   /* a batch was given up: its journal must be durable before the database changes */
	uint64_t dirty, dirty_end; /* written since the last sync */
	pthread_t writer;
	bool several;       /* threads have written */
};

static sqlite3_vfs vfs;
static const sqlite3_vfs *below;

static struct file *of(sqlite3_file *file)
{
	return (struct file *)file;
}

static sqlite3_file *real(struct file *f)
{
	return (sqlite3_file *)(f + 1);
}

static uint64_t round_line(uint64_t n)
{
	return (n + LINE - 1) & ~(uint64_t)(LINE - 1);
}

/* --- bytes and size */

static uint64_t size_of(struct file *f)
{
	struct metainfo *mi = twz_object_meta(&f->obj);

	return __atomic_load_n(&mi->flags, __ATOMIC_ACQUIRE) & MIF_SZ ? __atomic_load_n(&mi->sz, __ATOMIC_ACQUIRE) : 0;
}

/* Durable with the next fence. Whoever writes has the lock for it. */
static void grow(struct file *f, uint64_t size)
{
	struct metainfo *mi = twz_object_meta(&f->obj);

	if (size <= size_of(f))
		return;
	if (!(mi->flags & MIF_SZ)) {
		twz_object_setsz(&f->obj, TWZ_OSSM_ABSOLUTE, (ssize_t)size);
		return;
	}
	__atomic_store_n(&mi->sz, size, __ATOMIC_RELEASE);
	_clwb(&mi->sz);
}

/* Written back from now on, durable with this thread's next fence. */
static void store(struct file *f, uint64_t at, const void *from, size_t n)
{
	memcpy(f->bytes + at, from, n);
	_clwb_len(f->bytes + at, n);
}

/* A fence is one of its thread: what others wrote is written back again in sync_file(). */
static void remember(struct file *f, uint64_t at, size_t n)
{
	pthread_t self = pthread_self();

	if (f->dirty == f->dirty_end) {
		f->dirty = at;
		f->dirty_end = at + n;
		f->writer = self;
		return;
	}
	f->several |= f->writer != self;
	f->dirty = at < f->dirty ? at : f->dirty;
	f->dirty_end = at + n > f->dirty_end ? at + n : f->dirty_end;
}

static void sync_file(struct file *f)
{
	if (f->dirty != f->dirty_end && (f->several || f->writer != pthread_self())) {
		_clwb_len(f->bytes + f->dirty, f->dirty_end - f->dirty);
		_clwb(&twz_object_meta(&f->obj)->sz);
	}
	_pfence();
	f->dirty = f->dirty_end = 0;
	f->several = false;
}

/* --- the log */

static void set_state(struct log *l, uint64_t state)
{
	__atomic_store_n(&l->state, state, __ATOMIC_RELEASE);
	_clwb(&l->state);
	_pfence();
}

/* The next record at *at of the log; NULL: the log is not one. */
static struct record *next_record(const struct file *f, uint64_t *at)
{
	struct record *r = (struct record *)((char *)f->log + LINE + *at);

	if (f->log->bytes > LOG_BYTES - LINE || f->log->bytes - *at < LINE || r->len > f->log->bytes - *at - LINE ||
	    r->at > LOG_AT || r->len > LOG_AT - r->at)
		return NULL;
	*at += LINE + round_line(r->len);
	return r;
}

static int carry_out(struct file *f)
{
	uint64_t at = 0;

	if (f->log->size > LOG_AT)
		return SQLITE_CORRUPT;
	while (at < f->log->bytes) {
		struct record *r = next_record(f, &at);

		if (!r)
			return SQLITE_CORRUPT;
		store(f, r->at, (char *)r + LINE, r->len);
	}
	grow(f, f->log->size);
	_pfence();
	set_state(f->log, 0);
	return SQLITE_OK;
}

static int add_record(struct file *f, const void *from, size_t n, uint64_t at)
{
	struct record *r = (struct record *)((char *)f->log + LINE + f->used);

	if (f->used + LINE + round_line(n) > LOG_BYTES - LINE)
		return SQLITE_IOERR_WRITE;
	*r = (struct record){ .at = at, .len = n };
	memcpy((char *)r + LINE, from, n);
	_clwb_len(r, LINE + n);
	f->used += LINE + round_line(n);
	f->size = at + n > f->size ? at + n : f->size;
	return SQLITE_OK;
}

static int begin_batch(struct file *f)
{
	f->batch = true;
	f->used = f->size = 0;
	return SQLITE_OK;
}

static int commit_batch(struct file *f)
{
	f->batch = false;
	f->log->bytes = f->used;
	f->log->size = f->size > size_of(f) ? f->size : size_of(f);
	_clwb(f->log);
	_pfence();
	set_state(f->log, LOG_WHOLE);
	return carry_out(f);
}

static int give_up_batch(struct file *f)
{
	f->batch = false;
	f->fence_first = true;
	return SQLITE_OK;
}

/* --- what SQLite calls for a file */

static int file_close(sqlite3_file *file)
{
	struct file *f = of(file);

	if (f->changed && f->path)
		utimensat(AT_FDCWD, f->path, NULL, 0);
	twz_object_release(&f->obj);
	sqlite3_free(f->path);
	return real(f)->pMethods->xClose(real(f));
}

static int file_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	struct file *f = of(file);
	uint64_t size = size_of(f), there = (uint64_t)at < size ? size - (uint64_t)at : 0;

	if (there >= (uint64_t)n) {
		memcpy(to, f->bytes + at, (size_t)n);
		return SQLITE_OK;
	}
	memcpy(to, f->bytes + at, there);
	memset((char *)to + there, 0, (size_t)n - there);
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
	struct file *f = of(file);

	if (!f->may_write)
		return SQLITE_READONLY;
	if ((uint64_t)at > LOG_AT || (uint64_t)n > LOG_AT - (uint64_t)at)
		return SQLITE_FULL;
	f->changed = true;
	if (f->batch)
		return add_record(f, from, (size_t)n, (uint64_t)at);
	if (f->fence_first)
		_pfence();
	f->fence_first = false;
	store(f, (uint64_t)at, from, (size_t)n);
	remember(f, (uint64_t)at, (size_t)n);
	grow(f, (uint64_t)at + (uint64_t)n);
	return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real(of(file))->pMethods->xTruncate(real(of(file)), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	(void)flags;
	sync_file(of(file));
	return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)size_of(of(file));
	return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level)
{
	struct file *f = of(file);
	int r = real(f)->pMethods->xLock(real(f), level);

	if (r != SQLITE_OK || level != SQLITE_LOCK_SHARED || !f->log ||
	    __atomic_load_n(&f->log->state, __ATOMIC_ACQUIRE) != LOG_WHOLE)
		return r;
	r = f->may_write ? carry_out(f) : SQLITE_READONLY_RECOVERY;
	if (r != SQLITE_OK)
		real(f)->pMethods->xUnlock(real(f), SQLITE_LOCK_NONE);
	return r;
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real(of(file))->pMethods->xUnlock(real(of(file)), level);
}

static int file_check_reserved(sqlite3_file *file, int *reserved)
{
	return real(of(file))->pMethods->xCheckReservedLock(real(of(file)), reserved);
}

static void set_fetch_limit(struct file *f, sqlite3_int64 *limit)
{
	sqlite3_int64 new = *limit;

	*limit = f->fetch_limit;
	if (new >= 0)
		f->fetch_limit = new;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	struct file *f = of(file);

	switch (op) {
	case SQLITE_FCNTL_BEGIN_ATOMIC_WRITE:
		return begin_batch(f);
	case SQLITE_FCNTL_COMMIT_ATOMIC_WRITE:
		return commit_batch(f);
	case SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE:
		return give_up_batch(f);
	case SQLITE_FCNTL_MMAP_SIZE:
		set_fetch_limit(f, arg);
		return SQLITE_OK;
	case SQLITE_FCNTL_SIZE_HINT: /* an object has its pages when they are written */
	case SQLITE_FCNTL_CHUNK_SIZE:
		return SQLITE_OK;
	case SQLITE_FCNTL_VFSNAME:
		*(char **)arg = sqlite3_mprintf("%s", vfs.zName);
		return SQLITE_OK;
	default:
		return real(f)->pMethods->xFileControl(real(f), op, arg);
	}
}

static int file_sector(sqlite3_file *file)
{
	return real(of(file))->pMethods->xSectorSize(real(of(file)));
}

static int file_traits(sqlite3_file *file)
{
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE | (of(file)->log ? SQLITE_IOCAP_BATCH_ATOMIC : 0);
}

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **p)
{
	return real(of(file))->pMethods->xShmMap(real(of(file)), region, size, extend, p);
}

static int shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real(of(file))->pMethods->xShmLock(real(of(file)), offset, n, flags);
}

static void shm_barrier(sqlite3_file *file)
{
	real(of(file))->pMethods->xShmBarrier(real(of(file)));
}

static int shm_unmap(sqlite3_file *file, int delete)
{
	return real(of(file))->pMethods->xShmUnmap(real(of(file)), delete);
}

static int file_fetch(sqlite3_file *file, sqlite3_int64 at, int n, void **p)
{
	struct file *f = of(file);
	uint64_t end = (uint64_t)at + (uint64_t)n;

	*p = end <= size_of(f) && end <= (uint64_t)f->fetch_limit ? f->bytes + at : NULL;
	return SQLITE_OK;
}

static int file_unfetch(sqlite3_file *file, sqlite3_int64 at, void *p)
{
	(void)file, (void)at, (void)p;
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 3,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
	.xFetch = file_fetch,
	.xUnfetch = file_unfetch,
};

/* --- what SQLite calls for the VFS */

/* The object of a file that is open below. */
static int take_object(struct file *f, const char *path, int kind, bool may_write)
{
	f->may_write = may_write;
	if (twz_object_init_name(&f->obj, path, FE_READ | (may_write ? FE_WRITE : 0)) < 0)
		return SQLITE_CANTOPEN;
	f->bytes = twz_object_base(&f->obj);
	if (kind & SQLITE_OPEN_MAIN_DB)
		f->log = (struct log *)(f->bytes + LOG_AT);
	f->path = sqlite3_mprintf("%s", path);
	f->base.pMethods = &methods;
	return SQLITE_OK;
}

/* Temporary files have no names: those are left to the VFS below. */
static int open_file(sqlite3_vfs *self, const char *path, sqlite3_file *file, int flags, int *opened)
{
	struct file *f = of(file);
	int kind = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL);
	int got = 0, r;

	(void)self;
	if (!path || !kind || flags & SQLITE_OPEN_DELETEONCLOSE)
		return below->xOpen((sqlite3_vfs *)below, path, file, flags, opened);
	memset(f, 0, sizeof(*f));
	r = below->xOpen((sqlite3_vfs *)below, path, real(f), flags, &got);
	if (r != SQLITE_OK)
		return r;
	r = take_object(f, path, kind, !(got & SQLITE_OPEN_READONLY));
	if (r != SQLITE_OK)
		real(f)->pMethods->xClose(real(f));
	if (opened)
		*opened = got;
	return r;
}

/* Called by sqlite3_initialize(): databases are opened with this VFS unless another one is named. */
int sqlite3_objects_init(const char *unused);
int sqlite3_objects_init(const char *unused)
{
	(void)unused;
	below = sqlite3_vfs_find("unix");
	if (!below)
		return SQLITE_ERROR;
	vfs = *below;
	vfs.zName = "objects";
	vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
	vfs.xOpen = open_file;
	return sqlite3_vfs_register(&vfs, 1);
}
