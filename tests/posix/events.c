// SPDX-License-Identifier: BSD-3-Clause
/* Timers, counters of events, waiting for many files. Compared with Linux. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t rung;

static void ring(int sig)
{
	rung += sig == SIGALRM ? 1 : 100;
}

static void alarms(void)
{
	struct itimerval value = { .it_interval = { 0, 5000 }, .it_value = { 0, 5000 } }, old;
	pid_t pid;
	int status;

	signal(SIGALRM, ring);
	SAY(alarm(100));
	TELL("left", alarm(0) >= 99);
	SAY(alarm(0));
	SAY(setitimer(ITIMER_REAL, &value, NULL));
	while (rung < 3)
		usleep(1000);
	TELL("rang", rung >= 3);
	SAY(getitimer(ITIMER_REAL, &old));
	TELL("period", old.it_interval.tv_usec);
	memset(&value, 0, sizeof(value));
	SAY(setitimer(ITIMER_REAL, &value, &old));
	TELL("period", old.it_interval.tv_usec);
	value.it_value.tv_usec = 1000000;
	SAY(setitimer(ITIMER_REAL, &value, NULL));
	SAY(setitimer(9, &value, NULL));
	alarm(50);
	pid = fork();
	if (pid == 0)
		_exit((int)alarm(0));
	waitpid(pid, &status, 0);
	TELL("not the child's", WEXITSTATUS(status));
	alarm(0);
	pid = fork();
	if (pid == 0) {
		signal(SIGALRM, SIG_DFL);
		value.it_value.tv_usec = 20000;
		setitimer(ITIMER_REAL, &value, NULL);
		for (;;)
			;
	}
	waitpid(pid, &status, 0);
	TELL("ended by", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

static void timers(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec value = { .it_value = { 0, 3000000 } }, old;
	timer_t timer;

	rung = 0;
	signal(SIGUSR1, ring);
	SAY(timer_create(CLOCK_MONOTONIC, &event, &timer));
	SAY(timer_settime(timer, 0, &value, NULL));
	while (!rung)
		usleep(1000);
	TELL("rang", rung);
	SAY(timer_gettime(timer, &old));
	TELL("left", old.it_value.tv_sec + old.it_value.tv_nsec);
	clock_gettime(CLOCK_MONOTONIC, &value.it_value);
	value.it_value.tv_sec += 1000;
	SAY(timer_settime(timer, TIMER_ABSTIME, &value, NULL));
	SAY(timer_gettime(timer, &old));
	TELL("left", old.it_value.tv_sec >= 998 && old.it_value.tv_sec <= 1000);
	SAY(timer_delete(timer));
	SAY(timer_create(99, &event, &timer));
}

static void counters(void)
{
	uint64_t n = 5;
	int fd, status;
	pid_t pid;
	struct pollfd p;

	SAY(eventfd(0, 0x4000000));
	SAY(fd = eventfd(3, EFD_NONBLOCK));
	p = (struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT };
	SAY(poll(&p, 1, 0));
	TELL("ready", p.revents);
	SAY(read(fd, &n, 4));
	SAY(read(fd, &n, 8));
	TELL("value", n);
	SAY(read(fd, &n, 8));
	SAY(poll(&p, 1, 0));
	TELL("ready", p.revents);
	n = UINT64_MAX;
	SAY(write(fd, &n, 8));
	n--;
	SAY(write(fd, &n, 8));
	SAY(poll(&p, 1, 0));
	TELL("ready", p.revents);
	n = 1;
	SAY(write(fd, &n, 8));
	SAY(read(fd, &n, 8));
	TELL("value", n == UINT64_MAX - 1);
	SAY(pread(fd, &n, 8, 0));
	SAY(close(fd));
	SAY(fd = eventfd(0, EFD_SEMAPHORE));
	pid = fork();
	if (pid == 0) {
		n = 2;
		_exit(write(fd, &n, 8) != 8);
	}
	SAY(read(fd, &n, 8));
	TELL("value", n);
	SAY(read(fd, &n, 8));
	TELL("value", n);
	waitpid(pid, &status, 0);
	TELL("child", WEXITSTATUS(status));
	SAY(close(fd));
}

static int add(int ep, int op, int fd, uint32_t events, int tag)
{
	struct epoll_event e = { .events = events, .data.u32 = (uint32_t)tag };

	return epoll_ctl(ep, op, fd, &e);
}

static void tell_epoll(int ep, int timeout)
{
	struct epoll_event e[8];
	int n = epoll_wait(ep, e, 8, timeout);

	TELL("found", n);
	for (int tag = 0; tag < 8; tag++)
		for (int i = 0; i < n; i++)
			if (e[i].data.u32 == (uint32_t)tag)
				TELL("tag, events", tag * 10000 + e[i].events);
}

static void many(void)
{
	struct epoll_event e;
	int ep, fds[2], file, counter, status;
	char c;
	pid_t pid;

	SAY(epoll_create1(1));
	SAY(ep = epoll_create1(EPOLL_CLOEXEC));
	SAY(pipe(fds));
	SAY(file = open("epolled", O_RDWR | O_CREAT, 0600));
	SAY(counter = eventfd(0, 0));
	SAY(add(ep, EPOLL_CTL_ADD, file, EPOLLIN, 0));
	SAY(add(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 0));
	SAY(add(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0));
	SAY(add(fds[0], EPOLL_CTL_ADD, fds[1], EPOLLIN, 0));
	SAY(add(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN, 0));
	SAY(add(ep, EPOLL_CTL_DEL, fds[0], EPOLLIN, 0));
	SAY(add(ep, EPOLL_CTL_ADD, fds[0], EPOLLIN, 1));
	SAY(add(ep, EPOLL_CTL_ADD, fds[0], EPOLLIN, 1));
	SAY(add(ep, EPOLL_CTL_ADD, fds[1], EPOLLOUT, 2));
	SAY(add(ep, 7, fds[1], EPOLLOUT, 2));
	SAY(epoll_wait(ep, &e, 0, 0));
	SAY(epoll_wait(file, &e, 1, 0));
	tell_epoll(ep, -1);
	SAY(add(ep, EPOLL_CTL_MOD, fds[1], 0, 2));
	tell_epoll(ep, 5);
	pid = fork();
	if (pid == 0) {
		usleep(20000);
		_exit(write(fds[1], "ab", 2) != 2);
	}
	tell_epoll(ep, -1);
	tell_epoll(ep, -1);
	waitpid(pid, &status, 0);
	SAY(read(fds[0], &c, 1));
	tell_epoll(ep, -1);
	SAY(add(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 3));
	tell_epoll(ep, -1);
	tell_epoll(ep, 5);
	SAY(add(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLET, 4));
	tell_epoll(ep, -1);
	tell_epoll(ep, 5);
	SAY(read(fds[0], &c, 1));
	SAY(write(fds[1], "c", 1));
	tell_epoll(ep, -1);
	SAY(add(ep, EPOLL_CTL_ADD, counter, EPOLLIN, 5));
	pid = fork();
	if (pid == 0) {
		uint64_t one = 1;

		usleep(20000);
		_exit(write(counter, &one, 8) != 8);
	}
	tell_epoll(ep, -1);
	waitpid(pid, &status, 0);
	SAY(close(counter));
	tell_epoll(ep, 5);
	SAY(add(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN, 6));
	SAY(close(fds[1]));
	tell_epoll(ep, -1);
	SAY(add(ep, EPOLL_CTL_DEL, fds[0], 0, 0));
	SAY(close(fds[0]));
	SAY(close(file));
	SAY(close(ep));
	SAY(unlink("epolled"));
}

static int lock(int fd, int cmd, int type, off_t start, off_t length)
{
	struct flock l = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
	int r = fcntl(fd, cmd, &l);

	if (cmd == F_GETLK)
		printf("%d: type %d start %ld length %ld, its own %d\n", __LINE__, l.l_type, (long)l.l_start,
		    (long)l.l_len, l.l_pid == getppid());
	return r;
}

static void in_a_child(int fd)
{
	int status, own, ready[2];
	char byte;
	pid_t pid;

	SAY(pipe(ready));
	pid = fork();
	if (pid == 0) {
		SAY(lock(fd, F_SETLK, F_RDLCK, 0, 5));
		SAY(lock(fd, F_SETLK, F_RDLCK, 12, 1));
		SAY(lock(fd, F_SETLK, F_WRLCK, 12, 1));
		SAY(lock(fd, F_SETLK, F_WRLCK, 40, 0));
		SAY(lock(fd, F_GETLK, F_WRLCK, 0, 0));
		SAY(lock(fd, F_GETLK, F_WRLCK, 8, 0));
		SAY(flock(fd, LOCK_SH | LOCK_NB));
		SAY(own = open("locked", O_RDWR));
		SAY(flock(own, LOCK_SH | LOCK_NB));
		SAY(flock(own, LOCK_EX | LOCK_NB));
		close(ready[0]);
		close(ready[1]); /* it has looked at all there is */
		_exit(lock(fd, F_SETLKW, F_WRLCK, 0, 5));
	}
	close(ready[1]); /* nothing is said before the child has said all */
	(void)!read(ready[0], &byte, 1);
	close(ready[0]);
	lock(fd, F_SETLK, F_UNLCK, 0, 5);
	waitpid(pid, &status, 0);
	TELL("waited for the lock", WEXITSTATUS(status));
}

static void locks(void)
{
	int fd, other;

	SAY(fd = open("locked", O_RDWR | O_CREAT, 0600));
	SAY(lock(fd, F_SETLK, F_WRLCK, 0, 10));
	SAY(lock(fd, F_SETLK, F_RDLCK, 10, 10));
	SAY(lock(fd, F_SETLK, F_UNLCK, 5, 2));
	SAY(lock(fd, F_SETLK, 9, 0, 1));
	SAY(lock(fd, F_SETLK, F_WRLCK, -1, 1));
	SAY(lock(99, F_SETLK, F_WRLCK, 0, 1));
	SAY(flock(fd, LOCK_SH));
	SAY(flock(fd, 77));
	in_a_child(fd);
	SAY(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	SAY(other = open("locked", O_RDONLY));
	SAY(lock(other, F_SETLK, F_WRLCK, 0, 1));
	SAY(flock(other, LOCK_EX | LOCK_NB));
	SAY(close(other));
	in_a_child(fd);
	SAY(close(fd));
	SAY(unlink("locked"));
}

static void waiting_for_signals(void)
{
	struct timespec soon = { 0, 5000000 }, bad = { 0, 1000000000 };
	sigset_t set, before;
	siginfo_t info;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &before);
	SAY(sigtimedwait(&set, &info, &soon));
	SAY(sigtimedwait(&set, &info, &bad));
	raise(SIGUSR1);
	SAY(sigtimedwait(&set, &info, NULL));
	TELL("signal", info.si_signo);
	ualarm(10000, 0);
	SAY(sigwait(&set, &sig));
	TELL("signal", sig);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void other_stack(void)
{
	static char space[65536];
	stack_t ss = { .ss_sp = space, .ss_size = sizeof(space) }, old;

	SAY(sigaltstack(NULL, &old));
	TELL("flags", old.ss_flags);
	SAY(sigaltstack(&ss, NULL));
	SAY(sigaltstack(NULL, &old));
	TELL("flags", old.ss_flags);
	TELL("size", old.ss_size);
	ss.ss_size = 16;
	SAY(sigaltstack(&ss, NULL));
	ss.ss_flags = SS_DISABLE;
	SAY(sigaltstack(&ss, NULL));
}

static void room(void)
{
	int fd;

	SAY(fd = open("room", O_RDWR | O_CREAT, 0600));
	SAY(posix_fallocate(fd, 10, 20));
	SAY(lseek(fd, 0, SEEK_END));
	SAY(posix_fallocate(fd, 0, 5));
	SAY(lseek(fd, 0, SEEK_END));
	SAY(posix_fallocate(fd, 0, 0));
	SAY(posix_fallocate(99, 0, 1));
	SAY(close(fd));
	SAY(unlink("room"));
}

/* An alarm goes on when another program begins: that is this one again, which then waits for it. */
static void across_exec(char *self)
{
	char *args[] = { self, "wait", NULL }, path[256];
	struct itimerval value = { .it_value = { 0, 200000 } };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		snprintf(path, sizeof(path), "/bin/%s", self);
		signal(SIGALRM, SIG_DFL);
		setitimer(ITIMER_REAL, &value, NULL);
		execv(self[0] == '/' ? self : path, args);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	TELL("ended by", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

static void poll_for_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	SAY(poll(&p, 1, 0));
	TELL("ready", p.revents);
}

/* 4096 bytes are written in one piece, or not at all. */
static void pieces(void)
{
	static char block[4096];
	int fds[2];

	SAY(pipe2(fds, O_NONBLOCK));
	while (write(fds[1], block, sizeof(block)) == sizeof(block))
		;
	SAY(read(fds[0], block, 100));
	poll_for_room(fds[1]);
	SAY(write(fds[1], block, sizeof(block)));
	SAY(read(fds[0], block, sizeof(block) - 100));
	poll_for_room(fds[1]);
	SAY(write(fds[1], block, sizeof(block)));
	SAY(write(fds[1], block, 0));
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	while (argc > 1)
		pause();
	alarms();
	timers();
	across_exec(argv[0]);
	counters();
	many();
	locks();
	waiting_for_signals();
	other_stack();
	room();
	pieces();
	return 0;
}
