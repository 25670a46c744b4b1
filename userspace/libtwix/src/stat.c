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

/* A number for it that others are unlikely to have. */
uint64_t twix_link_number(objid_t parent, const char *name)
{
	uint64_t h = ID_LO(parent) ^ ID_HI(parent);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ull;
	return h;
}

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
	*st = (struct stat){ .st_dev = 1, .st_nlink = 1, .st_mode = S_IFLNK | 0777, .st_size = r };
	st->st_ino = twix_link_number(w->parent, w->name);
	return 0;
}

static bool has_inode(const struct twix_file *f)
{
	return f->kind == TWIX_REGULAR || f->kind == TWIX_DIRECTORY || f->kind == TWIX_FIFO;
}

static int stat_file(const struct twix_file *f, struct stat *st);

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

/* What is in no object, and has no name. */
static int stat_kind(const struct twix_file *f, struct stat *st)
{
	*st = (struct stat){ .st_dev = 7, .st_ino = ID_LO(f->id) ^ ID_HI(f->id), .st_nlink = 1, .st_blksize = 4096 };
	st->st_mode = twix_ops_of(f)->mode;
	st->st_atim = st->st_mtim = st->st_ctim = twix_time_of(twz_clock_real_ns());
	return 0;
}

static int stat_node(objid_t id, struct stat *st)
{
	struct twix_file *f = twix_node_descriptor(id);

	if (!f) {
		twix_node_stat(id, st);
		return 0;
	}
	stat_file(f, st);
	twix_file_put(f);
	return 0;
}

static int stat_file(const struct twix_file *f, struct stat *st)
{
	if (twix_is_node(f->parent)) {
		twix_node_stat(f->parent, st);
		return 0;
	}
	if (twix_is_node(f->id)) {
		twix_node_stat(f->id, st);
		return 0;
	}
	return has_inode(f) ? stat_object(f->id, st) : stat_kind(f, st);
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

static int stat_where(const struct twix_where *w, struct stat *st)
{
	if (w->type == NAME_ENT_SYMLINK && twix_is_node(w->id)) {
		twix_node_stat(w->id, st);
		return 0;
	}
	if (w->type == NAME_ENT_SYMLINK)
		return stat_link(w, st);
	if (twix_is_node(w->id))
		return stat_node(w->id, st);
	return w->id ? stat_object(w->id, st) : -ENOENT;
}

/* An empty path with AT_EMPTY_PATH means the descriptor itself. */
int twix_stat_path(int dirfd, const char *path, int flags, struct stat *st)
{
	struct twix_where w;
	int r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (!path[0] && flags & AT_EMPTY_PATH && dirfd != AT_FDCWD)
		return stat_descriptor(dirfd, st);
	r = twix_resolve(dirfd, path[0] || !(flags & AT_EMPTY_PATH) ? path : ".", !(flags & AT_SYMLINK_NOFOLLOW), &w);
	return r < 0 ? r : stat_where(&w, st);
}

long twix_fstatat(const long a[6])
{
	return twix_stat_path((int)a[0], (const char *)a[1], (int)a[3], (struct stat *)a[2]);
}

long twix_fstat(const long a[6])
{
	return stat_descriptor((int)a[0], (struct stat *)a[1]);
}

static long check_mode(int dirfd, const char *path, int mode, int flags, bool real)
{
	struct stat st;
	int r;

	if (mode & ~(R_OK | W_OK | X_OK))
		return -EINVAL;
	r = twix_stat_path(dirfd, path, flags, &st);
	if (r < 0)
		return r;
	return twix_may(&st, mode, real) ? 0 : -EACCES;
}

long twix_faccessat(const long a[6])
{
	return check_mode((int)a[0], (const char *)a[1], (int)a[2], 0, true);
}

long twix_faccessat2(const long a[6])
{
	if ((int)a[3] & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return check_mode((int)a[0], (const char *)a[1], (int)a[2], (int)a[3] & ~AT_EACCESS, !((int)a[3] & AT_EACCESS));
}

/* --- changing it */

/* NOTHING: a symbolic link, or what is in no object: it has nothing that could be changed. */
#define NOTHING 1

static int open_found(objid_t id, int type, twzobj *o)
{
	if (type == NAME_ENT_SYMLINK || twix_is_node(id))
		return NOTHING;
	return id ? twz_object_init_guid(o, id, FE_READ | FE_WRITE) : -ENOENT;
}

static int open_descriptor(int fd, bool path_too, twzobj *o)
{
	struct twix_file *f = twix_file_of(fd);
	int r = -EBADF;

	if (!f)
		return r;
	if (!has_inode(f))
		r = NOTHING;
	else if (path_too || !(f->flags & O_PATH))
		r = open_found(f->id, NAME_ENT_REGULAR, o);
	twix_file_put(f);
	return r;
}

/* Open what a path, or with path NULL a descriptor, leads to. */
static int open_to_change(int dirfd, const char *path, int flags, twzobj *o)
{
	struct twix_where w;
	int r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!path || (!path[0] && flags & AT_EMPTY_PATH && dirfd != AT_FDCWD))
		return open_descriptor(dirfd, path, o);
	r = twix_resolve(dirfd, path[0] || !(flags & AT_EMPTY_PATH) ? path : ".", !(flags & AT_SYMLINK_NOFOLLOW), &w);
	return r < 0 ? r : open_found(w.id, w.type, o);
}

static long change_mode(int dirfd, const char *path, mode_t mode)
{
	twzobj o;
	int r = open_to_change(dirfd, path, 0, &o);

	if (r != 0)
		return r == NOTHING ? -EPERM : r;
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

/* What is no object is user 0's, and stays so. */
static long change_owner(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
	twzobj o;
	int r = open_to_change(dirfd, path, flags, &o);

	if (r == NOTHING)
		return (uid == 0 || uid == (uid_t)-1) && (gid == 0 || gid == (gid_t)-1) ? 0 : -EPERM;
	if (r < 0)
		return r;
	r = twix_inode_chown(&o, uid, gid);
	twz_object_release(&o);
	return r;
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
	const struct timespec *times = (const void *)a[2];
	twzobj o;
	int r;

	if (times && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
		return 0;
	r = open_to_change((int)a[0], (const char *)a[1], (int)a[3], &o);
	if (r != 0)
		return r == NOTHING ? 0 : r;
	r = twix_inode_times(&o, times);
	twz_object_release(&o);
	return r;
}

long twix_truncate(const long a[6])
{
	const long open[6] = { AT_FDCWD, a[0], O_WRONLY };
	struct stat st;
	long fd, r;

	if (a[1] < 0)
		return -EINVAL;
	r = twix_stat_path(AT_FDCWD, (const char *)a[0], 0, &st);
	if (r == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		r = -EINVAL;
	if (r < 0)
		return r;
	fd = twix_openat(open);
	if (fd < 0)
		return fd;
	r = twix_ftruncate((const long[6]){ fd, a[1] });
	twix_close((const long[6]){ fd });
	return r;
}

#define DEVICES 0x01021994 /* tmpfs */
#define PROCESSES 0x9fa0   /* proc */

/* What is in no object has no blocks, either. */
static long fill_statfs(const struct stat *st, struct statfs *s)
{
	struct twz_sysinfo si;

	if (st->st_dev != 1) {
		*s = (struct statfs){ .f_type = st->st_dev == 6 ? PROCESSES : DEVICES, .f_bsize = 4096, .f_frsize = 4096,
			.f_namelen = 255 };
		return 0;
	}
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
	int r = twix_stat_path(AT_FDCWD, (const char *)a[0], 0, &st);

	return r < 0 ? r : fill_statfs(&st, (struct statfs *)a[1]);
}

long twix_fstatfs(const long a[6])
{
	struct stat st;
	int r = stat_descriptor((int)a[0], &st);

	return r < 0 ? r : fill_statfs(&st, (struct statfs *)a[1]);
}

long twix_sync(const long a[6])
{
	(void)a;
	twz_root_action(KACTION_CMD_ROOT_SYNC, 0);
	return 0;
}
