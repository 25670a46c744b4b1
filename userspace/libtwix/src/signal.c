// SPDX-License-Identifier: BSD-3-Clause
/*
 * Signals. Whoever sends one notes it in the process, and disturbs its first thread. That thread looks
 * for what has come when it is disturbed in the program's own code, or when it leaves a call: never
 * in the middle of one, where locks may be held. A call that sleeps ends with -EINTR.
 */
#include "twix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <twz/sys/fault.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>
#include <twz/twztry.h>
#include <ucontext.h>

#define BIT(sig) (1ull << ((sig) - 1))
#define STOPPING (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define IGNORED (BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT))
#define NEVER_BLOCKED (BIT(SIGKILL) | BIT(SIGSTOP))

/* As the C library hands it over. */
struct action {
	union {
		void (*handler)(int);
		void (*info_handler)(int, siginfo_t *, void *); /* with SA_SIGINFO */
	};
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static struct mutex lock;
static struct action actions[_NSIG]; /* guarded by lock */

static __thread uint64_t blocked;
static __thread unsigned depth;        /* of calls */
static __thread unsigned handlers_run;
static __thread uint64_t own_pending;  /* atomic: for this thread only */

/* --- sending */

void twix_signal_send(struct twix_process *p, int sig)
{
	uint64_t caught = __atomic_load_n(&p->caught, __ATOMIC_ACQUIRE);

	if (sig == 0 || (IGNORED & BIT(sig) && !(caught & BIT(sig)) && sig != SIGCONT))
		return;
	if (sig == SIGCONT)
		__atomic_fetch_and(&p->pending, ~STOPPING, __ATOMIC_ACQ_REL);
	__atomic_fetch_or(&p->pending, BIT(sig), __ATOMIC_ACQ_REL);
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&p->pending, (uint64_t)-1, NULL);
	if (p->thread != twz_thread_id())
		sys_signal(p->thread, 0, 0, 0, 0);
}

long twix_signal_thread(int sig)
{
	__atomic_fetch_or(&own_pending, BIT(sig), __ATOMIC_ACQ_REL);
	return 0;
}

bool twix_signal_is_ignored(int sig)
{
	return blocked & BIT(sig) || actions[sig].handler == SIG_IGN;
}

/* --- what they do */

static void end_by(int sig)
{
	twix_end_other_threads();
	twix_process_end(twix_self(), sig);
	twix_leave(128 + sig);
}

/* Until something continues or ends it. The parent is told both. */
static void stop_by(int sig)
{
	struct twix_process *p = twix_self();
	uint64_t pending;

	twix_process_report(p, sig << 8 | 0x7f);
	while (!((pending = __atomic_load_n(&p->pending, __ATOMIC_ACQUIRE)) & (BIT(SIGCONT) | BIT(SIGKILL))))
		twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)&p->pending, pending, NULL);
	twix_process_report(p, 0xffff);
}

static void default_action(int sig)
{
	if (BIT(sig) & STOPPING)
		stop_by(sig);
	else if (!(BIT(sig) & IGNORED))
		end_by(sig);
}

static struct action action_of(int sig)
{
	struct action a;

	mutex_acquire(&lock);
	a = actions[sig];
	if (a.flags & SA_RESETHAND)
		actions[sig].handler = SIG_DFL;
	mutex_release(&lock);
	return a;
}

/* Run a handler with what it wants blocked. */
static void call_handler(int sig, const struct action *a)
{
	siginfo_t info;
	ucontext_t context;
	uint64_t before = blocked;

	blocked |= a->mask | (a->flags & SA_NODEFER ? 0 : BIT(sig));
	if (a->flags & SA_SIGINFO) {
		memset(&info, 0, sizeof(info));
		memset(&context, 0, sizeof(context));
		info.si_signo = sig;
		memcpy(&context.uc_sigmask, &before, sizeof(before));
		a->info_handler(sig, &info, &context);
	} else {
		a->handler(sig);
	}
	blocked = before;
}

/* The next signal to be taken, or 0. */
static int take(void)
{
	uint64_t *words[2] = { &own_pending, &twix_self()->pending };

	for (int i = 0; i < 2; i++) {
		uint64_t open = __atomic_load_n(words[i], __ATOMIC_ACQUIRE) & ~(blocked & ~NEVER_BLOCKED);

		while (open) {
			uint64_t bit = open & -open;

			if (__atomic_fetch_and(words[i], ~bit, __ATOMIC_ACQ_REL) & bit)
				return __builtin_ctzll(bit) + 1;
			open &= ~bit;
		}
	}
	return 0;
}

/* Take all that have come. Whether a call they interrupted may go on as if nothing had happened. */
static bool deliver(void)
{
	bool restart = true;
	int sig;

	while ((sig = take())) {
		struct action a = action_of(sig);

		if (a.handler == SIG_IGN)
			continue;
		if (a.handler == SIG_DFL) {
			default_action(sig);
			continue;
		}
		restart = restart && a.flags & SA_RESTART;
		handlers_run++;
		call_handler(sig, &a);
	}
	return restart;
}

bool twix_signals_now(void)
{
	bool ran;

	depth--;
	handlers_run = 0;
	deliver();
	ran = handlers_run;
	depth++;
	return ran;
}

/* --- where they are looked for */

void twix_signal_enter(void)
{
	depth++;
}

bool twix_signal_leave(void)
{
	bool restart = true;

	depth--;
	if (depth == 0 && ((own_pending | __atomic_load_n(&twix_self()->pending, __ATOMIC_ACQUIRE)) & ~blocked))
		restart = deliver();
	return restart;
}

static void disturbed(int fault, void *info, void *unused)
{
	(void)fault, (void)info, (void)unused;
	if (depth == 0)
		deliver();
}

/* --- faults of the program itself */

static int signal_of(int fault, const void *info)
{
	const struct fault_exception_info *e = info;

	if (fault != FAULT_EXCEPTION)
		return SIGSEGV;
	switch (e->code) {
	case FAULT_EXCEPTION_ILLEGAL:
		return SIGILL;
	case FAULT_EXCEPTION_BREAKPOINT:
		return SIGTRAP;
	case FAULT_EXCEPTION_FLOAT:
		return SIGFPE;
	case FAULT_EXCEPTION_MISALIGNED:
		return SIGBUS;
	default:
		return SIGSEGV;
	}
}

/* A system call that is not of this kernel: one of Linux's, by a program that makes them itself. */
static bool is_foreign_call(int fault, const struct fault_exception_info *e)
{
	struct twz_fault_frame *f = twz_fault_frame();

	if (fault != FAULT_EXCEPTION || e->code != FAULT_EXCEPTION_SYSCALL || !f)
		return false;
	twz_frame_set_arg(f, 0, (uint64_t)__twix_syscall((long)e->arg0, (long)twz_frame_arg(f, 0),
	    (long)twz_frame_arg(f, 1), (long)twz_frame_arg(f, 2), (long)twz_frame_arg(f, 3),
	    (long)twz_frame_arg(f, 4), (long)twz_frame_arg(f, 5)));
	return true;
}

/* A block that catches it goes first, then a handler; else it is reported and ends the process. */
static void faulted(int fault, void *info, void *unused)
{
	int sig = signal_of(fault, info);
	struct action a;

	(void)unused;
	if (is_foreign_call(fault, info))
		return;
	if (!twz_try_is_active()) {
		a = action_of(sig);
		if (a.handler != SIG_DFL && a.handler != SIG_IGN && !(blocked & BIT(sig))) {
			call_handler(sig, &a);
			return;
		}
		twix_process_end(twix_self(), sig);
	}
	twzcatch_propagate(fault, info);
}

void twix_signals_init(void)
{
	static const int faults[] = { FAULT_OBJECT, FAULT_NULL, FAULT_EXCEPTION, FAULT_PAGE };
	struct twix_process *p = twix_self();

	blocked = p->blocked;
	for (int sig = 1; sig < _NSIG && sig <= 64; sig++)
		if (p->ignored & BIT(sig))
			actions[sig].handler = SIG_IGN;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		twz_fault_set(faults[i], faulted, NULL);
	twz_fault_set(FAULT_SIGNAL, disturbed, NULL);
}

/* What another program in this process begins with. */
void twix_signals_hand_over(void)
{
	struct twix_process *p = twix_self();

	p->blocked = blocked;
	p->ignored = 0;
	for (int sig = 1; sig <= 64; sig++)
		if (actions[sig].handler == SIG_IGN)
			p->ignored |= BIT(sig);
	__atomic_store_n(&p->caught, 0, __ATOMIC_RELEASE);
}

void twix_signals_after_fork(void)
{
	mutex_init(&lock);
	own_pending = 0;
	twix_self()->caught = 0;
	for (int sig = 1; sig <= 64; sig++)
		if (actions[sig].handler != SIG_DFL && actions[sig].handler != SIG_IGN)
			twix_self()->caught |= BIT(sig);
}

uint64_t twix_signal_mask(const uint64_t *mask)
{
	uint64_t before = blocked;

	if (mask)
		blocked = *mask & ~NEVER_BLOCKED;
	return before;
}

/* --- the calls */

static void note_caught(int sig, const struct action *a)
{
	uint64_t *caught = &twix_self()->caught;

	if (a->handler != SIG_DFL && a->handler != SIG_IGN)
		__atomic_fetch_or(caught, BIT(sig), __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_and(caught, ~BIT(sig), __ATOMIC_ACQ_REL);
}

long twix_rt_sigaction(const long a[6])
{
	const struct action *new = (const void *)a[1];
	struct action *old = (void *)a[2], was;
	int sig = (int)a[0];

	if (sig < 1 || sig > 64 || a[3] != 8 || (new && BIT(sig) & NEVER_BLOCKED))
		return -EINVAL;
	mutex_acquire(&lock);
	was = actions[sig];
	if (new) {
		actions[sig] = *new;
		note_caught(sig, new);
	}
	mutex_release(&lock);
	if (old)
		*old = was;
	return 0;
}

long twix_rt_sigprocmask(const long a[6])
{
	const uint64_t *set = (const void *)a[1];
	uint64_t *old = (void *)a[2], before = blocked;

	if (a[3] != 8)
		return -EINVAL;
	if (set) {
		switch ((int)a[0]) {
		case SIG_BLOCK:
			blocked |= *set;
			break;
		case SIG_UNBLOCK:
			blocked &= ~*set;
			break;
		case SIG_SETMASK:
			blocked = *set;
			break;
		default:
			return -EINVAL;
		}
		blocked &= ~NEVER_BLOCKED;
	}
	if (old)
		*old = before;
	return 0;
}

long twix_rt_sigpending(const long a[6])
{
	*(uint64_t *)a[0] = (own_pending | twix_self()->pending) & blocked;
	return 0;
}

/* Sleep until a signal comes that is taken. */
long twix_rt_sigsuspend(const long a[6])
{
	uint64_t *pending = &twix_self()->pending, before = blocked, seen;

	blocked = *(const uint64_t *)a[0] & ~NEVER_BLOCKED;
	while (!((seen = __atomic_load_n(pending, __ATOMIC_ACQUIRE)) & ~blocked) && !(own_pending & ~blocked))
		twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)pending, seen, NULL);
	depth--;
	deliver();
	depth++;
	blocked = before;
	return -EINTR;
}

/* One of the set that has come, or 0. */
static int take_of(uint64_t set)
{
	uint64_t before = blocked;
	int sig;

	blocked = ~set;
	sig = take();
	blocked = before;
	return sig;
}

/* Take one of a set without running its handler; another that comes meanwhile ends the wait. */
long twix_rt_sigtimedwait(const long a[6])
{
	uint64_t set = *(const uint64_t *)a[0] & ~NEVER_BLOCKED, until, now, seen;
	const struct timespec *timeout = (const void *)a[2];
	uint64_t *pending = &twix_self()->pending;
	siginfo_t *info = (void *)a[1];
	struct timespec rest;
	int sig;

	if (a[3] != 8 || twix_until(timeout, &until) < 0)
		return -EINVAL;
	for (;;) {
		seen = __atomic_load_n(pending, __ATOMIC_ACQUIRE);
		sig = take_of(set);
		if (sig || (seen | own_pending) & ~blocked)
			break;
		now = twz_clock_ns();
		if (now >= until)
			return -EAGAIN;
		rest = twix_time_of(until - now);
		twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)pending, seen, until == UINT64_MAX ? NULL : &rest);
	}
	if (sig && info) {
		memset(info, 0, sizeof(*info));
		info->si_signo = sig;
	}
	return sig ? sig : -EINTR;
}

static bool is_meant(const struct twix_process *p, int pid)
{
	if (p->state != TWIX_RUNNING)
		return false;
	if (pid > 0)
		return p->pid == pid;
	return pid == -1 ? p != twix_self() : p->group == (pid ? -pid : twix_self()->group);
}

/* Nothing of it runs any more to do it itself. */
static void kill_other(struct twix_process *p)
{
	sys_thrd_ctl2(p->thread, THRD_CTL_KILL, 128 + SIGKILL);
	twix_process_end(p, SIGKILL);
}

int twix_signal_group(int pid, int sig)
{
	struct twix_process *p;
	int found = 0;

	for (unsigned n = 0; (p = twix_process_next(&n));) {
		if (!is_meant(p, pid))
			continue;
		found++;
		if (sig == SIGKILL && p != twix_self())
			kill_other(p);
		else
			twix_signal_send(p, sig);
	}
	return found;
}

long twix_kill(const long a[6])
{
	int sig = (int)a[1];
	struct twix_process *p;

	if (sig < 0 || sig > 64)
		return -EINVAL;
	if (twix_signal_group((int)a[0], sig))
		return 0;
	p = twix_process_of((int)a[0]);
	return p && p->state == TWIX_ENDED ? 0 : -ESRCH;
}

/* To another thread of this process it goes as to the process. */
long twix_tkill(const long a[6])
{
	int tid = (int)a[0], sig = (int)a[1];

	if (sig < 0 || sig > 64 || tid <= 0)
		return -EINVAL;
	if (sig == 0)
		return 0;
	if (tid == twix_gettid(a))
		return twix_signal_thread(sig);
	if (tid % 65536 != twix_self()->pid)
		return -ESRCH;
	twix_signal_send(twix_self(), sig);
	return 0;
}

long twix_tgkill(const long a[6])
{
	return twix_tkill(a + 1);
}
