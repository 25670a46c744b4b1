// SPDX-License-Identifier: BSD-3-Clause
/*
 * The store's folder (environment TWZ_STORE) and the folder of what is volatile. The machine is on
 * while any process holds a lock on the store's file `run`: the first one starts it, which is a
 * boot, with a new boot code and nothing volatile.
 */
#define _GNU_SOURCE
#include "hosted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FORMAT "twizzler hosted store 1\n"
#define PATH_LENGTH 256

static const char *const folders[] = { "objects", "deleted", "dying", "new", "up", "down" };

static int dirs[PLACES] = { -1, -1 };
static char memory_path[PATH_LENGTH];
static const char *store_path; /* NULL: no store */
static int run_fd = -1, memory_run_fd = -1, lock_fd = -1, root_fd = -1;
static uint64_t boot_code;
static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;

int __twz_place_dir(unsigned place)
{
	return dirs[place];
}

void __twz_places_lock(void)
{
	pthread_mutex_lock(&own_lock);
	while (flock(lock_fd, LOCK_EX) < 0 && errno == EINTR)
		;
}

void __twz_places_unlock(void)
{
	flock(lock_fd, LOCK_UN);
	pthread_mutex_unlock(&own_lock);
}

static bool durable(unsigned place)
{
	return place == PLACE_STORE && __twz_rt.sysinfo.flush_mode != TWZ_FLUSH_NONE;
}

void __twz_place_sync(unsigned place, const char *folder)
{
	int fd;

	if (!durable(place))
		return;
	fd = openat(dirs[place], folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* Why a file of a place cannot be had, as people say it. */
static int open_file(unsigned place, const char *name, int flags)
{
	int fd = openat(dirs[place], name, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		libtwz_refuse("%s/%s: %s", place == PLACE_STORE ? store_path : memory_path, name,
		    strerror(errno));
	return fd;
}

static void make_folders(unsigned place)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (mkdirat(dirs[place], folders[i], 0700) < 0 && errno != EEXIST)
			libtwz_refuse("%s/%s: %s", place == PLACE_STORE ? store_path : memory_path,
			    folders[i], strerror(errno));
}

/* Read a small file whole; bytes, or -1. */
static ssize_t read_small(unsigned place, const char *name, char *to, size_t size)
{
	int fd = openat(dirs[place], name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, to, size - 1);

	if (fd >= 0)
		close(fd);
	to[n < 0 ? 0 : n] = 0;
	return n;
}

/* Replace a small file, all or nothing. Caller holds the lock. */
static int write_small(unsigned place, const char *name, const char *text)
{
	char temporary[64];
	ssize_t n;
	int fd, error;

	snprintf(temporary, sizeof(temporary), "new/%s.%d", name, getpid());
	fd = openat(dirs[place], temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	n = fd < 0 || flock(fd, LOCK_SH) < 0 ? -1 : write(fd, text, strlen(text));
	error = n == (ssize_t)strlen(text) ? 0 : n < 0 ? errno : ENOSPC;
	if (error == 0 && durable(place) && fsync(fd) < 0)
		error = errno;
	if (error == 0 && renameat(dirs[place], temporary, dirs[place], name) < 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	__twz_place_sync(place, ".");
	return -error;
}

/* What a store that was never finished may hold. */
static bool is_ours(const char *name)
{
	static const char *const others[] = { ".", "..", "lock" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (strcmp(name, folders[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	return false;
}

static bool holds_other_things(int dir)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	bool others = false;

	while (d && (e = readdir(d)) != NULL)
		others |= !is_ours(e->d_name);
	if (d)
		closedir(d);
	return others;
}

static void format_store(void)
{
	int r;

	make_folders(PLACE_STORE);
	r = write_small(PLACE_STORE, "format", FORMAT);
	if (r < 0)
		libtwz_refuse("%s: a store cannot be made there: %s", store_path, strerror(-r));
}

/* A folder of other things is left as it is: not even a lock is put there. */
static void open_store(void)
{
	char format[64];

	dirs[PLACE_STORE] = open(store_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirs[PLACE_STORE] < 0)
		libtwz_refuse("TWZ_STORE=%s: %s%s", store_path, strerror(errno),
		    errno == ENOENT ? " (make the folder first: it becomes a store)" : "");
	if (read_small(PLACE_STORE, "format", format, sizeof(format)) < 0 &&
	    holds_other_things(dirs[PLACE_STORE]) &&
	    faccessat(dirs[PLACE_STORE], "format", F_OK, 0) < 0)
		libtwz_refuse("TWZ_STORE=%s: this folder holds other things, and no store: name an "
			      "empty one", store_path);
	lock_fd = open_file(PLACE_STORE, "lock", O_RDWR | O_CREAT);
	__twz_places_lock();
	if (read_small(PLACE_STORE, "format", format, sizeof(format)) < 0)
		format_store();
	else if (strcmp(format, FORMAT) != 0)
		libtwz_refuse("TWZ_STORE=%s: a store of another version, or its file `format` is damaged",
		    store_path);
	make_folders(PLACE_STORE);
}

/* --- what is volatile */

static const char *memory_root(void)
{
	const char *t = getenv("TMPDIR");

	if (access("/dev/shm", W_OK) == 0)
		return "/dev/shm";
	return t && *t ? t : "/tmp";
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Nobody else may have put something there for us to trust. */
static void open_memory(void)
{
	struct stat st;

	if (mkdir(memory_path, 0700) < 0 && errno != EEXIST)
		libtwz_refuse("%s: %s", memory_path, strerror(errno));
	if (dirs[PLACE_MEMORY] >= 0)
		close(dirs[PLACE_MEMORY]);
	dirs[PLACE_MEMORY] = open(memory_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dirs[PLACE_MEMORY] < 0 || fstat(dirs[PLACE_MEMORY], &st) < 0)
		libtwz_refuse("%s: %s", memory_path, strerror(errno));
	if (st.st_uid != geteuid() || st.st_mode & 0022)
		libtwz_refuse("%s: belongs to somebody else", memory_path);
}

/* Of a machine that has a store: one folder, the same for all who use the store. */
static void name_memory(void)
{
	struct stat st;

	if (fstat(dirs[PLACE_STORE], &st) < 0)
		libtwz_refuse("%s: %s", store_path, strerror(errno));
	snprintf(memory_path, sizeof(memory_path), "%s/twizzler-%u-%lx-%lx", memory_root(),
	    geteuid(), (unsigned long)st.st_dev, (unsigned long)st.st_ino);
}

/* What a machine left whose last process was killed: nobody holds its lock. */
static void remove_if_dead(const char *name)
{
	char path[2 * PATH_LENGTH], run[2 * PATH_LENGTH + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", memory_root(), name);
	snprintf(run, sizeof(run), "%s/run", path);
	fd = open(run, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		remove_tree(path);
	close(fd);
}

static void remove_dead_machines(void)
{
	DIR *d = opendir(memory_root());
	struct dirent *e;
	char start[64];

	snprintf(start, sizeof(start), "twizzler-%u-", geteuid());
	while (d && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, start, strlen(start)) == 0)
			remove_if_dead(e->d_name);
	if (d)
		closedir(d);
}

/* Under a name that nobody takes for a dead machine's, until it is locked. */
static void make_lone_memory(void)
{
	snprintf(memory_path, sizeof(memory_path), "%s/twizzler-new-%u-XXXXXX", memory_root(),
	    geteuid());
	if (!mkdtemp(memory_path))
		libtwz_refuse("%s: %s", memory_path, strerror(errno));
}

static void name_lone_memory(void)
{
	char name[PATH_LENGTH];

	snprintf(name, sizeof(name), "%s/twizzler-%u-alone-%s", memory_root(), geteuid(),
	    memory_path + strlen(memory_path) - 6);
	if (rename(memory_path, name) == 0)
		strlcpy(memory_path, name, sizeof(memory_path));
}

/* Lock the folder as one that is in use. False: it was removed before that, as a dead machine's. */
static bool hold_memory(void)
{
	struct stat st;

	if (memory_run_fd >= 0)
		close(memory_run_fd);
	memory_run_fd = open_file(PLACE_MEMORY, "run", O_RDWR | O_CREAT);
	while (flock(memory_run_fd, LOCK_SH) < 0 && errno == EINTR)
		;
	return fstat(memory_run_fd, &st) == 0 && st.st_nlink != 0;
}

static uint64_t new_boot_code(void)
{
	uint64_t code = 0;

	while (getrandom(&code, sizeof(code), 0) != sizeof(code) || (code >> 2) == 0)
		;
	return code >> 2;
}

/* Nobody uses the machine: start it. */
static void boot(void)
{
	char text[32];

	if (store_path)
		remove_tree(memory_path);
	do {
		open_memory();
	} while (store_path && !hold_memory());
	make_folders(PLACE_MEMORY);
	snprintf(text, sizeof(text), "%lx\n", (unsigned long)new_boot_code());
	if (write_small(PLACE_MEMORY, "boot", text) < 0)
		libtwz_refuse("%s: out of memory", memory_path);
}

/* Caller holds the lock if there is a store. */
static void switch_on(void)
{
	unsigned place = store_path ? PLACE_STORE : PLACE_MEMORY;
	char text[32];

	if (store_path)
		name_memory();
	else
		open_memory();
	run_fd = open_file(place, "run", O_RDWR | O_CREAT);
	if (flock(run_fd, LOCK_EX | LOCK_NB) == 0) {
		boot();
	} else {
		open_memory();
		hold_memory();
	}
	if (flock(run_fd, LOCK_SH) < 0)
		libtwz_refuse("%s/run: %s", store_path, strerror(errno));
	read_small(PLACE_MEMORY, "boot", text, sizeof(text));
	boot_code = strtoul(text, NULL, 16);
	if (!boot_code)
		libtwz_refuse("%s/boot: is damaged", memory_path);
}

/*
 * The last one to go switches the machine off. It does not wait for this process to end: who comes
 * next would take the machine for one that is on, and find nothing of it.
 */
static void switch_off(void)
{
	flock(lock_fd, LOCK_EX);
	if (flock(run_fd, LOCK_EX | LOCK_NB) == 0)
		remove_tree(memory_path);
	flock(run_fd, LOCK_UN);
	flock(lock_fd, LOCK_UN);
}

void __twz_places_open(void)
{
	store_path = getenv("TWZ_STORE");
	if (store_path && !*store_path)
		store_path = NULL;
	remove_dead_machines();
	if (store_path) {
		open_store();
		switch_on();
	} else {
		make_lone_memory();
		switch_on();
		name_lone_memory();
		lock_fd = open_file(PLACE_MEMORY, "lock", O_RDWR | O_CREAT);
		__twz_places_lock();
	}
	__twz_files_sweep(PLACE_MEMORY);
	if (store_path)
		__twz_files_sweep(PLACE_STORE);
	__twz_places_unlock();
	atexit(switch_off);
}

/* Locks belong to open files, and a child has those of its parent. */
void __twz_places_forked(void)
{
	unsigned place = store_path ? PLACE_STORE : PLACE_MEMORY;

	close(lock_fd);
	lock_fd = open_file(place, "lock", O_RDWR);
	pthread_mutex_init(&own_lock, NULL);
	close(run_fd);
	run_fd = open_file(place, "run", O_RDWR);
	flock(run_fd, LOCK_SH);
	if (store_path)
		hold_memory();
}

uint64_t __twz_places_boot_code(void)
{
	return boot_code;
}

objid_t __twz_places_nameroot(void)
{
	char text[64];
	objid_t id = 0;

	if (!store_path || read_small(PLACE_STORE, "nameroot", text, sizeof(text)) < 32)
		return 0;
	return objid_parse(text, 32, &id) ? id : 0;
}

int __twz_places_set_nameroot(objid_t id)
{
	char text[64];
	int r;

	snprintf(text, sizeof(text), "%016lx%016lx\n", ID_HI(id), ID_LO(id));
	__twz_places_lock();
	r = write_small(PLACE_STORE, "nameroot", text);
	__twz_places_unlock();
	return r;
}

void __twz_places_lock_root(void)
{
	root_fd = open_file(PLACE_STORE, "root-lock", O_RDWR | O_CREAT);
	flock(root_fd, LOCK_EX);
}

void __twz_places_unlock_root(void)
{
	close(root_fd);
}

void __twz_places_statfs(uint64_t *total, uint64_t *unused)
{
	struct statvfs s;

	if (!store_path || fstatvfs(dirs[PLACE_STORE], &s) < 0)
		return;
	*total = s.f_blocks * s.f_frsize;
	*unused = s.f_bavail * s.f_frsize;
}

void *__twz_places_shared(const char *name, size_t bytes)
{
	int fd = openat(dirs[PLACE_MEMORY], name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0)
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}
