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


static void catch_info(int sig, siginfo_t *info, void *context)
{
	(void)context;
	catch(sig);
	told = *info;
}

static void handle_info(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = flags | SA_SIGINFO };

	sigaction(sig, &sa, NULL);
}

static void show_order(const char *what)
{
	printf("%d: %s:", __LINE__, what);
	for (int i = 0; i < orders; i++)
		printf(" %d", order[i]);
	printf("\n");
	fflush(stdout);
	orders = 0;
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
		for (volatile int us = 1; us < 900; us += 18) {
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
		for (int us = 1; us < 900; us += 18) {
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

/* --- what handlers are told */

static void information(void)
{
	union sigval value = { .sival_int = 4711 };
	pid_t pid;

	handle_info(SIGUSR1, catch_info, 0);
	SAY(kill(getpid(), SIGUSR1));
	TELL("code", told.si_code);
	TELL("from here", told.si_pid == getpid() && told.si_uid == getuid());
	SAY(raise(SIGUSR1));
	TELL("code", told.si_code);
	SAY(sigqueue(getpid(), SIGUSR1, value));
	TELL("code", told.si_code);
	TELL("value", told.si_value.sival_int);
	TELL("from here", told.si_pid == getpid());
	SAY(sigqueue(1 << 20, SIGUSR1, value));
	SAY(sigqueue(getpid(), 65, value));
	handle_info(SIGCHLD, catch_info, SA_RESTART);
	pid = fork();
	if (pid == 0)
		_exit(7);
	waitpid(pid, NULL, 0);
	TELL("code", told.si_code == CLD_EXITED);
	TELL("status", told.si_status);
	TELL("child", told.si_pid == pid);
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(7);
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	TELL("code", told.si_code == CLD_KILLED);
	TELL("status", told.si_status);
	handle(SIGCHLD, SIG_DFL, 0);
}

static void catch_nested(int sig)
{
	catch(sig);
	if (caught == 1)
		raise(sig);
	TELL("still", caught);
}

static void forms(void)
{
	struct sigaction old;

	caught = 0;
	handle(SIGUSR1, catch_nested, 0);
	SAY(raise(SIGUSR1));
	caught = 0;
	handle(SIGUSR1, catch_nested, SA_NODEFER);
	SAY(raise(SIGUSR1));
	handle(SIGUSR1, catch, SA_RESETHAND | SA_NODEFER);
	SAY(raise(SIGUSR1));
	sigaction(SIGUSR1, NULL, &old);
	TELL("default again", old.sa_handler == SIG_DFL);
	handle(SIGUSR1, catch, 0);
	handle(SIGUSR2, catch, 0);
	handle(SIGTERM, catch, 0);
	orders = 0;
	block(SIG_BLOCK, SIGUSR1), block(SIG_BLOCK, SIGUSR2), block(SIG_BLOCK, SIGTERM);
	raise(SIGTERM), kill(getpid(), SIGUSR2), raise(SIGUSR1), raise(SIGUSR1);
	sigset_t none = set_of(0);
	sigprocmask(SIG_SETMASK, &none, NULL);
	show_order("at once");
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	handle(SIGUSR1, SIG_IGN, 0);
	handle(SIGUSR1, catch, 0);
	block(SIG_UNBLOCK, SIGUSR1);
	show_order("after it was ignored");
	SAY(sigprocmask(77, &none, NULL));
	SAY(sigprocmask(77, NULL, NULL));
}

static void queued(void)
{
	struct timespec zero = { 0 };
	siginfo_t info;
	sigset_t set;
	int n = 0;

	for (int i = 0; i < 3; i++)
		block(SIG_BLOCK, SIGRTMIN + i);
	for (int i = 0; i < 5; i++) {
		SAY(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i }));
		SAY(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 10 + i }));
	}
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN), sigaddset(&set, SIGRTMIN + 1);
	for (int i = 0; i < 7; i++) {
		TELL("taken", sigwaitinfo(&set, &info) - SIGRTMIN);
		TELL("value", info.si_value.sival_int);
	}
	handle_info(SIGRTMIN + 1, catch_info, 0);
	caught = 0;
	for (int i = 0; i < 3; i++)
		block(SIG_UNBLOCK, SIGRTMIN + i);
	TELL("the rest", caught);
	SAY(sigtimedwait(&set, &info, &zero));
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1), raise(SIGUSR1);
	set = set_of(SIGUSR1);
	SAY(sigwait(&set, &n));
	TELL("which", n);
	SAY(sigtimedwait(&set, &info, &zero));
	block(SIG_UNBLOCK, SIGUSR1);
}

/* --- threads */

static pthread_barrier_t both;
static int ready;
static volatile int eintr;

static void *sleeper(void *arg)
{
	struct timespec ten = { .tv_sec = 10 };

	block(arg ? SIG_BLOCK : SIG_UNBLOCK, SIGUSR1);
	pthread_barrier_wait(&both);
	if (arg) {
		sigset_t set = set_of(SIGUSR2);
		int sig;

		sigwait(&set, &sig);
		return (void *)(long)sig;
	}
	eintr = nanosleep(&ten, NULL) == -1 && errno == EINTR;
	return NULL;
}

static volatile pthread_t where;

static void catch_where(int sig)
{
	catch(sig);
	where = pthread_self();
}

static void *spin(void *arg)
{
	while (!caught)
		;
	return arg;
}

static void to_threads(void)
{
	pthread_t a, b;
	void *result;

	pthread_barrier_init(&both, NULL, 2);
	handle(SIGUSR1, catch_where, 0);
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	SAY(pthread_create(&a, NULL, sleeper, NULL));
	pthread_barrier_wait(&both);
	SAY(pthread_create(&b, NULL, sleeper, &ready));
	pthread_barrier_wait(&both);
	caught = 0;
	usleep(200000); /* nothing tells that the other thread sleeps */
	SAY(kill(getpid(), SIGUSR1));
	SAY(pthread_join(a, NULL));
	TELL("ended by it", eintr);
	TELL("once", caught);
	TELL("in the one that takes it", pthread_equal(where, a));
	SAY(pthread_kill(b, SIGUSR2));
	SAY(pthread_join(b, &result));
	TELL("waited for", (long)result);
	caught = 0;
	handle(SIGUSR2, catch_where, 0);
	block(SIG_UNBLOCK, SIGUSR2);
	SAY(pthread_create(&a, NULL, spin, NULL));
	SAY(pthread_kill(a, SIGUSR2));
	SAY(pthread_join(a, NULL));
	TELL("in that one", pthread_equal(where, a));
	caught = 0;
	block(SIG_BLOCK, SIGUSR2);
	SAY(pthread_create(&a, NULL, spin, NULL));
	block(SIG_BLOCK, SIGUSR1);
	SAY(pthread_kill(pthread_self(), SIGUSR1));
	SAY(caught);
	block(SIG_UNBLOCK, SIGUSR1);
	SAY(caught);
	SAY(pthread_join(a, NULL));
	block(SIG_UNBLOCK, SIGUSR2);
	SAY(syscall(SYS_tgkill, getpid(), 1 << 22, SIGUSR1));
	SAY(syscall(SYS_tgkill, getpid(), 0, SIGUSR1));
	SAY(syscall(SYS_tkill, 0, SIGUSR1));
}

static int cleaned;

static void clean(void *arg)
{
	cleaned += (int)(long)arg;
}

static void *blocked_in(void *arg)
{
	char c;

	pthread_cleanup_push(clean, (void *)1L);
	pthread_barrier_wait(&both);
	switch ((long)arg) {
	case 0:
		(void)!read(ends[0], &c, 1);
		break;
	case 1:
		sleep(100);
		break;
	case 2:
		pause();
		break;
	case 3:
		poll(NULL, 0, -1);
		break;
	case 4:
		wait(NULL);
		break;
	case 5:
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
		for (;;)
			;
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancellations(void)
{
	pthread_t t;
	void *result;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	SAY(pipe(ends));
	for (long which = 0; which < 6; which++) {
		for (int late = 0; late < 2; late++) {
			pthread_create(&t, NULL, blocked_in, (void *)which);
			pthread_barrier_wait(&both);
			if (late)
				usleep(20000);
			SAY(pthread_cancel(t));
			SAY(pthread_join(t, &result));
			TELL("cancelled", result == PTHREAD_CANCELED);
		}
	}
	TELL("cleaned", cleaned);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]), close(ends[1]);
}

/* --- faults and stacks */

static char *volatile nowhere = (char *)0x123456000;
static char *volatile low = (char *)8;
static void *volatile fault_address;
static volatile int fault_code, on_stack;
static char *other;

static void fault(int sig, siginfo_t *info, void *context)
{
	char here;

	(void)context;
	catch(sig);
	fault_address = info->si_addr;
	fault_code = info->si_code;
	on_stack = other && &here >= other && &here < other + (1 << 16);
	siglongjmp(out, sig);
}

static volatile int depth_sum;

static __attribute__((noinline)) int overflow(int n)
{
	volatile char frame[4096];

	frame[0] = (char)n;
	depth_sum += frame[0];
	return n < 0 ? 0 : overflow(n + 1) + frame[0];
}

static void faults(void)
{
	stack_t s = { .ss_size = 1 << 16 }, old;
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle_info(SIGSEGV, fault, 0);
	handle_info(SIGBUS, fault, 0);
	for (volatile int i = 0; i < 2; i++) {
		if (!sigsetjmp(out, 1))
			*nowhere = 1;
		TELL("last", last);
		TELL("address", fault_address == nowhere);
		TELL("code", fault_code == SEGV_MAPERR);
	}
	if (!sigsetjmp(out, 1))
		*(char *volatile)low = 1;
	TELL("address", (long)fault_address);
	munmap(page, 4096);
	other = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s.ss_sp = other;
	SAY(sigaltstack(NULL, &old));
	TELL("none", old.ss_flags == SS_DISABLE);
	SAY(sigaltstack(&s, NULL));
	SAY(sigaltstack(NULL, &old));
	TELL("set", old.ss_flags == 0 && old.ss_sp == other && old.ss_size == 1 << 16);
	handle_info(SIGSEGV, fault, SA_ONSTACK);
	if (!sigsetjmp(out, 1))
		*nowhere = 1;
	TELL("on it", on_stack);
	for (volatile int i = 0; i < 2; i++) {
		if (!sigsetjmp(out, 1))
			overflow(0);
		TELL("overflow on it", on_stack);
		TELL("last", last);
	}
	handle_info(SIGUSR1, fault, SA_ONSTACK);
	if (!sigsetjmp(out, 1))
		raise(SIGUSR1);
	TELL("on it", on_stack);
	handle_info(SIGUSR1, fault, 0);
	if (!sigsetjmp(out, 1))
		raise(SIGUSR1);
	TELL("on it", on_stack);
	s.ss_size = 100;
	SAY(sigaltstack(&s, NULL));
	s.ss_size = 1 << 16;
	s.ss_flags = 77;
	SAY(sigaltstack(&s, NULL));
	s.ss_flags = SS_DISABLE;
	SAY(sigaltstack(&s, NULL));
	handle(SIGSEGV, SIG_DFL, 0);
	handle(SIGBUS, SIG_DFL, 0);
}

/* A handler that lets the program go on elsewhere than where it was. */
static void skip(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	sigset_t set = set_of(SIGUSR2);

	(void)info;
	catch(sig);
	memcpy(&u->uc_sigmask, &set, sizeof(set) < 8 ? sizeof(set) : 8);
}

static void contexts(void)
{
	sigset_t set;

	handle_info(SIGUSR1, skip, 0);
	SAY(raise(SIGUSR1));
	sigprocmask(SIG_SETMASK, NULL, &set);
	TELL("blocked by the handler", sigismember(&set, SIGUSR2));
	block(SIG_UNBLOCK, SIGUSR2);
}

/* --- stopping, ending */

static void *forever(void *arg)
{
	for (;;)
		if (!arg)
			sleep(100);
	return NULL;
}

static void states(void)
{
	struct sigaction sa = { .sa_handler = catch, .sa_flags = SA_NOCLDSTOP | SA_RESTART };
	pthread_t t;
	int status;
	pid_t pid;

	caught = 0;
	handle(SIGTERM, SIG_DFL, 0);
	sigaction(SIGCHLD, &sa, NULL);
	pid = fork();
	if (pid == 0) {
		for (long i = 0; i < 4; i++)
			pthread_create(&t, NULL, forever, (void *)(i % 2));
		forever(NULL);
	}
	usleep(50000);
	SAY(kill(pid, SIGSTOP));
	TELL("stopped", waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	SAY(waitpid(pid, &status, WUNTRACED | WNOHANG));
	SAY(kill(pid, SIGTSTP));
	SAY(kill(pid, SIGCONT));
	TELL("continued", waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	SAY(kill(pid, SIGSTOP));
	TELL("stopped", waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	TELL("caught", caught);
	SAY(kill(pid, SIGTERM));
	usleep(20000);
	SAY(waitpid(pid, &status, WNOHANG));
	SAY(kill(pid, SIGKILL));
	TELL("ended", waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	TELL("caught", caught);
	pid = fork();
	if (pid == 0) {
		for (long i = 0; i < 4; i++)
			pthread_create(&t, NULL, forever, (void *)(i % 2));
		usleep(20000);
		kill(getpid(), SIGTERM);
		forever(NULL);
	}
	TELL("ended", waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	pid = fork();
	if (pid == 0) {
		for (long i = 0; i < 4; i++)
			pthread_create(&t, NULL, forever, (void *)(i % 2));
		exit(5);
	}
	TELL("ended", waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	handle(SIGCHLD, SIG_IGN, 0);
	pid = fork();
	if (pid == 0)
		_exit(3);
	SAY(waitpid(pid, &status, 0));
	sa.sa_handler = SIG_DFL;
	sa.sa_flags = SA_NOCLDWAIT;
	sigaction(SIGCHLD, &sa, NULL);
	pid = fork();
	if (pid == 0)
		_exit(3);
	SAY(waitpid(pid, &status, 0));
	handle(SIGCHLD, SIG_DFL, 0);
}

int main(void)
{
	information();
	forms();
	queued();
	to_threads();
	cancellations();
	contexts();
	states();
	no_window();
	no_window_masked();
	faults();
	return 0;
}
