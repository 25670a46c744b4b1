// SPDX-License-Identifier: BSD-3-Clause
/* What is known of a file, and changing it. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <twz/obj/hier.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>
#include <unistd.h>

/* A symbolic link is a record of its directory, and no object. */
static int stat_link(const struct twix_where *w, struct stat *st)
{
	char target[1024];
	twzobj ns;
	int r = twz_object_init_guid(&ns, w->parent, FE_READ);

	if (r < 0)
		return r;
	r = twz_hier_readlink(&ns, w->name, target, sizeof(target));
	twz_object_release(&ns);
	if (r < 0)
		return r;
	*st = (struct stat){ .st_dev = 1, .st_ino = 1, .st_nlink = 1, .st_mode = S_IFLNK | 0777, .st_size = r };
	return 0;
}

static int stat_object(objid_t id, struct stat *st)
{
	twzobj o;
	int r = twz_object_init_guid(&o, id, FE_READ);

	if (r < 0)
		return r;
	twix_inode_stat(&o, st);
	twz_object_release(&o);
	return 0;
}

static int stat_special(enum twix_kind kind, struct stat *st)
{
	struct twix_file f = { .kind = kind };

	*st = (struct stat){ .st_dev = 2, .st_ino = kind, .st_nlink = 1, .st_blksize = 4096, .st_rdev = kind };
	st->st_mode = twix_ops_of(&f)->mode;
	return 0;
}

static int stat_file(struct twix_file *f, struct stat *st)
{
	bool file = f->kind == TWIX_REGULAR || f->kind == TWIX_DIRECTORY;

	return file ? stat_object(f->id, st) : stat_special((enum twix_kind)f->kind, st);
}

static int stat_descriptor(int fd, struct stat *st)
{
	struct twix_file *f = twix_file_of(fd);
	int r;

	if (!f)
		return -EBADF;
	r = stat_file(f, st);
	twix_file_put(f);
	return r;
}

static int stat_path(int dirfd, const char *path, int flags, struct stat *st)
{
	struct twix_where w;
	int r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_EACCESS))
		return -EINVAL;
	if (!path[0] && flags & AT_EMPTY_PATH && dirfd != AT_FDCWD)
		return stat_descriptor(dirfd, st);
	if (twix_special(path) != TWIX_FREE)
		return stat_special(twix_special(path), st);
	r = twix_resolve(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), &w);
	if (r < 0)
		return r;
	if (w.type == NAME_ENT_SYMLINK)
		return stat_link(&w, st);
	return w.id ? stat_object(w.id, st) : -ENOENT;
}

long twix_fstatat(const long a[6])
{
	return stat_path((int)a[0], (const char *)a[1], (int)a[3], (struct stat *)a[2]);
}

long twix_fstat(const long a[6])
{
	return stat_descriptor((int)a[0], (struct stat *)a[1]);
}

/* There is one user, who owns everything: what counts is what is allowed to the owner. */
long twix_faccessat(const long a[6])
{
	int mode = (int)a[2];
	struct stat st;
	int r;

	if (mode & ~(R_OK | W_OK | X_OK))
		return -EINVAL;
	r = stat_path((int)a[0], (const char *)a[1], 0, &st);
	if (r < 0)
		return r;
	return (st.st_mode >> 6 & (mode_t)mode) == (mode_t)mode ? 0 : -EACCES;
}

/* --- changing it */

/* Open what a path, or with path NULL a descriptor, leads to. */
static int open_to_change(int dirfd, const char *path, int flags, twzobj *o)
{
	struct twix_where w = { 0 };
	struct twix_file *f;
	int r = 0;

	if (path) {
		r = twix_resolve(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), &w);
	} else {
		f = twix_file_of(dirfd);
		if (!f)
			return -EBADF;
		w.id = f->id;
		twix_file_put(f);
	}
	if (r < 0)
		return r;
	if (!w.id)
		return path ? w.type == NAME_ENT_SYMLINK ? -EOPNOTSUPP : -ENOENT : -EPERM;
	return twz_object_init_guid(o, w.id, FE_READ | FE_WRITE);
}

static long change_mode(int dirfd, const char *path, mode_t mode)
{
	twzobj o;
	int r = open_to_change(dirfd, path, 0, &o);

	if (r < 0)
		return r;
	r = twix_inode_chmod(&o, mode);
	twz_object_release(&o);
	return r;
}

long twix_fchmodat(const long a[6])
{
	return change_mode((int)a[0], (const char *)a[1], (mode_t)a[2]);
}

long twix_fchmod(const long a[6])
{
	return change_mode((int)a[0], NULL, (mode_t)a[1]);
}

/* There is one user and one group. */
static long change_owner(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
	twzobj o;
	int r = open_to_change(dirfd, path, flags, &o);

	if (r < 0)
		return r;
	twz_object_release(&o);
	return (uid == 0 || uid == (uid_t)-1) && (gid == 0 || gid == (gid_t)-1) ? 0 : -EPERM;
}

long twix_fchownat(const long a[6])
{
	return change_owner((int)a[0], (const char *)a[1], (uid_t)a[2], (gid_t)a[3], (int)a[4]);
}

long twix_fchown(const long a[6])
{
	return change_owner((int)a[0], NULL, (uid_t)a[1], (gid_t)a[2], 0);
}

long twix_utimensat(const long a[6])
{
	twzobj o;
	int r = open_to_change((int)a[0], (const char *)a[1], (int)a[3], &o);

	if (r < 0)
		return r;
	r = twix_inode_times(&o, (const struct timespec *)a[2]);
	twz_object_release(&o);
	return r;
}

long twix_truncate(const long a[6])
{
	const long open[6] = { AT_FDCWD, a[0], O_WRONLY };
	long fd = twix_openat(open), r;

	if (fd < 0)
		return fd;
	r = twix_ftruncate((const long[6]){ fd, a[1] });
	twix_close((const long[6]){ fd });
	return r;
}

static long fill_statfs(struct statfs *s)
{
	struct twz_sysinfo si;

	if (sys_sysinfo(&si, sizeof(si)) < 0)
		return -EIO;
	*s = (struct statfs){ .f_type = 0x545a57, .f_bsize = 4096, .f_frsize = 4096, .f_namelen = 255 };
	s->f_blocks = (si.pm_total ? si.pm_total : si.mem_total) / 4096;
	s->f_bfree = s->f_bavail = (si.pm_total ? si.pm_free : si.mem_free) / 4096;
	return 0;
}

long twix_statfs(const long a[6])
{
	struct stat st;
	int r = stat_path(AT_FDCWD, (const char *)a[0], 0, &st);

	return r < 0 ? r : fill_statfs((struct statfs *)a[1]);
}

long twix_fstatfs(const long a[6])
{
	struct stat st;
	int r = stat_descriptor((int)a[0], &st);

	return r < 0 ? r : fill_statfs((struct statfs *)a[1]);
}

long twix_sync(const long a[6])
{
	(void)a;
	twz_root_action(KACTION_CMD_ROOT_SYNC, 0);
	return 0;
}
