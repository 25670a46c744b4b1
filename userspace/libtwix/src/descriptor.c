// SPDX-License-Identifier: BSD-3-Clause
/* Descriptors: this program's small numbers for open files. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>

#define DESCRIPTORS TWIX_DESCRIPTORS

static struct mutex *lock(void)
{
	return &twix_self()->lock;
}

/* What stands for a descriptor. Lock held. */
static struct twix_file *get(int fd)
{
	return twix_file_number(twix_descriptors(twix_self())[fd].file);
}

static void set(int fd, struct twix_file *f, bool cloexec)
{
	struct twix_process *p = twix_self();

	twix_descriptors(p)[fd] = (struct twix_descriptor){ twix_number_of(f), cloexec };
	if (f && (unsigned)fd >= p->descriptors)
		p->descriptors = (unsigned)fd + 1;
}

void twix_descriptors_init(void)
{
	int error;
	struct twix_file *f = twix_terminal_open("console", O_RDWR | O_NOCTTY, &error);

	for (int fd = 0; f && fd < 3; fd++) {
		set(fd, f, false);
		if (fd)
			twix_file_get(f);
	}
}

struct twix_file *twix_file_of(int fd)
{
	struct twix_file *f = NULL;

	if (fd < 0 || fd >= DESCRIPTORS)
		return NULL;
	mutex_acquire(lock());
	f = get(fd);
	if (f)
		twix_file_get(f);
	mutex_release(lock());
	return f;
}

int twix_install(struct twix_file *f, int from, bool cloexec)
{
	int fd;

	mutex_acquire(lock());
	for (fd = from; fd < DESCRIPTORS && get(fd); fd++)
		;
	if (fd < DESCRIPTORS)
		set(fd, f, cloexec);
	mutex_release(lock());
	return fd < DESCRIPTORS ? fd : -EMFILE;
}

/* Put f, or nothing, in a descriptor's place; what stood there comes back. */
static struct twix_file *replace(int fd, struct twix_file *f, bool cloexec)
{
	struct twix_file *old;

	mutex_acquire(lock());
	old = get(fd);
	set(fd, f, cloexec);
	mutex_release(lock());
	return old;
}

/* A process's locks on a file end with the first of its descriptors. */
static void forget(const struct twix_process *p, struct twix_file *f)
{
	twix_locks_drop(f->id, p->pid, false);
	twix_file_put(f);
}

long twix_close(const long a[6])
{
	int fd = (int)a[0];
	struct twix_file *f = fd >= 0 && fd < DESCRIPTORS ? replace(fd, NULL, false) : NULL;

	if (!f)
		return -EBADF;
	forget(twix_self(), f);
	return 0;
}

/* In another process's place: it has ended, or has not begun. */
void twix_descriptors_copy(const struct twix_process *from, struct twix_process *to)
{
	const struct twix_descriptor *table = twix_descriptors(from);
	struct twix_descriptor *copy = twix_descriptors(to);

	to->descriptors = from->descriptors;
	for (unsigned fd = 0; fd < to->descriptors; fd++) {
		copy[fd] = table[fd];
		if (copy[fd].file)
			twix_file_get(twix_file_number(copy[fd].file));
	}
}

void twix_descriptors_drop(struct twix_process *p, bool only_cloexec)
{
	struct twix_descriptor *table = twix_descriptors(p);

	for (unsigned fd = 0; fd < p->descriptors; fd++) {
		struct twix_descriptor d = table[fd];

		if (!d.file || (only_cloexec && !d.cloexec))
			continue;
		table[fd] = (struct twix_descriptor){ 0, 0 };
		forget(p, twix_file_number(d.file));
	}
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
		forget(twix_self(), old);
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
	mutex_acquire(lock());
	if (get(fd)) {
		r = cmd == F_GETFD && twix_descriptors(twix_self())[fd].cloexec ? FD_CLOEXEC : 0;
		if (cmd == F_SETFD)
			twix_descriptors(twix_self())[fd].cloexec = arg & FD_CLOEXEC ? 1 : 0;
	}
	mutex_release(lock());
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

static long lock_range(int fd, int cmd, struct flock *fl)
{
	struct twix_file *f = twix_file_of(fd);
	long r;

	if (!f)
		return -EBADF;
	r = twix_lock_range(f, cmd, fl);
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
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		return lock_range(fd, cmd, (struct flock *)a[2]);
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
