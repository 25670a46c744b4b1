// SPDX-License-Identifier: BSD-3-Clause
/* Files with bytes: the bytes are those of an object, from its base on. */
#include "shared.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <twz/persist.h>
#include <twz/sys/syscall.h>
#include <twz/twztry.h>

static uint64_t size_of(twzobj *o)
{
	struct metainfo *mi = twz_object_meta(o);

	return mi->flags & MIF_SZ ? __atomic_load_n(&mi->sz, __ATOMIC_ACQUIRE) : 0;
}

static off_t regular_size(struct twix_file *f)
{
	twzobj *o = twix_file_object(f);

	return o ? (off_t)size_of(o) : -EIO;
}

static ssize_t regular_pread(struct twix_file *f, void *buf, size_t n, off_t at)
{
	twzobj *o = twix_file_object(f);
	uint64_t size;

	if (!o)
		return -EIO;
	size = size_of(o);
	if ((uint64_t)at >= size)
		return 0;
	if (n > size - (uint64_t)at)
		n = size - (uint64_t)at;
	memcpy(buf, (char *)twz_object_base(o) + at, n);
	return (ssize_t)n;
}

/*
 * How much was copied, page by page, until there was no room for one; or an error. The bytes may be
 * those of a mapped file, which is short of a page itself.
 */
static ssize_t copy_in(twzobj *o, uint64_t at, const char *buf, size_t n)
{
	char *base = twz_object_base(o);
	const struct fault_page_info *info;
	volatile size_t done = 0;
	volatile ssize_t error = 0;

	twztry {
		while (done < n) {
			size_t part = TWIX_PAGE - (at + done) % TWIX_PAGE;

			part = part < n - done ? part : n - done;
			memcpy(base + at + done, buf + done, part);
			done += part;
		}
	} twzcatch(FAULT_PAGE) {
		info = twzcatch_data();
		error = info->objid != twz_object_guid(o) ? -EFAULT : info->info == FAULT_PAGE_NOMEM ? -ENOSPC : -EIO;
	} twzcatch_all {
		error = -EFAULT;
	} twztry_end;
	return done ? (ssize_t)done : error;
}

/* Whoever makes a file longer or shorter, or appends to it, is alone. */
static struct mutex *size_lock(const struct twix_file *f)
{
	uint64_t bits = ID_LO(f->id) ^ ID_HI(f->id);

	return &twix_shared->sizes[(bits ^ bits >> 32) % TWIX_NAME_LOCKS];
}

/* Not flushed: that is what fsync() is for. Size locked. */
static void grow(twzobj *o, uint64_t size)
{
	struct metainfo *mi = twz_object_meta(o);

	if (!(mi->flags & MIF_SZ))
		twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, (ssize_t)size);
	else if (size_of(o) < size)
		__atomic_store_n(&mi->sz, size, __ATOMIC_RELEASE);
}

/* How much of n bytes at `at` a file can have; or an error. */
static ssize_t room_at(size_t n, off_t at)
{
	uint64_t limit = twix_limit(RLIMIT_FSIZE), most = limit < OBJ_MAXDATA ? limit : OBJ_MAXDATA;

	if ((uint64_t)at >= limit)
		twix_signal_thread(SIGXFSZ);
	if ((uint64_t)at >= most)
		return -EFBIG;
	return (ssize_t)(n < most - (uint64_t)at ? n : most - (uint64_t)at);
}

/* What lies beyond a file's end reads as zeroes if it ever grows again. Durable before anything is stored there. */
static void clear_from(twzobj *o, uint64_t from, uint64_t to)
{
	uint64_t page = ROUND_UP(from, TWIX_PAGE), end = ROUND_UP(to, TWIX_PAGE);
	objid_t id = twz_object_guid(o), zeroes = 0;
	char *base = twz_object_base(o);

	if (page > to)
		page = to;
	memset(base + from, 0, page - from);
	_clwb_len(base + from, page - from);
	if (page < end && page % TWIX_PAGE == 0)
		sys_ocopy(&id, &zeroes, OBJ_NULLPAGE_SIZE + page, OBJ_NULLPAGE_SIZE + page, end - page, 0);
	_pfence();
}

/* Power went while it was made shorter: what was cut off must not come back. */
static void finish_truncate(struct twix_file *f, twzobj *o)
{
	uint64_t stale;

	if (!twix_inode_stale(o))
		return;
	mutex_acquire(size_lock(f));
	stale = twix_inode_stale(o);
	if (stale > size_of(o) && stale <= OBJ_MAXDATA)
		clear_from(o, size_of(o), stale);
	twix_inode_set_stale(o, 0);
	mutex_release(size_lock(f));
}

static ssize_t regular_pwrite(struct twix_file *f, const void *buf, size_t n, off_t at)
{
	twzobj *o = twix_file_object(f);
	ssize_t fits = n ? room_at(n, at) : 0;

	if (!o)
		return -EIO;
	if (fits <= 0)
		return fits;
	finish_truncate(f, o);
	fits = copy_in(o, (uint64_t)at, buf, (size_t)fits);
	if (fits <= 0)
		return fits;
	if (size_of(o) < (uint64_t)(at + fits)) {
		mutex_acquire(size_lock(f));
		grow(o, (uint64_t)(at + fits));
		mutex_release(size_lock(f));
	}
	twix_inode_changed(o);
	return fits;
}

static ssize_t regular_append(struct twix_file *f, const void *buf, size_t n, off_t *end)
{
	twzobj *o = twix_file_object(f);
	ssize_t r;

	if (!o)
		return -EIO;
	finish_truncate(f, o);
	mutex_acquire(size_lock(f));
	*end = regular_size(f);
	r = *end < 0 ? *end : n ? room_at(n, *end) : 0;
	if (r > 0) {
		r = copy_in(o, (uint64_t)*end, buf, (size_t)r);
		if (r > 0) {
			grow(o, (uint64_t)(*end + r));
			twix_inode_changed(o);
			*end += r;
		}
	}
	mutex_release(size_lock(f));
	return r;
}

/* Pages that nobody wrote to are holes. */
static off_t regular_seek(struct twix_file *f, off_t at, bool hole)
{
	twzobj *o = twix_file_object(f);
	off_t size = regular_size(f);
	struct kernel_ostat_page st;

	while (o && at < size) {
		if (twz_object_kstat_page(o, (size_t)at / TWIX_PAGE + OBJ_NULLPAGE_SIZE / TWIX_PAGE, &st) < 0)
			return -EIO;
		if (!(st.flags & OS_PAGE_EXIST) == hole)
			return at;
		at = (off_t)ROUND_UP((uint64_t)at + 1, TWIX_PAGE);
	}
	return hole ? size : -ENXIO;
}

/* A part of the file reads as zeroes; whole pages of it are holes. */
static void clear_part(twzobj *o, uint64_t from, uint64_t to)
{
	uint64_t first = ROUND_UP(from, TWIX_PAGE), last = to & ~(TWIX_PAGE - 1);
	char *base = twz_object_base(o);

	if (first >= last) {
		memset(base + from, 0, to - from);
		return;
	}
	clear_from(o, from, last);
	memset(base + last, 0, to - last);
}

long twix_regular_clear(struct twix_file *f, off_t from, off_t len, bool grows)
{
	twzobj *o = twix_file_object(f);
	uint64_t size, end = (uint64_t)(from + len);

	if (!o)
		return -EIO;
	if (end > OBJ_MAXDATA)
		return -EFBIG;
	finish_truncate(f, o);
	mutex_acquire(size_lock(f));
	size = size_of(o);
	if ((uint64_t)from < size)
		clear_part(o, (uint64_t)from, end < size ? end : size);
	if (grows)
		grow(o, end);
	mutex_release(size_lock(f));
	twix_inode_changed(o);
	return 0;
}

static long regular_truncate(struct twix_file *f, off_t size)
{
	twzobj *o = twix_file_object(f);
	uint64_t old;

	if (!o)
		return -EIO;
	if (size < 0)
		return -EINVAL;
	if ((uint64_t)size > twix_limit(RLIMIT_FSIZE))
		twix_signal_thread(SIGXFSZ);
	if ((uint64_t)size > OBJ_MAXDATA || (uint64_t)size > twix_limit(RLIMIT_FSIZE))
		return -EFBIG;
	finish_truncate(f, o);
	mutex_acquire(size_lock(f));
	old = size_of(o);
	if ((uint64_t)size < old)
		twix_inode_set_stale(o, old);
	twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, size);
	if ((uint64_t)size < old) {
		clear_from(o, (uint64_t)size, old);
		twix_inode_set_stale(o, 0);
	}
	mutex_release(size_lock(f));
	twix_inode_changed(o);
	return 0;
}

static long regular_sync(struct twix_file *f)
{
	return sys_osync(f->id, 0, 0, 0);
}

/* How much there is behind where it stands. */
static long regular_ioctl(struct twix_file *f, unsigned long request, void *arg)
{
	if (request != FIONREAD)
		return -ENOTTY;
	*(int *)arg = (int)(regular_size(f) - f->offset);
	return 0;
}

const struct twix_ops twix_regular_ops = {
	.ioctl = regular_ioctl,
	.pread = regular_pread,
	.pwrite = regular_pwrite,
	.size = regular_size,
	.append = regular_append,
	.seek = regular_seek,
	.truncate = regular_truncate,
	.sync = regular_sync,
	.mode = S_IFREG,
};
