// SPDX-License-Identifier: BSD-3-Clause
/* Which function does which call. The numbers are Linux's for all newer machines. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

static twix_call *const calls[] = {
	[SYS_getcwd] = twix_getcwd,
	[SYS_eventfd2] = twix_eventfd2,
	[SYS_epoll_create1] = twix_epoll_create1,
	[SYS_epoll_ctl] = twix_epoll_ctl,
	[SYS_epoll_pwait] = twix_epoll_pwait,
	[SYS_dup] = twix_dup,
	[SYS_dup3] = twix_dup3,
	[SYS_fcntl] = twix_fcntl,
	[SYS_flock] = twix_flock,
	[SYS_ioctl] = twix_ioctl,
	[SYS_mkdirat] = twix_mkdirat,
	[SYS_unlinkat] = twix_unlinkat,
	[SYS_symlinkat] = twix_symlinkat,
	[SYS_linkat] = twix_linkat,
	[SYS_statfs] = twix_statfs,
	[SYS_fstatfs] = twix_fstatfs,
	[SYS_truncate] = twix_truncate,
	[SYS_ftruncate] = twix_ftruncate,
	[SYS_faccessat] = twix_faccessat,
	[SYS_chdir] = twix_chdir,
	[SYS_fchdir] = twix_fchdir,
	[SYS_fchmod] = twix_fchmod,
	[SYS_fchmodat] = twix_fchmodat,
	[SYS_fchownat] = twix_fchownat,
	[SYS_fchown] = twix_fchown,
	[SYS_openat] = twix_openat,
	[SYS_close] = twix_close,
	[SYS_close_range] = twix_close_range,
	[SYS_mknodat] = twix_mknodat,
	[SYS_faccessat2] = twix_faccessat2,
	[SYS_statx] = twix_statx,
	[SYS_getdents64] = twix_getdents64,
	[SYS_lseek] = twix_lseek,
	[SYS_read] = twix_read,
	[SYS_write] = twix_write,
	[SYS_readv] = twix_readv,
	[SYS_writev] = twix_writev,
	[SYS_pread64] = twix_pread,
	[SYS_pwrite64] = twix_pwrite,
	[SYS_preadv] = twix_preadv,
	[SYS_pwritev] = twix_pwritev,
	[SYS_sendfile] = twix_sendfile,
	[SYS_copy_file_range] = twix_copy_file_range,
	[SYS_preadv2] = twix_preadv2,
	[SYS_pwritev2] = twix_pwritev2,
	[SYS_fadvise64] = twix_fadvise,
	[SYS_syncfs] = twix_syncfs,
	[SYS_sync_file_range] = twix_sync_file_range,
	[SYS_memfd_create] = twix_memfd_create,
	[SYS_getxattr] = twix_getxattr,
	[SYS_lgetxattr] = twix_lgetxattr,
	[SYS_fgetxattr] = twix_fgetxattr,
	[SYS_listxattr] = twix_listxattr,
	[SYS_llistxattr] = twix_llistxattr,
	[SYS_flistxattr] = twix_flistxattr,
	[SYS_setxattr] = twix_setxattr,
	[SYS_lsetxattr] = twix_lsetxattr,
	[SYS_fsetxattr] = twix_fsetxattr,
	[SYS_removexattr] = twix_setxattr,
	[SYS_lremovexattr] = twix_lsetxattr,
	[SYS_fremovexattr] = twix_fsetxattr,
	[SYS_readlinkat] = twix_readlinkat,
	[SYS_newfstatat] = twix_fstatat,
	[SYS_fstat] = twix_fstat,
	[SYS_sync] = twix_sync,
	[SYS_fsync] = twix_fsync,
	[SYS_fdatasync] = twix_fsync,
	[SYS_utimensat] = twix_utimensat,
	[SYS_exit] = twix_exit,
	[SYS_exit_group] = twix_exit_group,
	[SYS_set_tid_address] = twix_set_tid_address,
	[SYS_futex] = twix_futex,
	[SYS_set_robust_list] = twix_set_robust_list,
	[SYS_get_robust_list] = twix_get_robust_list,
	[SYS_nanosleep] = twix_nanosleep,
	[SYS_clock_gettime] = twix_clock_gettime,
	[SYS_clock_getres] = twix_clock_getres,
	[SYS_clock_nanosleep] = twix_clock_nanosleep,
	[SYS_getitimer] = twix_getitimer,
	[SYS_setitimer] = twix_setitimer,
	[SYS_timer_create] = twix_timer_create,
	[SYS_timer_settime] = twix_timer_settime,
	[SYS_timer_gettime] = twix_timer_gettime,
	[SYS_timer_getoverrun] = twix_timer_getoverrun,
	[SYS_timer_delete] = twix_timer_delete,
	[SYS_sched_getaffinity] = twix_sched_getaffinity,
	[SYS_sched_yield] = twix_sched_yield,
#ifdef SYS_renameat
	[SYS_renameat] = twix_renameat,
#endif
	[SYS_renameat2] = twix_renameat2,
	[SYS_umask] = twix_umask,
	[SYS_uname] = twix_uname,
	[SYS_getrusage] = twix_getrusage,
	[SYS_gettimeofday] = twix_gettimeofday,
	[SYS_getpid] = twix_getpid,
	[SYS_getppid] = twix_getppid,
	[SYS_getpgid] = twix_getpgid,
	[SYS_setpgid] = twix_setpgid,
	[SYS_getsid] = twix_getsid,
	[SYS_setsid] = twix_setsid,
	[SYS_clone] = twix_clone,
	[SYS_execve] = twix_execve,
	[SYS_wait4] = twix_wait4,
	[SYS_kill] = twix_kill,
	[SYS_tkill] = twix_tkill,
	[SYS_tgkill] = twix_tgkill,
	[SYS_ppoll] = twix_ppoll,
	[SYS_pselect6] = twix_pselect6,
	[SYS_pipe2] = twix_pipe2,
	[SYS_rt_sigaction] = twix_rt_sigaction,
	[SYS_rt_sigprocmask] = twix_rt_sigprocmask,
	[SYS_rt_sigpending] = twix_rt_sigpending,
	[SYS_rt_sigsuspend] = twix_rt_sigsuspend,
	[SYS_setuid] = twix_setuid,
	[SYS_setgid] = twix_setgid,
	[SYS_setreuid] = twix_setreuid,
	[SYS_setregid] = twix_setregid,
	[SYS_setresuid] = twix_setresuid,
	[SYS_setresgid] = twix_setresgid,
	[SYS_getresuid] = twix_getresuid,
	[SYS_getresgid] = twix_getresgid,
	[SYS_setfsuid] = twix_setfsuid,
	[SYS_setfsgid] = twix_setfsgid,
	[SYS_getgroups] = twix_getgroups,
	[SYS_setgroups] = twix_setgroups,
	[SYS_waitid] = twix_waitid,
	[SYS_prctl] = twix_prctl,
	[SYS_mincore] = twix_mincore,
	[SYS_mlock] = twix_mlock,
	[SYS_munlock] = twix_mlock,
	[SYS_mlock2] = twix_mlock2,
	[SYS_mlockall] = twix_mlockall,
	[SYS_munlockall] = twix_munlockall,
	[SYS_timerfd_create] = twix_timerfd_create,
	[SYS_timerfd_settime] = twix_timerfd_settime,
	[SYS_timerfd_gettime] = twix_timerfd_gettime,
	[SYS_signalfd4] = twix_signalfd4,
	[SYS_socket] = twix_socket,
	[SYS_socketpair] = twix_socketpair,
	[SYS_bind] = twix_bind,
	[SYS_listen] = twix_listen,
	[SYS_accept] = twix_accept,
	[SYS_accept4] = twix_accept,
	[SYS_connect] = twix_connect,
	[SYS_getsockname] = twix_getsockname,
	[SYS_getpeername] = twix_getpeername,
	[SYS_sendto] = twix_sendto,
	[SYS_recvfrom] = twix_recvfrom,
	[SYS_sendmsg] = twix_sendmsg,
	[SYS_recvmsg] = twix_recvmsg,
	[SYS_setsockopt] = twix_setsockopt,
	[SYS_getsockopt] = twix_getsockopt,
	[SYS_shutdown] = twix_shutdown,
	[SYS_personality] = twix_personality,
	[SYS_sethostname] = twix_sethostname,
	[SYS_setdomainname] = twix_setdomainname,
	[SYS_getpriority] = twix_getpriority,
	[SYS_setpriority] = twix_setpriority,
	[SYS_sched_setaffinity] = twix_sched_setaffinity,
	[SYS_sched_setscheduler] = twix_sched_setscheduler,
	[SYS_sched_setparam] = twix_sched_setparam,
	[SYS_sched_rr_get_interval] = twix_sched_rr_get_interval,
	[SYS_getcpu] = twix_getcpu,
	[SYS_times] = twix_times,
	[SYS_sched_getscheduler] = twix_sched_getscheduler,
	[SYS_sched_getparam] = twix_sched_getparam,
	[SYS_sched_get_priority_max] = twix_sched_priority_max,
	[SYS_sched_get_priority_min] = twix_sched_priority_min,
	[SYS_sigaltstack] = twix_sigaltstack,
	[SYS_rt_sigqueueinfo] = twix_rt_sigqueueinfo,
	[SYS_rt_tgsigqueueinfo] = twix_rt_tgsigqueueinfo,
	[SYS_rt_sigtimedwait] = twix_rt_sigtimedwait,
	[SYS_fallocate] = twix_fallocate,
	[SYS_getuid] = twix_getuid,
	[SYS_geteuid] = twix_geteuid,
	[SYS_getgid] = twix_getgid,
	[SYS_getegid] = twix_getegid,
	[SYS_gettid] = twix_gettid,
	[SYS_sysinfo] = twix_sysinfo,
	[SYS_brk] = twix_brk,
	[SYS_munmap] = twix_munmap,
	[SYS_mremap] = twix_mremap,
	[SYS_mmap] = twix_mmap,
	[SYS_mprotect] = twix_mprotect,
	[SYS_msync] = twix_msync,
	[SYS_madvise] = twix_madvise,
	[SYS_prlimit64] = twix_prlimit,
	[SYS_getrandom] = twix_getrandom,
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* What an interrupted call of these says must be seen: time has passed, or a mask was set. */
bool twix_restarts(long n, const long args[6])
{
	if (n == SYS_futex)
		return !args[3];
	return n != SYS_ppoll && n != SYS_epoll_pwait && n != SYS_pselect6 && n != SYS_nanosleep && n != SYS_clock_nanosleep &&
	       n != SYS_rt_sigsuspend && n != SYS_rt_sigtimedwait;
}

static bool has_pointers(const uint16_t kinds[6])
{
	uint64_t four;
	uint32_t two;

	memcpy(&four, kinds, sizeof(four));
	memcpy(&two, kinds + 4, sizeof(two));
	return four | two;
}

static long call(long n, const long args[6])
{
	const uint16_t *kinds = twix_arguments(n);
	unsigned bad = has_pointers(kinds) ? twix_bad_pointers(kinds, args) : 0;

	return bad ? twix_call_with_bad(calls[n], kinds, args, bad) : calls[n](args);
}

static long perform(long n, const long args[6])
{
	bool again;
	long r;

	if (n < 0 || (size_t)n >= CALLS || !calls[n])
		return -ENOSYS;
	do {
		twix_signal_enter();
		r = call(n, args);
		again = twix_signal_leave(r == -EINTR) && r == -EINTR && twix_restarts(n, args);
	} while (again);
	return r;
}

static __attribute__((noinline)) long perform_traced(long n, const long args[6])
{
	long r;

	twix_trace_begin(n, args);
	r = perform(n, args);
	twix_trace_end(n, args, r);
	return r;
}

long __twix_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	const long args[6] = { a, b, c, d, e, f };

	return __builtin_expect(twix_tracing, 0) ? perform_traced(n, args) : perform(n, args);
}
