// SPDX-License-Identifier: BSD-3-Clause
/* What can be done with each kind of file, and the files that are in no object. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/sys/syscall.h>

static ssize_t nothing(struct twix_file *f, void *buf, size_t n)
{
	(void)f, (void)buf, (void)n;
	return 0;
}

/* They stand nowhere, and can be told to stand anywhere. */
static off_t no_size(struct twix_file *f)
{
	(void)f;
	return 0;
}

static ssize_t zeroes(struct twix_file *f, void *buf, size_t n)
{
	(void)f;
	memset(buf, 0, n);
	return (ssize_t)n;
}

static ssize_t noise(struct twix_file *f, void *buf, size_t n)
{
	size_t most = n < 1ul << 20 ? n : 1ul << 20;
	long r = sys_random(buf, most, 0);

	(void)f;
	return r < 0 ? r : (ssize_t)most;
}

static ssize_t swallow(struct twix_file *f, const void *buf, size_t n)
{
	(void)f, (void)buf;
	return (ssize_t)n;
}

static ssize_t no_room(struct twix_file *f, const void *buf, size_t n)
{
	(void)f, (void)buf, (void)n;
	return -ENOSPC;
}

const struct twix_ops twix_null_ops = { .size = no_size, .read = nothing, .write = swallow, .mode = S_IFCHR | 0666 };
const struct twix_ops twix_zero_ops = { .size = no_size, .read = zeroes, .write = swallow, .mode = S_IFCHR | 0666 };
const struct twix_ops twix_full_ops = { .size = no_size, .read = zeroes, .write = no_room, .mode = S_IFCHR | 0666 };
const struct twix_ops twix_random_ops = { .size = no_size, .read = noise, .write = swallow, .mode = S_IFCHR | 0666 };

static const struct twix_ops no_ops;

const struct twix_ops *twix_ops_of(const struct twix_file *f)
{
	static const struct twix_ops *const all[] = {
		[TWIX_FREE] = &no_ops,
		[TWIX_TERMINAL] = &twix_terminal_ops,
		[TWIX_REGULAR] = &twix_regular_ops,
		[TWIX_DIRECTORY] = &twix_directory_ops,
		[TWIX_NULL] = &twix_null_ops,
		[TWIX_ZERO] = &twix_zero_ops,
		[TWIX_RANDOM] = &twix_random_ops,
		[TWIX_PIPE_READ] = &twix_pipe_read_ops,
		[TWIX_PIPE_WRITE] = &twix_pipe_write_ops,
		[TWIX_EVENTFD] = &twix_eventfd_ops,
		[TWIX_EPOLL] = &twix_epoll_ops,
		[TWIX_PTMX] = &twix_ptmx_ops,
		[TWIX_FULL] = &twix_full_ops,
		[TWIX_TEXT] = &twix_text_ops,
		[TWIX_FIFO] = &twix_fifo_ops,
		[TWIX_SOCKET] = &twix_socket_ops,
		[TWIX_TIMERFD] = &twix_timerfd_ops,
		[TWIX_SIGNALFD] = &twix_signalfd_ops,
	};

	return f->kind < sizeof(all) / sizeof(all[0]) ? all[f->kind] : &no_ops;
}
