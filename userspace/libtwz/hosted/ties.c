// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties. One between persistent objects stands in the store, any other in memory. Its file has two
 * names, below the child and below the parent, and as many bytes as the tie was made.
 */
#define _GNU_SOURCE
#include "hosted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LENGTH 96
#define MAX_CHAIN 16

static void folder_name(char *to, bool up, objid_t id)
{
	snprintf(to, NAME_LENGTH, "%s/%016lx%016lx", up ? "up" : "down", ID_HI(id), ID_LO(id));
}

static void entry_name(char *to, bool up, objid_t of, objid_t other)
{
	snprintf(to, NAME_LENGTH, "%s/%016lx%016lx/%016lx%016lx", up ? "up" : "down", ID_HI(of),
	    ID_LO(of), ID_HI(other), ID_LO(other));
}

static DIR *open_list(unsigned place, bool up, objid_t id)
{
	char name[NAME_LENGTH];
	int fd;

	if (__twz_place_dir(place) < 0)
		return NULL;
	folder_name(name, up, id);
	fd = openat(__twz_place_dir(place), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopendir(fd);
}

/* The next object in a list; false at its end. */
static bool next_in(DIR *d, objid_t *id)
{
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		if (objid_parse(e->d_name, NAME_LENGTH, id))
			return true;
	return false;
}

unsigned __twz_tie_count(objid_t id, bool up)
{
	unsigned n = 0;
	objid_t other;

	for (unsigned place = 0; place < PLACES; place++) {
		DIR *d = open_list(place, up, id);

		while (next_in(d, &other)) {
			struct stat st;
			char name[NAME_LENGTH];

			entry_name(name, up, id, other);
			n += fstatat(__twz_place_dir(place), name, &st, 0) == 0 ?
			    (unsigned)st.st_size : 0;
		}
		if (d)
			closedir(d);
	}
	return n;
}

bool __twz_tie_any(objid_t child)
{
	bool any = false;
	objid_t parent;

	for (unsigned place = 0; !any && place < PLACES; place++) {
		DIR *d = open_list(place, true, child);

		while (!any && next_in(d, &parent))
			any = __twz_file_there(parent);
		if (d)
			closedir(d);
	}
	return any;
}

/* The longest chain from an object up or down, at most MAX_CHAIN + 1; *found: it leads to target. */
static unsigned chain(objid_t id, bool up, objid_t target, bool *found, unsigned depth)
{
	unsigned longest = 0;
	objid_t other;

	if (depth > MAX_CHAIN)
		return 0;
	for (unsigned place = 0; place < PLACES; place++) {
		DIR *d = open_list(place, up, id);

		while (next_in(d, &other)) {
			unsigned n = 1 + chain(other, up, target, found, depth + 1);

			*found |= other == target;
			longest = n > longest ? n : longest;
		}
		if (d)
			closedir(d);
	}
	return longest;
}

static int make_tie(unsigned place, objid_t parent, objid_t child)
{
	char up[NAME_LENGTH], down[NAME_LENGTH], folder[NAME_LENGTH];
	int dir = __twz_place_dir(place), fd, r = 0;

	folder_name(folder, true, child);
	if (mkdirat(dir, folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	folder_name(folder, false, parent);
	if (mkdirat(dir, folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	entry_name(up, true, child, parent);
	entry_name(down, false, parent, child);
	fd = openat(dir, up, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (linkat(dir, up, dir, down, 0) < 0 && errno != EEXIST)
		r = -errno;
	else if (write(fd, "+", 1) != 1)
		r = -ENOSPC;
	close(fd);
	__twz_place_sync(place, "up");
	return r;
}

int __twz_tie_add(objid_t parent, objid_t child)
{
	unsigned parent_place, child_place, length;
	bool circle = false;

	if (parent == child)
		return -EPERM;
	if (!__twz_file_exists(parent, &parent_place) || !__twz_file_exists(child, &child_place))
		return -ENOENT;
	length = chain(parent, true, child, &circle, 0);
	if (circle)
		return -ELOOP;
	if (length + 1 + chain(child, false, parent, &circle, 0) > MAX_CHAIN)
		return -EMLINK;
	return make_tie(parent_place & child_place, parent, child);
}

/* Take both names away, and folders that are empty then. */
static void remove_tie(unsigned place, objid_t parent, objid_t child)
{
	char name[NAME_LENGTH];
	int dir = __twz_place_dir(place);

	entry_name(name, false, parent, child);
	unlinkat(dir, name, 0);
	entry_name(name, true, child, parent);
	unlinkat(dir, name, 0);
	folder_name(name, false, parent);
	unlinkat(dir, name, AT_REMOVEDIR);
	folder_name(name, true, child);
	unlinkat(dir, name, AT_REMOVEDIR);
	__twz_place_sync(place, "up");
}

int __twz_tie_remove(objid_t parent, objid_t child)
{
	char name[NAME_LENGTH];
	struct stat st;

	entry_name(name, true, child, parent);
	for (unsigned place = 0; place < PLACES; place++) {
		int dir = __twz_place_dir(place);
		int fd = dir < 0 ? -1 : openat(dir, name, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && st.st_size > 1 && ftruncate(fd, st.st_size - 1) == 0)
			__twz_place_sync(place, "up");
		else
			remove_tie(place, parent, child);
		close(fd);
		return 0;
	}
	return -ENOENT;
}

void __twz_tie_drop(objid_t parent, void (*fn)(objid_t child))
{
	objid_t child;

	for (unsigned place = 0; place < PLACES; place++) {
		DIR *d = open_list(place, false, parent);

		while (next_in(d, &child)) {
			remove_tie(place, parent, child);
			fn(child);
		}
		if (d)
			closedir(d);
	}
}
