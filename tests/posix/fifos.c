// SPDX-License-Identifier: BSD-3-Clause
/* Pipes with names, and what pipes tell of themselves. */
#define _GNU_SOURCE
#include "posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[200000];

static int ready(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	poll(&p, 1, 0);
	return p.revents;
}

#define READY(fd) printf("%d: ready %s: %x\n", __LINE__, #fd, ready(fd, POLLIN | POLLOUT))

static void names(void)
{
	struct stat st;
	int fd;

	SAY(mkfifo("f", 0640));
	SAY(mkfifo("f", 0640));
	SAY(mkfifo("none/f", 0640));
	SAY(mkfifo("", 0640));
	SAY(mkfifo("f/g", 0640));
	SAY(mknod("g", S_IFIFO | 0600, 0));
	SAY(mknod("s", S_IFSOCK | 0600, 0));
	SAY(mknod("d", S_IFDIR | 0600, 0));
	SAY(open("s", O_RDWR));
	SAY(stat("s", &st));
	SAY(S_ISSOCK(st.st_mode));
	SAY(unlink("s"));
	SAY(stat("f", &st));
	SAY(S_ISFIFO(st.st_mode));
	SAY(st.st_mode & 0777);
	SAY(st.st_size);
	SAY(st.st_nlink);
	SAY(chmod("f", 0600));
	SAY(link("f", "h"));
	SAY(stat("f", &st));
	SAY(st.st_nlink);
	SAY(st.st_mode & 0777);
	SAY(rename("h", "i"));
	SAY(unlink("i"));
	SAY(open("f", O_RDONLY | O_DIRECTORY));
	SAY(open("f", O_CREAT | O_EXCL | O_RDWR, 0600));
	SAY(truncate("f", 0));
	SAY(access("f", R_OK | W_OK) | access("f", F_OK));
	fd = open("f", O_PATH);
	SAY(read(fd, buf, 1));
	SAY(fstat(fd, &st));
	SAY(S_ISFIFO(st.st_mode));
	close(fd);
}

static void one_process(void)
{
	int r, w, rw, size = -1;
	struct stat st;

	SAY(open("f", O_WRONLY | O_NONBLOCK));
	r = open("f", O_RDONLY | O_NONBLOCK);
	TELL("reader", r >= 0);
	READY(r);
	SAY(read(r, buf, 10));
	SAY(write(r, buf, 10));
	SAY(lseek(r, 0, SEEK_SET));
	SAY(ftruncate(r, 0));
	SAY(fstat(r, &st));
	SAY(S_ISFIFO(st.st_mode));
	SAY(fsync(r));
	SAY(fchmod(r, 0640));
	w = open("f", O_WRONLY | O_NONBLOCK);
	TELL("writer", w >= 0);
	READY(r);
	READY(w);
	SAY(read(r, buf, 10));
	SAY(read(w, buf, 10));
	SAY(write(w, "hello", 5));
	SAY(ioctl(r, FIONREAD, &size));
	SAY(size);
	READY(r);
	SAY(read(r, buf, 3));
	SAY(close(w));
	READY(r);
	SAY(read(r, buf, 10));
	READY(r);
	SAY(read(r, buf, 10));
	w = open("f", O_WRONLY | O_NONBLOCK);
	READY(r);
	READY(w);
	SAY(read(r, buf, 10));
	SAY(fcntl(r, F_GETPIPE_SZ));
	SAY(write(w, buf, sizeof(buf)) >= 65536);
	READY(w);
	SAY(read(r, buf, sizeof(buf)) >= 65536);
	SAY(close(r));
	READY(w);
	signal(SIGPIPE, SIG_IGN);
	SAY(write(w, "x", 1));
	r = open("f", O_RDONLY);
	SAY(write(w, "again", 5));
	SAY(close(r));
	r = open("f", O_RDONLY | O_NONBLOCK);
	SAY(read(r, buf, 10));
	close(w);
	close(r);
	rw = open("f", O_RDWR);
	READY(rw);
	SAY(write(rw, "both", 4));
	READY(rw);
	SAY(read(rw, buf, 10));
	fcntl(rw, F_SETFL, O_NONBLOCK);
	SAY(read(rw, buf, 10));
	SAY(write(rw, "lost", 4));
	close(rw);
	r = open("f", O_RDONLY | O_NONBLOCK);
	SAY(read(r, buf, 10));
	close(r);
}

/* Each opens its side first in one of the rounds. */
static void two_processes(void)
{
	int status, fd;
	pid_t pid;

	for (int round = 0; round < 20; round++) {
		pid = fork();
		if (!pid) {
			if (round % 3 == 1)
				usleep(2000);
			fd = open("f", O_WRONLY);
			for (int i = 0; i < 50; i++)
				if (write(fd, buf, 3000) != 3000)
					_exit(1);
			_exit(0);
		}
		if (round % 3 == 2)
			usleep(2000);
		fd = open("f", O_RDONLY);
		long all = 0, n;
		while ((n = read(fd, buf, 5000)) > 0)
			all += n;
		close(fd);
		waitpid(pid, &status, 0);
		if (all != 150000 || status || n)
			TELL("lost", all);
	}
	TELL("rounds", 20);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* By one of many: the first may come before there is a wait. */
static void interrupt(int flags)
{
	int r, error;

	ualarm(20000, 20000);
	r = open("f", flags);
	error = errno;
	ualarm(0, 0);
	TELL("opened", r);
	TELL("error", error);
}

static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	int status, fd;
	pid_t pid;

	sigaction(SIGALRM, &sa, NULL);
	interrupt(O_RDONLY);
	interrupt(O_WRONLY);
	SAY(open("f", O_WRONLY | O_NONBLOCK));
	pid = fork();
	if (!pid) {
		fd = open("f", O_RDONLY);
		_exit(1);
	}
	usleep(20000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	SAY(open("f", O_WRONLY | O_NONBLOCK));
	pid = fork();
	if (!pid) {
		fd = open("f", O_RDONLY);
		_exit(read(fd, buf, 10) == 4 ? 7 : 1);
	}
	fd = open("f", O_WRONLY);
	SAY(unlink("f"));
	SAY(write(fd, "gone", 4));
	waitpid(pid, &status, 0);
	SAY(WEXITSTATUS(status));
	SAY(write(fd, "gone", 4));
	close(fd);
	SAY(open("f", O_WRONLY | O_NONBLOCK));
}

/* A wait that began before there was a writer. */
static void waits(void)
{
	struct epoll_event ev = { .events = EPOLLIN }, got[2];
	struct pollfd p;
	int r, e, status;
	pid_t pid;

	SAY(mkfifo("f", 0600));
	r = open("f", O_RDONLY | O_NONBLOCK);
	e = epoll_create1(0);
	SAY(epoll_ctl(e, EPOLL_CTL_ADD, r, &ev));
	for (int round = 0; round < 2; round++) {
		pid = fork();
		if (!pid) {
			usleep(10000);
			int w = open("f", O_WRONLY);
			usleep(10000);
			write(w, "x", 1);
			usleep(10000);
			_exit(0);
		}
		if (round) {
			SAY(epoll_wait(e, got, 2, round ? 5000 : -1));
			TELL("events", got[0].events & EPOLLIN);
		} else {
			p = (struct pollfd){ r, POLLIN, 0 };
			SAY(poll(&p, 1, 5000));
			TELL("revents", p.revents & POLLIN);
		}
		SAY(read(r, buf, 10));
		p = (struct pollfd){ r, POLLIN, 0 };
		SAY(poll(&p, 1, 5000));
		TELL("revents", p.revents);
		waitpid(pid, &status, 0);
		close(r);
		r = open("f", O_RDONLY | O_NONBLOCK);
		SAY(epoll_ctl(e, EPOLL_CTL_ADD, r, &ev));
	}
	close(r);
	close(e);
	unlink("f");
	unlink("g");
}

static void plain_pipe(void)
{
	int p[2], size;

	pipe(p);
	SAY(ioctl(p[0], FIONREAD, &size));
	SAY(size);
	write(p[1], buf, 1234);
	SAY(ioctl(p[0], FIONREAD, &size));
	SAY(size);
	SAY(ioctl(p[1], FIONREAD, &size));
	SAY(size);
	SAY(ioctl(p[0], TIOCGWINSZ, buf));
	SAY(fcntl(p[0], F_GETPIPE_SZ));
	SAY(fcntl(p[0], F_SETPIPE_SZ, 4096) >= 4096);
	SAY(fcntl(0, F_SETPIPE_SZ, -1) == -1);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	names();
	one_process();
	two_processes();
	interrupted();
	waits();
	plain_pipe();
	return 0;
}
