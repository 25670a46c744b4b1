// SPDX-License-Identifier: BSD-3-Clause
/* Processes: who they are, and how they end. */
#include "twix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <twz/sys/slots.h>
#include <twz/sys/sync.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

/* What wait4() tells. */
#define ENDED(code) ((code) << 8)

objid_t twix_view_id(void)
{
	objid_t id;

	twz_view_get(NULL, TWZSLOT_CVIEW, &id, NULL);
	return id;
}

int twix_child_object(objid_t parent, objid_t src, objid_t *id)
{
	struct twz_ocreate_source whole = { .id = src };
	struct twz_ocreate_spec spec = {
		.srcs = (uintptr_t)&whole,
		.srcs_len = src != 0,
		.ties = (uintptr_t)&parent,
		.ties_len = 1,
		.flags = TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_DEL,
		.backing_type = TWZ_BACKING_VOLATILE,
		.lifetime = 1,
	};
	int r = (int)sys_ocreate2(&spec);

	if (r == 0)
		*id = spec.result;
	return r;
}

long twix_getpid(const long a[6])
{
	(void)a;
	return twix_self()->pid;
}

long twix_getppid(const long a[6])
{
	(void)a;
	return twix_self()->parent;
}

static struct twix_process *process_or_self(int pid)
{
	return pid ? twix_process_of(pid) : twix_self();
}

long twix_getpgid(const long a[6])
{
	struct twix_process *p = process_or_self((int)a[0]);

	return p ? p->group : -ESRCH;
}

long twix_getsid(const long a[6])
{
	struct twix_process *p = process_or_self((int)a[0]);

	return p ? p->session : -ESRCH;
}

/* Whether there is such a group, in a session, or 0: in any. One that has ended counts until it is waited for. */
static bool is_group(int group, int session)
{
	struct twix_process *p;

	for (unsigned n = 0; (p = twix_process_next(&n));)
		if (p->group == group && (!session || p->session == session))
			return true;
	return false;
}

long twix_setpgid(const long a[6])
{
	struct twix_process *p = process_or_self((int)a[0]), *self = twix_self();
	int group = (int)a[1];

	if (group < 0)
		return -EINVAL;
	if (!p || (p != self && p->parent != self->pid))
		return -ESRCH;
	if (p != self && p->session != self->session)
		return -EPERM;
	if (p != self && __atomic_load_n(&p->attributes, __ATOMIC_ACQUIRE) & TWIX_ANOTHER_PROGRAM)
		return -EACCES;
	if (p->session == p->pid || (group && group != p->pid && !is_group(group, self->session)))
		return -EPERM;
	p->group = group ? group : p->pid;
	return 0;
}

long twix_setsid(const long a[6])
{
	struct twix_process *p = twix_self();

	(void)a;
	if (is_group(p->pid, 0))
		return -EPERM;
	p->group = p->session = p->pid;
	return p->pid;
}

/* --- the end */

/* How a process is, as wait4() tells it, for a handler. */
static struct twix_signal signal_of(const struct twix_process *p, int status)
{
	struct twix_signal s = { .sig = SIGCHLD, .a = p->pid, .b = (int32_t)twix_about(p)->users.user.real };

	s.code = status == 0xffff ? CLD_CONTINUED : (status & 0xff) == 0x7f ? CLD_STOPPED :
		 status & 0x7f ? CLD_KILLED : CLD_EXITED;
	s.value = s.code == CLD_CONTINUED ? SIGCONT : s.code == CLD_KILLED ? (unsigned)status & 0x7f :
		  (unsigned)status >> 8;
	return s;
}

static void wake_waiters(struct twix_process *parent)
{
	__atomic_fetch_add(&parent->events, 1, __ATOMIC_ACQ_REL);
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&parent->events, (uint64_t)-1, NULL);
}

/* A parent that does not ask for its children's ends. */
static bool wants_none(const struct twix_process *parent)
{
	return __atomic_load_n(&parent->child_flags, __ATOMIC_ACQUIRE) & SA_NOCLDWAIT ||
	       __atomic_load_n(&parent->ignored, __ATOMIC_ACQUIRE) & SIG_BIT(SIGCHLD);
}

/* Nobody will ask for these any more. */
static void disown_children(int pid)
{
	struct twix_process *p;
	uint32_t sig;

	for (unsigned n = 0; (p = twix_process_next(&n));) {
		if (p->state == TWIX_NO_PROCESS || p->parent != pid)
			continue;
		p->parent = 0;
		sig = __atomic_load_n(&p->death_signal, __ATOMIC_ACQUIRE);
		if (sig && p->state == TWIX_RUNNING)
			twix_signal_send(p, (int)sig);
		if (p->state != TWIX_ENDED)
			continue;
		__atomic_store_n(&p->state, TWIX_NO_PROCESS, __ATOMIC_RELEASE);
		twix_process_freed(p);
	}
}

void twix_process_end(struct twix_process *p, int status)
{
	struct twix_process *parent = twix_process_of(p->parent);
	uint32_t running = TWIX_RUNNING, ended;
	struct twix_signal s;

	p->status = status;
	p->cpu = (p == twix_self() ? twix_cpu_used() : p->cpu) + p->cpu_of_children;
	twix_terminal_leader_ended(p);
	if (p->helper)
		sys_thrd_ctl2(p->helper, THRD_CTL_KILL, 1);
	twix_descriptors_drop(p, false);
	disown_children(p->pid);
	if (!__atomic_compare_exchange_n(&p->state, &running, TWIX_LEAVING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	s = signal_of(p, status);
	ended = parent && !wants_none(parent) ? TWIX_ENDED : TWIX_NO_PROCESS;
	if (parent)
		twix_signal_child(parent, p, ended, &s);
	else
		__atomic_store_n(&p->state, ended, __ATOMIC_RELEASE);
	if (ended == TWIX_NO_PROCESS)
		twix_process_freed(p);
	if (parent)
		wake_waiters(parent);
}

void twix_process_report(struct twix_process *p, int status)
{
	struct twix_process *parent = twix_process_of(p->parent);

	struct twix_signal s = signal_of(p, status);

	__atomic_store_n(&p->report, status, __ATOMIC_RELEASE);
	if (!parent)
		return;
	if (!(__atomic_load_n(&parent->child_flags, __ATOMIC_ACQUIRE) & SA_NOCLDSTOP))
		twix_signal_tell(parent, &s);
	wake_waiters(parent);
}

/* Who started the program waits for its first thread. */
_Noreturn void twix_leave(int status)
{
	if (twix_self()->first)
		twix_terminal_end();
	twz_thread_exit((uint64_t)status);
}

long twix_exit_group(const long a[6])
{
	twix_job_end(twix_self(), ENDED((int)a[0] & 0xff));
	twix_threads_disturb();
	twix_job_leave();
}
