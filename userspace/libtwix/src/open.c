// SPDX-License-Identifier: BSD-3-Clause
/* Opening files, and making them. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/obj/hier.h>

#define NEW_FILE (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

/* A new empty file, named by the last component of *w. */
static int make_file(struct twix_where *w, mode_t mode)
{
	twzobj file, parent;
	int r = twz_object_init_guid(&parent, w->parent, FE_READ | FE_WRITE);

	if (r < 0)
		return r;
	r = twz_object_new(&file, NULL, NULL, NEW_FILE);
	if (r == 0) {
		twz_object_setsz(&file, TWZ_OSSM_ABSOLUTE, 0);
		twix_inode_make(&file, S_IFREG | (mode & 07777 & ~twix_mode_mask()));
		w->id = twz_object_guid(&file);
		w->type = NAME_ENT_REGULAR;
		r = twz_hier_assign_name(&parent, w->name, NAME_ENT_REGULAR, w->id);
		if (r < 0)
			twz_object_delete(&file, TWZ_OD_IMMEDIATE);
		twz_object_release(&file);
	}
	twz_object_release(&parent);
	return r;
}

static bool wants_to_write(unsigned flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
}

/* Whether the object's own permissions allow it. */
static int check_access(objid_t id, unsigned flags)
{
	uint16_t need = wants_to_write(flags) ? MIP_DFL_READ | MIP_DFL_WRITE : MIP_DFL_READ;
	twzobj o;
	int r = twz_object_init_guid(&o, id, FE_READ);

	if (r < 0)
		return r;
	if ((twz_object_meta(&o)->p_flags & need) != need)
		r = -EACCES;
	twz_object_release(&o);
	return r;
}

static int find_or_make(int dirfd, const char *path, unsigned flags, mode_t mode, struct twix_where *w)
{
	int r = twix_resolve(dirfd, path, !(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL)), w);

	if (r < 0)
		return r;
	if (w->id == 0 && w->type != NAME_ENT_SYMLINK) {
		if (!(flags & O_CREAT))
			return -ENOENT;
		return flags & O_DIRECTORY ? -EINVAL : make_file(w, mode);
	}
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (w->type == NAME_ENT_SYMLINK)
		return -ELOOP;
	if (w->type == NAME_ENT_NAMESPACE)
		return wants_to_write(flags) || flags & O_CREAT ? -EISDIR : 0;
	return flags & O_DIRECTORY ? -ENOTDIR : check_access(w->id, flags);
}

static int give_descriptor(struct twix_file *f, unsigned flags)
{
	int fd = twix_install(f, 0, flags & O_CLOEXEC);

	if (fd < 0)
		twix_file_put(f);
	return fd;
}

static int open_terminal(const char *name, unsigned flags)
{
	int error;
	struct twix_file *f = twix_terminal_open(name, flags & ~(unsigned)(O_CREAT | O_TRUNC | O_CLOEXEC), &error);

	return f ? give_descriptor(f, flags) : error;
}

static int open_file(enum twix_kind kind, objid_t id, unsigned flags)
{
	unsigned kept = flags & ~(unsigned)(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	struct twix_file *f = twix_file_new(kind, id, kept);

	if (!f)
		return -ENFILE;
	if (flags & O_TRUNC && twix_ops_of(f)->truncate)
		twix_ops_of(f)->truncate(f, 0);
	return give_descriptor(f, flags);
}

long twix_openat(const long a[6])
{
	const char *path = (const char *)a[1];
	unsigned flags = (unsigned)a[2];
	struct twix_where w;
	int r;

	r = strncmp(path, "/dev/", 5) ? -ENOENT : open_terminal(path + 5, flags);
	if (r != -ENOENT)
		return r;
	if (twix_special(path) != TWIX_FREE)
		return flags & O_DIRECTORY ? -ENOTDIR : open_file(twix_special(path), twix_special_id(path), flags);
	r = find_or_make((int)a[0], path, flags, (mode_t)a[3], &w);
	if (r < 0)
		return r;
	return open_file(w.type == NAME_ENT_NAMESPACE ? TWIX_DIRECTORY : TWIX_REGULAR, w.id, flags);
}
