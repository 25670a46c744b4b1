// SPDX-License-Identifier: BSD-3-Clause
/* Processes, pipes, signals, threads. Compared with Linux. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int status_of(pid_t pid)
{
	int status = -1;

	TELL("waited for it", waitpid(pid, &status, 0) == pid);
	return status;
}

static void children(void)
{
	volatile int here = 1;
	int status;
	pid_t pid;

	SAY(wait(&status));
	SAY(waitpid(1 << 20, &status, 0));
	pid = fork();
	if (pid == 0) {
		here = 2;
		_exit(here + 40);
	}
	status = status_of(pid);
	TELL("exit code", WEXITSTATUS(status));
	TELL("own copy", here);
	SAY(waitpid(pid, &status, 0));
	pid = fork();
	if (pid == 0) {
		raise(SIGTERM);
		_exit(1);
	}
	status = status_of(pid);
	TELL("signal", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	pid = fork();
	if (pid == 0)
		abort();
	status = status_of(pid);
	TELL("signal", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	SAY(waitpid(pid, &status, WNOHANG));
	SAY(kill(pid, 0));
	SAY(kill(pid, SIGKILL));
	status = status_of(pid);
	TELL("signal", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	SAY(kill(pid, 0));
	SAY(kill(getpid(), 99));
}

static void stopping(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(9);
	}
	waitpid(pid, &status, WUNTRACED);
	TELL("stopped", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
	SAY(kill(pid, SIGCONT));
	TELL("waited", waitpid(pid, &status, 0) == pid);
	TELL("exit code", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void pipes(void)
{
	char buf[16];
	int fd[2];
	pid_t pid;

	SAY(pipe(fd));
	SAY(write(fd[1], "abc", 3));
	SAY(read(fd[0], buf, 2));
	SAY(read(fd[0], buf, 2));
	SAY(write(fd[0], "x", 1));
	SAY(read(fd[1], buf, 1));
	SAY(lseek(fd[0], 0, SEEK_SET));
	SAY(fcntl(fd[0], F_SETFL, O_NONBLOCK));
	SAY(read(fd[0], buf, 1));
	SAY(close(fd[1]));
	SAY(read(fd[0], buf, 1));
	SAY(close(fd[0]));
	SAY(pipe(fd));
	SAY(close(fd[0]));
	signal(SIGPIPE, SIG_IGN);
	SAY(write(fd[1], "x", 1));
	signal(SIGPIPE, SIG_DFL);
	pid = fork();
	if (pid == 0) {
		(void)!write(fd[1], "x", 1);
		_exit(0);
	}
	int status = status_of(pid);
	TELL("signal", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	SAY(close(fd[1]));
}

/* More than a pipe holds, through three processes. */
static void a_long_pipe(void)
{
	int first[2], second[2];
	char buf[1000];
	long total = 0, sum = 0;
	ssize_t n;

	if (pipe(first) || pipe(second))
		return;
	if (fork() == 0) {
		for (int i = 0; i < 300; i++) {
			memset(buf, i % 100, sizeof(buf));
			(void)!write(first[1], buf, sizeof(buf));
		}
		_exit(0);
	}
	if (fork() == 0) {
		close(first[1]);
		while ((n = read(first[0], buf, sizeof(buf))) > 0)
			(void)!write(second[1], buf, (size_t)n);
		_exit(0);
	}
	close(first[0]), close(first[1]), close(second[1]);
	while ((n = read(second[0], buf, sizeof(buf))) > 0) {
		total += n;
		for (ssize_t i = 0; i < n; i++)
			sum += buf[i];
	}
	close(second[0]);
	TELL("bytes", total);
	TELL("sum", sum);
	while (wait(NULL) > 0)
		;
}

static volatile sig_atomic_t caught, last;

static void catch(int sig)
{
	caught++;
	last = sig;
}

static void handlers(void)
{
	struct sigaction sa = { .sa_handler = catch }, old;
	sigset_t set, pending;

	SAY(sigaction(SIGUSR1, &sa, NULL));
	SAY(sigaction(SIGKILL, &sa, NULL));
	SAY(sigaction(0, &sa, NULL));
	SAY(raise(SIGUSR1));
	TELL("caught", caught);
	SAY(kill(getpid(), SIGUSR1));
	TELL("caught", caught);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	SAY(sigprocmask(SIG_BLOCK, &set, NULL));
	SAY(raise(SIGUSR1));
	TELL("caught while blocked", caught);
	SAY(sigpending(&pending));
	TELL("pending", sigismember(&pending, SIGUSR1));
	SAY(sigprocmask(SIG_UNBLOCK, &set, NULL));
	TELL("caught", caught);
	sa.sa_flags = SA_RESETHAND;
	SAY(sigaction(SIGUSR2, &sa, NULL));
	SAY(raise(SIGUSR2));
	TELL("last", last == SIGUSR2);
	SAY(sigaction(SIGUSR2, NULL, &old));
	TELL("reset", old.sa_handler == SIG_DFL);
	SAY(signal(SIGCHLD, SIG_IGN) == SIG_DFL);
	SAY(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
}

/* A sleeping call ends with EINTR, or goes on. */
static void interruptions(void)
{
	struct sigaction sa = { .sa_handler = catch };
	char c;
	int fd[2];
	pid_t pid;

	SAY(pipe(fd));
	for (int restart = 0; restart < 2; restart++) {
		sa.sa_flags = restart ? SA_RESTART : 0;
		sigaction(SIGUSR1, &sa, NULL);
		pid = fork();
		if (pid == 0) {
			usleep(200000);
			kill(getppid(), SIGUSR1);
			usleep(200000);
			(void)!write(fd[1], "x", 1);
			_exit(0);
		}
		SAY(read(fd[0], &c, 1));
		TELL("waited", waitpid(pid, NULL, 0) == pid || waitpid(pid, NULL, 0) == pid);
		if (!restart)
			SAY(read(fd[0], &c, 1));
	}
	close(fd[0]), close(fd[1]);
}

static void polling(void)
{
	struct timeval none = { 0, 1000 };
	struct pollfd p[2];
	int fd[2];
	fd_set set;

	SAY(pipe(fd));
	p[0] = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = fd[1], .events = POLLOUT };
	SAY(poll(p, 2, 0));
	TELL("revents", p[0].revents);
	TELL("revents", p[1].revents);
	SAY(poll(p, 1, 10));
	SAY(write(fd[1], "x", 1));
	SAY(poll(p, 1, 1000));
	FD_ZERO(&set);
	FD_SET(fd[0], &set);
	SAY(select(fd[0] + 1, &set, NULL, NULL, &none));
	close(fd[1]);
	SAY(read(fd[0], &set, 1));
	SAY(poll(p, 1, 0));
	TELL("hung up", p[0].revents & POLLHUP);
	p[0].fd = 99;
	SAY(poll(p, 1, 0));
	TELL("revents", p[0].revents);
	close(fd[0]);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int count;

static void *add(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&mutex);
		count++;
		pthread_mutex_unlock(&mutex);
	}
	pthread_mutex_lock(&mutex);
	while (count < 4000)
		pthread_cond_wait(&turn, &mutex);
	pthread_cond_broadcast(&turn);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void threads(void)
{
	pthread_t t[4];
	void *result;
	long sum = 0;

	for (long i = 0; i < 4; i++)
		SAY(pthread_create(&t[i], NULL, add, (void *)i));
	pthread_mutex_lock(&mutex);
	while (count < 4000) {
		pthread_mutex_unlock(&mutex);
		sched_yield();
		pthread_mutex_lock(&mutex);
	}
	pthread_cond_broadcast(&turn);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		sum += (long)result;
	}
	TELL("sum", sum);
	TELL("count", count);
}

static void memory(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	int fd = open("mapped", O_CREAT | O_RDWR | O_TRUNC, 0600);

	TELL("mapped", p != MAP_FAILED);
	TELL("zeroes", p[0] == 0 && p[8191] == 0);
	p[0] = 'a';
	q = mremap(p, 8192, 1 << 20, MREMAP_MAYMOVE);
	TELL("content", q[0] == 'a' && q[(1 << 20) - 1] == 0);
	SAY(munmap(q, 1 << 20));
	SAY((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	SAY((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0));
	SAY(write(fd, "file", 4));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TELL("content", memcmp(p, "file", 4) == 0);
	p[0] = 'F';
	SAY(pread(fd, &count, 1, 0));
	TELL("shared", (char)count == 'F');
	SAY(munmap(p, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	p[1] = 'I';
	SAY(pread(fd, &count, 1, 1));
	TELL("private", (char)count == 'i');
	SAY(munmap(p, 4096));
	SAY(close(fd));
	SAY(unlink("mapped"));
}

int main(void)
{
	children();
	stopping();
	pipes();
	a_long_pipe();
	handlers();
	interruptions();
	polling();
	threads();
	memory();
	return 0;
}
