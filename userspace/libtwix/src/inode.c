// SPDX-License-Identifier: BSD-3-Clause
/*
 * What a file has beside its bytes. It stands in the object's metadata page, in the part that is left
 * to whoever made the object, at object offset 0x3ffffc00; the extension TWIX_INODE_TAG says that it
 * does. An object without it is a file all the same, of default mode and without times.
 */
#include "twix.h"

#include <sys/stat.h>
#include <unistd.h>
#include <twz/obj/hier.h>
#include <twz/persist.h>
#include <twz/sys/sys.h>

#define TWIX_INODE_TAG 0x78697774696e6f64ull
#define INODE_OFFSET 0xc00u /* in the metadata page */

struct inode {
	uint32_t mode;  /* atomic; type and permissions */
	uint32_t links; /* atomic; how many names lead to it */
	uint32_t uid, gid;
	uint64_t atime, mtime, ctime; /* nanoseconds since 1970; each stored whole */
	uint64_t stale; /* atomic; twix_inode_stale() */
};

_Static_assert(INODE_OFFSET >= MI_MILEN_DEFAULT, "behind the extensions");

static struct inode *inode_of(twzobj *o)
{
	char *meta = (char *)twz_object_meta(o);

	return twz_object_getext(o, TWIX_INODE_TAG) == meta + INODE_OFFSET ? (void *)(meta + INODE_OFFSET) : NULL;
}

static void persist(const void *p, size_t n)
{
	_clwb_len(p, n);
	_pfence();
}

void twix_inode_make(twzobj *o, mode_t mode)
{
	struct inode *in = (void *)((char *)twz_object_meta(o) + INODE_OFFSET);
	uint64_t now = twz_clock_real_ns();

	*in = (struct inode){ .mode = mode, .links = S_ISDIR(mode) ? 2 : 1,
		.uid = twix_users()->user.effective, .gid = twix_users()->group.effective, .atime = now, .mtime = now, .ctime = now };
	persist(in, sizeof(*in));
	twz_object_addext(o, TWIX_INODE_TAG, in);
}

/* What an object that no program of this kind made looks like. */
static mode_t default_mode(twzobj *o)
{
	uint16_t p = twz_object_meta(o)->p_flags;
	mode_t mode = 0;

	mode |= p & MIP_DFL_READ ? 0444 : 0;
	mode |= p & MIP_DFL_WRITE ? 0222 : 0;
	mode |= p & MIP_DFL_EXEC ? 0111 : 0;
	if (((struct twz_namespace_hdr *)twz_object_base(o))->magic == NAMESPACE_MAGIC)
		return S_IFDIR | 0111 | mode;
	return S_IFREG | mode;
}

mode_t twix_inode_mode(twzobj *o)
{
	struct inode *in = inode_of(o);

	return in ? __atomic_load_n(&in->mode, __ATOMIC_RELAXED) : default_mode(o);
}

#define LARGE 65536 /* what is smaller has too few holes to look for them */
#define BLOCKS (4096 / 512)

/* Of 512 bytes. Two pages of an object are not the file's. */
static blkcnt_t blocks_of(twzobj *o, off_t size)
{
	struct kernel_ostat st;

	if (size < LARGE || twz_object_kstat(o, &st) < 0)
		return (size + 4095) / 4096 * BLOCKS;
	return st.pages > 2 ? (blkcnt_t)(st.pages - 2) * BLOCKS : 0;
}

void twix_inode_stat(twzobj *o, struct stat *st)
{
	struct inode *in = inode_of(o);
	struct metainfo *mi = twz_object_meta(o);
	objid_t id = twz_object_guid(o);

	*st = (struct stat){ .st_dev = 1, .st_ino = ID_LO(id) ^ ID_HI(id), .st_nlink = 1, .st_blksize = 4096 };
	st->st_mode = twix_inode_mode(o);
	st->st_size = mi->flags & MIF_SZ ? (off_t)__atomic_load_n(&mi->sz, __ATOMIC_ACQUIRE) : 0;
	st->st_blocks = blocks_of(o, st->st_size);
	if (!in)
		return;
	st->st_nlink = __atomic_load_n(&in->links, __ATOMIC_RELAXED);
	st->st_uid = in->uid;
	st->st_gid = in->gid;
	st->st_atim = twix_time_of(in->atime);
	st->st_mtim = twix_time_of(in->mtime);
	st->st_ctim = twix_time_of(in->ctime);
}

bool twix_inode_may(twzobj *o, int want)
{
	struct stat st;

	if (twix_is_root())
		return true;
	twix_inode_stat(o, &st);
	return twix_may(&st, want, false);
}

static bool is_owner(const struct inode *in)
{
	return twix_is_root() || in->uid == twix_users()->user.effective;
}

int twix_inode_chmod(twzobj *o, mode_t mode)
{
	struct inode *in = inode_of(o);

	if (!in || !is_owner(in))
		return -EPERM;
	if (!twix_is_root() && !twix_in_group(in->gid))
		mode &= ~(mode_t)S_ISGID;
	__atomic_store_n(&in->mode, (in->mode & S_IFMT) | (mode & 07777), __ATOMIC_RELAXED);
	in->ctime = twz_clock_real_ns();
	persist(in, sizeof(*in));
	return 0;
}

static bool may_chown(const struct inode *in, uid_t uid, gid_t gid)
{
	if (twix_is_root())
		return true;
	return is_owner(in) && (uid == (uid_t)-1 || uid == in->uid) && (gid == (gid_t)-1 || gid == in->gid || twix_in_group(gid));
}

/* For whom it ran is not for whom it will be. */
static void drop_set_id(struct inode *in)
{
	uint32_t mode = in->mode & ~(uint32_t)S_ISUID;

	if (mode & S_IXGRP)
		mode &= ~(uint32_t)S_ISGID;
	if (!S_ISDIR(mode))
		__atomic_store_n(&in->mode, mode, __ATOMIC_RELAXED);
}

int twix_inode_chown(twzobj *o, uid_t uid, gid_t gid)
{
	struct inode *in = inode_of(o);

	if (!in || ((uid != (uid_t)-1 || gid != (gid_t)-1) && !may_chown(in, uid, gid)))
		return -EPERM;
	in->uid = uid == (uid_t)-1 ? in->uid : uid;
	in->gid = gid == (gid_t)-1 ? in->gid : gid;
	drop_set_id(in);
	in->ctime = twz_clock_real_ns();
	persist(in, sizeof(*in));
	return 0;
}

void twix_inode_inherit(twzobj *o, twzobj *dir)
{
	const struct inode *from = inode_of(dir);
	struct inode *in = inode_of(o);

	if (!in || !from || !(from->mode & S_ISGID))
		return;
	in->gid = from->gid;
	in->mode |= S_ISDIR(in->mode) ? S_ISGID : 0;
	persist(in, sizeof(*in));
}

static void set_time(uint64_t *to, const struct timespec *t)
{
	if (t->tv_nsec == UTIME_NOW)
		*to = twz_clock_real_ns();
	else if (t->tv_nsec != UTIME_OMIT)
		*to = (uint64_t)t->tv_sec * TWIX_NS + (uint64_t)t->tv_nsec;
}

static bool is_time(const struct timespec *t)
{
	return t->tv_nsec == UTIME_NOW || t->tv_nsec == UTIME_OMIT || (t->tv_nsec >= 0 && t->tv_nsec < (long)TWIX_NS);
}

int twix_inode_times(twzobj *o, const struct timespec times[2])
{
	static const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	struct inode *in = inode_of(o);

	if (!times)
		times = now;
	if (!is_time(&times[0]) || !is_time(&times[1]))
		return -EINVAL;
	if (!in || (!is_owner(in) && times != now))
		return -EPERM;
	if (!is_owner(in) && !twix_inode_may(o, W_OK))
		return -EACCES;
	set_time(&in->atime, &times[0]);
	set_time(&in->mtime, &times[1]);
	in->ctime = twz_clock_real_ns();
	persist(in, sizeof(*in));
	return 0;
}

/* Not flushed: that is what fsync() is for. */
void twix_inode_changed(twzobj *o)
{
	struct inode *in = inode_of(o);

	if (in)
		in->mtime = in->ctime = twz_clock_real_ns();
}

uint64_t twix_inode_stale(twzobj *o)
{
	struct inode *in = inode_of(o);

	return in ? __atomic_load_n(&in->stale, __ATOMIC_ACQUIRE) : 0;
}

void twix_inode_set_stale(twzobj *o, uint64_t end)
{
	struct inode *in = inode_of(o);

	if (!in)
		return;
	__atomic_store_n(&in->stale, end, __ATOMIC_RELEASE);
	if (end)
		persist(&in->stale, sizeof(in->stale));
}

unsigned twix_inode_links(twzobj *o)
{
	struct inode *in = inode_of(o);

	return in ? __atomic_load_n(&in->links, __ATOMIC_ACQUIRE) : 1;
}

unsigned twix_inode_link(twzobj *o, int by)
{
	struct inode *in = inode_of(o);
	unsigned n;

	if (!in || by == 0)
		return by < 0 ? 0 : 1;
	n = __atomic_add_fetch(&in->links, (uint32_t)by, __ATOMIC_ACQ_REL);
	in->ctime = twz_clock_real_ns();
	persist(in, sizeof(*in));
	return n;
}
