// SPDX-License-Identifier: BSD-3-Clause
/* From one file to another, without the program's memory between them: the bytes of an object are there. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>

#define MOST 0x7ffff000ul

static bool is_readable(const struct twix_file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY && !(f->flags & O_PATH);
}

static bool is_writable(const struct twix_file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY && !(f->flags & O_PATH);
}

/* How much of a file there is from at on, n at most. */
static size_t part(struct twix_file *f, off_t at, size_t n)
{
	off_t size = twix_ops_of(f)->size(f);

	if (size <= at)
		return 0;
	if (n > MOST)
		n = MOST;
	return n < (size_t)(size - at) ? n : (size_t)(size - at);
}

/* *to NULL: where that file stands. Both positions move on by what was copied. */
static long copy(struct twix_file *in, off_t *from, struct twix_file *out, off_t *to, size_t n)
{
	twzobj *o = twix_file_object(in);
	long r;

	if (!o)
		return -EIO;
	n = part(in, *from, n);
	if (n == 0)
		return 0;
	r = to ? twix_ops_of(out)->pwrite(out, (char *)twz_object_base(o) + *from, n, *to) :
	    twix_file_write(out, (char *)twz_object_base(o) + *from, n);
	if (r > 0)
		*from += r;
	if (r > 0 && to)
		*to += r;
	return r;
}

/* With given positions of either; NULL: the file's own. */
static long copy_from(struct twix_file *in, off_t *from, struct twix_file *out, off_t *to, size_t n)
{
	off_t at;
	long r;

	if (from)
		return *from < 0 ? -EINVAL : copy(in, from, out, to, n);
	mutex_acquire(&in->lock);
	at = in->offset;
	mutex_release(&in->lock);
	r = copy(in, &at, out, to, n);
	mutex_acquire(&in->lock);
	if (r > 0)
		in->offset = at;
	mutex_release(&in->lock);
	return r;
}

static long check(const struct twix_file *in, const struct twix_file *out)
{
	return !in || !out || !is_readable(in) || !is_writable(out) ? -EBADF : 0;
}

static void put(struct twix_file *a, struct twix_file *b)
{
	if (a)
		twix_file_put(a);
	if (b)
		twix_file_put(b);
}

long twix_sendfile(const long a[6])
{
	struct twix_file *out = twix_file_of((int)a[0]), *in = twix_file_of((int)a[1]);
	long r = check(in, out);

	if (r == 0 && (in->kind != TWIX_REGULAR || out->flags & O_APPEND))
		r = -EINVAL;
	if (r == 0)
		r = copy_from(in, (off_t *)a[2], out, NULL, (size_t)a[3]);
	put(in, out);
	return r;
}

static bool overlap(const struct twix_file *in, off_t from, const struct twix_file *out, off_t to, size_t n)
{
	return in->id == out->id && from < to + (off_t)n && to < from + (off_t)n;
}

long twix_copy_file_range(const long a[6])
{
	struct twix_file *in = twix_file_of((int)a[0]), *out = twix_file_of((int)a[2]);
	off_t *from = (off_t *)a[1], *to = (off_t *)a[3];
	size_t n = (size_t)a[4] < MOST ? (size_t)a[4] : MOST;
	long r = check(in, out);

	if (r == 0 && (in->kind == TWIX_DIRECTORY || out->kind == TWIX_DIRECTORY))
		r = -EISDIR;
	else if (r == 0 && (in->kind != TWIX_REGULAR || out->kind != TWIX_REGULAR || a[5]))
		r = -EINVAL;
	else if (r == 0 && out->flags & O_APPEND)
		r = -EBADF;
	else if (r == 0 && overlap(in, from ? *from : in->offset, out, to ? *to : out->offset, n))
		r = -EINVAL;
	if (r == 0)
		r = copy_from(in, from, out, to, n);
	put(in, out);
	return r;
}
