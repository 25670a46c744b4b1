// SPDX-License-Identifier: BSD-3-Clause
/* Waiting for children. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <twz/sys/sync.h>

static bool is_meant(const struct twix_process *p, int pid)
{
	if (p->state == TWIX_NO_PROCESS || p->parent != twix_self()->pid)
		return false;
	if (pid > 0)
		return p->pid == pid;
	return pid == -1 || p->group == (pid ? -pid : twix_self()->group);
}

/* Whether it was stopped, or went on, which is told once to who asks for it. */
static bool take_report(struct twix_process *p, int options, int *status)
{
	int report = __atomic_load_n(&p->report, __ATOMIC_ACQUIRE);
	int wanted = report == 0xffff ? WCONTINUED : WUNTRACED;

	if (!report || !(options & wanted) || p->state != TWIX_RUNNING ||
	    !__atomic_compare_exchange_n(&p->report, &report, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	if (status)
		*status = report;
	return true;
}

/* A child that has ended, whose place is then free; 0: none yet; -ECHILD: none there. */
static int reap(int pid, int *status, int options)
{
	struct twix_process *p;
	int r = -ECHILD;

	for (unsigned n = 0; (p = twix_process_next(&n));) {
		uint32_t ended = TWIX_ENDED;
		int child = p->pid, how = p->status;

		if (!is_meant(p, pid))
			continue;
		r = 0;
		if (take_report(p, options, status))
			return child;
		if (!__atomic_compare_exchange_n(&p->state, &ended, TWIX_NO_PROCESS, false, __ATOMIC_ACQ_REL,
		    __ATOMIC_RELAXED))
			continue;
		twix_process_freed(p);
		if (status)
			*status = how;
		return child;
	}
	return r;
}

long twix_wait4(const long a[6])
{
	int pid = (int)a[0], options = (int)a[2], r;
	struct rusage *usage = (void *)a[3];
	uint64_t *events = &twix_self()->events, seen;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED))
		return -EINVAL;
	for (;;) {
		seen = __atomic_load_n(events, __ATOMIC_ACQUIRE);
		r = reap(pid, (int *)a[1], options);
		if (r || options & WNOHANG)
			break;
		if (twix_sleep_on(events, seen, UINT64_MAX) == -EINTR)
			return -EINTR;
	}
	if (usage)
		memset(usage, 0, sizeof(*usage));
	return r;
}
