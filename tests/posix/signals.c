// SPDX-License-Identifier: BSD-3-Clause
/* Signals: every form of sigaction, threads, queues, stacks, faults, and calls that they end. Compared with Linux. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile sig_atomic_t caught, last, order[32], orders;
static siginfo_t told;

static void catch(int sig)
{
	caught++;
	last = sig;
	if (orders < 32)
		order[orders++] = sig;
}


static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}


static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	if (sig)
		sigaddset(&set, sig);
	return set;
}

static void block(int how, int sig)
{
	sigset_t set = set_of(sig);

	pthread_sigmask(how, &set, NULL);
}


/* --- an alarm at every moment around the beginning of a call must end it */

static int ends[2];

static void call_sleeping(int which)
{
	struct pollfd p = { .fd = ends[0], .events = POLLIN };
	struct timespec ten = { .tv_sec = 10 };
	sigset_t none = set_of(0);
	struct epoll_event ev;
	static int list = -1;
	fd_set set;
	char c;

	switch (which) {
	case 0:
		(void)!read(ends[0], &c, 1);
		break;
	case 1:
		nanosleep(&ten, NULL);
		break;
	case 2:
		poll(&p, 1, 10000);
		break;
	case 3:
		FD_ZERO(&set);
		FD_SET(ends[0], &set);
		pselect(ends[0] + 1, &set, NULL, NULL, &ten, &none);
		break;
	case 4:
		poll(NULL, 0, 10000);
		break;
	case 5:
		if (list < 0)
			list = epoll_create1(0);
		epoll_wait(list, &ev, 1, 10000);
		break;
	case 6:
		wait(NULL);
		break;
	case 7:
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ten, NULL);
		break;
	}
}

static sigjmp_buf out;

static void jump(int sig)
{
	catch(sig);
	siglongjmp(out, 1);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void begin_alarm(int us)
{
	struct itimerval t = { .it_interval = { .tv_sec = 2 }, .it_value = { .tv_usec = us } };

	setitimer(ITIMER_REAL, &t, NULL);
}

static void end_alarm(void)
{
	struct itimerval off = { 0 };

	setitimer(ITIMER_REAL, &off, NULL);
}

/*
 * The alarm goes off before, while and after the call begins to sleep. Wherever that is, it ends the
 * call: its handler jumps out. One that is lost is followed by another two seconds later.
 */
static void no_window(void)
{
	volatile int lost = 0, ended = 0;
	double began;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	handle(SIGALRM, jump, 0);
	SAY(pipe(ends));
	for (volatile int which = 0; which < 8; which++) {
		for (volatile int us = 1; us < 900; us += 9) {
			began = seconds();
			if (!sigsetjmp(out, 1)) {
				begin_alarm(us);
				call_sleeping(which);
			}
			end_alarm();
			lost += seconds() - began > 1.5;
			ended++;
		}
	}
	TELL("calls", ended);
	TELL("lost", lost);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]), close(ends[1]);
}

static int call_unblocking(int which)
{
	struct timespec ten = { .tv_sec = 10 };
	struct pollfd p = { .fd = 0 };
	sigset_t none = set_of(0);
	struct epoll_event ev;
	static int list = -1;

	if (list < 0)
		list = epoll_create1(0);
	switch (which) {
	case 0:
		return sigsuspend(&none);
	case 1:
		return ppoll(&p, 0, &ten, &none);
	case 2:
		return pselect(0, NULL, NULL, NULL, &ten, &none);
	default:
		return epoll_pwait(list, &ev, 1, 10000, &none);
	}
}

/* Blocked but for the call: exactly one handler runs, and the call says so. */
static void no_window_masked(void)
{
	int wrong = 0, more = 0;
	double began;

	handle(SIGALRM, catch, SA_RESTART);
	block(SIG_BLOCK, SIGALRM);
	for (int which = 0; which < 4; which++) {
		for (int us = 1; us < 900; us += 9) {
			caught = 0;
			began = seconds();
			begin_alarm(us);
			wrong += call_unblocking(which) != -1 || errno != EINTR || caught != 1;
			end_alarm();
			more += seconds() - began > 1.5;
		}
	}
	block(SIG_UNBLOCK, SIGALRM);
	TELL("wrong", wrong);
	TELL("late", more);
}

int main(void)
{
	no_window();
	no_window_masked();
	return 0;
}
