// SPDX-License-Identifier: BSD-3-Clause
/* Region files, see region.h. */
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Flush and fence ---- */

static bool strict;
static uintptr_t dirty_from, dirty_to; /* flushed since the last fence; from = to: nothing */

static void write_back(void)
{
	if (dirty_from == dirty_to)
		return;
	if (msync((void *)dirty_from, dirty_to - dirty_from, MS_SYNC) != 0) {
		complain("cannot write to the disk: %s", strerror(errno));
		_exit(FAILED);
	}
	dirty_from = dirty_to = 0;
}

/* Neighbours are kept as one range; a range elsewhere sends off the one before. */
static void flush(const void *addr, size_t len)
{
	uintptr_t from = (uintptr_t)addr & ~(STORE_PAGE_SIZE - 1);
	uintptr_t to = ((uintptr_t)addr + len + STORE_PAGE_SIZE - 1) & ~(STORE_PAGE_SIZE - 1);

	if (!strict)
		return;
	if (dirty_from != dirty_to && (from > dirty_to || to < dirty_from))
		write_back();
	if (dirty_from == dirty_to) {
		dirty_from = from;
		dirty_to = to;
		return;
	}
	dirty_from = from < dirty_from ? from : dirty_from;
	dirty_to = to > dirty_to ? to : dirty_to;
}

static void fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (strict)
		write_back();
}

const struct pm_ops region_ops = { .flush = flush, .fence = fence };

void region_strict(void)
{
	strict = true;
}

/* ---- Files ---- */

/* The file shrank, or the disk under a sparse file is full: like a power cut, no more. */
static void bus_error(int signal)
{
	static const char text[] = "twzstore: the file cannot be read or written: cut short by "
				   "someone, or the disk is full\n";

	(void)signal;
	_exit(write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ? FAILED : FAILED);
}

static bool give_up(struct region *r)
{
	close(r->fd);
	r->fd = -1;
	return false;
}

static bool lock(struct region *r)
{
	if (flock(r->fd, (r->writable ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return complain("%s: in use by an emulator or another twzstore", r->path);
	return complain("%s: cannot be locked: %s", r->path, strerror(errno));
}

static bool map(struct region *r)
{
	int prot = PROT_READ | (r->writable ? PROT_WRITE : 0);

	if (r->len == 0)
		return true;
	r->base = mmap(NULL, r->len, prot, MAP_SHARED, r->fd, 0);
	if (r->base == MAP_FAILED)
		return complain("%s: cannot be mapped: %s", r->path, strerror(errno));
	signal(SIGBUS, bus_error);
	return true;
}

/* The size is read when nobody else can change it any more. */
static bool take(struct region *r)
{
	struct stat st;

	if (!lock(r))
		return false;
	if (fstat(r->fd, &st) != 0)
		return complain("%s: %s", r->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain("%s: not a regular file", r->path);
	r->len = (size_t)st.st_size;
	return true;
}

/* O_NONBLOCK: a pipe must not keep us waiting before it is refused. */
bool region_open(struct region *r, const char *path, bool writable)
{
	int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;

	*r = (struct region){ .path = path, .writable = writable };
	r->fd = open(path, flags);
	if (r->fd < 0)
		return complain("%s: %s", path, strerror(errno));
	return (take(r) && map(r)) || give_up(r);
}

static bool size_new(struct region *r, size_t len, bool made)
{
	if (!made && r->len != len)
		return complain("%s: has %zu bytes, not %zu", r->path, r->len, len);
	if (made && ftruncate(r->fd, (off_t)len) != 0)
		return complain("%s: %s", r->path, strerror(errno));
	r->len = len;
	return map(r);
}

bool region_create(struct region *r, const char *path, size_t len, bool *made)
{
	*r = (struct region){ .path = path, .writable = true };
	r->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	*made = r->fd >= 0;
	if (r->fd < 0 && errno == EEXIST)
		r->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (r->fd < 0)
		return complain("%s: %s", path, strerror(errno));
	if (take(r) && size_new(r, len, *made))
		return true;
	if (*made)
		unlink(path);
	return give_up(r);
}

bool region_close(struct region *r)
{
	bool ok = true;

	if (r->writable && fsync(r->fd) != 0)
		ok = complain("%s: cannot write to the disk: %s", r->path, strerror(errno));
	if (r->base != NULL)
		munmap(r->base, r->len);
	close(r->fd);
	r->fd = -1;
	return ok;
}

/* ---- Mounting ---- */

/* False: there is nothing that could be a store, reported. */
static bool may_be_store(const struct region *r)
{
	switch (r->base != NULL ? store_probe(r->base, r->len) : STORE_TOO_SMALL) {
	case STORE_BLANK:
		return complain("%s: not a store: blank", r->path);
	case STORE_UNFINISHED:
		return complain("%s: not a store: making one was interrupted", r->path);
	case STORE_FOREIGN:
		return complain("%s: not a store", r->path);
	case STORE_TOO_SMALL:
		return complain("%s: not a store: no region has %zu bytes", r->path, r->len);
	default:
		return true;
	}
}

bool region_mount(struct region *r, struct store *st, enum status *status)
{
	int error;

	*status = NOT_A_STORE;
	if (!may_be_store(r))
		return false;
	error = store_mount(st, r->base, r->len, r->writable ? 0 : STORE_RDONLY, &region_ops);
	if (error == 0)
		return true;
	*status = error == -ENOTSUP ? NOT_A_STORE : FAILED;
	if (error == -ENOTSUP)
		return complain("%s: a store of a later version than this tool knows", r->path);
	if (error == -EROFS)
		return complain("%s: has features that this tool can only read", r->path);
	return complain("%s: the store is damaged: it cannot be opened%s", r->path,
			r->writable ? " for writing" : "");
}
