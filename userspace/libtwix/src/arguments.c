// SPDX-License-Identifier: BSD-3-Clause
/* How the arguments of calls point to memory. A call that looks at its pointers itself is not here. */
#include "twix.h"

#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>

/* How arguments point to memory: see TWIX_PTR_* in twix.h. INN and OUTN: as many bytes as argument n says. */
#define STRING TWIX_PTR_STRING
#define STRING_OR_NULL (TWIX_PTR_STRING | TWIX_PTR_MAY_BE_NULL)
#define IN(bytes) (TWIX_PTR_IN | (bytes))
#define IN_OR_NULL(bytes) (TWIX_PTR_IN | TWIX_PTR_MAY_BE_NULL | (bytes))
#define INN(n) (TWIX_PTR_IN | TWIX_PTR_COUNTED | (n))
#define OUT(bytes) (TWIX_PTR_OUT | (bytes))
#define OUT_OR_NULL(bytes) (TWIX_PTR_OUT | TWIX_PTR_MAY_BE_NULL | (bytes))
#define OUTN(n) (TWIX_PTR_OUT | TWIX_PTR_COUNTED | (n))
#define INOUT(bytes) (TWIX_PTR_OUT | TWIX_PTR_AT_ONCE | (bytes))
#define INOUT_OR_NULL(bytes) (INOUT(bytes) | TWIX_PTR_MAY_BE_NULL)

/* What Linux writes of a struct rusage, where the C library has more, and of a struct statx. */
#define TWIX_RUSAGE 144
#define TWIX_STATX 256

static const uint16_t arguments[][6] = {
	[SYS_getcwd] = { OUTN(1) },
	[SYS_epoll_ctl] = { 0, 0, 0, IN_OR_NULL(sizeof(struct epoll_event)) },
	[SYS_epoll_pwait] = { 0, 0, 0, 0, IN_OR_NULL(8) },
	[SYS_mkdirat] = { 0, STRING },
	[SYS_unlinkat] = { 0, STRING },
	[SYS_symlinkat] = { STRING, 0, STRING },
	[SYS_linkat] = { 0, STRING, 0, STRING },
	[SYS_statfs] = { STRING, OUT(sizeof(struct statfs)) },
	[SYS_fstatfs] = { 0, OUT(sizeof(struct statfs)) },
	[SYS_truncate] = { STRING },
	[SYS_faccessat] = { 0, STRING },
	[SYS_chdir] = { STRING },
	[SYS_fchmodat] = { 0, STRING },
	[SYS_fchownat] = { 0, STRING },
	[SYS_openat] = { 0, STRING },
	[SYS_mknodat] = { 0, STRING },
	[SYS_faccessat2] = { 0, STRING },
	[SYS_statx] = { 0, STRING, 0, 0, OUT(TWIX_STATX) },
	[SYS_getdents64] = { 0, OUTN(2) },
	[SYS_sendfile] = { 0, 0, INOUT_OR_NULL(sizeof(off_t)) },
	[SYS_copy_file_range] = { 0, INOUT_OR_NULL(sizeof(off_t)), 0, INOUT_OR_NULL(sizeof(off_t)) },
	[SYS_memfd_create] = { STRING },
	[SYS_getxattr] = { STRING, STRING, OUTN(3) },
	[SYS_lgetxattr] = { STRING, STRING, OUTN(3) },
	[SYS_fgetxattr] = { 0, STRING, OUTN(3) },
	[SYS_listxattr] = { STRING, OUTN(2) },
	[SYS_llistxattr] = { STRING, OUTN(2) },
	[SYS_flistxattr] = { 0, OUTN(2) },
	[SYS_setxattr] = { STRING, STRING, INN(3) },
	[SYS_lsetxattr] = { STRING, STRING, INN(3) },
	[SYS_fsetxattr] = { 0, STRING, INN(3) },
	[SYS_removexattr] = { STRING, STRING },
	[SYS_lremovexattr] = { STRING, STRING },
	[SYS_fremovexattr] = { 0, STRING },
	[SYS_readlinkat] = { 0, STRING, OUTN(3) },
	[SYS_newfstatat] = { 0, STRING, OUT(sizeof(struct stat)) },
	[SYS_fstat] = { 0, OUT(sizeof(struct stat)) },
	[SYS_utimensat] = { 0, STRING_OR_NULL, IN_OR_NULL(2 * sizeof(struct timespec)) },
	[SYS_nanosleep] = { IN(sizeof(struct timespec)), OUT_OR_NULL(sizeof(struct timespec)) },
	[SYS_get_robust_list] = { 0, OUT(sizeof(void *)), OUT(sizeof(size_t)) },
	[SYS_clock_gettime] = { 0, OUT(sizeof(struct timespec)) },
	[SYS_clock_getres] = { 0, OUT_OR_NULL(sizeof(struct timespec)) },
	[SYS_clock_nanosleep] = { 0, 0, IN(sizeof(struct timespec)), OUT_OR_NULL(sizeof(struct timespec)) },
	[SYS_getitimer] = { 0, OUT(sizeof(struct itimerval)) },
	[SYS_setitimer] = { 0, IN_OR_NULL(sizeof(struct itimerval)), OUT_OR_NULL(sizeof(struct itimerval)) },
	[SYS_timer_create] = { 0, IN_OR_NULL(sizeof(struct sigevent)) },
	[SYS_timer_settime] = { 0, 0, IN(sizeof(struct itimerspec)), OUT_OR_NULL(sizeof(struct itimerspec)) },
	[SYS_timer_gettime] = { 0, OUT(sizeof(struct itimerspec)) },
	[SYS_sched_getaffinity] = { 0, 0, OUT(8) },
#ifdef SYS_renameat
	[SYS_renameat] = { 0, STRING, 0, STRING },
#endif
	[SYS_renameat2] = { 0, STRING, 0, STRING },
	[SYS_recvfrom] = { 0, 0, 0, 0, 0, OUT_OR_NULL(sizeof(int)) },
	[SYS_sendmsg] = { 0, IN(sizeof(struct msghdr)) },
	[SYS_recvmsg] = { 0, INOUT(sizeof(struct msghdr)) },
	[SYS_getsockopt] = { 0, 0, 0, 0, INOUT(sizeof(int)) },
	[SYS_timerfd_settime] = { 0, 0, IN(sizeof(struct itimerspec)), OUT_OR_NULL(sizeof(struct itimerspec)) },
	[SYS_timerfd_gettime] = { 0, OUT(sizeof(struct itimerspec)) },
	[SYS_signalfd4] = { 0, IN(8) },
	[SYS_uname] = { OUT(sizeof(struct utsname)) },
	[SYS_getrusage] = { 0, OUT(TWIX_RUSAGE) },
	[SYS_gettimeofday] = { OUT_OR_NULL(sizeof(struct timeval)) },
	[SYS_execve] = { STRING },
	[SYS_wait4] = { 0, OUT_OR_NULL(sizeof(int)), 0, OUT_OR_NULL(TWIX_RUSAGE) },
	[SYS_ppoll] = { 0, 0, IN_OR_NULL(sizeof(struct timespec)), IN_OR_NULL(8) },
	[SYS_pselect6] = { 0, 0, 0, 0, IN_OR_NULL(sizeof(struct timespec)) },
	[SYS_rt_sigaction] = { 0, IN_OR_NULL(sizeof(struct twix_action)), OUT_OR_NULL(sizeof(struct twix_action)) },
	[SYS_rt_sigprocmask] = { 0, IN_OR_NULL(8), OUT_OR_NULL(8) },
	[SYS_rt_sigpending] = { OUTN(1) },
	[SYS_rt_sigsuspend] = { IN(8) },
	[SYS_getresuid] = { OUT(4), OUT(4), OUT(4) },
	[SYS_getresgid] = { OUT(4), OUT(4), OUT(4) },
	[SYS_waitid] = { 0, 0, OUT_OR_NULL(sizeof(siginfo_t)), 0, OUT_OR_NULL(TWIX_RUSAGE) },
	[SYS_sched_setscheduler] = { 0, 0, IN_OR_NULL(sizeof(struct sched_param)) },
	[SYS_sched_setparam] = { 0, IN_OR_NULL(sizeof(struct sched_param)) },
	[SYS_sched_rr_get_interval] = { 0, OUT(sizeof(struct timespec)) },
	[SYS_getcpu] = { OUT_OR_NULL(sizeof(int)), OUT_OR_NULL(sizeof(int)) },
	[SYS_times] = { OUT_OR_NULL(sizeof(struct tms)) },
	[SYS_sched_getparam] = { 0, OUT_OR_NULL(sizeof(struct sched_param)) },
	[SYS_sigaltstack] = { IN_OR_NULL(sizeof(stack_t)), OUT_OR_NULL(sizeof(stack_t)) },
	[SYS_rt_sigqueueinfo] = { 0, 0, IN(sizeof(siginfo_t)) },
	[SYS_rt_tgsigqueueinfo] = { 0, 0, 0, IN(sizeof(siginfo_t)) },
	[SYS_rt_sigtimedwait] = { IN(8), OUT_OR_NULL(sizeof(siginfo_t)), IN_OR_NULL(sizeof(struct timespec)) },
	[SYS_sysinfo] = { OUT(sizeof(struct sysinfo)) },
	[SYS_prlimit64] = { 0, 0, IN_OR_NULL(sizeof(struct rlimit)), OUT_OR_NULL(sizeof(struct rlimit)) },
	[SYS_getrandom] = { OUTN(1) },
};

const uint16_t *twix_arguments(long n)
{
	static const uint16_t none[6];

	return (size_t)n < sizeof(arguments) / sizeof(arguments[0]) ? arguments[n] : none;
}
