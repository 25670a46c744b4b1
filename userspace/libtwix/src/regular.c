// SPDX-License-Identifier: BSD-3-Clause
/* Files with bytes: the bytes are those of an object, from its base on. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
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

static ssize_t regular_pwrite(struct twix_file *f, const void *buf, size_t n, off_t at)
{
	twzobj *o = twix_file_object(f);
	ssize_t done;

	if (!o)
		return -EIO;
	if (n == 0)
		return 0;
	if ((uint64_t)at >= OBJ_MAXDATA)
		return -EFBIG;
	if (n > OBJ_MAXDATA - (uint64_t)at)
		n = OBJ_MAXDATA - (uint64_t)at;
	done = copy_in(o, (uint64_t)at, buf, n);
	if (done > 0 && size_of(o) < (uint64_t)at + (size_t)done)
		twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, (ssize_t)((uint64_t)at + (size_t)done));
	if (done > 0)
		twix_inode_changed(o);
	return done;
}

/* What lies beyond a file's end reads as zeroes if it ever grows again. */
static void clear_from(twzobj *o, uint64_t from, uint64_t to)
{
	uint64_t page = ROUND_UP(from, TWIX_PAGE), end = ROUND_UP(to, TWIX_PAGE);
	objid_t id = twz_object_guid(o), zeroes = 0;
	char *base = twz_object_base(o);

	if (page > to)
		page = to;
	memset(base + from, 0, page - from);
	if (page < end && page % TWIX_PAGE == 0)
		sys_ocopy(&id, &zeroes, OBJ_NULLPAGE_SIZE + page, 0, end - page, 0);
}

static long regular_truncate(struct twix_file *f, off_t size)
{
	twzobj *o = twix_file_object(f);
	uint64_t old;

	if (!o)
		return -EIO;
	if (size < 0)
		return -EINVAL;
	if ((uint64_t)size > OBJ_MAXDATA)
		return -EFBIG;
	old = size_of(o);
	twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, size);
	if ((uint64_t)size < old)
		clear_from(o, (uint64_t)size, old);
	twix_inode_changed(o);
	return 0;
}

static long regular_sync(struct twix_file *f)
{
	return sys_osync(f->id, 0, 0, 0);
}

const struct twix_ops twix_regular_ops = {
	.pread = regular_pread,
	.pwrite = regular_pwrite,
	.size = regular_size,
	.truncate = regular_truncate,
	.sync = regular_sync,
	.mode = S_IFREG,
};
