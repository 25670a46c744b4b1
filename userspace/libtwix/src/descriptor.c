// SPDX-License-Identifier: BSD-3-Clause
/* Descriptors: this program's small numbers for open files. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>

#define DESCRIPTORS 1024

struct descriptor {
	struct twix_file *file;
	bool cloexec;
};

static struct mutex lock;
static struct descriptor table[DESCRIPTORS]; /* guarded by lock */

void twix_descriptors_init(void)
{
	struct twix_file *f = twix_file_new(TWIX_CONSOLE, 0, O_RDWR);

	for (int fd = 0; f && fd < 3; fd++) {
		table[fd].file = f;
		if (fd)
			twix_file_get(f);
	}
}

struct twix_file *twix_file_of(int fd)
{
	struct twix_file *f = NULL;

	if (fd < 0 || fd >= DESCRIPTORS)
		return NULL;
	mutex_acquire(&lock);
	f = table[fd].file;
	if (f)
		twix_file_get(f);
	mutex_release(&lock);
	return f;
}

int twix_install(struct twix_file *f, int from, bool cloexec)
{
	int fd;

	mutex_acquire(&lock);
	for (fd = from; fd < DESCRIPTORS && table[fd].file; fd++)
		;
	if (fd < DESCRIPTORS)
		table[fd] = (struct descriptor){ f, cloexec };
	mutex_release(&lock);
	return fd < DESCRIPTORS ? fd : -EMFILE;
}

/* Put f, or nothing, in a descriptor's place; what stood there comes back. */
static struct twix_file *replace(int fd, struct twix_file *f, bool cloexec)
{
	struct twix_file *old;

	mutex_acquire(&lock);
	old = table[fd].file;
	table[fd] = (struct descriptor){ f, cloexec };
	mutex_release(&lock);
	return old;
}

long twix_close(const long a[6])
{
	int fd = (int)a[0];
	struct twix_file *f = fd >= 0 && fd < DESCRIPTORS ? replace(fd, NULL, false) : NULL;

	if (!f)
		return -EBADF;
	twix_file_put(f);
	return 0;
}

static long duplicate(int fd, int from, bool cloexec)
{
	struct twix_file *f = twix_file_of(fd);
	long r;

	if (!f)
		return -EBADF;
	if (from < 0 || from >= DESCRIPTORS)
		r = -EINVAL;
	else
		r = twix_install(f, from, cloexec);
	if (r < 0)
		twix_file_put(f);
	return r;
}

long twix_dup(const long a[6])
{
	return duplicate((int)a[0], 0, false);
}

long twix_dup3(const long a[6])
{
	int fd = (int)a[0], to = (int)a[1], flags = (int)a[2];
	struct twix_file *f, *old;

	if (fd == to || flags & ~O_CLOEXEC)
		return -EINVAL;
	if (to < 0 || to >= DESCRIPTORS)
		return -EBADF;
	f = twix_file_of(fd);
	if (!f)
		return -EBADF;
	old = replace(to, f, flags & O_CLOEXEC);
	if (old)
		twix_file_put(old);
	return to;
}

static long set_status_flags(struct twix_file *f, unsigned flags)
{
	const unsigned changeable = O_APPEND | O_NONBLOCK | O_NOATIME;

	mutex_acquire(&f->lock);
	f->flags = (f->flags & ~changeable) | (flags & changeable);
	mutex_release(&f->lock);
	return 0;
}

static long descriptor_flags(int fd, int cmd, long arg)
{
	long r = -EBADF;

	if (fd < 0 || fd >= DESCRIPTORS)
		return r;
	mutex_acquire(&lock);
	if (table[fd].file) {
		r = cmd == F_GETFD && table[fd].cloexec ? FD_CLOEXEC : 0;
		if (cmd == F_SETFD)
			table[fd].cloexec = arg & FD_CLOEXEC;
	}
	mutex_release(&lock);
	return r;
}

static long file_flags(int fd, int cmd, long arg)
{
	struct twix_file *f = twix_file_of(fd);
	long r;

	if (!f)
		return -EBADF;
	r = cmd == F_GETFL ? (long)f->flags : set_status_flags(f, (unsigned)arg);
	twix_file_put(f);
	return r;
}

long twix_fcntl(const long a[6])
{
	int fd = (int)a[0], cmd = (int)a[1];

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(fd, (int)a[2], cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
	case F_SETFD:
		return descriptor_flags(fd, cmd, a[2]);
	case F_GETFL:
	case F_SETFL:
		return file_flags(fd, cmd, a[2]);
	default:
		return -EINVAL;
	}
}

long twix_ioctl(const long a[6])
{
	struct twix_file *f = twix_file_of((int)a[0]);
	long r = -ENOTTY;

	if (!f)
		return -EBADF;
	if (twix_ops_of(f)->ioctl)
		r = twix_ops_of(f)->ioctl(f, (unsigned long)a[1], (void *)a[2]);
	twix_file_put(f);
	return r;
}
