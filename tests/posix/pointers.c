// SPDX-License-Identifier: BSD-3-Clause
/* Calls with pointers that lead nowhere: each gives EFAULT, and nothing is left half done. */
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Directly, so that no C library looks at the pointers first. */
#define CALL(name, ...) say(__LINE__, #name "(" #__VA_ARGS__ ")", syscall(SYS_##name, __VA_ARGS__))

static void say(int line, const char *call, long result)
{
	printf("%d: %s = %ld (errno %d)\n", line, call, result, result == -1 ? errno : 0);
	fflush(stdout);
}

static void *nowhere = (void *)64; /* in the first page, which is never there */
static char *constant = "constant";

static void on_paths(void)
{
	CALL(openat, AT_FDCWD, nowhere, O_RDONLY);
	CALL(openat, AT_FDCWD, NULL, O_RDONLY);
	CALL(openat, AT_FDCWD, (void *)-1, O_RDONLY);
	CALL(openat, AT_FDCWD, (void *)0x7000000000000000, O_RDONLY);
	CALL(mkdirat, AT_FDCWD, nowhere, 0755);
	CALL(unlinkat, AT_FDCWD, nowhere, 0);
	CALL(symlinkat, nowhere, AT_FDCWD, "link");
	CALL(symlinkat, "link", AT_FDCWD, nowhere);
	CALL(linkat, AT_FDCWD, "pointers", AT_FDCWD, nowhere, 0);
	CALL(renameat2, AT_FDCWD, "pointers", AT_FDCWD, nowhere, 0);
	CALL(chdir, nowhere);
	CALL(truncate, nowhere, 0);
	CALL(faccessat, AT_FDCWD, nowhere, F_OK);
	CALL(fchmodat, AT_FDCWD, nowhere, 0644);
	CALL(statfs, nowhere, nowhere);
	CALL(statfs, ".", nowhere);
	CALL(newfstatat, AT_FDCWD, nowhere, nowhere, 0);
	CALL(newfstatat, AT_FDCWD, "none", nowhere, 0);
	CALL(newfstatat, AT_FDCWD, ".", nowhere, 0);
	CALL(readlinkat, AT_FDCWD, "none", nowhere, 10);
	CALL(getcwd, nowhere, 100);
	CALL(execve, nowhere, NULL, NULL);
}

static void on_descriptors(int fd)
{
	struct iovec v[2] = { { "abc", 3 }, { nowhere, 3 } }, first[2] = { { nowhere, 3 }, { "abc", 3 } };
	char buf[16];

	CALL(read, fd, nowhere, 1);
	CALL(read, fd, nowhere, 0);
	CALL(read, fd, constant, 1);
	CALL(read, 99, nowhere, 1);
	CALL(write, fd, nowhere, 1);
	CALL(write, fd, nowhere, 0);
	CALL(write, fd, NULL, 5);
	CALL(write, 99, nowhere, 1);
	CALL(pread64, fd, nowhere, 4, 0);
	CALL(pwrite64, fd, nowhere, 4, 0);
	CALL(readv, fd, nowhere, 1);
	CALL(writev, fd, nowhere, 1);
	CALL(writev, fd, first, 2);
	SAY(lseek(fd, 0, SEEK_CUR));
	CALL(writev, fd, v, 2);
	SAY(lseek(fd, 0, SEEK_CUR));
	SAY(pread(fd, buf, 3, 0) == 3 && !memcmp(buf, "abc", 3));
	CALL(fstat, fd, nowhere);
	CALL(fstat, 99, nowhere);
	CALL(fstatfs, fd, nowhere);
	CALL(fcntl, fd, F_SETLK, nowhere);
	CALL(fcntl, 99, F_SETLK, nowhere);
	CALL(getdents64, fd, nowhere, 100);
	CALL(sendfile, fd, fd, nowhere, 10);
	CALL(ioctl, fd, FIONBIO, nowhere);
	CALL(timerfd_settime, 99, 0, nowhere, NULL);
	CALL(signalfd4, -1, nowhere, 8, 0);
}

static void on_pipes(void)
{
	struct pollfd *bad = nowhere;
	int fds[2];
	char c;

	CALL(pipe2, nowhere, 0);
	CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, nowhere);
	SAY(dup(0)); /* the next: nothing was left open */
	SAY(pipe(fds));
	CALL(write, fds[1], nowhere, 1);
	CALL(write, fds[1], "x", 1);
	CALL(read, fds[0], nowhere, 1);
	CALL(read, fds[0], &c, 1);
	CALL(ppoll, bad, 1, NULL, NULL, 8);
	CALL(ppoll, NULL, 0, nowhere, NULL, 8);
	CALL(pselect6, fds[0] + 1, nowhere, NULL, NULL, NULL, NULL);
	CALL(pselect6, 0, NULL, NULL, NULL, nowhere, NULL);
	close(fds[0]);
	close(fds[1]);
}

static void on_sockets(void)
{
	struct iovec pieces[2] = { { "ab", 2 }, { nowhere, 2 } };
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 2 }, bad = { .msg_iov = nowhere, .msg_iovlen = 1 };
	int fds[2];
	char c;

	SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	CALL(sendto, fds[0], nowhere, 2, 0, NULL, 0);
	CALL(sendto, fds[0], "xyz", 3, 0, NULL, 0);
	CALL(sendmsg, fds[0], nowhere, 0);
	CALL(sendmsg, fds[0], &bad, 0);
	CALL(sendmsg, fds[0], &m, 0);
	CALL(recvmsg, fds[1], nowhere, 0);
	CALL(recvmsg, fds[1], &bad, 0);
	CALL(recvfrom, fds[1], &c, 1, 0, NULL, NULL);
	CALL(setsockopt, fds[1], SOL_SOCKET, SO_SNDBUF, nowhere, 4);
	CALL(getsockopt, fds[1], SOL_SOCKET, SO_TYPE, nowhere, nowhere);
	CALL(getsockname, fds[1], nowhere, nowhere);
	close(fds[0]);
	close(fds[1]);
}

/* Memory that ends within what a call is told: what stands before the end is used. */
static void on_edges(int fd)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *edge = two + 4096 - 10;
	int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR), full = open("/dev/full", O_RDWR), fds[2];

	SAY(munmap(two + 4096, 4096));
	SAY(pipe(fds));
	memcpy(edge, "0123456789", 10);
	CALL(pwrite64, fd, edge, 10, 0);
	CALL(pwrite64, fd, edge, 11, 0);
	CALL(pwrite64, fd, edge, 100000, 0);
	CALL(pwrite64, fd, edge, 0x7fffffff, 0);
	CALL(pwrite64, fd, edge, -1l, 0);
	SAY(lseek(fd, 0, SEEK_END));
	CALL(pread64, fd, edge + 5, 10, 0);
	CALL(pread64, fd, edge + 9, 0x7fffffff, 3);
	SAY(edge[9]);
	CALL(pread64, fd, edge, 0x7fffffff, 10);
	CALL(write, fds[1], edge, 11);
	CALL(write, fds[1], edge, 10);
	CALL(read, fds[0], edge, 0x7fffffff);
	CALL(read, zero, edge, 11);
	CALL(read, zero, nowhere, 1);
	CALL(read, null, nowhere, 1);
	CALL(read, full, nowhere, 1);
	CALL(write, zero, nowhere, 1);
	CALL(write, null, nowhere, 1);
	CALL(write, full, nowhere, 1);
	CALL(uname, edge);
	CALL(openat, AT_FDCWD, edge, O_RDONLY);
	memcpy(edge, "aaaaaaaaaa", 10);
	CALL(openat, AT_FDCWD, edge, O_RDONLY);
	CALL(msync, two, 8192, MS_SYNC);
	CALL(msync, two, 4096, MS_SYNC);
	CALL(msync, two, 4096, MS_SYNC | MS_ASYNC);
	CALL(msync, nowhere, 1, MS_SYNC);
	CALL(msync, (void *)4096, 1, 64);
}

static void on_futexes(void)
{
	struct timespec wrong = { 0, -1 };
	int word = 5;

	CALL(futex, nowhere, 0, 1, NULL);
	CALL(futex, nowhere, 128, 1, NULL);
	CALL(futex, nowhere, 1, 1, NULL);
	CALL(futex, nowhere, 129, 1, NULL);
	CALL(futex, (void *)-4096, 129, 1, NULL);
	CALL(futex, (void *)65, 129, 1, NULL);
	CALL(futex, &word, 128, 5, nowhere);
	CALL(futex, &word, 128, 4, nowhere);
	CALL(futex, &word, 128, 5, &wrong);
	CALL(futex, &word, 128, 4, NULL);
	CALL(futex, nowhere, 77, 1, NULL);
}

/* A thread's end writes to a place that may be anywhere. */
static void on_ends(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_set_tid_address, nowhere);
		syscall(SYS_exit, 4);
	}
	SAY(waitpid(pid, &status, 0) == pid && status == 4 << 8);
}

static void on_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fds[2], list = epoll_create1(0);

	SAY(pipe(fds));
	CALL(epoll_ctl, list, EPOLL_CTL_ADD, fds[0], nowhere);
	CALL(epoll_ctl, list, EPOLL_CTL_ADD, fds[0], &event);
	CALL(epoll_pwait, list, nowhere, 1, 0, NULL, 8);
	CALL(epoll_pwait, list, &event, 1, 0, nowhere, 8);
	close(fds[0]);
	close(fds[1]);
	close(list);
}

static void on_time(void)
{
	CALL(clock_gettime, CLOCK_MONOTONIC, nowhere);
	CALL(clock_gettime, 77, nowhere);
	CALL(nanosleep, nowhere, NULL);
	CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, nowhere, NULL);
	CALL(setitimer, ITIMER_REAL, nowhere, NULL);
	CALL(getitimer, ITIMER_REAL, nowhere);
	CALL(utimensat, AT_FDCWD, ".", nowhere, 0);
	CALL(times, nowhere);
}

static void on_processes(void)
{
	int status;
	pid_t pid;

	CALL(rt_sigaction, SIGUSR1, nowhere, NULL, 8);
	CALL(rt_sigaction, SIGUSR1, NULL, nowhere, 8);
	CALL(rt_sigprocmask, SIG_BLOCK, nowhere, NULL, 8);
	CALL(rt_sigprocmask, SIG_BLOCK, NULL, nowhere, 8);
	CALL(rt_sigsuspend, nowhere, 8);
	CALL(rt_sigtimedwait, nowhere, NULL, NULL, 8);
	CALL(sigaltstack, nowhere, NULL);
	CALL(uname, nowhere);
	CALL(sysinfo, nowhere);
	CALL(getrusage, RUSAGE_SELF, nowhere);
	CALL(prlimit64, 0, RLIMIT_NOFILE, NULL, nowhere);
	CALL(prlimit64, 0, RLIMIT_NOFILE, nowhere, NULL);
	CALL(getrandom, nowhere, 16, 0);
	CALL(wait4, -1, nowhere, 0, NULL);
	pid = fork();
	if (pid == 0)
		_exit(3);
	CALL(wait4, pid, nowhere, 0, NULL);
	SAY(waitpid(pid, &status, 0));
	CALL(getresuid, nowhere, nowhere, nowhere);
	CALL(getcpu, nowhere, NULL, NULL);
	CALL(sched_setaffinity, 0, 8, nowhere);
	CALL(sched_getaffinity, 0, 1024, nowhere);
	CALL(sched_getparam, 0, nowhere);
	CALL(prctl, PR_SET_NAME, nowhere);
	CALL(prctl, PR_GET_NAME, nowhere);
	CALL(prctl, PR_GET_PDEATHSIG, nowhere);
	pid = fork();
	if (pid == 0)
		_exit(3);
	CALL(waitid, P_PID, pid, nowhere, WEXITED, NULL);
	SAY(waitpid(pid, &status, 0));
}

int main(void)
{
	int fd = open("pointers", O_CREAT | O_TRUNC | O_RDWR, 0644);

	on_paths();
	on_descriptors(fd);
	on_pipes();
	on_sockets();
	on_edges(fd);
	on_futexes();
	on_ends();
	on_epoll();
	on_time();
	on_processes();
	unlink("pointers");
	return 0;
}
