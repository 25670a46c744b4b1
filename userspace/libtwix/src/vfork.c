// SPDX-License-Identifier: BSD-3-Clause
/*
 * vfork() without a copy. Until the child runs another program, or ends, it is the thread that called:
 * that has the child's number, descriptors, signals and directory, and the parent's memory. Then the
 * parent goes on where it called, with what was kept of it. Whoever sends it something meanwhile
 * waits until then.
 *
 * What cannot be done in another's memory, such as making a process, gives the child a copy of it
 * after all. Of a program with several threads all children have copies from the beginning.
 */
#include "twix.h"

#include <string.h>
#include <sys/syscall.h>
#include <twz/twztry.h>

static struct {
	struct twix_process *parent, *child; /* child NULL: the thread is its own */
	int pid;                             /* of the child */
	struct twix_thread thread;           /* what the caller was */
	uint64_t regs[32];                   /* where it called */
} lent;

bool twix_vfork_is_on(void)
{
	return lent.child;
}

static void lend(struct twix_process *child)
{
	lent.parent = twix_self();
	lent.thread = *twix_me;
	lent.pid = child->pid;
	twix_actions_keep();
	twix_process_inherit(child, twix_me->thread.tid);
	twix_act_as(child);
	twix_me->tid = child->pid;
	twix_me->pending = 0;
	lent.child = child;
	__atomic_store_n(&child->state, TWIX_RUNNING, __ATOMIC_RELEASE);
}

uint64_t *__twix_vfork_begin(void)
{
	struct twix_process *child;

	if (lent.child || !twix_thread_is_alone() || twix_linux_program())
		return NULL;
	twix_signal_enter();
	child = twix_process_new();
	if (child)
		lend(child);
	twix_signal_leave(false);
	return child ? lent.regs : NULL;
}

_Noreturn void twix_vfork_return(void)
{
	uint64_t regs[32];
	int pid = lent.pid;

	/* A handler that runs before the end may do the same. */
	memcpy(regs, lent.regs, sizeof(regs));
	twix_actions_restore();
	twix_act_as(lent.parent);
	*twix_me = lent.thread;
	lent.child = NULL;
	twix_signal_leave(false);
	__twz_try_load(regs, pid);
}

int twix_vfork_settle(void)
{
	struct twix_process *child = lent.child;
	long r;

	if (!child)
		return 0;
	lent.child = NULL; /* so that it is in the copy */
	r = twix_fork_for(child);
	if (r == 0)
		return 0;
	lent.child = child;
	if (r > 0)
		twix_vfork_return();
	return (int)r;
}

int twix_vfork_call(int (*fn)(void *), void *arg)
{
	uint64_t *regs = __twix_vfork_begin();
	int pid;

	if (!regs)
		return -1;
	pid = __twz_try_save(regs);
	if (!pid)
		__twix_syscall(SYS_exit_group, fn(arg), 0, 0, 0, 0, 0);
	return pid;
}
