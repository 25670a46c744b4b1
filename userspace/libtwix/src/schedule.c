// SPDX-License-Identifier: BSD-3-Clause
/*
 * How threads are scheduled. The kernel's classes and priorities are Linux's under other names, and
 * a thread has them from the one that made it, through fork() and execve().
 */
#include "twix.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>

#define TURN 100000000ull /* ns, with SCHED_RR */
#define NICE_MIN (-20)
#define NICE_MAX 19

/* --- of which thread */

/* A thread of this program, or the first of another; 0: this one. Of one that has ended nothing is known. */
static objid_t thread_of(int tid)
{
	const struct twix_thread *t = tid ? twix_thread_of(tid) : twix_me;
	const struct twix_process *p = t ? NULL : twix_process_of(tid);

	return t == twix_me ? twz_thread_id() : t ? t->thread.tid : p ? p->thread : 0;
}

static long get(int tid, struct twz_sched *s)
{
	objid_t thread = tid < 0 ? 0 : thread_of(tid);

	if (tid < 0)
		return -EINVAL;
	*s = (struct twz_sched){ .klass = TWZ_SCHED_NORMAL, .prio = TWZ_SCHED_DEFAULT_PRIO };
	if (!thread)
		return -ESRCH;
	sys_thrd_ctl2(thread, THRD_CTL_GET_SCHED, (long)s);
	return 0;
}

static long put(int tid, struct twz_sched *s)
{
	long r = sys_thrd_ctl2(thread_of(tid), THRD_CTL_SET_SCHED, (long)s);

	return r == -EACCES ? -EPERM : r == -ENOENT ? 0 : r;
}

static bool may_change(int tid)
{
	const struct twix_process *p = twix_process_of(tid);

	return !p || twix_may_signal(p, 0);
}

/* --- priorities of the ordinary class */

static int nice_of(const struct twz_sched *s)
{
	return s->klass == TWZ_SCHED_RT ? 0 : (int)s->prio - (int)TWZ_SCHED_DEFAULT_PRIO;
}

static bool is_meant(const struct twix_process *p, int which, uint32_t who)
{
	if (p->state != TWIX_RUNNING)
		return false;
	if (which == PRIO_PGRP)
		return p->group == (int)(who ? who : (uint32_t)twix_self()->group);
	return twix_about(p)->users.user.real == (who ? who : twix_users()->user.real);
}

/* Of all that are meant: the least nice, or with a value set that. -ESRCH: nobody is. */
static long for_one(int tid, const int *nice)
{
	struct twz_sched s;
	long r = get(tid, &s);

	if (r < 0 || !nice)
		return r < 0 ? -ESRCH : -NICE_MIN - nice_of(&s);
	if (!may_change(tid))
		return -EPERM;
	if (*nice < nice_of(&s) && !twix_is_root())
		return -EACCES;
	if (s.klass == TWZ_SCHED_RT)
		return 0;
	s.prio = (uint32_t)(*nice + (int)TWZ_SCHED_DEFAULT_PRIO);
	return put(tid, &s);
}

static long for_all(int which, uint32_t who, const int *nice)
{
	struct twix_process *p;
	long best = -ESRCH, r;

	if (which == PRIO_PROCESS)
		return for_one((int)who < 0 ? INT32_MAX : (int)who, nice);
	if (which != PRIO_PGRP && which != PRIO_USER)
		return -EINVAL;
	for (unsigned n = 0; (p = twix_process_next(&n));) {
		if (!is_meant(p, which, who))
			continue;
		r = for_one(p->pid, nice);
		if (best == -ESRCH || (nice ? r < 0 : r > best))
			best = r;
	}
	return best;
}

/* 40 of the least nice, 1 of the nicest: an error can be told from it. */
long twix_getpriority(const long a[6])
{
	return for_all((int)a[0], (uint32_t)a[1], NULL);
}

long twix_setpriority(const long a[6])
{
	int nice = (int)a[2] < NICE_MIN ? NICE_MIN : (int)a[2] > NICE_MAX ? NICE_MAX : (int)a[2];

	return for_all((int)a[0], (uint32_t)a[1], &nice);
}

/* --- classes */

static int policy_of(const struct twz_sched *s)
{
	if (s->klass == TWZ_SCHED_RT)
		return s->slice_ns ? SCHED_RR : SCHED_FIFO;
	return s->klass == TWZ_SCHED_IDLE ? SCHED_IDLE : SCHED_OTHER;
}

static bool is_real_time(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static long check(int policy, int priority)
{
	if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE && !is_real_time(policy))
		return -EINVAL;
	if (is_real_time(policy) ? priority < 1 || priority > (int)TWZ_SCHED_RT_PRIO_MAX : priority != 0)
		return -EINVAL;
	return 0;
}

static long set(int tid, struct twz_sched *s, int policy, int priority)
{
	bool was = s->klass == TWZ_SCHED_RT;
	long r = check(policy, priority);

	if (r < 0)
		return r;
	if (!may_change(tid) || (is_real_time(policy) && !twix_is_root()))
		return -EPERM;
	s->klass = is_real_time(policy) ? TWZ_SCHED_RT : policy == SCHED_IDLE ? TWZ_SCHED_IDLE : TWZ_SCHED_NORMAL;
	if (is_real_time(policy) || was)
		s->prio = is_real_time(policy) ? (uint32_t)priority : TWZ_SCHED_DEFAULT_PRIO;
	s->slice_ns = policy == SCHED_RR ? TURN : 0;
	return put(tid, s);
}

long twix_sched_getscheduler(const long a[6])
{
	struct twz_sched s;
	long r = get((int)a[0], &s);

	return r < 0 ? r : policy_of(&s);
}

long twix_sched_setscheduler(const long a[6])
{
	struct twz_sched s;
	long r;

	if ((int)a[1] < 0 || (int)a[0] < 0 || !a[2])
		return -EINVAL;
	r = get((int)a[0], &s);
	return r < 0 ? r : set((int)a[0], &s, (int)a[1], *(const int *)a[2]);
}

long twix_sched_getparam(const long a[6])
{
	struct twz_sched s;
	long r = !a[1] ? -EINVAL : get((int)a[0], &s);

	if (r == 0)
		*(int *)a[1] = s.klass == TWZ_SCHED_RT ? (int)s.prio : 0;
	return r;
}

long twix_sched_setparam(const long a[6])
{
	struct twz_sched s;
	long r = !a[1] ? -EINVAL : get((int)a[0], &s);

	return r < 0 ? r : set((int)a[0], &s, policy_of(&s), *(const int *)a[1]);
}

long twix_sched_priority_max(const long a[6])
{
	return is_real_time((int)a[0]) ? (long)TWZ_SCHED_RT_PRIO_MAX : check((int)a[0], 0);
}

long twix_sched_priority_min(const long a[6])
{
	return is_real_time((int)a[0]) ? 1 : check((int)a[0], 0);
}

/* What the kernel gives to those that compete. */
long twix_sched_rr_get_interval(const long a[6])
{
	struct twz_sched s;
	long r = get((int)a[0], &s);

	if (r == 0)
		*(struct timespec *)a[1] = twix_time_of(s.klass == TWZ_SCHED_RT ? s.slice_ns : TWIX_NS / 100);
	return r;
}

/* --- CPUs */

static uint64_t all_cpus(void)
{
	unsigned n = twz_sysinfo()->ncpus;

	return n >= 64 ? ~0ull : (1ull << n) - 1;
}

long twix_sched_yield(const long a[6])
{
	(void)a;
	sys_thrd_ctl(THRD_CTL_YIELD, 0);
	return 0;
}

long twix_sched_getaffinity(const long a[6])
{
	size_t size = (unsigned)a[1];
	struct twz_sched s;
	uint64_t set;
	long r;

	if (size < 8 || size % 8)
		return -EINVAL;
	r = get((int)a[0], &s);
	if (r < 0)
		return (int)a[0] < 0 ? -ESRCH : r;
	set = s.affinity[0] ? s.affinity[0] & all_cpus() : all_cpus();
	memcpy((void *)a[2], &set, sizeof(set));
	return sizeof(set);
}

long twix_sched_setaffinity(const long a[6])
{
	size_t size = (unsigned)a[1];
	struct twz_sched s;
	uint64_t set = 0;
	long r;

	size = size < sizeof(set) ? size : sizeof(set);
	if (!twix_can_read((const void *)a[2], size))
		return -EFAULT;
	memcpy(&set, (const void *)a[2], size);
	r = get((int)a[0], &s);
	if (r < 0)
		return -ESRCH;
	if (!may_change((int)a[0]))
		return -EPERM;
	set &= all_cpus();
	if (!set)
		return -EINVAL;
	s.affinity[0] = set == all_cpus() ? 0 : set;
	return put((int)a[0], &s);
}

/* Where it is now, which may be another in a moment. */
long twix_getcpu(const long a[6])
{
	struct kernel_ostat_thread st = { 0 };

	sys_ostat(TWZ_OSTAT_THREAD, twz_thread_id(), 0, &st);
	if (a[0])
		*(unsigned *)a[0] = st.cpu;
	if (a[1])
		*(unsigned *)a[1] = 0;
	return 0;
}
