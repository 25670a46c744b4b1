// SPDX-License-Identifier: BSD-3-Clause
/* Names of files: directories, links, removing, renaming. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/obj/hier.h>

#define RENAME_NOREPLACE 1u /* of renameat2() */

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The place for a new name. */
static int free_place(int dirfd, const char *path, struct twix_where *w, twzobj *parent)
{
	int r = twix_resolve(dirfd, path, false, w);

	if (r < 0)
		return r;
	if (w->id || w->type == NAME_ENT_SYMLINK || !w->name[0] || is_dots(w->name))
		return -EEXIST;
	return twz_object_init_guid(parent, w->parent, FE_READ | FE_WRITE);
}

long twix_mkdirat(const long a[6])
{
	struct twix_where w;
	twzobj parent, ns;
	int r = free_place((int)a[0], (const char *)a[1], &w, &parent);

	if (r < 0)
		return r;
	r = twz_hier_namespace_new(&ns, &parent, w.name, 0);
	if (r == 0) {
		twix_inode_make(&ns, S_IFDIR | ((mode_t)a[2] & 0777 & ~twix_mode_mask()));
		twz_object_release(&ns);
	}
	twz_object_release(&parent);
	return r;
}

long twix_symlinkat(const long a[6])
{
	const char *target = (const char *)a[0];
	struct twix_where w;
	twzobj parent;
	int r;

	if (!target[0])
		return -ENOENT;
	r = free_place((int)a[1], (const char *)a[2], &w, &parent);
	if (r < 0)
		return r;
	r = twz_hier_symlink(&parent, w.name, target);
	twz_object_release(&parent);
	return r;
}

long twix_readlinkat(const long a[6])
{
	struct twix_where w;
	twzobj parent;
	int r = twix_resolve((int)a[0], (const char *)a[1], false, &w);

	if (r < 0)
		return r;
	if ((ssize_t)a[3] <= 0)
		return -EINVAL;
	if (w.type != NAME_ENT_SYMLINK)
		return w.id ? -EINVAL : -ENOENT;
	r = twz_object_init_guid(&parent, w.parent, FE_READ);
	if (r < 0)
		return r;
	r = twz_hier_readlink(&parent, w.name, (char *)a[2], (size_t)a[3]);
	twz_object_release(&parent);
	return r;
}

/* Names that a directory has besides . and .. */
static bool is_empty(objid_t id)
{
	struct twz_name_ent *e;
	bool empty = true;
	size_t pos = 0;
	ssize_t n;
	twzobj ns;

	if (twz_object_init_guid(&ns, id, FE_READ) < 0)
		return false;
	while (empty && (n = twz_hier_get_entry(&ns, pos, &e)) > 0) {
		empty = !(e->flags & NAME_ENT_VALID) || is_dots(e->name);
		pos += (size_t)n;
	}
	twz_object_release(&ns);
	return empty;
}

/* One name less leads to it: the last takes the object along, once nobody has it open. */
static void drop_link(objid_t id, bool directory)
{
	twzobj o;

	if (!id || twz_object_init_guid(&o, id, FE_READ | FE_WRITE) < 0)
		return;
	if (directory || twix_inode_link(&o, -1) == 0)
		twz_object_delete(&o, 0);
	twz_object_release(&o);
}

static int remove_name(const struct twix_where *w)
{
	twzobj parent;
	int r = twz_object_init_guid(&parent, w->parent, FE_READ | FE_WRITE);

	if (r < 0)
		return r;
	r = twz_hier_remove_name(&parent, w->name);
	twz_object_release(&parent);
	if (r == 0)
		drop_link(w->id, w->type == NAME_ENT_NAMESPACE);
	return r;
}

static int check_remove(const struct twix_where *w, bool directory)
{
	if (!w->id && w->type != NAME_ENT_SYMLINK)
		return -ENOENT;
	if (!directory)
		return w->type == NAME_ENT_NAMESPACE ? -EISDIR : 0;
	if (w->type != NAME_ENT_NAMESPACE)
		return -ENOTDIR;
	if (!w->name[0])
		return -EBUSY;
	if (is_dots(w->name))
		return w->name[1] ? -ENOTEMPTY : -EINVAL;
	return is_empty(w->id) ? 0 : -ENOTEMPTY;
}

long twix_unlinkat(const long a[6])
{
	struct twix_where w;
	int flags = (int)a[2];
	int r;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	r = twix_resolve((int)a[0], (const char *)a[1], false, &w);
	if (r == 0)
		r = check_remove(&w, flags & AT_REMOVEDIR);
	return r < 0 ? r : remove_name(&w);
}

long twix_linkat(const long a[6])
{
	struct twix_where from, to;
	twzobj parent, o;
	int r = twix_resolve((int)a[0], (const char *)a[1], (int)a[4] & AT_SYMLINK_FOLLOW, &from);

	if (r < 0)
		return r;
	if (!from.id)
		return from.type == NAME_ENT_SYMLINK ? -EPERM : -ENOENT;
	if (from.type == NAME_ENT_NAMESPACE)
		return -EPERM;
	r = free_place((int)a[2], (const char *)a[3], &to, &parent);
	if (r < 0)
		return r;
	r = twz_object_init_guid(&o, from.id, FE_READ | FE_WRITE);
	if (r == 0) {
		twix_inode_link(&o, 1);
		r = twz_hier_assign_name(&parent, to.name, NAME_ENT_REGULAR, from.id);
		if (r < 0)
			twix_inode_link(&o, -1);
		twz_object_release(&o);
	}
	twz_object_release(&parent);
	return r;
}

/* --- renaming */

static int check_rename(const struct twix_where *from, const struct twix_where *to, unsigned flags)
{
	bool directory = from->type == NAME_ENT_NAMESPACE;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	if (!from->id && from->type != NAME_ENT_SYMLINK)
		return -ENOENT;
	if (!from->name[0] || is_dots(from->name) || !to->name[0] || is_dots(to->name))
		return -EBUSY;
	if (!to->id && to->type != NAME_ENT_SYMLINK)
		return 0;
	if (flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (directory != (to->type == NAME_ENT_NAMESPACE))
		return directory ? -ENOTDIR : -EISDIR;
	return directory && !is_empty(to->id) ? -ENOTEMPTY : 0;
}

/* Whether `id` is `top` or lies below it. */
static bool is_below(objid_t id, objid_t top)
{
	struct twz_name_ent up = { .id = id };
	objid_t here;
	twzobj ns;

	for (int depth = 0; depth < 4096; depth++) {
		here = up.id;
		if (here == top)
			return true;
		if (twz_object_init_guid(&ns, here, FE_READ) < 0)
			return false;
		int r = twz_hier_resolve_name(&ns, "..", 0, &up);
		twz_object_release(&ns);
		if (r < 0 || up.id == here)
			return false;
	}
	return true;
}

static int rename_to(const struct twix_where *from, const struct twix_where *to)
{
	twzobj a, b;
	int r = twz_object_init_guid(&a, from->parent, FE_READ | FE_WRITE);

	if (r < 0)
		return r;
	r = twz_object_init_guid(&b, to->parent, FE_READ | FE_WRITE);
	if (r == 0) {
		r = twz_hier_rename(&a, from->name, &b, to->name);
		twz_object_release(&b);
	}
	twz_object_release(&a);
	return r;
}

static long move(int dirfd, const char *path, int todir, const char *topath, unsigned flags)
{
	struct twix_where from, to;
	int r = twix_resolve(dirfd, path, false, &from);

	if (r == 0)
		r = twix_resolve(todir, topath, false, &to);
	if (r == 0)
		r = check_rename(&from, &to, flags);
	if (r < 0)
		return r;
	if (from.id && from.id == to.id)
		return 0;
	if (from.type == NAME_ENT_NAMESPACE && is_below(to.parent, from.id))
		return -EINVAL;
	r = rename_to(&from, &to);
	if (r == 0)
		drop_link(to.id, to.type == NAME_ENT_NAMESPACE);
	return r;
}

long twix_renameat(const long a[6])
{
	return move((int)a[0], (const char *)a[1], (int)a[2], (const char *)a[3], 0);
}

long twix_renameat2(const long a[6])
{
	return move((int)a[0], (const char *)a[1], (int)a[2], (const char *)a[3], (unsigned)a[4]);
}
