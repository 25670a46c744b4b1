// SPDX-License-Identifier: BSD-3-Clause
/* Waiting for children. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <twz/sys/sync.h>

#define CONTINUED 0xffff /* as wait4() tells it */
#define ANY_KIND 0xe0000000u /* __WNOTHREAD, __WALL, __WCLONE: children are all of one kind */

/* Which children: all; the one of a number; those of a group. */
struct wanted {
	enum { ALL, ONE, GROUP } which;
	int id;
	int options; /* as waitid() has them */
};

struct found {
	int pid, status;
	uint32_t uid;
	uint64_t cpu;
};

static bool is_meant(const struct twix_process *p, const struct wanted *w)
{
	if (p->state == TWIX_NO_PROCESS || p->parent != twix_self()->pid)
		return false;
	if (p->state == TWIX_ENDED && !(w->options & WEXITED))
		return false;
	return w->which == ALL || (w->which == ONE ? p->pid : p->group) == w->id;
}

/* Whether it was stopped, or went on, which is told once to who asks for it. */
static bool take_report(struct twix_process *p, int options, int *status)
{
	int report = __atomic_load_n(&p->report, __ATOMIC_ACQUIRE);
	int wanted = report == CONTINUED ? WCONTINUED : WSTOPPED;

	if (!report || !(options & wanted) || p->state != TWIX_RUNNING)
		return false;
	*status = report;
	return options & WNOWAIT ||
	       __atomic_compare_exchange_n(&p->report, &report, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* A child that has ended, whose place is then free. */
static bool take_ended(struct twix_process *p, int options)
{
	uint32_t ended = TWIX_ENDED;

	if (!(options & WEXITED))
		return false;
	if (options & WNOWAIT)
		return __atomic_load_n(&p->state, __ATOMIC_ACQUIRE) == TWIX_ENDED;
	return __atomic_compare_exchange_n(&p->state, &ended, TWIX_NO_PROCESS, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_RELAXED);
}

/* 1: found; 0: none yet; -ECHILD: none there. */
static int look(const struct wanted *w, struct found *f)
{
	struct twix_process *p;
	int r = -ECHILD;

	for (unsigned n = 0; (p = twix_process_next(&n));) {
		if (!is_meant(p, w))
			continue;
		r = 0;
		*f = (struct found){ p->pid, p->status, twix_about(p)->users.user.real, p->cpu };
		if (take_report(p, w->options, &f->status))
			return 1;
		if (!take_ended(p, w->options))
			continue;
		if (!(w->options & WNOWAIT)) {
			__atomic_fetch_add(&twix_self()->cpu_of_children, f->cpu, __ATOMIC_RELAXED);
			twix_process_freed(p);
		}
		return 1;
	}
	return r;
}

static int wait_for(const struct wanted *w, struct found *f)
{
	uint64_t *events = &twix_self()->events, seen;
	int r;

	for (;;) {
		seen = __atomic_load_n(events, __ATOMIC_ACQUIRE);
		r = look(w, f);
		if (r || w->options & WNOHANG)
			return r;
		if (twix_sleep_on(events, seen, UINT64_MAX) == -EINTR)
			return -EINTR;
	}
}

static void tell_usage(struct rusage *u, const struct found *f)
{
	if (u)
		twix_tell_usage(u, f->cpu);
}

long twix_wait4(const long a[6])
{
	int pid = (int)a[0], options = (int)a[2], r;
	struct wanted w = { .options = options | WEXITED };
	struct found f;

	if ((unsigned)options & ~(unsigned)(WNOHANG | WUNTRACED | WCONTINUED | ANY_KIND))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	w.which = pid == -1 ? ALL : pid > 0 ? ONE : GROUP;
	w.id = pid > 0 ? pid : pid ? -pid : twix_self()->group;
	r = wait_for(&w, &f);
	if (r <= 0)
		return r;
	if (a[1])
		*(int *)a[1] = f.status;
	tell_usage((void *)a[3], &f);
	return f.pid;
}

/* --- the same with more to ask for and to be told */

static int want(int type, int id, struct wanted *w)
{
	switch (type) {
	case P_ALL:
		w->which = ALL;
		return 0;
	case P_PID:
		w->which = ONE;
		w->id = id;
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		w->which = GROUP;
		w->id = id ? id : twix_self()->group;
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD: /* there are no such descriptors */
		return id < 0 ? -EINVAL : -EBADF;
	default:
		return -EINVAL;
	}
}

static void tell(siginfo_t *info, const struct found *f)
{
	int status = f->status;

	info->si_signo = SIGCHLD;
	info->si_pid = f->pid;
	info->si_uid = f->uid;
	info->si_code = status == CONTINUED ? CLD_CONTINUED : (status & 0xff) == 0x7f ? CLD_STOPPED :
	    status & 0x7f ? CLD_KILLED : CLD_EXITED;
	info->si_status = status == CONTINUED ? SIGCONT : info->si_code == CLD_KILLED ? status & 0x7f : status >> 8;
}

/* As Linux: of all that a siginfo_t has only this is written, whatever comes of the call. */
static void clear(siginfo_t *info)
{
	info->si_signo = info->si_errno = info->si_code = 0;
	info->si_pid = 0;
	info->si_uid = 0;
	info->si_status = 0;
}

long twix_waitid(const long a[6])
{
	struct wanted w = { .options = (int)a[3] };
	unsigned known = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | ANY_KIND;
	siginfo_t *info = (void *)a[2];
	struct found f;
	int r = -EINVAL;

	if (!((unsigned)w.options & ~known) && w.options & (WEXITED | WSTOPPED | WCONTINUED))
		r = want((int)a[0], (int)a[1], &w);
	if (r == 0)
		r = wait_for(&w, &f);
	if (info)
		clear(info);
	if (r > 0 && info)
		tell(info, &f);
	if (r > 0)
		tell_usage((void *)a[4], &f);
	return r < 0 ? r : 0;
}
