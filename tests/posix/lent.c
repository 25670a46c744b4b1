// SPDX-License-Identifier: BSD-3-Clause
/* vfork() and posix_spawn(): the child has the parent's memory, and nothing else of it. Compared with Linux. */
#define _GNU_SOURCE
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char self[4096];
static volatile int shared;

static void tell_end(pid_t pid)
{
	int status = -1;

	TELL("waited for it", waitpid(pid, &status, 0) == pid);
	TELL("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	TELL("exit code", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void memory(void)
{
	pid_t before = getpid(), pid;

	shared = 1;
	pid = vfork();
	if (pid == 0) {
		shared = (getppid() == before) + (getpid() != before) + 5;
		_exit(shared + 3);
	}
	TELL("the parent's", shared);
	TELL("same number", getpid() == before);
	tell_end(pid);
	SAY(waitpid(pid, NULL, 0));
}

/* What a child does to itself is not done to its parent. */
static void not_memory(void)
{
	int fd = open("lent.file", O_CREAT | O_RDWR, 0600), kept;
	struct sigaction a;
	sigset_t set;
	mode_t mask;
	pid_t pid;

	signal(SIGUSR1, SIG_IGN);
	mkdir("lent.folder", 0700);
	umask(022);
	pid = vfork();
	if (pid == 0) {
		close(fd);
		chdir("lent.folder");
		umask(077);
		setpgid(0, 0);
		signal(SIGUSR1, SIG_DFL);
		signal(SIGUSR2, SIG_IGN);
		sigfillset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL);
		shared = open("../lent.file", O_RDONLY) == fd;
		_exit(0);
	}
	tell_end(pid);
	TELL("opened in its place", shared);
	SAY(write(fd, "x", 1));
	SAY(access("lent.folder", F_OK));
	mask = umask(022);
	TELL("mask", (int)mask);
	TELL("group", getpgrp() == getpgid(pid));
	sigprocmask(SIG_SETMASK, NULL, &set);
	TELL("blocked", sigismember(&set, SIGTERM));
	sigaction(SIGUSR1, NULL, &a);
	TELL("ignored", a.sa_handler == SIG_IGN);
	sigaction(SIGUSR2, NULL, &a);
	TELL("default", a.sa_handler == SIG_DFL);
	SAY(raise(SIGUSR1));
	kept = close(fd);
	TELL("closed", kept);
	unlink("lent.file");
	rmdir("lent.folder");
}

static void ends(void)
{
	static const int signals[] = { SIGTERM, SIGKILL, SIGABRT };
	volatile int *volatile nowhere = (volatile int *)8;
	pid_t pid;

	for (volatile unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid = vfork();
		if (pid == 0) {
			kill(getpid(), signals[i]);
			_exit(9);
		}
		tell_end(pid);
	}
	pid = vfork();
	if (pid == 0) {
		*nowhere = 1;
		_exit(9);
	}
	tell_end(pid);
}

static volatile int seen;

static void note(int sig)
{
	seen = sig;
}

static void programs(void)
{
	char *words[] = { self, "exit", "17", NULL };
	pid_t pid;

	signal(SIGCHLD, note);
	pid = vfork();
	if (pid == 0) {
		execv("./there/is/none", words);
		shared = errno == ENOENT;
		execv(self, words);
		_exit(1);
	}
	TELL("first refused", shared);
	tell_end(pid);
	TELL("told", seen == SIGCHLD);
	pid = vfork();
	if (pid == 0) {
		execv("/", words);
		_exit(errno == EACCES ? 50 : 51);
	}
	tell_end(pid);
	signal(SIGCHLD, SIG_DFL);
}

/* It is a process like others, and may do what they do. */
static void more(void)
{
	pid_t pid = vfork(), inner;
	int status = 0;

	if (pid == 0) {
		inner = fork();
		if (inner == 0)
			_exit(3);
		waitpid(inner, &status, 0);
		inner = fork();
		if (inner == 0)
			_exit(4);
		waitpid(inner, &status, 0);
		_exit(WEXITSTATUS(status) * 10);
	}
	tell_end(pid);
	pid = vfork();
	if (pid == 0) {
		alarm(1);
		pause();
		_exit(9);
	}
	tell_end(pid);
}

static void spawn(char *word, char *value, int redirect)
{
	char *words[] = { self, word, value, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t set;
	pid_t pid = 0;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	if (redirect)
		posix_spawn_file_actions_addopen(&actions, 1, "lent.out", O_CREAT | O_WRONLY | O_TRUNC, 0600);
	TELL("spawn", posix_spawn(&pid, redirect == 2 ? "./none" : self, &actions, &attributes, words, environ));
	if (pid)
		tell_end(pid);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
}

static void *idle(void *arg)
{
	return pause(), arg;
}

static void spawns(void)
{
	struct stat st = { 0 };
	pthread_t t;
	pid_t pid;

	spawn("exit", "23", 0);
	spawn("print", "words", 1);
	stat("lent.out", &st);
	TELL("written", (int)st.st_size);
	spawn("exit", "0", 2);
	unlink("lent.out");
	TELL("system", WEXITSTATUS(system("exit 5")));
	/* Of a program with threads. */
	pthread_create(&t, NULL, idle, NULL);
	spawn("exit", "24", 0);
	pid = vfork();
	if (pid == 0)
		_exit(25);
	tell_end(pid);
	pthread_cancel(t);
	pthread_join(t, NULL);
}

static void many(void)
{
	volatile int good = 0, i;
	int status;

	for (i = 0; i < 100; i++) {
		char *words[] = { self, "exit", "0", NULL };
		pid_t pid = vfork();

		if (pid == 0) {
			if (i % 4 == 0)
				execv(self, words);
			_exit(0);
		}
		good += waitpid(pid, &status, 0) == pid && status == 0;
	}
	TELL("of a hundred", good);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		_exit(atoi(argv[2]));
	if (argc == 3)
		return puts(argv[2]) < 0;
	SAY(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	memory();
	not_memory();
	ends();
	programs();
	more();
	spawns();
	many();
	return 0;
}
