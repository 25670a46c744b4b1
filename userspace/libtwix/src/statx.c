// SPDX-License-Identifier: BSD-3-Clause
/* statx(): the same as stat() in Linux's newer structure, which older C libraries do not know. */
#include "twix.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define AT_STATX_BOTH 0x6000
#define MASK_BASIC 0x7ffu
#define MASK_RESERVED 0x80000000u

struct stamp {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t reserved;
};

struct extended {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, reserved;
	uint64_t ino, size, blocks, attributes_mask;
	struct stamp atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mount;
	uint64_t unused[13];
};

_Static_assert(offsetof(struct extended, ino) == 32 && offsetof(struct extended, atime) == 64, "statx");
_Static_assert(offsetof(struct extended, rdev_major) == 128 && sizeof(struct extended) == 256, "statx");

static struct stamp stamp_of(struct timespec ts)
{
	return (struct stamp){ .seconds = ts.tv_sec, .nanoseconds = (uint32_t)ts.tv_nsec };
}

static void extend(struct extended *x, const struct stat *st)
{
	*x = (struct extended){ .mask = MASK_BASIC, .blksize = (uint32_t)st->st_blksize, .uid = st->st_uid };
	x->nlink = (uint32_t)st->st_nlink;
	x->gid = st->st_gid;
	x->mode = (uint16_t)st->st_mode;
	x->ino = st->st_ino;
	x->size = (uint64_t)st->st_size;
	x->blocks = (uint64_t)st->st_blocks;
	x->atime = stamp_of(st->st_atim);
	x->mtime = stamp_of(st->st_mtim);
	x->ctime = stamp_of(st->st_ctim);
	x->rdev_major = major(st->st_rdev);
	x->rdev_minor = minor(st->st_rdev);
	x->dev_major = major(st->st_dev);
	x->dev_minor = minor(st->st_dev);
}

long twix_statx(const long a[6])
{
	int flags = (int)a[2], r;
	struct stat st;

	if ((flags & AT_STATX_BOTH) == AT_STATX_BOTH || (unsigned)a[3] & MASK_RESERVED)
		return -EINVAL;
	r = twix_stat_path((int)a[0], (const char *)a[1], flags & ~AT_STATX_BOTH, &st);
	if (r == 0)
		extend((struct extended *)a[4], &st);
	return r;
}
