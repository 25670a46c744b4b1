// SPDX-License-Identifier: BSD-3-Clause
/* For whom a process acts. On Linux this says what is expected only if root runs it. */
#define _GNU_SOURCE
#include "posix.h"

#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The C libraries do this for all threads, each in its own way: the calls themselves are meant. */
#define setuid(a) syscall(SYS_setuid, a)
#define setgid(a) syscall(SYS_setgid, a)
#define setreuid(a, b) syscall(SYS_setreuid, a, b)
#define setregid(a, b) syscall(SYS_setregid, a, b)
#define setresuid(a, b, c) syscall(SYS_setresuid, a, b, c)
#define setresgid(a, b, c) syscall(SYS_setresgid, a, b, c)
#define setgroups(a, b) syscall(SYS_setgroups, a, b)

static void who(int line)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	printf("%d: %d %d %d, %d %d %d; %d %d %d %d\n", line, (int)r, (int)e, (int)s, (int)gr, (int)ge, (int)gs, (int)getuid(),
	    (int)geteuid(), (int)getgid(), (int)getegid());
	fflush(stdout);
}

#define WHO who(__LINE__)

static void child(void (*fn)(void))
{
	int status;

	if (!fork()) {
		fn();
		_exit(0);
	}
	wait(&status);
	TELL("child", status);
}

static void here(void)
{
	WHO;
}

static void one(void)
{
	SAY(setuid(-1));
	SAY(setgid(77));
	WHO;
	SAY(setuid(1000));
	WHO;
	SAY(setuid(0));
	SAY(setuid(1000));
	SAY(setgid(0));
	SAY(setgid(77));
	SAY(setgroups(0, NULL));
	SAY(setreuid(-1, 0));
	SAY(setresuid(-1, -1, 0));
	SAY(kill(getppid(), 0));
	SAY(kill(getppid(), SIGTERM));
	SAY(kill(getppid(), SIGCONT));
	SAY(kill(getpid(), 0));
	SAY(setpriority(PRIO_PROCESS, 0, 4));
	SAY(setpriority(PRIO_PROCESS, 0, 3));
	SAY(setpriority(PRIO_PROCESS, getppid(), 5));
	SAY(syscall(SYS_sethostname, "x", 1));
	child(here);
}

static void two(void)
{
	SAY(setreuid(1000, -1));
	WHO;
	SAY(setreuid(-1, 2000));
	WHO;
	SAY(setreuid(2000, 1000));
	WHO;
	SAY(setreuid(5, -1));
	SAY(setreuid(-1, 2000));
	WHO;
	SAY(setreuid(-1, -1));
	WHO;
}

static void swap(void)
{
	SAY(setreuid(0, 1000));
	WHO;
	SAY(setreuid(1000, 0));
	WHO;
	SAY(setregid(3, 4));
	WHO;
	SAY(setreuid(1000, 1000));
	WHO;
	SAY(setuid(0));
}

static void three(void)
{
	SAY(setresgid(1, 2, 3));
	WHO;
	SAY(setresuid(1, 2, 3));
	WHO;
	SAY(setresuid(3, -1, 1));
	WHO;
	SAY(setresuid(4, -1, -1));
	SAY(setresgid(3, 1, 1));
	SAY(setuid(1));
	WHO;
	SAY(setuid(3));
	WHO;
	SAY(setuid(2));
}

static void groups(void)
{
	gid_t all[40] = { 5, 7, 5 };

	SAY(setgroups(3, all));
	SAY(getgroups(0, NULL));
	SAY(getgroups(2, all));
	SAY(getgroups(-1, all));
	SAY(getgroups(40, all));
	printf("%d: %d %d %d\n", __LINE__, (int)all[0], (int)all[1], (int)all[2]);
	SAY(setgroups(65537, all));
	SAY(setgroups(-1, all));
	SAY(setgroups(0, NULL));
	SAY(getgroups(40, all));
	SAY(setgroups(2, all));
	SAY(setuid(9));
	SAY(setgroups(1, all));
	SAY(getgroups(0, NULL));
	SAY(syscall(SYS_setfsuid, 9));
	SAY(syscall(SYS_setfsuid, -1));
	SAY(syscall(SYS_setfsgid, -1));
}

static void limits(void)
{
	struct rlimit l = { 100, 200 };

	SAY(setrlimit(RLIMIT_NPROC, &l));
	SAY(setuid(1000));
	l.rlim_max = 201;
	SAY(setrlimit(RLIMIT_NPROC, &l));
	l.rlim_max = 150;
	SAY(setrlimit(RLIMIT_NPROC, &l));
	l.rlim_max = 200;
	SAY(setrlimit(RLIMIT_NPROC, &l));
}

int main(void)
{
	WHO;
	child(one);
	child(two);
	child(swap);
	child(three);
	child(groups);
	child(limits);
	WHO;
	return 0;
}
