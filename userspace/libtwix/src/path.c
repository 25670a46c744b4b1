// SPDX-License-Identifier: BSD-3-Clause
/*
 * Paths. The root directory is the program's default namespace; where that has no /bin, the
 * programs that the machine was started with stand there.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <twz/name.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>

static objid_t root_id(void)
{
	twzobj *root = twz_name_get_root();

	return root ? twz_object_guid(root) : 0;
}

static objid_t current_id(void)
{
	objid_t id;

	mutex_acquire(&twix_self()->lock);
	id = twix_self()->cwd;
	mutex_release(&twix_self()->lock);
	return id ? id : root_id();
}

objid_t twix_directory_of(int dirfd, int *error)
{
	struct twix_file *f;
	objid_t id = 0;

	*error = -ENOENT;
	if (dirfd == AT_FDCWD)
		return current_id();
	f = twix_file_of(dirfd);
	*error = f ? -ENOTDIR : -EBADF;
	if (f && f->kind == TWIX_DIRECTORY)
		id = f->id;
	if (f)
		twix_file_put(f);
	return id;
}

/* One look-up of a path without a trailing slash. */
static int look_up(objid_t from, const char *path, int flags, struct twz_name_ent *ent)
{
	twzobj ns;
	int r = twz_object_init_guid(&ns, from, FE_READ);

	if (r < 0)
		return r;
	r = twz_hier_resolve_name(&ns, path, flags, ent);
	twz_object_release(&ns);
	return r == -EINVLOBJ ? -EIO : r;
}

static int find_directory(objid_t from, const char *path, objid_t *id)
{
	struct twz_name_ent ent;
	int r = look_up(from, path, 0, &ent);

	if (r == -ENOENT && (strcmp(path, "/bin") == 0 || strcmp(path, "/bin/") == 0) && twz_program_packroot()) {
		*id = twz_program_packroot();
		return 0;
	}
	if (r < 0)
		return r;
	if (ent.type != NAME_ENT_NAMESPACE)
		return -ENOTDIR;
	*id = ent.id;
	return 0;
}

/* Split off the last component. -ENAMETOOLONG. */
static int split(const char *path, char *dir, char *last)
{
	size_t len = strnlen(path, PATH_MAX), name;

	if (len == 0)
		return -ENOENT;
	if (len == PATH_MAX)
		return -ENAMETOOLONG;
	while (len > 1 && path[len - 1] == '/')
		len--;
	name = len;
	while (name && path[name - 1] != '/')
		name--;
	if (len - name > NAME_MAXLEN)
		return -ENAMETOOLONG;
	memcpy(dir, path, name);
	dir[name] = 0;
	memcpy(last, path + name, len - name);
	last[len - name] = 0;
	return 0;
}

/* The last component: "" is the directory itself. */
static int find_last(struct twix_where *w, bool follow)
{
	struct twz_name_ent ent;
	int r = look_up(w->parent, w->name[0] ? w->name : ".", follow ? 0 : TWZ_HIER_SYM, &ent);

	if (r == -ENOENT) {
		objid_t bin;

		if (w->parent == root_id() && strcmp(w->name, "bin") == 0 &&
		    find_directory(w->parent, "/bin", &bin) == 0) {
			w->id = bin;
			w->type = NAME_ENT_NAMESPACE;
		}
		return 0;
	}
	if (r == 0) {
		w->id = ent.id;
		w->type = ent.type;
	}
	return r;
}

int twix_resolve(int dirfd, const char *path, bool follow, struct twix_where *w)
{
	char dir[PATH_MAX];
	int r = split(path, dir, w->name);

	w->id = 0;
	w->type = NAME_ENT_REGULAR;
	if (r < 0)
		return r;
	w->parent = path[0] == '/' ? root_id() : twix_directory_of(dirfd, &r);
	if (!w->parent)
		return r ? r : -ENOENT;
	r = 0;
	if (dir[0] && strspn(dir, "/") != strlen(dir))
		r = find_directory(w->parent, dir, &w->parent);
	if (r == 0)
		r = find_last(w, follow);
	if (r == 0 && w->id && w->type != NAME_ENT_NAMESPACE && path[strlen(path) - 1] == '/')
		r = -ENOTDIR;
	return r;
}

static long change_to(objid_t id)
{
	mutex_acquire(&twix_self()->lock);
	twix_self()->cwd = id;
	mutex_release(&twix_self()->lock);
	return 0;
}

long twix_chdir(const long a[6])
{
	struct twix_where w;
	int r = twix_resolve(AT_FDCWD, (const char *)a[0], true, &w);

	if (r < 0)
		return r;
	if (!w.id)
		return -ENOENT;
	return w.type == NAME_ENT_NAMESPACE ? change_to(w.id) : -ENOTDIR;
}

long twix_fchdir(const long a[6])
{
	int error;
	objid_t id = (int)a[0] >= 0 ? twix_directory_of((int)a[0], &error) : 0;

	return id ? change_to(id) : (int)a[0] < 0 ? -EBADF : error;
}

/* --- from a directory back to its path: by the names that its parents have for it */

static int name_in(objid_t parent, objid_t id, char *name)
{
	struct twz_name_ent *e;
	size_t pos = 0;
	ssize_t n;
	twzobj ns;
	int r = twz_object_init_guid(&ns, parent, FE_READ);

	if (r < 0)
		return r;
	r = -ENOENT;
	while (r < 0 && (n = twz_hier_get_entry(&ns, pos, &e)) > 0) {
		if (e->flags & NAME_ENT_VALID && e->id == id && strcmp(e->name, ".") && strcmp(e->name, "..")) {
			strcpy(name, e->name);
			r = 0;
		}
		pos += (size_t)n;
	}
	twz_object_release(&ns);
	return r;
}

/* Puts "/name" in front of what stands in path from *at on. */
static int prepend(char *path, size_t *at, const char *name)
{
	size_t len = strlen(name);

	if (len + 1 > *at)
		return -ENAMETOOLONG;
	*at -= len;
	memcpy(path + *at, name, len);
	path[--*at] = '/';
	return 0;
}

/* The number of steps is bounded: a hierarchy may have been made a circle. */
static int path_of(objid_t id, char *path, size_t *at)
{
	char name[NAME_MAXLEN + 1];
	struct twz_name_ent up;
	int r = 0;

	for (int depth = 0; r == 0 && id != root_id() && depth < PATH_MAX / 2; depth++) {
		if (id == twz_program_packroot())
			return prepend(path, at, "bin");
		r = look_up(id, "..", 0, &up);
		if (r == 0)
			r = name_in(up.id, id, name);
		if (r == 0)
			r = prepend(path, at, name);
		id = up.id;
	}
	return r;
}

long twix_getcwd(const long a[6])
{
	char *buf = (char *)a[0], path[PATH_MAX];
	size_t size = (size_t)a[1], at = sizeof(path) - 1, len;
	int r;

	path[at] = 0;
	r = path_of(current_id(), path, &at);
	if (r == 0 && !path[at])
		r = prepend(path, &at, "");
	if (r < 0)
		return r;
	len = sizeof(path) - at;
	if (len > size)
		return -ERANGE;
	memcpy(buf, path + at, len);
	return (long)len;
}
