// SPDX-License-Identifier: BSD-3-Clause
/* Pairs of sockets. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[300000];
static int s[2];

static int ready(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	poll(&p, 1, 0);
	return p.revents;
}

#define READY(fd) printf("%d: ready %s: %x\n", __LINE__, #fd, ready(fd, POLLIN | POLLOUT | POLLRDHUP))

static long message(int fd, int parts, size_t each, int send, int flags)
{
	struct iovec v[4];
	struct msghdr m = { .msg_iov = v, .msg_iovlen = parts };
	long r;

	for (int i = 0; i < parts; i++)
		v[i] = (struct iovec){ buf + 100 * i, each };
	if (send)
		return sendmsg(fd, &m, flags);
	r = recvmsg(fd, &m, flags);
	if (r >= 0)
		printf("%d: flags %x, name %d, control %d\n", __LINE__, m.msg_flags, (int)m.msg_namelen, (int)m.msg_controllen);
	return r;
}

static void refused(void)
{
	SAY(socketpair(AF_UNIX, 77, 0, s));
	SAY(socketpair(AF_UNIX, SOCK_STREAM, 5, s));
	SAY(socketpair(99, SOCK_STREAM, 0, s));
	SAY(socketpair(AF_UNIX, SOCK_STREAM | 0x10000, 0, s));
	SAY(send(0, "x", 1, 0));
	SAY(send(999, "x", 1, 0));
	SAY(recv(0, buf, 1, 0));
	SAY(shutdown(0, 0));
	SAY(socket(99, SOCK_STREAM, 0));
}

static void about(int type)
{
	struct sockaddr_un un;
	socklen_t n = sizeof(int);
	struct stat st;
	int value = -1;

	SAY(socketpair(AF_UNIX, type, 0, s));
	SAY(fstat(s[0], &st));
	SAY(S_ISSOCK(st.st_mode));
	SAY(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &n));
	SAY(value);
	SAY(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &value, &n));
	SAY(value);
	SAY(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &value, &n));
	SAY(value);
	SAY(getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, &n));
	SAY(value);
	SAY(getsockopt(s[0], SOL_SOCKET, 9999, &value, &n));
	SAY(setsockopt(s[0], SOL_SOCKET, 9999, &value, n));
	SAY(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, 2));
	n = sizeof(un);
	SAY(getsockname(s[0], (struct sockaddr *)&un, &n));
	SAY(n);
	SAY(un.sun_family);
	n = sizeof(un);
	SAY(getpeername(s[0], (struct sockaddr *)&un, &n));
	SAY(n);
	SAY(listen(s[0], 5));
	SAY(accept(s[0], NULL, NULL));
	SAY(lseek(s[0], 0, SEEK_SET));
	SAY(ioctl(s[0], TIOCGWINSZ, buf));
	SAY(fsync(s[0]));
	SAY(ftruncate(s[0], 0));
	SAY(recv(s[0], buf, 1, MSG_DONTWAIT));
	SAY(fcntl(s[0], F_GETFL));
	READY(s[0]);
}

static void streams(void)
{
	int size = -1;

	SAY(write(s[0], "hello, ", 7));
	SAY(send(s[0], "world", 5, 0));
	SAY(ioctl(s[1], FIONREAD, &size));
	SAY(size);
	READY(s[1]);
	SAY(read(s[1], buf, 100));
	SAY(memcmp(buf, "hello, world", 12));
	SAY(message(s[1], 3, 10, 1, 0));
	SAY(message(s[0], 2, 10, 0, 0));
	SAY(message(s[0], 2, 10, 0, MSG_DONTWAIT));
	SAY(message(s[0], 2, 10, 0, MSG_DONTWAIT));
	SAY(message(s[0], 0, 0, 1, 0));
	SAY(send(s[0], buf, 0, 0));
	SAY(recv(s[0], buf, 0, MSG_DONTWAIT));
	SAY(send(s[0], buf, sizeof(buf), MSG_DONTWAIT) > 60000);
	READY(s[0]);
	SAY(send(s[0], buf, sizeof(buf), MSG_DONTWAIT));
	SAY(recv(s[1], buf, 60000, MSG_WAITALL));
	SAY(shutdown(s[0], 9));
	SAY(shutdown(s[0], SHUT_WR));
	SAY(send(s[0], "x", 1, MSG_NOSIGNAL));
	while (recv(s[1], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	READY(s[1]);
	SAY(recv(s[1], buf, 10, 0));
	SAY(send(s[1], "back", 4, 0));
	SAY(recv(s[0], buf, 10, 0));
	SAY(shutdown(s[0], SHUT_RD));
	SAY(recv(s[0], buf, 10, 0));
	SAY(send(s[1], "back", 4, MSG_NOSIGNAL));
	READY(s[0]);
	READY(s[1]);
	close(s[0]);
	READY(s[1]);
	close(s[1]);
}

static void ends(void)
{
	SAY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s));
	SAY(fcntl(s[0], F_GETFD));
	SAY(fcntl(s[0], F_GETFL) & O_NONBLOCK ? 1 : 0);
	SAY(read(s[0], buf, 1));
	SAY(write(s[0], "left", 4));
	close(s[0]);
	READY(s[1]);
	SAY(read(s[1], buf, 10));
	SAY(read(s[1], buf, 10));
	SAY(write(s[1], "x", 1));
	close(s[1]);
	SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	SAY(write(s[0], "left", 4));
	SAY(write(s[1], "not read", 8));
	close(s[0]);
	READY(s[1]);
	SAY(read(s[1], buf, 10));
	SAY(read(s[1], buf, 10));
	SAY(read(s[1], buf, 10));
	SAY(send(s[1], "x", 1, MSG_NOSIGNAL));
	close(s[1]);
}

static void messages(int type)
{
	about(type);
	SAY(write(s[0], "one", 3));
	SAY(write(s[0], "twotwo", 6));
	SAY(send(s[0], buf, 0, 0));
	SAY(message(s[0], 3, 10, 1, 0));
	READY(s[1]);
	SAY(read(s[1], buf, 100));
	SAY(message(s[1], 1, 4, 0, 0));
	SAY(recv(s[1], buf, 100, 0));
	SAY(recv(s[1], buf, 10, MSG_TRUNC));
	SAY(recv(s[1], buf, 100, MSG_DONTWAIT));
	SAY(send(s[0], buf, sizeof(buf), 0));
	SAY(send(s[0], buf, 100000, 0));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	SAY(send(s[0], "last", 4, 0));
	SAY(shutdown(s[0], SHUT_WR));
	SAY(send(s[0], "more", 4, MSG_NOSIGNAL));
	READY(s[0]);
	READY(s[1]);
	SAY(recv(s[1], buf, 100, MSG_DONTWAIT));
	SAY(recv(s[1], buf, 100, MSG_DONTWAIT));
	SAY(send(s[1], "back", 4, 0));
	close(s[0]);
	READY(s[1]);
	if (type != SOCK_SEQPACKET) {
		SAY(send(s[1], "back", 4, MSG_NOSIGNAL));
		SAY(recv(s[1], buf, 100, MSG_DONTWAIT));
	}
	close(s[1]);
}

/* Between processes, with waits on both sides. */
static void talk(int type)
{
	int status, wrong = 0;

	SAY(socketpair(AF_UNIX, type, 0, s));
	if (!fork()) {
		close(s[0]);
		for (int n; (n = read(s[1], buf, 5000)) > 0;)
			if (write(s[1], buf, n) != n)
				_exit(1);
		_exit(0);
	}
	close(s[1]);
	for (int i = 1; i < 200; i++) {
		int n = i * 17 % 4000 + 1, done = 0, r;

		memset(buf, i, n);
		wrong += write(s[0], buf, n) != n;
		memset(buf, 0, n);
		while (done < n && (r = read(s[0], buf + done, n - done)) > 0)
			done += r;
		wrong += done != n || buf[0] != (char)i || buf[n - 1] != (char)i;
	}
	TELL("wrong", wrong);
	if (type == SOCK_DGRAM)
		write(s[0], "", 0); /* its end is not told */
	close(s[0]);
	if (type != SOCK_DGRAM) {
		wait(&status);
		TELL("status", status);
	}
}

static void polled(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP }, got[2];
	int e, status;

	SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	e = epoll_create1(0);
	SAY(epoll_ctl(e, EPOLL_CTL_ADD, s[0], &ev));
	SAY(epoll_wait(e, got, 2, 0));
	if (!fork()) {
		close(s[0]);
		usleep(10000);
		write(s[1], "x", 1);
		read(s[1], buf, 1);
		_exit(0);
	}
	close(s[1]);
	SAY(epoll_wait(e, got, 2, 5000));
	TELL("events", got[0].events);
	SAY(read(s[0], buf, 10));
	SAY(epoll_wait(e, got, 2, 0));
	SAY(write(s[0], "y", 1));
	SAY(epoll_wait(e, got, 2, 5000));
	TELL("events", got[0].events);
	wait(&status);
	SAY(read(s[0], buf, 10));
	close(s[0]);
	close(e);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	refused();
	about(SOCK_STREAM);
	streams();
	ends();
	messages(SOCK_SEQPACKET);
	messages(SOCK_DGRAM);
	talk(SOCK_STREAM);
	talk(SOCK_SEQPACKET);
	polled();
	return 0;
}
