// SPDX-License-Identifier: BSD-3-Clause
/*
 * Paths. The root directory is the program's default namespace; names that it does not have may be
 * those that every root has (node.c): /bin, the programs that the machine was started with, /dev, /proc.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <twz/name.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>
#include <unistd.h>

#define LINKS_MAX 40 /* symbolic links followed on one path */

objid_t twix_root_id(void)
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
	return id ? id : twix_root_id();
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

/* --- one name */

/* What a directory's own object says. */
static int find_in_object(objid_t dir, const char *name, objid_t *id, int *type)
{
	struct twz_name_ent ent = { .id = 0 };
	twzobj ns;
	int r = twz_object_init_guid(&ns, dir, FE_READ);

	if (r < 0)
		return r;
	r = twix_inode_may(&ns, X_OK) ? twz_hier_resolve_name(&ns, name, TWZ_HIER_SYM, &ent) : -EACCES;
	twz_object_release(&ns);
	*id = ent.id;
	*type = ent.type;
	return r == -EINVLOBJ ? -EIO : r;
}

int twix_path_find(objid_t dir, const char *name, objid_t *id, int *type)
{
	int r;

	if (twix_is_node(dir))
		return twix_node_find(dir, name, id, type);
	if (dir == twz_program_packroot() && strcmp(name, "..") == 0) {
		*id = twix_root_id();
		*type = NAME_ENT_NAMESPACE;
		return 0;
	}
	r = find_in_object(dir, name, id, type);
	if (r == -ENOENT && dir == twix_root_id())
		r = twix_node_find(twix_node_root(), name, id, type);
	return r;
}

ssize_t twix_path_read_link(const struct twix_where *w, char *buf, size_t n)
{
	twzobj ns;
	ssize_t r;

	if (twix_is_node(w->id))
		return twix_node_text(w->id, buf, n, 0);
	r = twz_object_init_guid(&ns, w->parent, FE_READ);
	if (r < 0)
		return r;
	r = twz_hier_readlink(&ns, w->name, buf, n);
	twz_object_release(&ns);
	return r;
}

long twix_readlinkat(const long a[6])
{
	struct twix_where w;
	int r = twix_resolve((int)a[0], (const char *)a[1], false, &w);

	if (r < 0)
		return r;
	if ((ssize_t)a[3] <= 0)
		return -EINVAL;
	if (w.type != NAME_ENT_SYMLINK)
		return w.id ? -EINVAL : -ENOENT;
	return twix_path_read_link(&w, (char *)a[2], (size_t)a[3]);
}

bool twix_path_is_below(objid_t id, objid_t top)
{
	struct twz_name_ent up = { .id = id };
	objid_t here;
	twzobj ns;

	for (int depth = 0; depth < 4096; depth++) {
		here = up.id;
		if (here == top)
			return true;
		if (twix_is_node(here) || twz_object_init_guid(&ns, here, FE_READ) < 0)
			return false;
		int r = twz_hier_resolve_name(&ns, "..", 0, &up);
		twz_object_release(&ns);
		if (r < 0 || up.id == here)
			return false;
	}
	return true;
}

/* --- all of them */

struct walk {
	objid_t here;     /* the directory */
	const char *rest; /* of the path */
	unsigned links;   /* followed so far */
	char path[PATH_MAX]; /* with the targets of links */
};

/* Take the next name, and the slashes behind it. The name is empty at the end. */
static int take_name(struct walk *k, struct twix_where *w)
{
	size_t len;

	k->rest += strspn(k->rest, "/");
	len = strcspn(k->rest, "/");
	if (len > NAME_MAXLEN)
		return -ENAMETOOLONG;
	memcpy(w->name, k->rest, len);
	w->name[len] = 0;
	k->rest += len;
	w->slash = *k->rest == '/';
	k->rest += strspn(k->rest, "/");
	return 0;
}

/* The open file that a descriptor's link in /proc stands for is found without a path. */
static bool follow_descriptor(struct walk *k, struct twix_where *w)
{
	struct twix_file *f = twix_node_descriptor(w->id);

	if (!f)
		return false;
	w->type = NAME_ENT_REGULAR;
	if (f->kind == TWIX_REGULAR || f->kind == TWIX_DIRECTORY || f->kind == TWIX_FIFO)
		w->id = f->id;
	if (f->kind == TWIX_DIRECTORY)
		w->type = NAME_ENT_NAMESPACE;
	twix_file_put(f);
	k->links++;
	return true;
}

/* Put the link's target in front of the rest. */
static int follow_link(struct walk *k, const struct twix_where *w)
{
	char target[PATH_MAX];
	size_t rest = strlen(k->rest);
	ssize_t n = twix_path_read_link(w, target, sizeof(target));

	if (n < 0)
		return (int)n;
	if (++k->links > LINKS_MAX)
		return -ELOOP;
	if (n == 0)
		return -ENOENT;
	if ((size_t)n + 1 + rest >= sizeof(k->path))
		return -ENAMETOOLONG;
	memmove(k->path + n + (rest || w->slash), k->rest, rest + 1);
	memcpy(k->path, target, (size_t)n);
	if (rest || w->slash)
		k->path[n] = '/';
	if (w->slash && !rest)
		k->path[n + 1] = 0;
	k->rest = k->path;
	if (k->path[0] == '/')
		k->here = twix_root_id();
	return 0;
}

/* The next component. 1: it was the last. */
static int step(struct walk *k, enum twix_follow follow, struct twix_where *w)
{
	bool last, on;
	int r = take_name(k, w);

	if (r < 0)
		return r;
	w->parent = w->id = k->here;
	w->type = NAME_ENT_NAMESPACE;
	if (!w->name[0])
		return 1;
	last = !*k->rest;
	r = twix_path_find(k->here, w->name, &w->id, &w->type);
	if (r == -ENOENT && last) {
		w->id = 0;
		w->type = NAME_ENT_REGULAR;
		return 1;
	}
	if (r < 0)
		return r;
	on = !last || follow == TWIX_FOLLOW || (w->slash && follow != TWIX_NAME);
	if (w->type == NAME_ENT_SYMLINK && on && !follow_descriptor(k, w))
		return follow_link(k, w);
	if (last && !w->slash)
		return 1;
	if (w->type != NAME_ENT_NAMESPACE)
		return -ENOTDIR;
	k->here = w->id;
	return last;
}

int twix_resolve(int dirfd, const char *path, enum twix_follow follow, struct twix_where *w)
{
	struct walk k;
	size_t len = strnlen(path, PATH_MAX);
	int r = 0;

	if (len == 0 || len == PATH_MAX)
		return len ? -ENAMETOOLONG : -ENOENT;
	k.rest = path;
	k.links = 0;
	k.here = path[0] == '/' ? twix_root_id() : twix_directory_of(dirfd, &r);
	if (!k.here)
		return r ? r : -ENOENT;
	do {
		r = step(&k, follow, w);
	} while (r == 0);
	return r < 0 ? r : 0;
}

/* --- the current directory */

/* It is kept by an open file. */
static long change_to(objid_t id)
{
	struct twix_process *p = twix_self();
	struct twix_file *f = twix_file_open(TWIX_DIRECTORY, id, 0, O_PATH), *old;

	if (!f)
		return -ENFILE;
	mutex_acquire(&p->lock);
	p->cwd = id;
	old = twix_file_number(p->cwd_file);
	p->cwd_file = twix_number_of(f);
	mutex_release(&p->lock);
	if (old)
		twix_file_put(old);
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

int twix_path_prepend(char *path, size_t *at, const char *name)
{
	size_t len = strlen(name);

	if (len + 1 > *at)
		return -ENAMETOOLONG;
	*at -= len;
	memcpy(path + *at, name, len);
	path[--*at] = '/';
	return 0;
}

/* Nodes stand at the root; so do the objects that stand in a node's place. */
static int path_of_fixed(objid_t id, char *path, size_t *at, bool *done)
{
	int r;

	*done = true;
	if (twix_is_node(id))
		return twix_node_path(id, path, at);
	if (id == twz_program_packroot())
		return twix_path_prepend(path, at, "bin");
	*done = id == twix_root_id();
	if (!*done && id == twix_shared_memory_made()) {
		*done = true;
		r = twix_path_prepend(path, at, "shm");
		return r < 0 ? r : twix_path_prepend(path, at, "dev");
	}
	return 0;
}

/* The number of steps is bounded: a hierarchy may have been made a circle. */
static int directory_path(objid_t id, char *path, size_t *at)
{
	char name[NAME_MAXLEN + 1];
	bool done = false;
	objid_t up;
	int type, r;

	for (int depth = 0; depth < PATH_MAX / 2; depth++) {
		r = path_of_fixed(id, path, at, &done);
		if (r < 0 || done)
			return r;
		r = find_in_object(id, "..", &up, &type);
		if (r == 0)
			r = name_in(up, id, name);
		if (r == 0)
			r = twix_path_prepend(path, at, name);
		if (r < 0)
			return r;
		id = up;
	}
	return -ELOOP;
}

int twix_path_of(objid_t id, char *path, size_t *at)
{
	int r = directory_path(id, path, at);

	return r == 0 && !path[*at] ? twix_path_prepend(path, at, "") : r;
}

static const char *sort_of(const struct twix_file *f)
{
	switch (f->kind) {
	case TWIX_REGULAR:
		return "object";
	case TWIX_SOCKET:
		return "socket";
	case TWIX_PIPE_READ:
	case TWIX_PIPE_WRITE:
	case TWIX_FIFO:
		return "pipe";
	default:
		return "anon_inode";
	}
}

int twix_path_of_file(const struct twix_file *f, char *path, size_t *at)
{
	char name[NAME_MAXLEN + 1];

	if (f->kind == TWIX_DIRECTORY)
		return twix_path_of(f->id, path, at);
	if (twix_is_node(f->parent))
		return twix_path_of(f->parent, path, at);
	if (f->parent && name_in(f->parent, f->id, name) == 0 && twix_path_prepend(path, at, name) == 0)
		return directory_path(f->parent, path, at);
	snprintf(name, sizeof(name), "%s:[%lu]", sort_of(f), (unsigned long)ID_LO(f->id));
	*at -= strlen(name);
	memcpy(path + *at, name, strlen(name));
	return 0;
}

long twix_getcwd(const long a[6])
{
	char *buf = (char *)a[0], path[PATH_MAX];
	size_t size = (size_t)a[1], at = sizeof(path) - 1, len;
	int r;

	path[at] = 0;
	r = twix_path_of(current_id(), path, &at);
	if (r < 0)
		return r;
	len = sizeof(path) - at;
	if (len > size)
		return -ERANGE;
	memcpy(buf, path + at, len);
	return (long)len;
}
