// SPDX-License-Identifier: BSD-3-Clause
/* The files of objects: finding, making, removing, copying. */
#define _GNU_SOURCE
#include "hosted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <obj/id.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const states[] = { "objects", "deleted", "dying" };

#define NAME_LENGTH 64

static void file_name(char *to, unsigned state, objid_t id)
{
	snprintf(to, NAME_LENGTH, "%s/%016lx%016lx", states[state], ID_HI(id), ID_LO(id));
}

/* Lock what was opened. A file that was removed meanwhile is none. */
static int lock_file(int fd)
{
	struct stat st;

	while (flock(fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_nlink ? 0 : -ENOENT;
}

static int open_in(unsigned place, unsigned state, objid_t id, struct hosted_file *f)
{
	char name[NAME_LENGTH];
	int r;

	if (__twz_place_dir(place) < 0)
		return -ENOENT;
	file_name(name, state, id);
	*f = (struct hosted_file){ .place = place, .state = state };
	f->fd = openat(__twz_place_dir(place), name, O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		return -errno;
	r = lock_file(f->fd);
	if (r < 0)
		close(f->fd);
	return r;
}

/* A file moves from one state to the next only, so one look at each in order finds it. */
int __twz_file_open(objid_t id, struct hosted_file *f)
{
	int r = -ENOENT;

	for (unsigned place = 0; r == -ENOENT && place < PLACES; place++)
		for (unsigned state = 0; r == -ENOENT && state < STATE_DYING; state++)
			r = open_in(place, state, id, f);
	return r;
}

void __twz_file_close(struct hosted_file *f)
{
	close(f->fd);
}

static bool exists_in(unsigned place, unsigned state, objid_t id)
{
	char name[NAME_LENGTH];

	file_name(name, state, id);
	return __twz_place_dir(place) >= 0 &&
	    faccessat(__twz_place_dir(place), name, F_OK, 0) == 0;
}

bool __twz_file_exists(objid_t id, unsigned *place)
{
	for (*place = 0; *place < PLACES; ++*place)
		if (exists_in(*place, STATE_LIVE, id) || exists_in(*place, STATE_DELETED, id))
			return true;
	return false;
}

/* --- making */

/* An open and locked file in new/. -ENOENT: taken for a left one, before it was locked. */
static int make_locked(unsigned place, struct hosted_file *f, char *name)
{
	static atomic_uint counter;
	int r;

	snprintf(name, NAME_LENGTH, "new/%d.%u", getpid(), atomic_fetch_add(&counter, 1));
	*f = (struct hosted_file){ .place = place };
	f->fd = openat(__twz_place_dir(place), name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return -errno;
	r = lock_file(f->fd);
	if (r < 0)
		__twz_file_abandon(f, name);
	return r;
}

int __twz_file_make(unsigned place, struct hosted_file *f, char name[64])
{
	int r;

	do {
		r = make_locked(place, f, name);
	} while (r == -ENOENT || r == -EEXIST);
	if (r == 0 && ftruncate(f->fd, OBJ_MAXSIZE) < 0) {
		r = -errno;
		__twz_file_abandon(f, name);
	}
	return r;
}

void __twz_file_abandon(struct hosted_file *f, const char *name)
{
	unlinkat(__twz_place_dir(f->place), name, 0);
	close(f->fd);
}

int __twz_file_publish(struct hosted_file *f, const char *name, objid_t id, unsigned state)
{
	char to[NAME_LENGTH];
	int dir = __twz_place_dir(f->place);

	if (f->place == PLACE_STORE && __twz_rt.sysinfo.flush_mode != TWZ_FLUSH_NONE &&
	    fsync(f->fd) < 0)
		return -errno;
	file_name(to, state, id);
	if (renameat2(dir, name, dir, to, RENAME_NOREPLACE) < 0)
		return -errno;
	f->state = state;
	__twz_place_sync(f->place, states[state]);
	return 0;
}

/* --- removing */

/* Move the name from one state to another; 0 or -ENOENT and others. */
static int move_name(unsigned place, objid_t id, unsigned from, unsigned to)
{
	char old[NAME_LENGTH], new[NAME_LENGTH];
	int dir = __twz_place_dir(place);

	if (dir < 0)
		return -ENOENT;
	file_name(old, from, id);
	file_name(new, to, id);
	if (renameat(dir, old, dir, new) < 0)
		return -errno;
	__twz_place_sync(place, states[to]);
	return 0;
}

void __twz_file_forget(objid_t id, const struct hosted_file *f)
{
	char name[NAME_LENGTH];

	file_name(name, f->state, id);
	unlinkat(__twz_place_dir(f->place), name, 0);
	__twz_place_sync(f->place, states[f->state]);
}

int __twz_file_delete(objid_t id, unsigned state)
{
	unsigned place;

	for (place = 0; place < PLACES; place++) {
		int r = move_name(place, id, STATE_LIVE, state);

		if (r != -ENOENT)
			return r;
		if (state == STATE_DELETED ? exists_in(place, STATE_DELETED, id)
					   : (r = move_name(place, id, STATE_DELETED, state)) == 0)
			return 0;
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

/* Remove the file unless somebody has it open; returns whether it is gone. */
static bool remove_unused(unsigned place, unsigned state, objid_t id)
{
	char name[NAME_LENGTH];
	int fd;
	bool gone = false;

	file_name(name, state, id);
	fd = openat(__twz_place_dir(place), name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		gone = unlinkat(__twz_place_dir(place), name, 0) == 0;
	close(fd);
	return gone;
}

static bool reap_one(objid_t id)
{
	if (__twz_tie_any(id))
		return false;
	for (unsigned place = 0; place < PLACES; place++)
		for (unsigned state = STATE_DELETED; state <= STATE_DYING; state++)
			if (__twz_place_dir(place) >= 0 && remove_unused(place, state, id))
				return true;
	return false;
}

/* Children go after their parents; chains of ties are short. */
static void reap_locked(objid_t id)
{
	if (reap_one(id))
		__twz_tie_drop(id, reap_locked);
}

static bool is_deleted(objid_t id)
{
	for (unsigned place = 0; place < PLACES; place++)
		for (unsigned state = STATE_DELETED; state <= STATE_DYING; state++)
			if (exists_in(place, state, id))
				return true;
	return false;
}

bool __twz_file_there(objid_t id)
{
	unsigned place;

	return __twz_file_exists(id, &place) || is_deleted(id);
}

void __twz_file_reap(objid_t id)
{
	if (__twz_own_tie_any(id) || !is_deleted(id))
		return;
	__twz_places_lock();
	reap_locked(id);
	__twz_places_unlock();
}

/* Call fn for each object of a state. What fn removes may be seen or not. */
static void for_each(unsigned place, unsigned state, void (*fn)(objid_t))
{
	DIR *d = fdopendir(openat(__twz_place_dir(place), states[state],
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	objid_t id;

	while (d && (e = readdir(d)) != NULL)
		if (objid_parse(e->d_name, NAME_LENGTH, &id))
			fn(id);
	if (d)
		closedir(d);
}

/* Half-made objects of processes that ended. */
static void sweep_new(unsigned place)
{
	int dir = openat(__twz_place_dir(place), "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		int fd = openat(dir, e->d_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlinkat(dir, e->d_name, 0);
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
}

void __twz_files_sweep(unsigned place)
{
	sweep_new(place);
	__twz_ties_sweep(place);
	for_each(place, STATE_DELETED, reap_locked);
	for_each(place, STATE_DYING, reap_locked);
}

/* --- content */

struct reading {
	int fd;
	char page[TWZ_PAGE_SIZE];
};

static int read_page(void *arg, uint64_t number, const void **page)
{
	struct reading *r = arg;

	*page = r->page;
	return pread(r->fd, r->page, sizeof(r->page), (off_t)(number * TWZ_PAGE_SIZE)) ==
	    sizeof(r->page) ? 0 : -EIO;
}

int __twz_file_verify(int fd, objid_t id, struct metainfo *mi)
{
	struct reading reading = { .fd = fd };
	struct stat st;
	objid_t derived;
	int r;

	if (fstat(fd, &st) < 0 || st.st_size != OBJ_MAXSIZE ||
	    pread(fd, mi, sizeof(*mi), OBJ_METAPAGE) != sizeof(*mi))
		return -EINVLOBJ;
	r = meta_check(mi);
	if (r < 0)
		return r;
	derived = id_derive(mi);
	if (mi->p_flags & MIP_HASHDATA)
		r = id_derive_hashdata(mi, read_page, &reading, &derived);
	return r == 0 && derived == id ? 0 : -EINVLOBJ;
}

int __twz_file_zero(int fd, uint64_t at, uint64_t length)
{
	return length && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at,
	    (off_t)length) < 0 ? -errno : 0;
}

/* Bytes that are there, in pieces. */
static int copy_data(int to, uint64_t at, int from, uint64_t start, uint64_t end)
{
	static const size_t piece = 1 << 18;
	char *buf = malloc(piece);
	int r = buf ? 0 : -ENOMEM;

	while (r == 0 && start < end) {
		size_t n = end - start < piece ? end - start : piece;
		ssize_t got = pread(from, buf, n, (off_t)start);

		if (got <= 0)
			r = got < 0 ? -errno : -EIO;
		else if (pwrite(to, buf, (size_t)got, (off_t)at) != got)
			r = errno ? -errno : -ENOSPC;
		else
			start += (uint64_t)got, at += (uint64_t)got;
	}
	free(buf);
	return r;
}

int __twz_file_copy(int to, uint64_t at, int from, uint64_t start, uint64_t length)
{
	uint64_t end = start + length;
	int r = __twz_file_zero(to, at, length);

	while (r == 0 && start < end) {
		off_t data = lseek(from, (off_t)start, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);

		if (data < 0 || (uint64_t)data >= end)
			return data < 0 && errno != ENXIO ? -errno : 0;
		if (hole < 0 || (uint64_t)hole > end)
			hole = (off_t)end;
		r = copy_data(to, at + ((uint64_t)data - start), from, (uint64_t)data, (uint64_t)hole);
		at += (uint64_t)hole - start;
		start = (uint64_t)hole;
	}
	return r;
}
