// SPDX-License-Identifier: BSD-3-Clause
/* Children: waitid(), groups, what they cost; and what a process can set of itself. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child_that(int sig, int code)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (sig)
		raise(sig);
	if (sig == SIGSTOP)
		pause();
	_exit(code);
}

static void tell(const siginfo_t *i, pid_t pid)
{
	printf("   signo %d code %d status %d, %s\n", i->si_signo, i->si_code, i->si_status, i->si_pid == pid ? "that one" :
	    i->si_pid ? "another" : "nobody");
}

#undef WNOWAIT
#define WNOWAIT 0x1000000 /* it is printed, and written in several ways */

#define WAITID(type, id, options)                                 \
	do {                                                      \
		siginfo_t info;                                   \
		memset(&info, 0x55, sizeof(info));                \
		SAY(waitid(type, id, &info, options));            \
		printf("%d:", __LINE__);                          \
		tell(&info, pid);                                 \
	} while (0)

static void ends(void)
{
	pid_t pid = child_that(0, 7);
	int status;

	WAITID(P_PID, pid, WEXITED | WNOWAIT);
	WAITID(P_PID, pid, WEXITED | WNOWAIT);
	WAITID(P_ALL, 0, WEXITED);
	WAITID(P_ALL, 0, WEXITED);
	pid = child_that(SIGTERM, 0);
	WAITID(P_PGID, 0, WEXITED);
	pid = child_that(0, 3);
	WAITID(P_PGID, getpgrp(), WEXITED);
	pid = child_that(0, 3);
	SAY(waitid(P_PID, pid, NULL, WEXITED));
	pid = child_that(SIGSTOP, 4);
	WAITID(P_PID, pid, WSTOPPED | WNOWAIT);
	WAITID(P_PID, pid, WSTOPPED | WEXITED);
	WAITID(P_PID, pid, WSTOPPED | WEXITED | WCONTINUED | WNOHANG);
	kill(pid, SIGCONT);
	WAITID(P_PID, pid, WCONTINUED);
	kill(pid, SIGUSR1);
	WAITID(P_PID, pid, WEXITED | WNOWAIT);
	WAITID(P_PID, pid, WSTOPPED | WCONTINUED);
	WAITID(P_PID, pid, WEXITED);
	pid = child_that(0, 0);
	WAITID(P_PID, pid, 0);
	WAITID(P_PID, pid, WNOHANG);
	WAITID(P_PID, pid, WEXITED | 0x100);
	WAITID(P_PID, 0, WEXITED);
	WAITID(P_PID, -1, WEXITED);
	WAITID(P_PGID, -5, WEXITED);
	WAITID(9, 1, WEXITED);
	WAITID(3 /* P_PIDFD */, 99, WEXITED);
	WAITID(P_PID, getpid(), WEXITED);
	SAY(waitpid(pid, &status, __WALL) == pid);
	SAY(waitpid(pid, &status, 0));
	SAY(waitpid(-1, &status, 0x100));
	SAY(wait4(-2147483647 - 1, &status, 0, NULL));
}

static void groups(void)
{
	pid_t pid = fork();
	int fds[2];
	char c;

	if (!pid) {
		pause();
		_exit(0);
	}
	SAY(setpgid(pid, pid));
	SAY(getpgid(pid) == pid);
	SAY(setpgid(pid, 99999999));
	SAY(setpgid(pid, getpgrp()));
	SAY(setpgid(pid, -1));
	SAY(setpgid(99999999, 0));
	SAY(getpgid(-1));
	SAY(getsid(-1));
	SAY(getsid(pid) == getsid(0));
	SAY(kill(pid, SIGKILL));
	SAY(setpgid(pid, pid));
	SAY(waitpid(pid, NULL, 0) == pid);
	SAY(setpgid(pid, pid));
	pipe(fds);
	pid = fork();
	if (!pid) {
		SAY(setsid() == getpid());
		SAY(setsid());
		SAY(setpgid(0, 0));
		write(fds[1], "x", 1);
		pause();
		_exit(0);
	}
	read(fds[0], &c, 1);
	SAY(setpgid(pid, 0));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void again(const char *self)
{
	pid_t pid;
	int fds[2];
	char c;

	pipe(fds);
	pid = fork();
	if (!pid) {
		dup2(fds[1], 5);
		execl(self, self, "wait", (char *)NULL);
		_exit(1);
	}
	SAY(read(fds[0], &c, 1));
	SAY(setpgid(pid, pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
}

static void burn(long ms)
{
	struct rusage u;
	volatile long n = 0;

	do {
		for (int i = 0; i < 100000; i++)
			n++;
		getrusage(RUSAGE_SELF, &u);
	} while (u.ru_utime.tv_sec * 1000 + u.ru_utime.tv_usec / 1000 + u.ru_stime.tv_sec * 1000 + u.ru_stime.tv_usec / 1000 < ms);
}

static void costs(void)
{
	struct rusage u, children;
	struct tms before, t;
	pid_t pid;

	times(&before);
	pid = fork();
	if (!pid) {
		burn(60);
		_exit(0);
	}
	SAY(wait4(pid, NULL, 0, &u) == pid);
	SAY(u.ru_utime.tv_usec + u.ru_stime.tv_usec >= 59000);
	SAY(getrusage(RUSAGE_CHILDREN, &children));
	SAY(children.ru_utime.tv_usec + children.ru_stime.tv_usec >= 59000);
	SAY(times(&t) != -1);
	SAY(t.tms_cutime + t.tms_cstime - before.tms_cutime - before.tms_cstime >= 5);
	SAY(getrusage(RUSAGE_THREAD, &u));
	SAY(getrusage(7, &u));
	SAY(getrusage(-2, &u));
}

static void niceness(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		errno = 0;
		SAY(getpriority(PRIO_PROCESS, 0));
		SAY(setpriority(PRIO_PROCESS, 0, 5));
		SAY(getpriority(PRIO_PROCESS, 0));
		SAY(nice(3));
		SAY(getpriority(PRIO_PROCESS, getpid()));
		SAY(setpriority(PRIO_PROCESS, 0, 100));
		SAY(getpriority(PRIO_PROCESS, 0));
		SAY(setpriority(PRIO_PROCESS, 99999999, 1));
		SAY(getpriority(PRIO_PROCESS, 99999999));
		SAY(getpriority(PRIO_PROCESS, -5));
		SAY(getpriority(7, 0));
		SAY(setpriority(7, 0, 0));
		SAY(getpriority(PRIO_PGRP, 99999999));
		SAY(getpriority(PRIO_PGRP, 0));
		if (!fork())
			_exit(getpriority(PRIO_PROCESS, 0));
		wait(&status);
		SAY(WEXITSTATUS(status));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	SAY(getpriority(PRIO_PROCESS, 0));
}

static void classes(void)
{
	struct sched_param p = { 0 };
	unsigned cpu, node;
	cpu_set_t set, one;
	struct timespec ts;

	SAY(syscall(SYS_sched_getscheduler, 0));
	SAY(syscall(SYS_sched_getscheduler, -1));
	SAY(syscall(SYS_sched_getscheduler, 99999999));
	SAY(syscall(SYS_sched_getparam, 0, &p));
	SAY(p.sched_priority);
	SAY(syscall(SYS_sched_getparam, 0, NULL));
	SAY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
	SAY(syscall(SYS_sched_setscheduler, 0, 77, &p));
	SAY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL));
	SAY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
	SAY(syscall(SYS_sched_setparam, 0, &p));
	p.sched_priority = 3;
	SAY(syscall(SYS_sched_setparam, 0, &p));
	SAY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
	for (int i = -1; i < 6; i++)
		printf("%d: policy %d: %d to %d\n", __LINE__, i, sched_get_priority_min(i), sched_get_priority_max(i));
	SAY(syscall(SYS_sched_rr_get_interval, 0, &ts));
	SAY(syscall(SYS_sched_rr_get_interval, -1, &ts));
	SAY(sched_yield());
	SAY(sched_getaffinity(0, sizeof(set), &set));
	SAY(CPU_COUNT(&set) > 0);
	SAY(sched_getaffinity(0, 7, &set));
	SAY(sched_getaffinity(0, 12, &set));
	SAY(sched_getaffinity(99999999, sizeof(set), &set));
	CPU_ZERO(&one);
	SAY(sched_setaffinity(0, sizeof(one), &one));
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &set))
			CPU_SET(i, &one);
	SAY(sched_setaffinity(0, sizeof(one), &one));
	SAY(syscall(SYS_getcpu, &cpu, &node, NULL));
	SAY(CPU_ISSET(cpu, &one) != 0);
	CPU_ZERO(&one);
	SAY(sched_getaffinity(0, sizeof(one), &one));
	SAY(CPU_COUNT(&one));
	SAY(sched_setaffinity(0, sizeof(set), &set));
	SAY(sched_setaffinity(99999999, sizeof(set), &set));
	SAY(sched_getcpu() >= 0);
}

static void about_itself(void)
{
	char name[16] = "";
	int sig = -1, status, fds[2];
	pid_t pid;

	SAY(prctl(PR_SET_NAME, "a rather long name"));
	SAY(prctl(PR_GET_NAME, name));
	printf("%d: %s\n", __LINE__, name);
	SAY(prctl(PR_GET_DUMPABLE));
	SAY(prctl(PR_SET_DUMPABLE, 0));
	SAY(prctl(PR_GET_DUMPABLE));
	SAY(prctl(PR_SET_DUMPABLE, 3));
	SAY(prctl(PR_SET_DUMPABLE, 1));
	SAY(prctl(PR_SET_PDEATHSIG, 65));
	SAY(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	SAY(prctl(PR_GET_PDEATHSIG, &sig));
	SAY(sig);
	SAY(prctl(PR_SET_PDEATHSIG, 0));
	SAY(prctl(PR_GET_KEEPCAPS));
	SAY(prctl(PR_SET_KEEPCAPS, 2));
	SAY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SAY(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SAY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SAY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SAY(prctl(PR_CAPBSET_READ, 63));
	SAY(prctl(123456));
	SAY(prctl(PR_GET_TIMING));
	if (!fork()) {
		prctl(PR_GET_NAME, name);
		SAY(strcmp(name, "a rather long n"));
		SAY(prctl(PR_GET_PDEATHSIG, &sig));
		SAY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		_exit(0);
	}
	wait(&status);
	pipe(fds);
	pid = fork();
	if (!pid) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fds[0]);
			write(fds[1], "x", 1);
			pause();
		}
		read(fds[0], name, 1);
		_exit(0);
	}
	close(fds[1]);
	waitpid(pid, NULL, 0);
	SAY(read(fds[0], name, 1)); /* comes back when the grandchild has gone */
	close(fds[0]);
	SAY(personality(0xffffffff));
	SAY(syscall(SYS_sethostname, "x", 65) == -1);
	SAY(getrandom(name, 4, 4 /* GRND_INSECURE */));
	SAY(getrandom(name, 4, 6));
	SAY(getrandom(name, 4, 8));
	SAY(umask(07777) != -1);
	SAY(umask(022));
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		write(5, "x", 1);
		pause();
	}
	ends();
	groups();
	again(argv[0][0] == '/' ? argv[0] : "/bin/posix");
	costs();
	niceness();
	classes();
	about_itself();
	return 0;
}
