// SPDX-License-Identifier: BSD-3-Clause
/* Thousands of descriptors, limits, locks of open files, epoll in all its forms. Compared with Linux. */
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
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 3000

static int fds[MANY];

#define close_range(...) syscall(SYS_close_range, __VA_ARGS__)

static void limits(void)
{
	struct rlimit r = { 20, 4096 };
	int fd, n = 0;

	SAY(setrlimit(RLIMIT_NOFILE, &r));
	SAY(getrlimit(RLIMIT_NOFILE, &r));
	TELL("soft", r.rlim_cur);
	TELL("hard", r.rlim_max);
	while ((fd = dup(0)) >= 0)
		n = fd;
	TELL("errno", errno);
	TELL("last", n);
	SAY(open("/dev/null", O_RDONLY));
	SAY(pipe(fds));
	SAY(fcntl(0, F_DUPFD, 20));
	SAY(fcntl(0, F_DUPFD, 19));
	SAY(dup2(0, 20));
	SAY(eventfd(0, 0));
	SAY(epoll_create1(0));
	SAY(close_range(3, 10, 0));
	SAY(dup(0));
	SAY(close_range(5, 4, 0));
	SAY(close_range(3, ~0u, 0));
	SAY(dup(0));
	SAY(close(3));
	r.rlim_cur = 4097;
	SAY(setrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = 4096;
	SAY(setrlimit(RLIMIT_NOFILE, &r));
	SAY(getrlimit(99, &r));
}

static void thousands(void)
{
	struct epoll_event e = { .events = EPOLLIN }, got[8];
	struct pollfd *p = calloc(MANY, sizeof(*p));
	uint64_t one = 1;
	int ep, status, bad = 0;
	pid_t pid;

	SAY(ep = epoll_create1(0));
	for (int i = 0; i < MANY; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK);
		e.data.u32 = (uint32_t)i;
		bad += fds[i] < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	}
	TELL("bad", bad);
	SAY(fds[MANY - 1]);
	SAY(epoll_wait(ep, got, 8, 0));
	SAY(write(fds[MANY - 3], &one, 8));
	SAY(epoll_wait(ep, got, 8, -1));
	TELL("which", got[0].data.u32);
	SAY(poll(p, MANY, -1));
	TELL("ready", p[MANY - 3].revents);
	pid = fork();
	if (pid == 0)
		_exit(write(fds[7], &one, 8) != 8 || read(fds[MANY - 3], &one, 8) != 8);
	waitpid(pid, &status, 0);
	TELL("child", WEXITSTATUS(status));
	SAY(epoll_wait(ep, got, 8, -1));
	TELL("which", got[0].data.u32);
	pid = fork();
	if (pid == 0) {
		usleep(10000);
		_exit(write(fds[2000], &one, 8) != 8);
	}
	SAY(read(fds[7], &one, 8));
	SAY(epoll_wait(ep, got, 8, -1));
	TELL("which", got[0].data.u32);
	waitpid(pid, &status, 0);
	for (int i = 0; i < MANY; i++)
		bad += close(fds[i]) != 0;
	TELL("bad", bad);
	SAY(epoll_wait(ep, got, 8, 0));
	SAY(close(ep));
	free(p);
}

static int lock(int fd, int cmd, int type, off_t at, off_t len)
{
	struct flock fl = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = len };
	int r = fcntl(fd, cmd, &fl);

	if (r == 0 && (cmd == F_GETLK || cmd == F_OFD_GETLK))
		return fl.l_type * 10 + (fl.l_pid == -1);
	return r;
}

static void locks(void)
{
	int a, b, status, to[2];
	pid_t pid;
	char c;

	SAY(a = open("locks", O_CREAT | O_RDWR, 0600));
	SAY(b = open("locks", O_RDWR));
	SAY(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
	SAY(lock(b, F_OFD_SETLK, F_RDLCK, 5, 1));
	SAY(lock(b, F_OFD_GETLK, F_RDLCK, 5, 1));
	SAY(lock(b, F_SETLK, F_WRLCK, 5, 1));
	SAY(lock(b, F_SETLK, F_WRLCK, 10, 1));
	SAY(lock(a, F_OFD_SETLK, F_WRLCK, 0, 20));
	SAY(lock(a, F_OFD_SETLK, F_UNLCK, 0, 0));
	SAY(lock(b, F_SETLK, F_UNLCK, 0, 0));
	SAY(lock(a, F_SETLK, F_WRLCK, 0, 1));
	SAY(pipe(to));
	pid = fork();
	if (pid == 0) {
		lock(a, F_SETLK, F_WRLCK, 1, 1);
		c = 1;
		if (write(to[1], &c, 1) != 1)
			_exit(9);
		_exit(lock(a, F_SETLKW, F_WRLCK, 0, 1) == 0 ? 0 : errno);
	}
	SAY(read(to[0], &c, 1));
	usleep(50000);
	SAY(lock(a, F_SETLKW, F_WRLCK, 1, 1));
	SAY(lock(a, F_SETLK, F_UNLCK, 0, 1));
	waitpid(pid, &status, 0);
	TELL("child", WEXITSTATUS(status));
	SAY(fcntl(to[0], F_GETPIPE_SZ));
	SAY(fcntl(a, F_GETPIPE_SZ));
	SAY(fcntl(a, 12345));
	SAY(close(to[0]) | close(to[1]) | close(a) | close(b) | unlink("locks"));
}

static int add(int ep, int op, int fd, uint32_t events, int tag)
{
	struct epoll_event e = { .events = events, .data.u32 = (uint32_t)tag };

	return epoll_ctl(ep, op, fd, &e);
}

static void tell(int ep, int timeout)
{
	struct epoll_event e[8];
	int n = epoll_wait(ep, e, 8, timeout);

	TELL("found", n);
	for (int tag = 0; tag < 8; tag++)
		for (int i = 0; i < n; i++)
			if (e[i].data.u32 == (uint32_t)tag)
				TELL("tag, events", tag * 10000 + e[i].events);
}

static void polling(void)
{
	int ep, outer, to[2], more[2];
	struct pollfd p;
	fd_set set;
	char c;

	SAY(ep = epoll_create1(0));
	SAY(outer = epoll_create1(0));
	SAY(pipe(to));
	SAY(add(outer, EPOLL_CTL_ADD, ep, EPOLLIN, 1));
	SAY(add(ep, EPOLL_CTL_ADD, outer, EPOLLIN, 1));
	SAY(add(ep, EPOLL_CTL_ADD, to[0], EPOLLIN | EPOLLEXCLUSIVE, 2));
	SAY(add(ep, EPOLL_CTL_MOD, to[0], EPOLLIN, 2));
	p = (struct pollfd){ .fd = ep, .events = POLLIN };
	SAY(poll(&p, 1, 0));
	tell(outer, 0);
	SAY(write(to[1], "x", 1));
	SAY(poll(&p, 1, 1000));
	TELL("ready", p.revents);
	tell(outer, 1000);
	tell(ep, 1000);
	SAY(read(to[0], &c, 1));
	tell(outer, 0);
	FD_ZERO(&set);
	FD_SET(ep, &set);
	SAY(select(ep + 1, &set, NULL, NULL, &(struct timeval){ 0, 0 }));
	SAY(close(to[1]));
	tell(ep, 1000);
	p = (struct pollfd){ .fd = to[0], .events = POLLIN | POLLRDHUP };
	SAY(poll(&p, 1, 0));
	TELL("ready", p.revents);
	SAY(close(to[0]));
	tell(ep, 0);
	SAY(pipe(more));
	SAY(add(ep, EPOLL_CTL_ADD, more[1], EPOLLOUT | EPOLLET, 3));
	tell(ep, 0);
	tell(ep, 0);
	SAY(close(more[0]));
	tell(ep, 1000);
	tell(ep, 0);
	p = (struct pollfd){ .fd = more[1], .events = 0 };
	SAY(poll(&p, 1, 0));
	TELL("ready", p.revents);
	p.fd = 999;
	SAY(poll(&p, 1, 0));
	TELL("ready", p.revents);
	p.fd = -1;
	SAY(poll(&p, 1, 0));
	FD_ZERO(&set);
	FD_SET(999, &set);
	SAY(select(1000, &set, NULL, NULL, &(struct timeval){ 0, 0 }));
	SAY(select(-1, NULL, NULL, NULL, &(struct timeval){ 0, 0 }));
	SAY(close(more[1]) | close(ep) | close(outer));
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	close_range(3, ~0u, 0);
	limits();
	thousands();
	locks();
	polling();
	return 0;
}
