// SPDX-License-Identifier: BSD-3-Clause
/*
 * TWIX_TRACE=1 in the environment: a line on the console for every call, when it returns. Those that
 * do not return have theirs before, with a question mark.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <twz/env.h>
#include <twz/sys/kec.h>

#define STRING_MOST 48

bool twix_tracing;

/* d: a number; f: a directory's descriptor; o: permissions; p: flags or an address; s: a string. */
static const struct known {
	const char *name, *args;
} known[] = {
#define CALL(name, args) [SYS_##name] = { #name, args }
	CALL(getcwd, "pd"), CALL(eventfd2, "dp"), CALL(epoll_create1, "p"), CALL(epoll_ctl, "dddp"),
	CALL(epoll_pwait, "dpddp"), CALL(dup, "d"), CALL(dup3, "ddp"), CALL(fcntl, "ddp"),
	CALL(ioctl, "dpp"), CALL(flock, "dd"), CALL(mkdirat, "fso"), CALL(unlinkat, "fsp"),
	CALL(symlinkat, "sfs"), CALL(linkat, "fsfsp"), CALL(statfs, "sp"), CALL(fstatfs, "dp"),
	CALL(truncate, "sd"), CALL(ftruncate, "dd"), CALL(fallocate, "dddd"), CALL(faccessat, "fso"),
	CALL(chdir, "s"), CALL(fchdir, "d"), CALL(fchmod, "do"), CALL(fchmodat, "fso"),
	CALL(fchownat, "fsddp"), CALL(fchown, "ddd"), CALL(openat, "fspo"), CALL(close, "d"),
	CALL(pipe2, "pp"), CALL(getdents64, "dpd"), CALL(lseek, "ddd"), CALL(read, "dpd"),
	CALL(write, "dpd"), CALL(readv, "dpd"), CALL(writev, "dpd"), CALL(pread64, "dpdd"),
	CALL(pwrite64, "dpdd"), CALL(preadv, "dpdd"), CALL(pwritev, "dpdd"), CALL(sendfile, "ddpd"),
	CALL(pselect6, "dppppp"), CALL(ppoll, "pdpp"), CALL(readlinkat, "fspd"),
	CALL(newfstatat, "fspp"), CALL(fstat, "dp"), CALL(sync, ""), CALL(fsync, "d"),
	CALL(fdatasync, "d"), CALL(utimensat, "fspp"), CALL(exit, "d"), CALL(exit_group, "d"),
	CALL(waitid, "ddppp"), CALL(set_tid_address, "p"), CALL(futex, "pddppd"),
	CALL(set_robust_list, "pd"), CALL(get_robust_list, "dpp"), CALL(nanosleep, "pp"), CALL(getitimer, "dp"),
	CALL(setitimer, "dpp"), CALL(timer_create, "dpp"), CALL(timer_gettime, "dp"),
	CALL(timer_getoverrun, "d"), CALL(timer_settime, "dppp"), CALL(timer_delete, "d"),
	CALL(clock_settime, "dp"), CALL(clock_gettime, "dp"), CALL(clock_getres, "dp"),
	CALL(clock_nanosleep, "dppp"), CALL(sched_setscheduler, "ddp"), CALL(sched_getscheduler, "d"),
	CALL(sched_getparam, "dp"), CALL(sched_setaffinity, "ddp"), CALL(sched_getaffinity, "ddp"),
	CALL(sched_yield, ""), CALL(sched_get_priority_max, "d"), CALL(sched_get_priority_min, "d"),
	CALL(kill, "dd"), CALL(tkill, "dd"), CALL(tgkill, "ddd"), CALL(sigaltstack, "pp"),
	CALL(rt_sigsuspend, "pd"), CALL(rt_sigaction, "dppd"), CALL(rt_sigprocmask, "dppd"),
	CALL(rt_sigpending, "pd"), CALL(rt_sigtimedwait, "pppd"), CALL(setpriority, "ddd"),
	CALL(getpriority, "dd"), CALL(setgid, "d"), CALL(setuid, "d"), CALL(times, "p"),
	CALL(setpgid, "dd"), CALL(getpgid, "d"), CALL(getsid, "d"), CALL(setsid, ""),
	CALL(getgroups, "dp"), CALL(setgroups, "dp"), CALL(uname, "p"), CALL(getrusage, "dp"),
	CALL(umask, "o"), CALL(prctl, "dp"), CALL(gettimeofday, "pp"), CALL(getpid, ""),
	CALL(getppid, ""), CALL(getuid, ""), CALL(geteuid, ""), CALL(getgid, ""), CALL(getegid, ""),
	CALL(gettid, ""), CALL(sysinfo, "p"), CALL(socket, "ddd"), CALL(brk, "p"), CALL(munmap, "pd"),
	CALL(mremap, "pddpp"), CALL(clone, "pp"), CALL(execve, "spp"), CALL(mmap, "pdppdd"),
	CALL(mprotect, "pdp"), CALL(msync, "pdp"), CALL(madvise, "pdd"), CALL(wait4, "dppp"),
	CALL(prlimit64, "ddpp"), CALL(renameat2, "fsfsp"), CALL(getrandom, "pdp"),
	CALL(socketpair, "dpdp"), CALL(bind, "dpd"), CALL(listen, "dd"), CALL(accept, "dpp"),
	CALL(accept4, "dppp"), CALL(connect, "dpd"), CALL(getsockname, "dpp"), CALL(getpeername, "dpp"),
	CALL(sendto, "dpdppd"), CALL(recvfrom, "dpdppp"), CALL(sendmsg, "dpp"), CALL(recvmsg, "dpp"),
	CALL(setsockopt, "dddpd"), CALL(getsockopt, "dddpp"), CALL(shutdown, "dd"), CALL(mknodat, "fsop"),
	CALL(timerfd_create, "dp"), CALL(timerfd_settime, "dppp"), CALL(timerfd_gettime, "dp"),
	CALL(signalfd4, "dpdp"), CALL(membarrier, "dp"), CALL(copy_file_range, "dpdpdp"), CALL(statx, "fsppp"),
#ifdef SYS_renameat
	CALL(renameat, "fsfs"),
#endif
};

static const char *const errors[] = {
#define ERROR(name) [name] = #name
	ERROR(EPERM), ERROR(ENOENT), ERROR(ESRCH), ERROR(EINTR), ERROR(EIO), ERROR(ENXIO), ERROR(E2BIG),
	ERROR(ENOEXEC), ERROR(EBADF), ERROR(ECHILD), ERROR(EAGAIN), ERROR(ENOMEM), ERROR(EACCES),
	ERROR(EFAULT), ERROR(EBUSY), ERROR(EEXIST), ERROR(EXDEV), ERROR(ENODEV), ERROR(ENOTDIR),
	ERROR(EISDIR), ERROR(EINVAL), ERROR(ENFILE), ERROR(EMFILE), ERROR(ENOTTY), ERROR(ETXTBSY),
	ERROR(EFBIG), ERROR(ENOSPC), ERROR(ESPIPE), ERROR(EROFS), ERROR(EMLINK), ERROR(EPIPE),
	ERROR(EDOM), ERROR(ERANGE), ERROR(EDEADLK), ERROR(ENAMETOOLONG), ERROR(ENOLCK), ERROR(ENOSYS),
	ERROR(ENOTEMPTY), ERROR(ELOOP), ERROR(EOVERFLOW), ERROR(EOPNOTSUPP), ERROR(ETIMEDOUT),
};

struct line {
	size_t n;
	char text[480];
};

static void put(struct line *l, const char *s)
{
	size_t n = strlen(s), room = sizeof(l->text) - l->n;

	n = n < room ? n : room;
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

static void put_number(struct line *l, unsigned long value, unsigned base)
{
	char digits[24], *at = digits + sizeof(digits) - 1;

	*at = 0;
	do
		*--at = "0123456789abcdef"[value % base];
	while (value /= base);
	put(l, base == 16 ? "0x" : base == 8 ? "0" : "");
	put(l, at);
}

static void put_signed(struct line *l, long value)
{
	if (value < 0)
		put(l, "-");
	put_number(l, value < 0 ? -(unsigned long)value : (unsigned long)value, 10);
}

static void put_string(struct line *l, const char *s)
{
	char some[STRING_MOST + 1];
	size_t n;

	if (!s) {
		put(l, "NULL");
		return;
	}
	n = strnlen(s, STRING_MOST);
	for (size_t i = 0; i < n; i++)
		some[i] = (unsigned char)s[i] < ' ' ? '.' : s[i];
	some[n] = 0;
	put(l, "\"");
	put(l, some);
	put(l, s[n] ? "\"…" : "\"");
}

static void put_argument(struct line *l, char how, long value)
{
	if (how == 's')
		put_string(l, (const char *)value);
	else if (how == 'f' && (int)value == AT_FDCWD)
		put(l, "AT_FDCWD");
	else if (how == 'd' || how == 'f')
		put_signed(l, value);
	else
		put_number(l, (unsigned long)value, how == 'o' ? 8 : 16);
}

static void put_call(struct line *l, long n, const long a[6])
{
	const struct known *k = n >= 0 && (size_t)n < sizeof(known) / sizeof(known[0]) ? &known[n] : NULL;
	const char *args = k && k->name ? k->args : "pppppp";

	put(l, "twix[");
	put_signed(l, twix_self()->pid);
	put(l, "] ");
	if (k && k->name) {
		put(l, k->name);
	} else {
		put(l, "call ");
		put_signed(l, n);
	}
	put(l, "(");
	for (int i = 0; args[i]; i++) {
		put(l, i ? ", " : "");
		put_argument(l, args[i], a[i]);
	}
	put(l, ") = ");
}

static void put_result(struct line *l, long r)
{
	const char *name = r < 0 && r > -(long)(sizeof(errors) / sizeof(errors[0])) ? errors[-r] : NULL;

	if (name) {
		put(l, "-");
		put(l, name);
	} else if (r > UINT32_MAX) {
		put_number(l, (unsigned long)r, 16);
	} else {
		put_signed(l, r);
	}
}

static void show(struct line *l)
{
	if (l->n == sizeof(l->text))
		l->n--;
	l->text[l->n++] = '\n';
	kec_write(l->text, l->n);
}

void twix_trace_begin(long n, const long a[6])
{
	struct line l = { .n = 0 };

	if (n != SYS_exit && n != SYS_exit_group && n != SYS_execve)
		return;
	put_call(&l, n, a);
	put(&l, "?");
	show(&l);
}

void twix_trace_end(long n, const long a[6], long r)
{
	struct line l = { .n = 0 };

	put_call(&l, n, a);
	put_result(&l, r);
	show(&l);
}

void twix_trace_init(void)
{
	for (const char *e = twz_env_next(NULL); e; e = twz_env_next(e))
		if (strcmp(e, "TWIX_TRACE=1") == 0)
			twix_tracing = true;
}
