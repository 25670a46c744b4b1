// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sending signals, and the calls about them. Who sends one notes it with the process (queue.c); who
 * gets it takes it when it may (deliver.c).
 */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>

/* --- sending */

static struct twix_signal from_here(int sig, int code)
{
	return (struct twix_signal){ .sig = sig, .code = code, .a = twix_self()->pid,
		.b = (int32_t)twix_users()->user.real };
}

/*
 * A program that knows nothing of signals, or not yet: nothing of it runs that could do it itself. The
 * one that started it in its place waits for its end, and tells it.
 */
static bool kill_foreign(struct twix_process *p)
{
	uint64_t not = TWIX_NOT_TAKEN;

	if (!__atomic_compare_exchange_n(&p->taken, &not, TWIX_KILLED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return not == TWIX_KILLED;
	sys_thrd_ctl2(p->thread, THRD_CTL_KILL, 128 + SIGKILL);
	return true;
}

static int post(struct twix_process *p, const struct twix_signal *s)
{
	if (s->sig == 0)
		return 0;
	if (s->sig == SIGKILL && kill_foreign(p))
		return 0;
	return twix_signal_post(p, NULL, s);
}

void twix_signal_tell(struct twix_process *p, const struct twix_signal *s)
{
	post(p, s);
}

void twix_signal_send(struct twix_process *p, int sig)
{
	struct twix_signal s = { .sig = sig, .code = SI_KERNEL };

	post(p, &s);
}

long twix_signal_thread(int sig)
{
	struct twix_signal s = from_here(sig, SI_USER);

	s.tid = twix_me->tid;
	return twix_signal_post(twix_self(), twix_me, &s);
}

bool twix_signal_is_ignored(int sig)
{
	return (twix_me->blocked | __atomic_load_n(&twix_self()->ignored, __ATOMIC_ACQUIRE)) & SIG_BIT(sig);
}

static bool is_meant(const struct twix_process *p, int pid)
{
	if (p->state != TWIX_RUNNING)
		return false;
	if (pid > 0)
		return p->pid == pid;
	return pid == -1 ? p != twix_self() && !p->first : p->group == (pid ? -pid : twix_self()->group);
}

/* Nobody else ends or stops the first process, on which all others depend; it may do so itself. */
static bool is_spared(const struct twix_process *p, int sig)
{
	return (sig == SIGKILL || sig == SIGSTOP) && p->first && p != twix_self();
}

/* One that the kernel sends asks nobody. -ESRCH, -EPERM. */
static int post_to_one(struct twix_process *p, int pid, const struct twix_signal *s)
{
	if (!p || !is_meant(p, pid))
		return -ESRCH;
	if (s->code != SI_KERNEL && !twix_may_signal(p, s->sig))
		return -EPERM;
	if (!is_spared(p, s->sig))
		post(p, s);
	return 1;
}

/* How many got it; the sender is the last, so that all others do. Or an error. */
static int post_to_all(int pid, const struct twix_signal *s)
{
	struct twix_process *p;
	bool own = false;
	int found = 0, refused = 0;

	if (pid > 0)
		return post_to_one(twix_process_of(pid), pid, s);
	for (unsigned n = 0; (p = twix_process_next(&n));) {
		if (p == twix_self() && is_meant(p, pid)) {
			own = true;
			continue;
		}
		int r = post_to_one(p, pid, s);

		found += r > 0;
		refused += r == -EPERM;
	}
	if (own)
		post(twix_self(), s);
	found += own;
	return found ? found : refused ? -EPERM : -ESRCH;
}

int twix_signal_group(int pid, int sig)
{
	struct twix_signal s = { .sig = sig, .code = SI_KERNEL };

	int n = post_to_all(pid, &s);

	return n > 0 ? n : 0;
}

long twix_kill(const long a[6])
{
	struct twix_signal s = from_here((int)a[1], SI_USER);
	struct twix_process *p;
	int r;

	if (s.sig < 0 || s.sig > TWIX_SIGNALS)
		return -EINVAL;
	if ((int)a[0] == INT32_MIN)
		return -ESRCH;
	r = post_to_all((int)a[0], &s);
	if (r != -ESRCH)
		return r < 0 ? r : 0;
	p = (int)a[0] > 0 ? twix_process_of((int)a[0]) : NULL;
	return p && p->state == TWIX_ENDED ? 0 : -ESRCH;
}

/* A thread of this process; of another only the first can be named. */
static long post_to_thread(int group, int tid, struct twix_signal *s)
{
	struct twix_thread *t = twix_thread_of(tid);
	struct twix_process *p = twix_process_of(tid);

	if (s->sig < 0 || s->sig > TWIX_SIGNALS || tid <= 0 || group == 0 || group < -1)
		return -EINVAL;
	if (group > 0 && group != (t ? twix_self()->pid : tid))
		return -ESRCH;
	if (!t && p && p != twix_self() && p->state == TWIX_RUNNING)
		return twix_may_signal(p, s->sig) ? post(p, s) : -EPERM;
	if (!t)
		return -ESRCH;
	s->tid = tid;
	return s->sig ? twix_signal_post(twix_self(), t, s) : 0;
}

long twix_tkill(const long a[6])
{
	struct twix_signal s = from_here((int)a[1], SI_TKILL);

	return post_to_thread(-1, (int)a[0], &s);
}

long twix_tgkill(const long a[6])
{
	struct twix_signal s = from_here((int)a[2], SI_TKILL);

	return (int)a[0] <= 0 ? -EINVAL : post_to_thread((int)a[0], (int)a[1], &s);
}

/* As sigqueue() hands it over. */
static struct twix_signal from_info(int sig, const siginfo_t *info)
{
	return (struct twix_signal){
		.sig = sig,
		.code = info->si_code,
		.a = info->si_pid,
		.b = (int)info->si_uid,
		.value = (uint64_t)info->si_value.sival_ptr,
	};
}

static bool may_say(const siginfo_t *info, bool own)
{
	return own || (info->si_code < 0 && info->si_code != SI_TKILL);
}

long twix_rt_sigqueueinfo(const long a[6])
{
	struct twix_process *p = (int)a[0] > 0 ? twix_process_of((int)a[0]) : NULL;
	const siginfo_t *info = (const void *)a[2];
	struct twix_signal s = from_info((int)a[1], info);

	if (!may_say(info, p == twix_self()))
		return -EPERM;
	if (s.sig < 0 || s.sig > TWIX_SIGNALS)
		return -EINVAL;
	if (!p)
		return -ESRCH;
	if (!twix_may_signal(p, s.sig))
		return -EPERM;
	return p->state == TWIX_RUNNING ? post(p, &s) : 0;
}

long twix_rt_tgsigqueueinfo(const long a[6])
{
	const siginfo_t *info = (const void *)a[3];
	struct twix_signal s = from_info((int)a[2], info);

	if ((int)a[0] <= 0 || (int)a[1] <= 0)
		return -EINVAL;
	return may_say(info, (int)a[0] == twix_self()->pid) ? post_to_thread((int)a[0], (int)a[1], &s) : -EPERM;
}

/* --- actions and masks */

long twix_rt_sigaction(const long a[6])
{
	const struct twix_action *new = (const void *)a[1];
	struct twix_action *old = (void *)a[2], was, wanted;
	int sig = (int)a[0];

	if (sig < 1 || sig > TWIX_SIGNALS || a[3] != 8 || (new && SIG_BIT(sig) & SIGS_NEVER_BLOCKED))
		return -EINVAL;
	if (new) {
		wanted = *new;
		wanted.mask &= ~SIGS_NEVER_BLOCKED;
	}
	was = twix_action(sig, new ? &wanted : NULL);
	if (old)
		*old = was;
	return 0;
}

/* What another program in this process begins with. */
void twix_signals_hand_over(void)
{
	struct twix_process *p = twix_self();

	p->blocked = twix_me->blocked;
	__atomic_store_n(&p->caught, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&p->child_flags, 0, __ATOMIC_RELEASE);
}

void twix_signal_mask(const uint64_t *mask)
{
	if (!mask)
		return;
	twix_me->kept = twix_me->blocked;
	twix_me->restore = true;
	twix_block(*mask);
}

long twix_rt_sigprocmask(const long a[6])
{
	uint64_t *old = (uint64_t *)a[2], before = twix_me->blocked, set;

	if (a[3] != 8)
		return -EINVAL;
	if (a[1]) {
		set = *(const uint64_t *)a[1];
		if ((int)a[0] == SIG_BLOCK)
			set |= before;
		else if ((int)a[0] == SIG_UNBLOCK)
			set = before & ~set;
		else if ((int)a[0] != SIG_SETMASK)
			return -EINVAL;
		twix_block(set);
		/* What this thread was told of, and does not take any more, is for others. */
		if (set & ~before & twix_self()->pending)
			twix_signal_forward();
	}
	if (old)
		*old = before;
	return 0;
}

long twix_rt_sigpending(const long a[6])
{
	uint64_t set = (twix_me->pending | twix_self()->pending) & twix_me->blocked;

	if ((size_t)a[1] > 8)
		return -EINVAL;
	memcpy((void *)a[0], &set, (size_t)a[1]);
	return 0;
}

/* The handler's stack. */
long twix_sigaltstack(const long a[6])
{
	const stack_t *new = (const void *)a[0];
	stack_t *old = (void *)a[1], was = twix_me->stack;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	bool on = !(was.ss_flags & SS_DISABLE) && here - (uintptr_t)was.ss_sp < was.ss_size;

	if (new) {
		if (on)
			return -EPERM;
		if (new->ss_flags & ~SS_DISABLE && new->ss_flags != SS_ONSTACK)
			return -EINVAL;
		if (!(new->ss_flags & SS_DISABLE) && new->ss_size < MINSIGSTKSZ)
			return -ENOMEM;
		twix_me->stack = new->ss_flags & SS_DISABLE ? (stack_t){ .ss_flags = SS_DISABLE } :
			(stack_t){ .ss_sp = new->ss_sp, .ss_size = new->ss_size };
	}
	was.ss_flags |= on ? SS_ONSTACK : 0;
	if (old)
		*old = was;
	return 0;
}

/* --- waiting */

/* Sleep until a signal comes that is taken. */
long twix_rt_sigsuspend(const long a[6])
{
	struct sys_thread_sync_args room;

	if (a[1] != 8)
		return -EINVAL;
	twix_signal_mask((const uint64_t *)a[0]);
	while (twix_sleep(0, &room, NULL) != -EINTR)
		;
	return -EINTR;
}

/* Take one of a set without running its handler; another that comes meanwhile ends the wait. */
long twix_rt_sigtimedwait(const long a[6])
{
	uint64_t set = *(const uint64_t *)a[0] & ~SIGS_NEVER_BLOCKED, until, seen;
	siginfo_t *info = (void *)a[1];
	struct twix_signal s;
	int sig;
	long r;

	if (a[3] != 8 || twix_until((const void *)a[2], &until) < 0)
		return -EINVAL;
	for (;;) {
		seen = __atomic_load_n(&twix_self()->disturbed, __ATOMIC_SEQ_CST);
		sig = twix_signal_take(set, &s);
		if (sig > 0)
			break;
		r = twz_clock_ns() < until ? twix_sleep_on(&twix_self()->disturbed, seen, until) : -ETIMEDOUT;
		if (r == -EINTR || r == -ETIMEDOUT)
			return r == -EINTR ? r : -EAGAIN;
	}
	if (info)
		twix_signal_info(&s, info);
	return sig;
}
