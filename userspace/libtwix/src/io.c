// SPDX-License-Identifier: BSD-3-Clause
/* Reading, writing and where that happens. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 0x7ffff000ul /* of one call, as Linux has it */
#define ZERO_RANGE 16 /* of fallocate(), which the C library does not know */
#define TRIED_AT_ONCE 16384u /* of a buffer; of a larger one only what there is to be read */

/* Do something with the file of a descriptor. */
static long with_file(int fd, long (*fn)(struct twix_file *, const long *), const long *a)
{
	struct twix_file *f = twix_file_of(fd);
	long r;

	if (!f)
		return -EBADF;
	r = f->flags & O_PATH ? -EBADF : fn(f, a);
	twix_file_put(f);
	return r;
}

static bool readable(const struct twix_file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool writable(const struct twix_file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY;
}

/*
 * How much of what can be read from there, at most *n bytes, can be put into buf. False: nothing can, but
 * there is some.
 */
static bool has_room(struct twix_file *f, void *buf, size_t *n, off_t at)
{
	off_t size;
	size_t left;

	if (f->kind == TWIX_DIRECTORY || f->kind == TWIX_NULL || (*n <= TRIED_AT_ONCE && twix_can_write(buf, *n)))
		return true;
	size = f->kind == TWIX_REGULAR ? twix_regular_ops.size(f) : INT64_MAX;
	left = size > at ? (size_t)(size - at) : 0;
	if (*n > left)
		*n = left;
	left = *n;
	*n = twix_writable(buf, left);
	return *n == left || *n > 0;
}

/* The same of what is written. What has a buffer of pages takes whole ones of what does not end well. */
static bool has_bytes(const struct twix_file *f, const void *buf, size_t *n)
{
	size_t good;

	if (f->kind == TWIX_NULL || f->kind == TWIX_ZERO || f->kind == TWIX_FULL)
		return true; /* nobody looks at them */
	good = twix_readable(buf, *n);
	if (good < *n && f->kind != TWIX_REGULAR)
		good -= good % TWIX_PAGE;
	if (good == 0 && *n)
		return false;
	*n = good;
	return true;
}

static ssize_t read_at(struct twix_file *f, void *buf, size_t n, off_t at)
{
	const struct twix_ops *ops = twix_ops_of(f);

	if (at < 0)
		return -EINVAL;
	if (!has_room(f, buf, &n, at))
		return -EFAULT;
	return ops->pread ? ops->pread(f, buf, n, at) : ops->getdents ? -EISDIR : -ESPIPE;
}

/* What was written is durable before the call returns, if that was asked for. */
static ssize_t written(struct twix_file *f, ssize_t r, bool sync)
{
	long failed = r > 0 && (sync || f->flags & O_DSYNC) && twix_ops_of(f)->sync ? twix_ops_of(f)->sync(f) : 0;

	return failed < 0 ? failed : r;
}

static ssize_t write_at(struct twix_file *f, const void *buf, size_t n, off_t at)
{
	const struct twix_ops *ops = twix_ops_of(f);

	if (at < 0)
		return -EINVAL;
	if (!ops->pwrite)
		return -ESPIPE;
	if (!has_bytes(f, buf, &n))
		return -EFAULT;
	return written(f, f->flags & O_APPEND ? ops->append(f, buf, n, &at) : ops->pwrite(f, buf, n, at), false);
}

/* What was used may become ready anew, which epoll tells. */
static ssize_t stream_read(struct twix_file *f, const struct twix_ops *ops, void *buf, size_t n)
{
	ssize_t r = ops->read ? ops->read(f, buf, n) : ops->getdents ? -EISDIR : -EINVAL;

	__atomic_fetch_add(&f->used, 1, __ATOMIC_ACQ_REL);
	twix_activity();
	return r;
}

static ssize_t stream_write(struct twix_file *f, const struct twix_ops *ops, const void *buf, size_t n)
{
	ssize_t r = ops->write ? ops->write(f, buf, n) : -EINVAL;

	__atomic_fetch_add(&f->used, 1, __ATOMIC_ACQ_REL);
	twix_activity();
	return r;
}

static ssize_t read_on(struct twix_file *f, void *buf, size_t n)
{
	const struct twix_ops *ops = twix_ops_of(f);
	ssize_t r;

	if (!readable(f))
		return -EBADF;
	if (n > MOST)
		n = MOST;
	if (!ops->pread)
		return has_room(f, buf, &n, 0) ? stream_read(f, ops, buf, n) : -EFAULT;
	mutex_acquire(&f->lock);
	r = has_room(f, buf, &n, f->offset) ? ops->pread(f, buf, n, f->offset) : -EFAULT;
	if (r > 0)
		f->offset += r;
	mutex_release(&f->lock);
	return r;
}

ssize_t twix_file_write(struct twix_file *f, const void *buf, size_t n)
{
	const struct twix_ops *ops = twix_ops_of(f);
	ssize_t r;

	if (!writable(f))
		return -EBADF;
	if (n > MOST)
		n = MOST;
	if (!has_bytes(f, buf, &n))
		return -EFAULT;
	if (!ops->pwrite)
		return stream_write(f, ops, buf, n);
	mutex_acquire(&f->lock);
	if (f->flags & O_APPEND) {
		r = ops->append(f, buf, n, &f->offset);
	} else {
		r = ops->pwrite(f, buf, n, f->offset);
		if (r > 0)
			f->offset += r;
	}
	mutex_release(&f->lock);
	return written(f, r, false);
}

static long do_read(struct twix_file *f, const long *a)
{
	return read_on(f, (void *)a[1], (size_t)a[2]);
}

static long do_write(struct twix_file *f, const long *a)
{
	return twix_file_write(f, (const void *)a[1], (size_t)a[2]);
}

static long do_pread(struct twix_file *f, const long *a)
{
	return readable(f) ? read_at(f, (void *)a[1], (size_t)a[2], a[3]) : -EBADF;
}

static long do_pwrite(struct twix_file *f, const long *a)
{
	return writable(f) ? write_at(f, (const void *)a[1], (size_t)a[2], a[3]) : -EBADF;
}

long twix_read(const long a[6])
{
	return with_file((int)a[0], do_read, a);
}

long twix_write(const long a[6])
{
	return with_file((int)a[0], do_write, a);
}

long twix_pread(const long a[6])
{
	return with_file((int)a[0], do_pread, a);
}

long twix_pwrite(const long a[6])
{
	return with_file((int)a[0], do_pwrite, a);
}

/* --- several pieces: each as one of its own, until one comes out short */

static int check_pieces(const struct iovec *v, long count)
{
	size_t total = 0;

	if (count < 0 || count > IOV_MAX)
		return -EINVAL;
	if (!twix_can_read(v, (size_t)count * sizeof(*v)))
		return -EFAULT;
	for (long i = 0; i < count; i++) {
		if (v[i].iov_len > SSIZE_MAX - total)
			return -EINVAL;
		total += v[i].iov_len;
	}
	return 0;
}

/* at < 0: where the file stands. */
static long pieces(struct twix_file *f, const long *a, bool write, off_t at)
{
	const struct iovec *v = (const void *)a[1];
	long count = a[2], total = 0, r = check_pieces(v, count);

	for (long i = 0; r >= 0 && i < count; i++) {
		void *base = v[i].iov_base;
		size_t len = v[i].iov_len;

		if (at < 0)
			r = write ? twix_file_write(f, base, len) : read_on(f, base, len);
		else
			r = write ? write_at(f, base, len, at + total) : read_at(f, base, len, at + total);
		if (r > 0)
			total += r;
		if (r >= 0 && (size_t)r < len)
			break;
	}
	return total ? total : r < 0 ? r : 0;
}

static long do_readv(struct twix_file *f, const long *a)
{
	return readable(f) ? pieces(f, a, false, -1) : -EBADF;
}

static long do_writev(struct twix_file *f, const long *a)
{
	return writable(f) ? pieces(f, a, true, -1) : -EBADF;
}

static long do_preadv(struct twix_file *f, const long *a)
{
	return a[3] < 0 ? -EINVAL : readable(f) ? pieces(f, a, false, a[3]) : -EBADF;
}

static long do_pwritev(struct twix_file *f, const long *a)
{
	return a[3] < 0 ? -EINVAL : writable(f) ? pieces(f, a, true, a[3]) : -EBADF;
}

long twix_readv(const long a[6])
{
	return with_file((int)a[0], do_readv, a);
}

long twix_writev(const long a[6])
{
	return with_file((int)a[0], do_writev, a);
}

long twix_preadv(const long a[6])
{
	return with_file((int)a[0], do_preadv, a);
}

long twix_pwritev(const long a[6])
{
	return with_file((int)a[0], do_pwritev, a);
}

/* --- the same with flags */

#define RWF_HIPRI 1
#define RWF_DSYNC 2
#define RWF_SYNC 4

/* at -1: where the file stands. */
static long with_flags(struct twix_file *f, const long *a, bool write)
{
	long r;

	if (a[5] & ~(long)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))
		return -EOPNOTSUPP;
	if (!(write ? writable(f) : readable(f)))
		return -EBADF;
	if (a[3] < -1)
		return -EINVAL;
	r = pieces(f, a, write, a[3]);
	return write ? written(f, r, a[5] & (RWF_DSYNC | RWF_SYNC)) : r;
}

static long do_preadv2(struct twix_file *f, const long *a)
{
	return with_flags(f, a, false);
}

static long do_pwritev2(struct twix_file *f, const long *a)
{
	return with_flags(f, a, true);
}

long twix_preadv2(const long a[6])
{
	return with_file((int)a[0], do_preadv2, a);
}

long twix_pwritev2(const long a[6])
{
	return with_file((int)a[0], do_pwritev2, a);
}

/* --- the rest */

static off_t seek_data(struct twix_file *f, off_t at, bool hole)
{
	const struct twix_ops *ops = twix_ops_of(f);
	off_t size = ops->size(f);

	if (at < 0 || at >= size)
		return -ENXIO;
	return ops->seek ? ops->seek(f, at, hole) : hole ? size : at;
}

/* Where `offset` counts from; negative: an error. */
static off_t origin_of(struct twix_file *f, int whence)
{
	switch (whence) {
	case SEEK_SET:
		return 0;
	case SEEK_CUR:
		return f->offset;
	case SEEK_END:
		return twix_ops_of(f)->size(f);
	default:
		return -EINVAL;
	}
}

static long do_lseek(struct twix_file *f, const long *a)
{
	const struct twix_ops *ops = twix_ops_of(f);
	off_t to;

	if (!ops->size || ops->read)
		return ops->size ? 0 : -ESPIPE;
	mutex_acquire(&f->lock);
	if (a[2] == SEEK_DATA || a[2] == SEEK_HOLE)
		to = seek_data(f, a[1], a[2] == SEEK_HOLE);
	else
		to = origin_of(f, (int)a[2]);
	if (a[2] == SEEK_DATA || a[2] == SEEK_HOLE)
		f->offset = to >= 0 ? to : f->offset;
	else if (to >= 0 && __builtin_add_overflow(to, a[1], &to))
		to = -EINVAL;
	else if (to < 0 || (ops->truncate && (uint64_t)to > OBJ_MAXDATA))
		to = -EINVAL;
	else
		f->offset = to;
	mutex_release(&f->lock);
	return to;
}

long twix_lseek(const long a[6])
{
	return with_file((int)a[0], do_lseek, a);
}

static long do_truncate(struct twix_file *f, const long *a)
{
	const struct twix_ops *ops = twix_ops_of(f);

	return writable(f) && ops->truncate ? ops->truncate(f, a[1]) : -EINVAL;
}

long twix_ftruncate(const long a[6])
{
	return with_file((int)a[0], do_truncate, a);
}

/* Room is made when it is written to: only the size can be told. */
static long do_fallocate(struct twix_file *f, const long *a)
{
	const struct twix_ops *ops = twix_ops_of(f);
	off_t end;

	if (a[2] < 0 || a[3] <= 0)
		return -EINVAL;
	if (!writable(f))
		return -EBADF;
	if (!ops->truncate)
		return ops->getdents ? -EISDIR : ops->pwrite ? -ENODEV : -ESPIPE;
	if (__builtin_add_overflow(a[2], a[3], &end))
		return -EFBIG;
	switch ((int)a[1]) {
	case 0:
		return end > ops->size(f) ? ops->truncate(f, end) : 0;
	case FALLOC_FL_KEEP_SIZE:
		return 0;
	case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
	case ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
	case ZERO_RANGE:
		return twix_regular_clear(f, a[2], a[3], a[1] == ZERO_RANGE);
	default:
		return -EOPNOTSUPP;
	}
}

long twix_fallocate(const long a[6])
{
	return with_file((int)a[0], do_fallocate, a);
}

static long do_sync(struct twix_file *f, const long *a)
{
	(void)a;
	return twix_ops_of(f)->sync ? twix_ops_of(f)->sync(f) : -EINVAL;
}

long twix_fsync(const long a[6])
{
	return with_file((int)a[0], do_sync, a);
}

static long do_getdents(struct twix_file *f, const long *a)
{
	return twix_ops_of(f)->getdents ? twix_ops_of(f)->getdents(f, (void *)a[1], (size_t)a[2]) : -ENOTDIR;
}

long twix_getdents64(const long a[6])
{
	return with_file((int)a[0], do_getdents, a);
}

/* Nothing is read ahead, and nothing kept that need not be. */
static long do_fadvise(struct twix_file *f, const long *a)
{
	if (!twix_ops_of(f)->pread && !twix_ops_of(f)->getdents)
		return -ESPIPE;
	return a[2] < 0 || a[3] < 0 || a[3] > 5 ? -EINVAL : 0;
}

long twix_fadvise(const long a[6])
{
	return with_file((int)a[0], do_fadvise, a);
}

static long do_syncfs(struct twix_file *f, const long *a)
{
	(void)f;
	return twix_sync(a);
}

long twix_syncfs(const long a[6])
{
	return with_file((int)a[0], do_syncfs, a);
}

static long do_sync_range(struct twix_file *f, const long *a)
{
	if (a[1] < 0 || a[2] < 0 || a[3] & ~7l)
		return -EINVAL;
	return twix_ops_of(f)->truncate ? do_sync(f, a) : -ESPIPE;
}

long twix_sync_file_range(const long a[6])
{
	return with_file((int)a[0], do_sync_range, a);
}
