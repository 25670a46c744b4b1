// SPDX-License-Identifier: BSD-3-Clause
/* Descriptors: this program's small numbers for open files. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

static struct mutex *lock(void)
{
	return &twix_self()->lock;
}

/* NULL: no process has such a descriptor. */
static twix_descriptor *place_of(int fd)
{
	return fd >= 0 && fd < TWIX_DESCRIPTORS ? &twix_descriptors(twix_self())[fd] : NULL;
}

/* Lock held. */
static void set(int fd, struct twix_file *f, bool cloexec)
{
	struct twix_process *p = twix_self();
	uint32_t end = (uint32_t)fd + 1;

	__atomic_store_n(place_of(fd), twix_number_of(f) | (f && cloexec ? TWIX_CLOEXEC : 0), __ATOMIC_RELEASE);
	if (f && p->fd_end < end)
		p->fd_end = end;
	if (!f && p->fd_free > (uint32_t)fd)
		p->fd_free = (uint32_t)fd;
}

void twix_descriptors_init(void)
{
	int error;
	struct twix_file *f = twix_terminal_open("console", O_RDWR | O_NOCTTY, &error);

	if (f)
		f->parent = twix_node_of_path("/dev/console");
	for (int fd = 0; f && fd < 3; fd++) {
		set(fd, f, false);
		if (fd)
			twix_file_get(f);
	}
}

/* No lock: whoever closes it takes it out of its place first. */
struct twix_file *twix_file_of(int fd)
{
	twix_descriptor *place = place_of(fd), seen;
	struct twix_file *f;

	while (place && (seen = __atomic_load_n(place, __ATOMIC_ACQUIRE))) {
		f = twix_file_number(TWIX_FILE_OF(seen));
		if (!f)
			return NULL;
		if (!twix_file_get_open(f))
			continue;
		if (TWIX_FILE_OF(__atomic_load_n(place, __ATOMIC_ACQUIRE)) == TWIX_FILE_OF(seen))
			return f;
		twix_file_put(f);
	}
	return NULL;
}

int twix_install(struct twix_file *f, int from, bool cloexec)
{
	struct twix_process *p = twix_self();
	int fd, most;

	mutex_acquire(lock());
	most = (int)p->nofile;
	for (fd = from > (int)p->fd_free ? from : (int)p->fd_free; fd < most && *place_of(fd); fd++)
		;
	if (fd < most)
		set(fd, f, cloexec);
	if (from <= (int)p->fd_free)
		p->fd_free = (uint32_t)(fd < most ? fd + 1 : fd);
	mutex_release(lock());
	return fd < most ? fd : -EMFILE;
}

int twix_install_pair(struct twix_file *first, struct twix_file *second, bool cloexec, int fds[2])
{
	int a = twix_install(first, 0, cloexec), b;

	if (a < 0) {
		twix_file_put(first);
		twix_file_put(second);
		return a;
	}
	b = twix_install(second, 0, cloexec);
	if (b < 0) {
		twix_file_put(second);
		twix_close((const long[6]){ a });
		return b;
	}
	fds[0] = a;
	fds[1] = b;
	return 0;
}

/* Put f, or nothing, in a descriptor's place; what stood there comes back. */
static struct twix_file *replace(int fd, struct twix_file *f, bool cloexec)
{
	struct twix_file *old;

	mutex_acquire(lock());
	old = twix_file_number(TWIX_FILE_OF(*place_of(fd)));
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

static int close_one(int fd)
{
	struct twix_file *f = place_of(fd) ? replace(fd, NULL, false) : NULL;

	if (!f)
		return -EBADF;
	forget(twix_self(), f);
	return 0;
}

long twix_close(const long a[6])
{
	return close_one((int)a[0]);
}

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

long twix_close_range(const long a[6])
{
	unsigned first = (unsigned)a[0], last = (unsigned)a[1], flags = (unsigned)a[2];

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	for (unsigned fd = first; fd <= last && fd < twix_self()->fd_end; fd++) {
		if (!(flags & CLOSE_RANGE_CLOEXEC))
			close_one((int)fd);
		else if (*place_of((int)fd))
			__atomic_fetch_or(place_of((int)fd), TWIX_CLOEXEC, __ATOMIC_ACQ_REL);
	}
	return 0;
}

static void copy_about(const struct twix_about *from, struct twix_about *to)
{
	strcpy(to->exe, from->exe);
	memcpy(to->limits, from->limits, sizeof(to->limits));
	to->users = from->users;
	memcpy(to->name, from->name, sizeof(to->name));
	memcpy(to->command, from->command, from->length);
	to->length = from->length;
}

/* To one that has not begun. */
void twix_descriptors_copy(const struct twix_process *from, struct twix_process *to)
{
	const twix_descriptor *old = twix_descriptors(from);
	struct twix_file *f;

	mutex_acquire((struct mutex *)&from->lock);
	for (unsigned fd = 0; fd < from->fd_end; fd++) {
		f = twix_file_number(TWIX_FILE_OF(old[fd]));
		if (f)
			twix_file_get(f);
		twix_descriptors(to)[fd] = old[fd];
	}
	to->fd_end = from->fd_end;
	to->fd_free = from->fd_free;
	to->nofile = from->nofile;
	to->cwd_file = from->cwd_file;
	f = twix_file_number(to->cwd_file);
	if (f)
		twix_file_get(f);
	mutex_release((struct mutex *)&from->lock);
	copy_about(twix_about(from), twix_about(to));
}

/* Of this program, or of one that has ended. */
void twix_descriptors_drop(struct twix_process *p, bool only_cloexec)
{
	twix_descriptor *all = twix_descriptors(p);
	struct twix_file *cwd = only_cloexec ? NULL : twix_file_number(p->cwd_file);

	for (unsigned fd = 0; fd < p->fd_end; fd++) {
		twix_descriptor d = all[fd];

		if (!d || (only_cloexec && !(d & TWIX_CLOEXEC)))
			continue;
		__atomic_store_n(&all[fd], 0, __ATOMIC_RELEASE);
		if (p->fd_free > fd)
			p->fd_free = fd;
		forget(p, twix_file_number(TWIX_FILE_OF(d)));
	}
	if (!cwd)
		return;
	p->cwd_file = 0;
	twix_file_put(cwd);
}

static long duplicate(int fd, int from, bool cloexec)
{
	struct twix_file *f = twix_file_of(fd);
	long r;

	if (!f)
		return -EBADF;
	if (from < 0 || from >= (int)twix_self()->nofile)
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
	if (to < 0 || to >= (int)twix_self()->nofile)
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
	twix_descriptor *place = place_of(fd);
	long r = -EBADF;

	if (!place)
		return r;
	mutex_acquire(lock());
	if (*place) {
		r = cmd == F_GETFD && *place & TWIX_CLOEXEC ? FD_CLOEXEC : 0;
		if (cmd == F_SETFD)
			*place = TWIX_FILE_OF(*place) | (arg & FD_CLOEXEC ? TWIX_CLOEXEC : 0);
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

/* A pipe is as large as it is: less is given more, more is not to be had. */
static long pipe_size(int fd, int cmd, long wanted)
{
	struct twix_file *f = twix_file_of(fd);
	long r = -EBADF;

	if (!f)
		return r;
	if (f->kind == TWIX_PIPE_READ || f->kind == TWIX_PIPE_WRITE || f->kind == TWIX_FIFO)
		r = cmd == F_GETPIPE_SZ || (wanted > 0 && wanted <= TWIX_PIPE_SIZE) ? TWIX_PIPE_SIZE :
		    wanted > 0 ? -EPERM : -EINVAL;
	twix_file_put(f);
	return r;
}

/* The same for every descriptor. */
static long open_nothing(int fd, long r)
{
	struct twix_file *f = twix_file_of(fd);

	if (!f)
		return -EBADF;
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
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		if (!twix_can_read((const void *)a[2], sizeof(struct flock)))
			return open_nothing(fd, -EFAULT);
		return lock_range(fd, cmd, (struct flock *)a[2]);
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return pipe_size(fd, cmd, a[2]);
	case F_GETOWN:
	case F_GETSIG:
		return open_nothing(fd, 0);
	default:
		return open_nothing(fd, -EINVAL);
	}
}

/* What the argument of a request points to; one that is not known here has none, or looks itself. */
static bool has_argument(unsigned long request, void *arg)
{
	switch (request) {
	case TCGETS:
		return twix_can_write(arg, TWIX_SETTINGS_SIZE);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return twix_can_read(arg, TWIX_SETTINGS_SIZE);
	case TIOCGWINSZ:
		return twix_can_write(arg, sizeof(struct winsize));
	case TIOCSWINSZ:
		return twix_can_read(arg, sizeof(struct winsize));
	case TIOCGPGRP:
	case TIOCGSID:
	case TIOCGPTN:
	case TIOCGPTLCK:
	case TIOCOUTQ:
	case FIONREAD:
		return twix_can_write(arg, sizeof(int));
	case TIOCSPGRP:
	case TIOCSPTLCK:
	case TIOCPKT:
	case FIONBIO:
		return twix_can_read(arg, sizeof(int));
	default:
		return true;
	}
}

long twix_ioctl(const long a[6])
{
	struct twix_file *f = twix_file_of((int)a[0]);
	long r = -ENOTTY;

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH)
		r = -EBADF;
	else if (((unsigned)a[1] == FIONBIO || twix_ops_of(f)->ioctl) && !has_argument((unsigned)a[1], (void *)a[2]))
		r = -EFAULT;
	else if ((unsigned)a[1] == FIOCLEX || (unsigned)a[1] == FIONCLEX)
		r = descriptor_flags((int)a[0], F_SETFD, (unsigned)a[1] == FIOCLEX ? FD_CLOEXEC : 0);
	else if ((unsigned)a[1] == FIONBIO)
		r = set_status_flags(f, (f->flags & ~(unsigned)O_NONBLOCK) | (*(const int *)a[2] ? O_NONBLOCK : 0));
	else if (twix_ops_of(f)->ioctl)
		r = twix_ops_of(f)->ioctl(f, (unsigned)a[1], (void *)a[2]);
	twix_file_put(f);
	return r;
}
