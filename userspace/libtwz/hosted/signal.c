// SPDX-License-Identifier: BSD-3-Clause
/*
 * Signals of threads (sys_signal), for threads of this process. They wait in the thread's queue; a
 * signal of the host makes it look there, ends its sleep, and brings them as faults.
 */
#define _GNU_SOURCE
#include "hosted.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define QUEUE 32u

/* A thread of this process. Guarded by lock, which is taken with the host's signal blocked. */
struct receiver {
	struct receiver *next;
	objid_t tid;
	pthread_t thread;
	unsigned count;
	struct fault_signal_info queue[QUEUE];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct receiver *receivers;
static __thread struct receiver self;

static int number(void)
{
	return SIGRTMAX - 3;
}

static void take_lock(sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number());
	pthread_sigmask(SIG_BLOCK, &set, old);
	pthread_mutex_lock(&lock);
}

static void give_lock(const sigset_t *old)
{
	pthread_mutex_unlock(&lock);
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

/* The oldest one that waits. */
static bool take(struct fault_signal_info *info)
{
	sigset_t old;
	bool any;

	take_lock(&old);
	any = self.count != 0;
	if (any) {
		*info = self.queue[0];
		memmove(self.queue, self.queue + 1, --self.count * sizeof(*info));
	}
	give_lock(&old);
	return any;
}

static void handle(int signal, siginfo_t *si, void *context)
{
	_Alignas(16) struct fault_signal_info info;

	(void)signal, (void)si;
	while (take(&info)) {
		__twz_futex_interrupt();
		__twz_trap_deliver(FAULT_SIGNAL, &info, context);
	}
}

static struct receiver *find(objid_t tid)
{
	struct receiver *r = receivers;

	while (r && r->tid != tid)
		r = r->next;
	return r;
}

bool __twz_own_parent(objid_t id)
{
	sigset_t old;
	bool own = id == __twz_view_repr(NULL)->ves[TWZSLOT_CVIEW].id;

	if (own)
		return true;
	take_lock(&old);
	own = find(id);
	give_lock(&old);
	return own;
}

static long put(struct receiver *r, const struct fault_signal_info *info)
{
	if (!r)
		return -ESRCH;
	if (r->count == QUEUE)
		return -EAGAIN;
	r->queue[r->count++] = *info;
	return -pthread_kill(r->thread, number());
}

long sys_signal(objid_t tid, long a0, long a1, long a2, long a3)
{
	struct fault_signal_info info = { { a0, a1, a2, a3 } };
	sigset_t old;
	long r;

	if (tid && !__twz_file_there(tid))
		return -ENOENT;
	tid = tid ? tid : twz_thread_id();
	take_lock(&old);
	r = put(find(tid), &info);
	give_lock(&old);
	return r;
}

void __twz_signal_thread_begin(objid_t tid)
{
	sigset_t old;

	take_lock(&old);
	self = (struct receiver){ .next = receivers, .tid = tid, .thread = pthread_self() };
	receivers = &self;
	give_lock(&old);
}

void __twz_signal_thread_end(void)
{
	struct receiver **link = &receivers;
	sigset_t old;

	take_lock(&old);
	while (*link && *link != &self)
		link = &(*link)->next;
	if (*link)
		*link = self.next;
	self.count = 0;
	give_lock(&old);
}

void __twz_signal_forked(void)
{
	pthread_mutex_init(&lock, NULL);
	receivers = NULL;
}

void __twz_signal_setup(void)
{
	struct sigaction sa = {
		.sa_sigaction = handle,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};

	sigaction(number(), &sa, NULL);
}
