// SPDX-License-Identifier: BSD-3-Clause
/* Timers and signals as files; timers that run a function, or signal one thread; counters as files. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000l

static char buf[1000];

static int ready(int fd, short events, int ms)
{
	struct pollfd p = { fd, events, 0 };

	poll(&p, 1, ms);
	return p.revents;
}

static struct itimerspec spec(long ms, long every)
{
	return (struct itimerspec){ .it_value = { ms / 1000, ms % 1000 * MS }, .it_interval = { every / 1000, every % 1000 * MS } };
}

static void timer_files(void)
{
	struct itimerspec t, old;
	struct timespec now;
	uint64_t n = 0;
	int fd, e, status;
	struct epoll_event ev = { .events = EPOLLIN }, got;

	SAY(timerfd_create(77, 0));
	SAY(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	SAY(timerfd_create(CLOCK_MONOTONIC, 1));
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	SAY(fcntl(fd, F_GETFD));
	SAY(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	SAY(read(fd, &n, 8));
	SAY(read(fd, &n, 7));
	SAY(write(fd, &n, 8));
	SAY(pread(fd, &n, 8, 0));
	SAY(ioctl(fd, FIONREAD, buf));
	SAY(ready(fd, POLLIN | POLLOUT, 0));
	t = spec(20, 0);
	SAY(timerfd_settime(0, 0, &t, NULL));
	SAY(timerfd_settime(999, 0, &t, NULL));
	SAY(timerfd_settime(fd, 8, &t, NULL));
	t.it_value.tv_nsec = 1000000000;
	SAY(timerfd_settime(fd, 0, &t, NULL));
	t = spec(20, 0);
	SAY(timerfd_settime(fd, 0, &t, &old));
	SAY(old.it_value.tv_sec + old.it_value.tv_nsec);
	t = spec(20000, 0);
	SAY(timerfd_settime(fd, 0, &t, NULL));
	SAY(timerfd_gettime(fd, &old));
	SAY(old.it_value.tv_sec >= 5 && old.it_value.tv_sec <= 20);
	t = spec(20, 0);
	SAY(timerfd_settime(fd, 0, &t, NULL));
	SAY(ready(fd, POLLIN | POLLOUT, 5000));
	SAY(timerfd_gettime(fd, &old));
	SAY(old.it_value.tv_nsec);
	SAY(read(fd, &n, 100));
	SAY(n);
	SAY(read(fd, &n, 8));
	t = spec(10, 10);
	SAY(timerfd_settime(fd, 0, &t, NULL));
	usleep(45000);
	SAY(read(fd, &n, 8));
	SAY(n >= 4);
	fcntl(fd, F_SETFL, 0);
	SAY(read(fd, &n, 8));
	SAY(n >= 1);
	t = spec(0, 0);
	SAY(timerfd_settime(fd, 0, &t, &old));
	SAY(old.it_interval.tv_nsec);
	SAY(ready(fd, POLLIN, 15));
	/* A time that was: it is due at once, and has been often if it comes again. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	t.it_value = now;
	t.it_interval = (struct timespec){ 100, 0 };
	SAY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
	SAY(read(fd, &n, 8));
	SAY(n);
	close(fd);
	fd = timerfd_create(CLOCK_REALTIME, 0);
	clock_gettime(CLOCK_REALTIME, &now);
	t.it_value = (struct timespec){ now.tv_sec - 50, now.tv_nsec };
	t.it_interval = (struct timespec){ 20, 0 };
	SAY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
	SAY(read(fd, &n, 8));
	SAY(n);
	/* Another process sets it, while this one waits in epoll. */
	t = spec(0, 0);
	timerfd_settime(fd, 0, &t, NULL);
	e = epoll_create1(0);
	SAY(epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev));
	SAY(epoll_wait(e, &got, 1, 10));
	if (!fork()) {
		usleep(20000);
		t = spec(20, 0);
		timerfd_settime(fd, 0, &t, NULL);
		_exit(0);
	}
	SAY(epoll_wait(e, &got, 1, 10000));
	SAY(read(fd, &n, 8));
	SAY(n);
	wait(&status);
	close(e);
	close(fd);
}

static void tell(const struct signalfd_siginfo *i)
{
	printf("%d: signal %d code %d int %d status %d overrun %d from %s\n", __LINE__, (int)i->ssi_signo > 33 ? 0 : (int)i->ssi_signo, i->ssi_code, i->ssi_int,
	    i->ssi_status, (int)i->ssi_overrun, (pid_t)i->ssi_pid == getpid() ? "this one" : i->ssi_pid ? "another" : "nobody");
}

static void signal_files(void)
{
	struct signalfd_siginfo info[3];
	union sigval value = { .sival_int = 42 };
	struct epoll_event ev = { .events = EPOLLIN }, got;
	sigset_t set, other;
	int fd, e, status;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 3);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGKILL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SAY(syscall(SYS_signalfd4, -1, &set, 4, 0));
	SAY(syscall(SYS_signalfd4, -1, &set, 8, 1));
	SAY(signalfd(0, &set, 0));
	SAY(signalfd(999, &set, 0));
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	SAY(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	SAY(read(fd, info, sizeof(info)));
	SAY(read(fd, info, 100));
	SAY(write(fd, info, 128));
	SAY(ready(fd, POLLIN | POLLOUT, 0));
	raise(SIGUSR1);
	SAY(ready(fd, POLLIN | POLLOUT, 0));
	SAY(read(fd, info, sizeof(info)));
	tell(info);
	SAY(ready(fd, POLLIN, 0));
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN + 3, value);
	value.sival_int = 43;
	sigqueue(getpid(), SIGRTMIN + 3, value);
	SAY(read(fd, info, sizeof(info) - 1));
	tell(&info[0]);
	tell(&info[1]);
	SAY(read(fd, info, sizeof(info)));
	tell(info);
	pid = fork();
	if (!pid)
		_exit(5);
	SAY(ready(fd, POLLIN, 10000));
	SAY(read(fd, info, sizeof(info)));
	tell(info);
	SAY((pid_t)info[0].ssi_pid == pid);
	waitpid(pid, &status, 0);
	/* It is seen while waiting, with epoll, too. */
	e = epoll_create1(0);
	SAY(epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev));
	for (int round = 0; round < 3; round++) {
		pid = fork();
		if (!pid) {
			usleep(10000);
			kill(getppid(), SIGUSR1);
			_exit(0);
		}
		SAY(round ? epoll_wait(e, &got, 1, 10000) : ready(fd, POLLIN, 10000));
		SAY(read(fd, info, sizeof(*info)));
		tell(info);
		waitpid(pid, &status, 0);
		SAY(read(fd, info, sizeof(*info)));
		tell(info);
	}
	fcntl(fd, F_SETFL, 0);
	pid = fork();
	if (!pid) {
		usleep(10000);
		kill(getppid(), SIGUSR1);
		usleep(20000);
		_exit(0);
	}
	SAY(read(fd, info, sizeof(*info)));
	tell(info);
	waitpid(pid, &status, 0);
	/* Another set for the same descriptor. */
	sigemptyset(&other);
	sigaddset(&other, SIGUSR2);
	sigprocmask(SIG_BLOCK, &other, NULL);
	SAY(signalfd(fd, &other, 0) == fd);
	raise(SIGUSR2);
	SAY(read(fd, info, sizeof(info)));
	tell(info);
	sigtimedwait(&set, NULL, &(struct timespec){ 0 });
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_UNBLOCK, &other, NULL);
	close(e);
	close(fd);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int calls, last_value;

static void called(union sigval v)
{
	pthread_mutex_lock(&lock);
	calls++;
	last_value = v.sival_int;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
}

static void functions(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = called, .sigev_value = { .sival_int = 7 } };
	struct itimerspec t = spec(10, 5);
	timer_t timer;

	SAY(timer_create(CLOCK_MONOTONIC, &event, &timer));
	SAY(timer_settime(timer, 0, &t, NULL));
	pthread_mutex_lock(&lock);
	while (calls < 5)
		pthread_cond_wait(&cond, &lock);
	pthread_mutex_unlock(&lock);
	SAY(last_value);
	SAY(timer_delete(timer));
	/* The thread that runs the function may still be about to see that. */
	for (int i = 0; i < 100 && calls; i++) {
		calls = 0;
		usleep(50000);
	}
	SAY(calls);
}

static volatile pid_t got_by, wanted_by;
static volatile int got_value, got_code;

static void on_signal(int sig, siginfo_t *i, void *context)
{
	(void)sig, (void)context;
	got_by = syscall(SYS_gettid);
	got_value = i->si_value.sival_int;
	got_code = i->si_code;
}

static void *waits(void *arg)
{
	(void)arg;
	wanted_by = syscall(SYS_gettid);
	while (!got_by)
		usleep(1000);
	return NULL;
}

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void one_thread(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1, .sigev_value = { .sival_int = 9 } };
	struct itimerspec t = spec(5, 0);
	pthread_t thread;
	timer_t timer;
	sigset_t set;
	siginfo_t info;

	sigaction(SIGUSR1, &sa, NULL);
	event.sigev_notify_thread_id = 99999999;
	SAY(timer_create(CLOCK_MONOTONIC, &event, &timer));
	pthread_create(&thread, NULL, waits, NULL);
	while (!wanted_by)
		usleep(1000);
	event.sigev_notify_thread_id = wanted_by;
	SAY(timer_create(CLOCK_MONOTONIC, &event, &timer));
	SAY(timer_settime(timer, 0, &t, NULL));
	pthread_join(thread, NULL);
	SAY(got_by == wanted_by);
	SAY(got_value);
	SAY(got_code == SI_TIMER);
	SAY(timer_delete(timer));
	/* One that is not taken counts. */
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value = { .sival_int = 11 } };
	SAY(timer_create(CLOCK_MONOTONIC, &event, &timer));
	t = spec(5, 5);
	SAY(timer_settime(timer, 0, &t, NULL));
	usleep(50000);
	SAY(sigwaitinfo(&set, &info) == SIGRTMIN + 1);
	SAY(info.si_code == SI_TIMER);
	SAY(info.si_value.sival_int);
	SAY(info.si_overrun >= 7);
	SAY(timer_getoverrun(timer) == info.si_overrun);
	SAY(timer_delete(timer));
	sigtimedwait(&set, &info, &(struct timespec){ 0 });
	SAY(timer_getoverrun(timer) == -1);
}

static void counters(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, got;
	uint64_t n;
	int fd = eventfd(0, EFD_NONBLOCK), e = epoll_create1(0);

	SAY(epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev));
	SAY(epoll_wait(e, &got, 1, 0));
	n = 1;
	SAY(write(fd, &n, 8));
	SAY(epoll_wait(e, &got, 1, 0));
	SAY(epoll_wait(e, &got, 1, 0));
	SAY(write(fd, &n, 8)); /* a new edge */
	SAY(epoll_wait(e, &got, 1, 0));
	SAY(read(fd, &n, 8));
	SAY(n);
	SAY(epoll_wait(e, &got, 1, 0));
	n = UINT64_MAX - 1;
	SAY(write(fd, &n, 8));
	SAY(ready(fd, POLLIN | POLLOUT, 0));
	n = 1;
	SAY(write(fd, &n, 8));
	n = UINT64_MAX;
	SAY(write(fd, &n, 8));
	SAY(write(fd, &n, 4));
	n = 0;
	SAY(write(fd, &n, 8));
	SAY(read(fd, buf, 100));
	ev.events = EPOLLIN | EPOLLOUT | EPOLLONESHOT;
	SAY(epoll_ctl(e, EPOLL_CTL_MOD, fd, &ev));
	SAY(epoll_wait(e, &got, 1, 0));
	SAY(got.events);
	SAY(epoll_wait(e, &got, 1, 0));
	close(fd);
	close(e);
}

static void controls(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), n = -1, on = 1;

	write(fd, "hello", 5);
	SAY(ioctl(fd, FIONREAD, &n));
	SAY(n);
	lseek(fd, 2, SEEK_SET);
	SAY(ioctl(fd, FIONREAD, &n));
	SAY(n);
	SAY(ioctl(fd, FIONBIO, &on));
	SAY(fcntl(fd, F_GETFL) & O_NONBLOCK ? 1 : 0);
	on = 0;
	SAY(ioctl(fd, FIONBIO, &on));
	SAY(fcntl(fd, F_GETFL) & O_NONBLOCK ? 1 : 0);
	SAY(ioctl(fd, FIOCLEX));
	SAY(fcntl(fd, F_GETFD));
	SAY(ioctl(fd, FIONCLEX));
	SAY(fcntl(fd, F_GETFD));
	SAY(ioctl(fd, TIOCGWINSZ, buf));
	SAY(ioctl(fd, 0x12345678, buf));
	SAY(ioctl(999, FIONREAD, &n));
	close(fd);
	fd = open(".", O_RDONLY);
	SAY(ioctl(fd, TIOCGWINSZ, buf));
	close(fd);
	unlink("file");
}

int main(void)
{
	timer_files();
	signal_files();
	functions();
	one_thread();
	counters();
	controls();
	return 0;
}
