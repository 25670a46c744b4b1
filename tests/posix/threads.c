// SPDX-License-Identifier: BSD-3-Clause
/* Threads: what the standard promises of them, one promise after another. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MANY 1000

/* Until a word has a value: what makes it so needs nothing of this thread. */
static void await(atomic_int *word, int value)
{
	while (atomic_load(word) != value)
		sched_yield();
}

static struct timespec soon(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void *same(void *arg)
{
	return arg;
}

/* --- beginning and ending */

static atomic_int step;

static void *waits_for_step(void *arg)
{
	await(&step, (int)(intptr_t)arg);
	return arg;
}

static void *leaves(void *arg)
{
	pthread_exit(arg);
}

static void beginning(void)
{
	pthread_t t;
	void *r = NULL;

	SAY(pthread_create(&t, NULL, same, (void *)7));
	SAY(pthread_join(t, &r));
	TELL("result", (intptr_t)r);
	SAY(pthread_create(&t, NULL, leaves, (void *)8));
	SAY(pthread_join(t, &r));
	TELL("result", (intptr_t)r);
	atomic_store(&step, 0);
	SAY(pthread_create(&t, NULL, waits_for_step, (void *)1));
	SAY(pthread_equal(t, pthread_self()));
	SAY(pthread_kill(t, 0));
	SAY(pthread_kill(t, 1000));
	SAY(pthread_detach(t));
	atomic_store(&step, 1);
}

static void attributes(void)
{
	pthread_attr_t a;
	pthread_t t;
	size_t size;
	int state;
	void *r, *stack = aligned_alloc(4096, 262144);

	SAY(pthread_attr_init(&a));
	SAY(pthread_attr_getdetachstate(&a, &state));
	TELL("joinable", state == PTHREAD_CREATE_JOINABLE);
	SAY(pthread_attr_setstacksize(&a, 100));
	SAY(pthread_attr_setstacksize(&a, 1 << 20));
	SAY(pthread_attr_getstacksize(&a, &size));
	TELL("size", size);
	SAY(pthread_create(&t, &a, same, (void *)1));
	SAY(pthread_join(t, &r));
	SAY(pthread_attr_setstack(&a, stack, 262144));
	SAY(pthread_create(&t, &a, same, stack));
	SAY(pthread_join(t, &r));
	TELL("its own", r == stack);
	free(stack);
	SAY(pthread_attr_destroy(&a));
}

static atomic_int ended;

static void *counted(void *arg)
{
	atomic_fetch_add(&ended, 1);
	return arg;
}

static void many(void)
{
	pthread_t t[100];
	pthread_attr_t a;
	long wrong = 0;
	void *r;

	for (long round = 0; round < MANY / 100; round++) {
		for (long i = 0; i < 100; i++)
			wrong += pthread_create(&t[i], NULL, counted, (void *)i) != 0;
		for (long i = 0; i < 100; i++)
			wrong += pthread_join(t[i], &r) != 0 || (long)r != i;
	}
	TELL("wrong", wrong);
	TELL("ended", ended);
	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	for (long i = 0; i < 100; i++)
		while (pthread_create(&t[0], &a, counted, NULL) == EAGAIN)
			sched_yield();
	await(&ended, MANY + 100);
	TELL("ended", ended);
}

/* --- mutexes */

static pthread_mutex_t mutex_of(int type, int robust, int shared)
{
	pthread_mutex_t m;
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, type);
	if (robust)
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (shared)
		pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&m, &a);
	return m;
}

static void *tries(void *m)
{
	return (void *)(intptr_t)pthread_mutex_trylock(m);
}

static void *unlocks(void *m)
{
	return (void *)(intptr_t)pthread_mutex_unlock(m);
}

static long in_another(void *(*fn)(void *), void *arg)
{
	pthread_t t;
	void *r;

	if (pthread_create(&t, NULL, fn, arg) != 0 || pthread_join(t, &r) != 0)
		return -1000;
	return (long)(intptr_t)r;
}

static void *waits_a_little(void *m)
{
	struct timespec t = soon(CLOCK_REALTIME, 5);

	return (void *)(intptr_t)pthread_mutex_timedlock(m, &t);
}

static void mutexes(void)
{
	pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_t again = mutex_of(PTHREAD_MUTEX_RECURSIVE, 0, 0);
	pthread_mutex_t strict = mutex_of(PTHREAD_MUTEX_ERRORCHECK, 0, 0);
	struct timespec bad = { .tv_nsec = 2000000000 };

	SAY(pthread_mutex_lock(&plain));
	SAY(pthread_mutex_trylock(&plain));
	SAY(in_another(tries, &plain));
	SAY(in_another(waits_a_little, &plain));
	SAY(pthread_mutex_timedlock(&plain, &bad));
	SAY(pthread_mutex_unlock(&plain));
	SAY(pthread_mutex_destroy(&plain));
	SAY(pthread_mutex_lock(&again));
	SAY(pthread_mutex_lock(&again));
	SAY(in_another(unlocks, &again));
	SAY(pthread_mutex_unlock(&again));
	SAY(in_another(tries, &again));
	SAY(pthread_mutex_unlock(&again));
	SAY(pthread_mutex_unlock(&again));
	SAY(pthread_mutex_lock(&strict));
	SAY(pthread_mutex_lock(&strict));
	SAY(in_another(unlocks, &strict));
	SAY(pthread_mutex_unlock(&strict));
	SAY(pthread_mutex_unlock(&strict));
}

static void *locks(void *m)
{
	return (void *)(intptr_t)pthread_mutex_lock(m);
}

static void robust(void)
{
	pthread_mutex_t m = mutex_of(PTHREAD_MUTEX_NORMAL, 1, 0);

	SAY(in_another(locks, &m));
	SAY(pthread_mutex_lock(&m));
	SAY(pthread_mutex_consistent(&m));
	SAY(pthread_mutex_consistent(&m));
	SAY(pthread_mutex_unlock(&m));
	SAY(in_another(locks, &m));
	SAY(pthread_mutex_trylock(&m));
	SAY(pthread_mutex_unlock(&m));
	SAY(pthread_mutex_lock(&m));
	SAY(pthread_mutex_trylock(&m));
}

/* In memory that a child has too, and in which it dies. */
static void robust_of_a_process(int sig)
{
	pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int status;

	*m = mutex_of(PTHREAD_MUTEX_NORMAL, 1, 1);
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(m);
		if (sig)
			raise(sig);
		_exit(0);
	}
	SAY(waitpid(pid, &status, 0) == pid);
	TELL("status", status);
	SAY(pthread_mutex_lock(m));
	SAY(pthread_mutex_consistent(m));
	SAY(pthread_mutex_unlock(m));
	munmap(m, 4096);
}

#define ROUNDS 2000

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static long count;

static void *counts(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&counting);
		count++;
		pthread_mutex_unlock(&counting);
	}
	return unused;
}

static void excluding(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, counts, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	TELL("counted", count);
}

/* --- conditions, barriers, rwlocks, semaphores */

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t cond_lock = PTHREAD_MUTEX_INITIALIZER;
static int turn, waiting;

static void *takes_turns(void *arg)
{
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&cond_lock);
		while (turn % 2 != (int)(intptr_t)arg)
			pthread_cond_wait(&cond, &cond_lock);
		turn++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&cond_lock);
	}
	return NULL;
}

static void *waits_for_all(void *unused)
{
	pthread_mutex_lock(&cond_lock);
	waiting++;
	while (waiting >= 0)
		pthread_cond_wait(&cond, &cond_lock);
	pthread_mutex_unlock(&cond_lock);
	return unused;
}

static void conditions(void)
{
	struct timespec past = { .tv_sec = 1 }, later = soon(CLOCK_MONOTONIC, 5);
	pthread_condattr_t a;
	pthread_cond_t steady;
	pthread_t t[10];

	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, takes_turns, (void *)(intptr_t)i);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	TELL("turns", turn);
	for (int i = 0; i < 10; i++)
		pthread_create(&t[i], NULL, waits_for_all, NULL);
	pthread_mutex_lock(&cond_lock);
	while (waiting < 10) {
		pthread_mutex_unlock(&cond_lock);
		sched_yield();
		pthread_mutex_lock(&cond_lock);
	}
	waiting = -1;
	SAY(pthread_cond_broadcast(&cond));
	SAY(pthread_mutex_unlock(&cond_lock));
	for (int i = 0; i < 10; i++)
		pthread_join(t[i], NULL);
	pthread_mutex_lock(&cond_lock);
	SAY(pthread_cond_timedwait(&cond, &cond_lock, &past));
	SAY(pthread_condattr_init(&a));
	SAY(pthread_condattr_setclock(&a, CLOCK_MONOTONIC));
	SAY(pthread_cond_init(&steady, &a));
	SAY(pthread_cond_timedwait(&steady, &cond_lock, &later));
	SAY(pthread_mutex_unlock(&cond_lock));
	SAY(pthread_cond_destroy(&steady));
}

static pthread_barrier_t barrier;

static void *meets(void *unused)
{
	long serial = 0;

	(void)unused;
	for (int i = 0; i < 100; i++)
		serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
	return (void *)serial;
}

static void barriers(void)
{
	pthread_t t[5];
	long serial = 0;
	void *r;

	SAY(pthread_barrier_init(&barrier, NULL, 0));
	SAY(pthread_barrier_init(&barrier, NULL, 5));
	for (int i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, meets, NULL);
	for (int i = 0; i < 5; i++) {
		pthread_join(t[i], &r);
		serial += (long)r;
	}
	TELL("one of them each time", serial);
	SAY(pthread_barrier_destroy(&barrier));
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

static void *tries_to_read(void *unused)
{
	int r = pthread_rwlock_tryrdlock(&rw);

	if (r == 0)
		pthread_rwlock_unlock(&rw);
	(void)unused;
	return (void *)(intptr_t)r;
}

static void *tries_to_write(void *unused)
{
	struct timespec t = soon(CLOCK_REALTIME, 5);
	int r = pthread_rwlock_timedwrlock(&rw, &t);

	if (r == 0)
		pthread_rwlock_unlock(&rw);
	(void)unused;
	return (void *)(intptr_t)r;
}

static void rwlocks(void)
{
	SAY(pthread_rwlock_rdlock(&rw));
	SAY(in_another(tries_to_read, NULL));
	SAY(in_another(tries_to_write, NULL));
	SAY(pthread_rwlock_unlock(&rw));
	SAY(pthread_rwlock_wrlock(&rw));
	SAY(in_another(tries_to_read, NULL));
	SAY(in_another(tries_to_write, NULL));
	SAY(pthread_rwlock_unlock(&rw));
	SAY(in_another(tries_to_write, NULL));
}

static void semaphores(void)
{
	struct timespec later = soon(CLOCK_REALTIME, 5);
	sem_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int value, status;
	sem_t s;

	SAY(sem_init(&s, 0, 2));
	SAY(sem_wait(&s));
	SAY(sem_trywait(&s));
	SAY(sem_trywait(&s));
	SAY(sem_timedwait(&s, &later));
	SAY(sem_post(&s));
	SAY(sem_getvalue(&s, &value));
	TELL("value", value);
	SAY(sem_init(shared, 1, 0));
	if (fork() == 0)
		_exit(sem_post(shared));
	SAY(sem_wait(shared));
	SAY(wait(&status) > 0);
	munmap(shared, 4096);
}

/* --- once, keys, clean-up, cancellation */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static atomic_int made, destroyed, cleaned;

static void make_once(void)
{
	made++;
}

static void destroy(void *value)
{
	destroyed += (int)(intptr_t)value;
}

static void *has_a_value(void *arg)
{
	pthread_once(&once, make_once);
	pthread_setspecific(key, arg);
	return pthread_getspecific(key);
}

static void keys(void)
{
	SAY(pthread_key_create(&key, destroy));
	SAY(in_another(has_a_value, (void *)3));
	SAY(in_another(has_a_value, (void *)4));
	TELL("made", made);
	TELL("destroyed", destroyed);
	SAY(pthread_getspecific(key) == NULL);
	SAY(pthread_key_delete(key));
}

static void clean(void *arg)
{
	cleaned += (int)(intptr_t)arg;
}

static int ends_of_pipe[2];
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void unlock(void *m)
{
	pthread_mutex_unlock(m);
}

static void *sleeps(void *how)
{
	char byte;

	pthread_cleanup_push(clean, (void *)1);
	atomic_store(&step, 1);
	switch ((int)(intptr_t)how) {
	case 0: pause(); break;
	case 1: (void)!read(ends_of_pipe[0], &byte, 1); break;
	case 2: sleep(1000); break;
	case 3:
		pthread_mutex_lock(&held);
		pthread_cleanup_push(unlock, &held);
		for (;;)
			pthread_cond_wait(&never, &held);
		pthread_cleanup_pop(1);
		break;
	case 4:
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
		for (;;)
			;
	case 5:
		for (;;)
			pthread_testcancel();
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void *refuses(void *unused)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	atomic_store(&step, 1);
	await(&step, 2);
	pthread_testcancel();
	atomic_fetch_add(&cleaned, 100);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	return unused;
}

static void cancellation(void)
{
	pthread_t t;
	void *r;

	SAY(pipe(ends_of_pipe));
	for (long how = 0; how < 6; how++) {
		atomic_store(&step, 0);
		SAY(pthread_create(&t, NULL, sleeps, (void *)how));
		await(&step, 1);
		SAY(pthread_cancel(t));
		SAY(pthread_join(t, &r));
		TELL("cancelled", r == PTHREAD_CANCELED);
	}
	TELL("cleaned", cleaned);
	SAY(pthread_mutex_trylock(&held));
	SAY(pthread_mutex_unlock(&held));
	atomic_store(&step, 0);
	SAY(pthread_create(&t, NULL, refuses, NULL));
	await(&step, 1);
	SAY(pthread_cancel(t));
	atomic_store(&step, 2);
	SAY(pthread_join(t, &r));
	TELL("cancelled", r == PTHREAD_CANCELED);
	TELL("cleaned", cleaned);
	close(ends_of_pipe[0]);
	close(ends_of_pipe[1]);
}

/* --- signals */

static atomic_int got;
static pthread_t who;

static void handler(int sig)
{
	who = pthread_self();
	atomic_store(&got, sig);
}

static void *takes_one(void *set)
{
	int sig = 0;

	atomic_store(&step, 1);
	sigwait(set, &sig);
	return (void *)(intptr_t)sig;
}

static void signals(void)
{
	struct sigaction sa = { .sa_handler = handler };
	pthread_t t;
	sigset_t set;
	void *r;

	sigaction(SIGUSR1, &sa, NULL);
	atomic_store(&step, 0);
	SAY(pthread_create(&t, NULL, waits_for_step, (void *)2));
	SAY(pthread_kill(t, SIGUSR1));
	await(&got, SIGUSR1);
	TELL("that one", pthread_equal(who, t));
	atomic_store(&step, 2);
	SAY(pthread_join(t, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	SAY(pthread_sigmask(SIG_BLOCK, &set, NULL));
	atomic_store(&step, 0);
	SAY(pthread_create(&t, NULL, takes_one, &set));
	await(&step, 1);
	SAY(kill(getpid(), SIGUSR2));
	SAY(pthread_join(t, &r));
	TELL("signal", (intptr_t)r);
}

/* --- processes */

static atomic_int before, after_parent, after_child;

static void prepare(void) { before++; }
static void parent(void) { after_parent++; }
static void child(void) { after_child++; }

static void *forks(void *unused)
{
	int status;
	pid_t pid = fork();

	(void)unused;
	if (pid == 0)
		_exit(before * 16 + after_parent * 4 + after_child);
	waitpid(pid, &status, 0);
	return (void *)(intptr_t)status;
}

static void *exits(void *unused)
{
	(void)unused;
	exit(5);
}

static void *execs(void *unused)
{
	(void)unused;
	execl("/bin/sh", "sh", "-c", "exit 6", (char *)NULL);
	_exit(1);
}

static void *ends_alone(void *t)
{
	pthread_join(*(pthread_t *)t, NULL);
	_exit(9);
}

/* A process of its own, in which one thread does something that concerns all. */
static long status_of(void *(*fn)(void *))
{
	static pthread_t first;
	pthread_t t;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		first = pthread_self();
		atomic_store(&step, 0);
		pthread_create(&t, NULL, waits_for_step, (void *)-1);
		pthread_create(&t, NULL, fn, &first);
		if (fn == ends_alone)
			pthread_exit(NULL);
		pause();
	}
	waitpid(pid, &status, 0);
	return status;
}

static void processes(void)
{
	SAY(pthread_atfork(prepare, parent, child));
	SAY(in_another(forks, NULL));
	TELL("after", before * 16 + after_parent * 4 + after_child);
	SAY(status_of(exits));
	SAY(status_of(execs));
	SAY(status_of(ends_alone));
}

int main(void)
{
	beginning();
	attributes();
	many();
	mutexes();
	robust();
	robust_of_a_process(0);
	robust_of_a_process(SIGKILL);
	excluding();
	conditions();
	barriers();
	rwlocks();
	semaphores();
	keys();
	cancellation();
	signals();
	processes();
	return 0;
}
