// SPDX-License-Identifier: BSD-3-Clause
/*
 * A storm of processes: children that make children, pipes between them, signals to any of them, other
 * programs. All that is started is waited for, and all that is sent arrives.
 */
#include "posix.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 6
#define ROUNDS 12

static volatile sig_atomic_t caught;

static void catch(int sig)
{
	(void)sig;
	caught++;
}

/* A child that answers through a pipe, and may be another program by then. */
static int ask(const char *self, int round)
{
	int fd[2], status;
	char buf[32] = "";
	ssize_t n, total = 0;
	pid_t pid;

	if (pipe(fd))
		return 1;
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		dup2(fd[1], 1);
		close(fd[1]);
		if (round % 2) {
			execl(self, self, "answer", (char *)NULL);
			_exit(99);
		}
		_exit(write(1, "answer", 6) == 6 ? 0 : 1);
	}
	close(fd[1]);
	while ((n = read(fd[0], buf + total, sizeof(buf) - 1 - (size_t)total)) > 0)
		total += n;
	close(fd[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return 2;
	return strcmp(buf, "answer") != 0 ? 3 : 0;
}

/* A child that is sent signals while it lives, and is ended by one. */
static int disturb(int round)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGUSR1, catch);
		signal(SIGTERM, round % 3 ? SIG_DFL : catch);
		for (;;)
			if (round % 3 == 0 && caught > 1)
				_exit(0);
	}
	if (pid < 0)
		return 4;
	usleep(1000);
	for (int i = 0; i < 3; i++) {
		kill(pid, round % 3 ? SIGUSR2 : SIGUSR1);
		usleep(200);
	}
	kill(pid, round % 2 ? SIGKILL : SIGTERM);
	usleep(200);
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid ? 0 : 5;
}

static int work(const char *self, int n)
{
	int bad = 0;

	for (int round = 0; round < ROUNDS && !bad; round++)
		bad = (round + n) % 3 ? ask(self, round) : disturb(round);
	return bad;
}

int main(int argc, char **argv)
{
	int status, bad = 0, ended = 0;
	char self[256];

	if (argc > 1) {
		printf("%s", argv[1]);
		return 0;
	}
	snprintf(self, sizeof(self), "%s%s", argv[0][0] == '/' ? "" : "/bin/", argv[0]);
	for (int i = 0; i < WORKERS; i++) {
		fflush(stdout);
		if (fork() == 0)
			_exit(work(self, i));
	}
	while (wait(&status) > 0) {
		ended++;
		if (status) {
			bad++;
			TELL("a worker ended with", status);
		}
	}
	TELL("workers", ended);
	TELL("bad", bad);
	return bad != 0;
}
