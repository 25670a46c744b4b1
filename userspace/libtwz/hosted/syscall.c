// SPDX-License-Identifier: BSD-3-Clause
/* The system calls that need no more than a line or two of the host; those it has not. */
#define _GNU_SOURCE
#include "hosted.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <twz/sys/sys.h>
#include <unistd.h>

_Noreturn void libtwz_refuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "twizzler: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	_exit(1);
}

long __twz_syscall6(long a0, long a1, long a2, long a3, long a4, long a5, long number)
{
	(void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
	return number == SYS_NULL ? 0 : -ENOSYS;
}

long sys_null(void)
{
	return 0;
}

/* --- console */

static long write_all(int fd, const char *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, buf + done, len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return (long)len;
}

long __sys_debug_print(const char *str, size_t len)
{
	return len > SYS_DEBUG_PRINT_MAX ? -EINVAL : write_all(STDERR_FILENO, str, len);
}

/* What the program printed by the C library's means comes first. */
long sys_kec_write(const void *buf, size_t len, uint64_t flags)
{
	if (len > SYS_KEC_WRITE_MAX || flags & ~(uint64_t)KEC_WRITE_DISCARD_ON_FULL)
		return -EINVAL;
	fflush(stdout);
	return write_all(STDOUT_FILENO, buf, len);
}

long sys_kec_read(void *buf, size_t len, uint64_t flags)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	if (flags & ~(uint64_t)KEC_READ_NONBLOCK)
		return -EINVAL;
	if (flags & KEC_READ_NONBLOCK && poll(&p, 1, 0) <= 0)
		return -EAGAIN;
	n = read(STDIN_FILENO, buf, len);
	if (n < 0)
		return -errno;
	return n == 0 && len ? -EPIPE : n;
}

/* --- clocks, random bytes */

long sys_random(void *buf, size_t len, uint64_t flags)
{
	size_t done = 0;

	if (len > SYS_RANDOM_MAX || flags & ~(uint64_t)SYS_RANDOM_NONBLOCK)
		return -EINVAL;
	while (done < len) {
		ssize_t n = getrandom((char *)buf + done, len - done, 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return (long)len;
}

long sys_clock(int clk, int op, struct timespec *ts)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };

	if (clk < 0 || clk > (int)TWZ_CLOCK_THREAD_CPU || op < 0 || op > (int)TWZ_CLOCK_SET)
		return -EINVAL;
	if (op == TWZ_CLOCK_SET)
		return clk == TWZ_CLOCK_REAL ? -EACCES : -EINVAL;
	if (__twz_probe(ts, sizeof(*ts), true) < 0)
		return -EFAULT;
	if (op == TWZ_CLOCK_RESOLUTION)
		return clock_getres(clocks[clk], ts) < 0 ? -errno : 0;
	return clock_gettime(clocks[clk], ts) < 0 ? -errno : 0;
}

uint64_t twz_cpu_counter(void)
{
	return twz_clock_ns();
}

/* --- threads */

static long get_stats(struct twz_thread_stats *stats)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	*stats = (struct twz_thread_stats){
		.cpu_ns = (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec,
	};
	return 0;
}

long sys_thrd_ctl(int op, long arg)
{
	switch (op) {
	case THRD_CTL_EXIT:
		__twz_thread_leave();
	case THRD_CTL_YIELD:
		return sched_yield();
	case THRD_CTL_GET_ID:
		*(objid_t *)arg = twz_thread_id();
		return 0;
	case THRD_CTL_GET_STATS:
		return get_stats((void *)arg);
	default:
		return -ENOSYS;
	}
}

/* --- the machine */

static long set_nameroot(objid_t id)
{
	unsigned place;

	if (!__twz_have_store())
		return -ENODEV;
	if (id && !__twz_file_exists(id, &place))
		return -ENOENT;
	return id && place != PLACE_STORE ? -EINVAL : __twz_places_set_nameroot(id);
}

static long root_action(struct sys_kaction_args *a)
{
	const objid_t *id = (const void *)a->arg;

	switch (a->cmd) {
	case KACTION_CMD_ROOT_SET_NAMEROOT:
		if (__twz_probe((void *)a->arg, sizeof(*id), false) < 0)
			return -EFAULT;
		return set_nameroot(*id);
	case KACTION_CMD_ROOT_SYNC:
		sync();
		return 0;
	default:
		return -ENOSYS;
	}
}

long sys_kaction(size_t count, struct sys_kaction_args *args)
{
	if (count > SYS_KACTION_MAX_OPS)
		return -EINVAL;
	if (__twz_probe(args, count * sizeof(*args), true) < 0)
		return -EFAULT;
	for (size_t i = 0; i < count; i++)
		if (args[i].flags & KACTION_VALID)
			args[i].result = args[i].id == KSO_ROOT_ID ? root_action(&args[i]) : -ENOENT;
	return 0;
}

/* What is mapped follows the entries by itself. */
long sys_invalidate(struct sys_invalidate_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ops[i].result = 0;
	return 0;
}

/* --- what there is not */

long(sys_thrd_spawn)(objid_t tid, struct thrd_spawn_args *args, int flags)
{
	(void)tid, (void)args, (void)flags;
	return -ENOSYS;
}

long __sys_thrd_spawn_ctrl(objid_t tid, struct thrd_spawn_args *args, int flags, objid_t *ctrl)
{
	(void)ctrl;
	return (sys_thrd_spawn)(tid, args, flags);
}

long sys_attach(objid_t parent, objid_t child, uint32_t flags, uint32_t type)
{
	(void)parent, (void)child, (void)flags, (void)type;
	return -ENOSYS;
}

long sys_detach(objid_t parent, objid_t child, uint32_t flags, uint32_t type)
{
	(void)parent, (void)child, (void)flags, (void)type;
	return -ENOSYS;
}

long(sys_become)(struct sys_become_args *args, long a0, long a1)
{
	(void)args, (void)a0, (void)a1;
	return -ENOSYS;
}

long sys_become_return(long result, long v1, long v2, long v3, long v4)
{
	(void)result, (void)v1, (void)v2, (void)v3, (void)v4;
	return -ENOSYS;
}

long sys_thrd_ctl2(objid_t tid, int op, long arg)
{
	(void)tid, (void)op, (void)arg;
	return -ENOSYS;
}

long sys_kconf(int cmd, long arg)
{
	(void)cmd, (void)arg;
	return -ENOSYS;
}

long sys_kqueue(objid_t id, int kq, int flags)
{
	(void)id, (void)kq, (void)flags;
	return -ENOSYS;
}
