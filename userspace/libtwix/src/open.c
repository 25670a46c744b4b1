// SPDX-License-Identifier: BSD-3-Clause
/* Opening files, and making them. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/obj/hier.h>
#include <unistd.h>

/* Flags that only count while a file is opened. */
#define KEPT_OUT (unsigned)(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW)

/* A new empty file, named by the last component of *w; or the one that somebody made meanwhile: 1, 0. */
static int make_file(struct twix_where *w, unsigned flags, mode_t mode)
{
	struct twix_change *c;
	twzobj file;
	int r;

	if (w->slash)
		return -EISDIR;
	if (twix_is_node(w->parent))
		return -EACCES;
	r = twix_make(w->parent, w->name, mode, &file, &c);
	if (r < 0)
		return r;
	r = twix_name_new(w, twz_object_guid(&file));
	if (r == 0) {
		w->id = twz_object_guid(&file);
		w->type = NAME_ENT_REGULAR;
	} else {
		twz_object_delete(&file, TWZ_OD_IMMEDIATE);
	}
	twix_change_end(c);
	twz_object_release(&file);
	return r == 0 ? 1 : r == -EEXIST && !(flags & O_EXCL) ? 0 : r;
}

static int wanted(unsigned flags)
{
	unsigned how = flags & O_ACCMODE;

	return (how != O_WRONLY ? R_OK : 0) | (how != O_RDONLY || flags & O_TRUNC ? W_OK : 0);
}

static bool wants_to_write(unsigned flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
}

static int find_or_make(int dirfd, const char *path, unsigned flags, mode_t mode, struct twix_where *w)
{
	int r = twix_resolve(dirfd, path, !(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL)), w);

	if (r < 0)
		return r;
	if (w->id == 0 && w->type != NAME_ENT_SYMLINK) {
		if (!(flags & O_CREAT))
			return -ENOENT;
		return make_file(w, flags, S_IFREG | (mode & 07777));
	}
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (w->type == NAME_ENT_SYMLINK)
		return flags & O_DIRECTORY ? -ENOTDIR : -ELOOP;
	if (w->type == NAME_ENT_NAMESPACE)
		return (wants_to_write(flags) && !(flags & O_PATH)) || flags & O_CREAT ? -EISDIR : 0;
	return flags & O_DIRECTORY ? -ENOTDIR : 0;
}

int twix_make_special(int dirfd, const char *path, mode_t mode)
{
	struct twix_where w;
	int r = twix_resolve(dirfd, path, TWIX_NAME, &w);

	if (r < 0)
		return r;
	if (w.id || w.type == NAME_ENT_SYMLINK)
		return -EEXIST;
	r = w.slash ? -ENOENT : make_file(&w, O_EXCL, mode);
	return r < 0 ? r : 0;
}

/*
 * Whether the object's own permissions allow it. It is looked at while the file stands in the table
 * of those that are open: what still has a name then, stays.
 */
static int check_access(const struct twix_file *f, unsigned flags, bool made, mode_t *mode)
{
	uint16_t need = wants_to_write(flags) ? MIP_DFL_READ | MIP_DFL_WRITE : MIP_DFL_READ;
	twzobj o;
	int r = twz_object_init_guid(&o, f->id, FE_READ);

	if (r < 0)
		return r;
	*mode = twix_inode_mode(&o);
	if (!(flags & O_PATH) && !made && !twix_inode_may(&o, wanted(flags)))
		r = -EACCES;
	if (f->kind == TWIX_REGULAR && !(flags & O_PATH) && (twz_object_meta(&o)->p_flags & need) != need)
		r = -EACCES;
	twz_object_release(&o);
	return r;
}

/* What a file of this mode does when it is opened. */
static int open_kind(struct twix_file *f, mode_t mode, unsigned flags)
{
	if (S_ISFIFO(mode))
		return twix_fifo_open(f);
	if (S_ISSOCK(mode))
		return -ENXIO;
	if (S_ISREG(mode) && flags & O_TRUNC)
		twix_ops_of(f)->truncate(f, 0);
	return 0;
}

static int open_object(const struct twix_where *w, unsigned flags, bool made, struct twix_file **f)
{
	enum twix_kind kind = w->type == NAME_ENT_NAMESPACE ? TWIX_DIRECTORY : TWIX_REGULAR;
	mode_t mode;
	int r;

	*f = twix_file_open(kind, w->id, w->parent, flags);
	if (!*f)
		return -ENFILE;
	r = check_access(*f, flags, made, &mode);
	if (r == 0 && !(flags & O_PATH))
		r = open_kind(*f, mode, flags);
	if (r < 0)
		twix_file_put(*f);
	return r;
}

static int install(struct twix_file *f, unsigned flags)
{
	int fd = twix_install(f, 0, flags & O_CLOEXEC);

	if (fd < 0)
		twix_file_put(f);
	return fd;
}

/* Open a new file that goes when nobody has it open, unless link() gives it a name. */
static int open_new(objid_t dir, unsigned flags, mode_t mode)
{
	struct twix_change *c;
	struct twix_file *f;
	twzobj file;
	int r = twix_make(dir, "", S_IFREG | (mode & 07777), &file, &c);

	if (r < 0)
		return r;
	twix_inode_link(&file, -1);
	f = twix_file_open(TWIX_REGULAR, twz_object_guid(&file), 0, flags & ~KEPT_OUT);
	if (f)
		twix_file_orphan(f->id);
	twz_object_delete(&file, 0);
	twix_change_end(c);
	twz_object_release(&file);
	return f ? install(f, flags) : -ENFILE;
}

long twix_memfd_create(const long a[6])
{
	unsigned flags = (unsigned)a[1];
	size_t n = strnlen((const char *)a[0], 250);

	if (flags & ~1u || n == 250)
		return -EINVAL;
	return open_new(twix_shared_memory(), O_RDWR | (flags & 1 ? O_CLOEXEC : 0), 0777);
}

/* In a directory. */
static int open_nameless(int dirfd, const char *path, unsigned flags, mode_t mode)
{
	struct twix_where w;
	int r = twix_resolve(dirfd, path, true, &w);

	if (r < 0)
		return r;
	if ((flags & O_ACCMODE) == O_RDONLY || flags & O_CREAT)
		return -EINVAL;
	if (!w.id)
		return -ENOENT;
	if (w.type != NAME_ENT_NAMESPACE)
		return -ENOTDIR;
	if (twix_is_node(w.id))
		return -EOPNOTSUPP;
	return open_new(w.id, flags, mode);
}

long twix_openat(const long a[6])
{
	unsigned flags = (unsigned)a[2] & ~(unsigned)O_LARGEFILE;
	struct twix_where w;
	struct twix_file *f;
	int r;

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return open_nameless((int)a[0], (const char *)a[1], flags, (mode_t)a[3]);
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	r = find_or_make((int)a[0], (const char *)a[1], flags, (mode_t)a[3], &w);
	if (r < 0)
		return r;
	r = twix_is_node(w.id) ? twix_node_open(w.id, flags, &f) : open_object(&w, flags, r, &f);
	if (r < 0)
		return r;
	__atomic_store_n(&f->flags, f->flags & ~KEPT_OUT, __ATOMIC_RELAXED);
	return install(f, flags);
}
