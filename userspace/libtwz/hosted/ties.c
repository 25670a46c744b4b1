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
#include <stdlib.h>
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
	unsigned n = __twz_own_tie_count(id, up);
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
	bool any = __twz_own_tie_any(child);
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

/* Objects without doubles. */
struct set {
	objid_t *ids;
	size_t count, room;
};

static int compare(const void *a, const void *b)
{
	objid_t x = *(const objid_t *)a, y = *(const objid_t *)b;

	return x < y ? -1 : x > y;
}

static int set_add(struct set *s, objid_t id)
{
	objid_t *more;

	if (s->count == s->room) {
		more = realloc(s->ids, (s->room * 2 + 16) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->ids = more;
		s->room = s->room * 2 + 16;
	}
	s->ids[s->count++] = id;
	return 0;
}

static void set_unify(struct set *s)
{
	size_t n = 0;

	if (s->count == 0)
		return;
	qsort(s->ids, s->count, sizeof(*s->ids), compare);
	for (size_t i = 0; i < s->count; i++)
		if (n == 0 || s->ids[n - 1] != s->ids[i])
			s->ids[n++] = s->ids[i];
	s->count = n;
}

/* What is one tie above (up) or below the objects of a set. */
static int next_level(const struct set *from, bool up, struct set *to)
{
	objid_t other;
	int r = 0;

	to->count = 0;
	for (size_t i = 0; i < from->count; i++)
		for (unsigned place = 0; place < PLACES; place++) {
			DIR *d = open_list(place, up, from->ids[i]);

			while (r == 0 && next_in(d, &other))
				r = set_add(to, other);
			if (d)
				closedir(d);
		}
	set_unify(to);
	return r;
}

static bool set_has(const struct set *s, objid_t id)
{
	return s->count && bsearch(&id, s->ids, s->count, sizeof(id), compare);
}

/* Ties of the longest chain up or down from an object, at most MAX_CHAIN + 1; -ELOOP it meets other. */
static int chain(objid_t id, bool up, objid_t other)
{
	struct set level = { 0 }, next = { 0 };
	int length = 0, r = set_add(&level, id);

	while (r == 0 && length <= MAX_CHAIN) {
		struct set old = level;

		r = next_level(&level, up, &next);
		if (r == 0 && set_has(&next, other))
			r = -ELOOP;
		if (next.count == 0)
			break;
		level = next;
		next = old;
		length++;
	}
	free(level.ids);
	free(next.ids);
	return r < 0 ? r : length;
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
	fd = openat(dir, down, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (linkat(dir, down, dir, up, 0) < 0 && errno != EEXIST)
		r = -errno;
	else if (write(fd, "+", 1) != 1)
		r = -ENOSPC;
	close(fd);
	__twz_place_sync(place, "up");
	return r;
}

int __twz_tie_new(objid_t parent, objid_t child, unsigned child_place)
{
	unsigned parent_place;
	int above;

	if (!__twz_file_exists(parent, &parent_place))
		return -ENOENT;
	above = chain(parent, true, child);
	if (above < 0 || above >= MAX_CHAIN)
		return above < 0 ? above : -EMLINK;
	return make_tie(parent_place & child_place, parent, child);
}

int __twz_tie_add(objid_t parent, objid_t child)
{
	unsigned parent_place, child_place;
	int above, below;

	if (parent == child)
		return -EPERM;
	if (!__twz_file_exists(parent, &parent_place) || !__twz_file_exists(child, &child_place))
		return -ENOENT;
	above = chain(parent, true, child);
	below = above < 0 ? above : chain(child, false, parent);
	if (below < 0)
		return below;
	if (above + 1 + below > MAX_CHAIN)
		return -EMLINK;
	return make_tie(parent_place & child_place, parent, child);
}

/* Take both names away, and folders that are empty then; the parent's last, which a sweep finds. */
static void remove_tie(unsigned place, objid_t parent, objid_t child)
{
	char name[NAME_LENGTH];
	int dir = __twz_place_dir(place);

	entry_name(name, true, child, parent);
	unlinkat(dir, name, 0);
	folder_name(name, true, child);
	unlinkat(dir, name, AT_REMOVEDIR);
	entry_name(name, false, parent, child);
	unlinkat(dir, name, 0);
	folder_name(name, false, parent);
	unlinkat(dir, name, AT_REMOVEDIR);
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
		if (fstat(fd, &st) < 0 || st.st_size <= 1 || ftruncate(fd, st.st_size - 1) < 0)
			remove_tie(place, parent, child);
		__twz_place_sync(place, "up");
		close(fd);
		return 0;
	}
	return -ENOENT;
}

/* One tie of an object that moved: where it stands now, and where it belongs. */
static int move_tie(unsigned at, objid_t parent, objid_t child)
{
	unsigned parent_place, child_place;
	char name[NAME_LENGTH];
	struct stat st;
	int r = 0;

	entry_name(name, true, child, parent);
	if (!__twz_file_exists(parent, &parent_place) || !__twz_file_exists(child, &child_place) ||
	    (parent_place & child_place) == at || fstatat(__twz_place_dir(at), name, &st, 0) < 0)
		return 0;
	for (off_t i = 0; r == 0 && i < st.st_size; i++)
		r = make_tie(parent_place & child_place, parent, child);
	if (r == 0)
		remove_tie(at, parent, child);
	return r;
}

int __twz_tie_move(objid_t id)
{
	objid_t other;
	int r = 0;

	for (unsigned place = 0; place < PLACES; place++)
		for (int up = 0; up < 2; up++) {
			DIR *d = open_list(place, up, id);

			while (r == 0 && next_in(d, &other))
				r = up ? move_tie(place, other, id) : move_tie(place, id, other);
			if (d)
				closedir(d);
		}
	return r;
}

/* Take away all ties above (up) or below an object that is gone. */
static void drop_list(unsigned place, bool up, objid_t id)
{
	DIR *d = open_list(place, up, id);
	char name[NAME_LENGTH];
	objid_t other;

	if (!d)
		return;
	while (next_in(d, &other))
		remove_tie(place, up ? other : id, up ? id : other);
	closedir(d);
	folder_name(name, up, id);
	unlinkat(__twz_place_dir(place), name, AT_REMOVEDIR);
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
		drop_list(place, true, parent); /* of parents that went before */
	}
}

/* Ties to and from objects that are gone: whoever removed those was killed before it got there. */
void __twz_ties_sweep(unsigned place)
{
	for (int up = 0; up < 2; up++) {
		const char *folder = up ? "up" : "down";
		DIR *d = fdopendir(openat(__twz_place_dir(place), folder,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		objid_t id;

		while (next_in(d, &id))
			if (!__twz_file_there(id))
				drop_list(place, up, id);
		if (d)
			closedir(d);
	}
}
