// SPDX-License-Identifier: BSD-3-Clause
/* Names of files: directories, links, removing, renaming. */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>
#include <unistd.h>

#define RENAME_NOREPLACE 1u /* of renameat2() */

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* --- one change of a directory at a time, among programs that share */

static struct mutex *lock_of(objid_t dir)
{
	uint64_t bits = ID_LO(dir) ^ ID_HI(dir);

	return &twix_shared->names[(bits ^ bits >> 32) % TWIX_NAME_LOCKS];
}

static void lock_names(objid_t a, objid_t b)
{
	struct mutex *first = lock_of(a), *second = lock_of(b);

	if (first > second) {
		struct mutex *swap = first;

		first = second;
		second = swap;
	}
	mutex_acquire(first);
	if (second != first)
		mutex_acquire(second);
}

static void unlock_names(objid_t a, objid_t b)
{
	mutex_release(lock_of(a));
	if (lock_of(b) != lock_of(a))
		mutex_release(lock_of(b));
}

/* Look the last component up again, now that nobody changes it. */
static int find_again(struct twix_where *w)
{
	int r;

	if (!w->name[0] || is_dots(w->name))
		return 0;
	r = twix_path_find(w->parent, w->name, &w->id, &w->type);
	if (r == -ENOENT) {
		w->id = 0;
		w->type = NAME_ENT_REGULAR;
	}
	return r == -ENOENT ? 0 : r;
}

static bool exists(const struct twix_where *w)
{
	return w->id || w->type == NAME_ENT_SYMLINK;
}

static int open_parent(const struct twix_where *w, twzobj *parent)
{
	int r = twix_is_node(w->parent) ? -EPERM : twz_object_init_guid(parent, w->parent, FE_READ | FE_WRITE);

	if (r == 0 && !twix_inode_may(parent, W_OK | X_OK)) {
		twz_object_release(parent);
		r = -EACCES;
	}
	return r;
}

/* The place for a new name, locked. */
static int free_place(int dirfd, const char *path, struct twix_where *w, twzobj *parent)
{
	int r = twix_resolve(dirfd, path, TWIX_NAME, w);

	if (r == 0 && exists(w))
		r = -EEXIST;
	if (r == 0)
		r = open_parent(w, parent);
	if (r < 0)
		return r;
	lock_names(w->parent, w->parent);
	r = find_again(w);
	if (r == 0)
		r = exists(w) ? -EEXIST : twix_inode_links(parent) ? 0 : -ENOENT;
	if (r == 0)
		return 0;
	unlock_names(w->parent, w->parent);
	twz_object_release(parent);
	return r;
}

static void done_with_place(const struct twix_where *w, twzobj *parent, bool changed)
{
	if (changed)
		twix_inode_changed(parent);
	unlock_names(w->parent, w->parent);
	twz_object_release(parent);
}

/* A file gets its name; if there is one of that name now, it is found instead. -EEXIST. */
int twix_name_new(struct twix_where *w, objid_t id)
{
	twzobj parent;
	int r = open_parent(w, &parent);

	if (r < 0)
		return r;
	lock_names(w->parent, w->parent);
	r = find_again(w);
	if (r == 0 && exists(w))
		r = -EEXIST;
	if (r == 0)
		r = twz_hier_assign_name(&parent, w->name, NAME_ENT_REGULAR, id);
	done_with_place(w, &parent, r == 0);
	return r;
}

long twix_mkdirat(const long a[6])
{
	struct twix_where w;
	twzobj parent;
	int r = free_place((int)a[0], (const char *)a[1], &w, &parent);

	if (r < 0)
		return r;
	r = twix_make_directory(&w, (mode_t)a[2] & 01777, &parent);
	done_with_place(&w, &parent, r == 0);
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
	r = w.slash ? -ENOENT : twz_hier_symlink(&parent, w.name, target);
	done_with_place(&w, &parent, r == 0);
	return r;
}

/* Of Linux; a device by anybody else needs a driver. */
long twix_mknodat(const long a[6])
{
	mode_t mode = (mode_t)a[2];

	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
		return twix_make_special((int)a[0], (const char *)a[1], S_IFREG | (mode & 07777));
	case S_IFIFO:
	case S_IFSOCK:
		return twix_make_special((int)a[0], (const char *)a[1], mode);
	case S_IFCHR:
	case S_IFBLK:
		return -EOPNOTSUPP;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

/* --- removing */

/* Names that a directory has besides . and .. */
bool twix_directory_is_empty(objid_t id)
{
	struct twz_name_ent *e;
	bool empty = true;
	size_t pos = 0;
	ssize_t n;
	twzobj ns;

	if (twix_is_node(id) || twz_object_init_guid(&ns, id, FE_READ) < 0)
		return false;
	while (empty && (n = twz_hier_get_entry(&ns, pos, &e)) > 0) {
		empty = !(e->flags & NAME_ENT_VALID) || is_dots(e->name);
		pos += (size_t)n;
	}
	twz_object_release(&ns);
	return empty;
}

/* A name is to go, and then what it leads to, if no other does: from here to the end of drop_link(). */
static struct twix_change *begin_drop(const struct twix_where *w)
{
	unsigned links;
	twzobj o;

	if (!w->id || twz_object_init_guid(&o, w->id, FE_READ) < 0)
		return NULL;
	links = w->type == NAME_ENT_NAMESPACE ? 0 : twix_inode_links(&o);
	twz_object_release(&o);
	return twix_change_begin(w->id, w->parent, w->name, links ? links - 1 : 0);
}

/* One name less leads to it: the last takes the object along, once nobody has it open. */
static void drop_link(objid_t id, bool directory)
{
	twzobj o;

	if (!id || twz_object_init_guid(&o, id, FE_READ | FE_WRITE) < 0)
		return;
	if (twix_inode_link(&o, directory ? -(int)twix_inode_links(&o) : -1) == 0) {
		twix_file_orphan(id);
		twz_object_delete(&o, 0);
	}
	twz_object_release(&o);
}

/* In some directories only the owner of either may take a name away. A symbolic link has no owner. */
static int check_sticky(twzobj *dir, objid_t id)
{
	struct stat in, st;
	twzobj o;

	if (twix_is_root() || !id)
		return 0;
	twix_inode_stat(dir, &in);
	if (!(in.st_mode & S_ISVTX) || in.st_uid == twix_users()->user.effective)
		return 0;
	if (twz_object_init_guid(&o, id, FE_READ) < 0)
		return 0;
	twix_inode_stat(&o, &st);
	twz_object_release(&o);
	return st.st_uid == twix_users()->user.effective ? 0 : -EPERM;
}

/* Names locked. */
static int remove_name(const struct twix_where *w)
{
	bool directory = w->type == NAME_ENT_NAMESPACE;
	struct twix_change *c;
	twzobj parent;
	int r = open_parent(w, &parent);

	if (r < 0)
		return r;
	r = check_sticky(&parent, w->id);
	c = r == 0 ? begin_drop(w) : NULL;
	if (r == 0)
		r = twz_hier_remove_name(&parent, w->name);
	if (r == 0) {
		if (directory)
			twix_inode_link(&parent, -1);
		twix_inode_changed(&parent);
		drop_link(w->id, directory);
	}
	twix_change_end(c);
	twz_object_release(&parent);
	return r;
}

static int check_remove(const struct twix_where *w, bool directory)
{
	if (directory && is_dots(w->name))
		return w->name[1] ? -ENOTEMPTY : -EINVAL;
	if (!w->name[0])
		return directory ? -EBUSY : -EISDIR;
	if (!exists(w))
		return -ENOENT;
	if (twix_is_node(w->parent) || twix_is_node(w->id))
		return -EPERM;
	if (!directory)
		return w->type == NAME_ENT_NAMESPACE ? -EISDIR : w->slash ? -ENOTDIR : 0;
	if (w->type != NAME_ENT_NAMESPACE)
		return -ENOTDIR;
	if (w->id == twz_program_packroot())
		return -EBUSY;
	return twix_directory_is_empty(w->id) ? 0 : -ENOTEMPTY;
}

long twix_unlinkat(const long a[6])
{
	struct twix_where w;
	int flags = (int)a[2];
	int r;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	r = twix_resolve((int)a[0], (const char *)a[1], TWIX_NAME, &w);
	if (r < 0)
		return r;
	/* A directory that is empty stays so: nobody can enter a name without its lock. */
	lock_names(w.parent, w.type == NAME_ENT_NAMESPACE && w.id ? w.id : w.parent);
	objid_t locked = w.type == NAME_ENT_NAMESPACE && w.id ? w.id : w.parent;
	r = find_again(&w);
	if (r == 0)
		r = check_remove(&w, flags & AT_REMOVEDIR);
	if (r == 0)
		r = remove_name(&w);
	unlock_names(w.parent, locked);
	return r;
}

/* --- another name */

/* An object in memory can have no name in the store, nor the other way. */
static bool same_place(twzobj *a, twzobj *b)
{
	struct kernel_ostat sa, sb;

	return twz_object_kstat(a, &sa) < 0 || twz_object_kstat(b, &sb) < 0 || sa.backing == sb.backing;
}

static int link_to(objid_t id, const struct twix_where *to, twzobj *parent)
{
	struct twix_change *c;
	twzobj o;
	int r = twz_object_init_guid(&o, id, FE_READ | FE_WRITE);

	if (r < 0)
		return r;
	if (!same_place(&o, parent))
		r = -EXDEV;
	if (r == 0) {
		c = twix_change_begin(id, to->parent, to->name, twix_inode_links(&o));
		twix_inode_link(&o, 1);
		r = twz_hier_assign_name(parent, to->name, NAME_ENT_REGULAR, id);
		if (r < 0)
			twix_inode_link(&o, -1);
		twix_change_end(c);
	}
	twz_object_release(&o);
	return r;
}

/* What is to get another name: a path's, or with AT_EMPTY_PATH a descriptor's. */
static int find_for_link(int dirfd, const char *path, int flags, objid_t *id)
{
	struct twix_where from;
	struct twix_file *f;
	int r;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH && !path[0]) {
		f = twix_file_of(dirfd);
		if (!f)
			return -EBADF;
		*id = f->kind == TWIX_REGULAR ? f->id : 0;
		r = f->kind == TWIX_DIRECTORY ? -EPERM : *id ? 0 : -EXDEV;
		twix_file_put(f);
		return r;
	}
	r = twix_resolve(dirfd, path, flags & AT_SYMLINK_FOLLOW, &from);
	if (r < 0)
		return r;
	*id = from.id;
	if (!from.id)
		return from.type == NAME_ENT_SYMLINK ? -EPERM : -ENOENT;
	return from.type == NAME_ENT_NAMESPACE || twix_is_node(from.id) ? -EPERM : 0;
}

long twix_linkat(const long a[6])
{
	struct twix_where to;
	twzobj parent;
	objid_t id;
	int r = find_for_link((int)a[0], (const char *)a[1], (int)a[4], &id);

	if (r == 0)
		r = free_place((int)a[2], (const char *)a[3], &to, &parent);
	if (r < 0)
		return r;
	r = to.slash ? -ENOENT : link_to(id, &to, &parent);
	done_with_place(&to, &parent, r == 0);
	return r;
}

/* --- renaming */

static int check_rename(const struct twix_where *from, const struct twix_where *to, unsigned flags)
{
	bool directory = from->type == NAME_ENT_NAMESPACE;

	if (!from->name[0] || is_dots(from->name) || !to->name[0] || is_dots(to->name))
		return -EBUSY;
	if (!exists(from))
		return -ENOENT;
	if (twix_is_node(from->parent) || twix_is_node(to->parent) || twix_is_node(from->id) || twix_is_node(to->id))
		return from->parent == to->parent ? -EPERM : -EXDEV;
	if ((from->slash || to->slash) && !directory)
		return -ENOTDIR;
	if (!exists(to))
		return 0;
	if (flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (directory != (to->type == NAME_ENT_NAMESPACE))
		return directory ? -ENOTDIR : -EISDIR;
	return directory && from->id != to->id && !twix_directory_is_empty(to->id) ? -ENOTEMPTY : 0;
}

/* Names locked. */
static int rename_to(const struct twix_where *from, const struct twix_where *to)
{
	int across = from->parent != to->parent && from->type == NAME_ENT_NAMESPACE;
	bool replaced = to->type == NAME_ENT_NAMESPACE && to->id;
	twzobj a, b;
	int r = twz_object_init_guid(&a, from->parent, FE_READ | FE_WRITE);

	if (r < 0)
		return r;
	r = twz_object_init_guid(&b, to->parent, FE_READ | FE_WRITE);
	if (r == 0) {
		r = same_place(&a, &b) ? twix_inode_links(&b) ? 0 : -ENOENT : -EXDEV;
		if (r == 0 && !(twix_inode_may(&a, W_OK | X_OK) && twix_inode_may(&b, W_OK | X_OK)))
			r = -EACCES;
		if (r == 0)
			r = check_sticky(&a, from->id);
		if (r == 0)
			r = check_sticky(&b, to->id);
		if (r == 0)
			r = twz_hier_rename(&a, from->name, &b, to->name);
		if (r == 0) {
			twix_inode_link(&a, -across);
			twix_inode_link(&b, across - replaced);
			twix_inode_changed(&a);
			twix_inode_changed(&b);
		}
		twz_object_release(&b);
	}
	twz_object_release(&a);
	return r;
}

/* Names locked. */
static int move_locked(struct twix_where *from, struct twix_where *to, unsigned flags)
{
	struct twix_change *c;
	int r = find_again(from);

	if (r == 0)
		r = find_again(to);
	if (r == 0)
		r = check_rename(from, to, flags);
	if (r < 0)
		return r;
	if (from->id && from->id == to->id)
		return 0;
	if (from->type == NAME_ENT_NAMESPACE && twix_path_is_below(to->parent, from->id))
		return -EINVAL;
	if (to->type == NAME_ENT_NAMESPACE && to->id && twix_path_is_below(from->parent, to->id))
		return -ENOTEMPTY;
	c = begin_drop(to);
	r = rename_to(from, to);
	if (r == 0)
		drop_link(to->id, to->type == NAME_ENT_NAMESPACE);
	twix_change_end(c);
	return r;
}

static long move(int dirfd, const char *path, int todir, const char *topath, unsigned flags)
{
	struct twix_where from, to;
	int r = flags & ~RENAME_NOREPLACE ? -EINVAL : twix_resolve(dirfd, path, TWIX_NAME, &from);

	if (r == 0)
		r = twix_resolve(todir, topath, TWIX_NAME, &to);
	if (r < 0)
		return r;
	lock_names(from.parent, to.parent);
	r = move_locked(&from, &to, flags);
	unlock_names(from.parent, to.parent);
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
