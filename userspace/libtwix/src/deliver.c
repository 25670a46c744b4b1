// SPDX-License-Identifier: BSD-3-Clause
/*
 * Taking signals. A thread looks for what has come when it is disturbed in the program's own code,
 * when it leaves a call, and when it is about to sleep in one: never elsewhere in a call, where locks
 * may be held. Handlers run on the thread's own stack, or on the one that it set for them; those for
 * a fault or a disturbance find the registers of that moment, and may change them.
 */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <twz/sys/fault.h>
#include <twz/sys/syscall.h>
#include <twz/twztry.h>
#include <ucontext.h>

#define SIGCANCEL 33 /* the C library's own */

/* In a frame's info: it is complete, and the kernel is about to take it; a call in it may be made again. */
#define LEAVING 0x676e697661656c00ull
#define LEAVING_AGAIN (LEAVING + 1)

/* What a handler is called with. */
struct call {
	const struct twix_action *action;
	siginfo_t info;
	ucontext_t context;
	const struct twz_fault_frame *frame; /* of a program with registers of its own; or NULL */
};

/* --- what is blocked */

void twix_block(uint64_t mask)
{
	mask &= ~SIGS_NEVER_BLOCKED;
	__atomic_store_n(&twix_me->blocked, mask, __ATOMIC_RELEASE);
	if (twix_me->tid == twix_self()->pid)
		__atomic_store_n(&twix_self()->blocked, mask, __ATOMIC_RELEASE);
}

/* Whether there is anything to be done. */
static bool attention(void)
{
	struct twix_process *p = twix_self();
	uint64_t pending = __atomic_load_n(&twix_me->pending, __ATOMIC_ACQUIRE) |
	    __atomic_load_n(&p->pending, __ATOMIC_ACQUIRE);

	return (pending & ~twix_me->blocked) | __atomic_load_n(&p->job, __ATOMIC_ACQUIRE);
}

/* Whether a thread that looks may find something to do: of its own, or another's. */
void twix_signal_forward(void)
{
	uint64_t pending = __atomic_load_n(&twix_self()->pending, __ATOMIC_ACQUIRE);
	struct twix_thread *t;

	if (twix_me)
		pending &= twix_me->blocked;
	for (unsigned n = 0; pending && (t = twix_thread_number(n)); n++) {
		if (t == twix_me || __atomic_load_n(&t->state, __ATOMIC_ACQUIRE) != TWIX_LIVE ||
		    !(pending & ~__atomic_load_n(&t->blocked, __ATOMIC_ACQUIRE)))
			continue;
		sys_signal(t->thread.tid, 0, 0, 0, 0);
		pending &= __atomic_load_n(&t->blocked, __ATOMIC_ACQUIRE);
	}
}

/* --- handlers */

static bool is_on(const stack_t *s, uintptr_t sp)
{
	return !(s->ss_flags & SS_DISABLE) && sp - (uintptr_t)s->ss_sp < s->ss_size;
}

/* The end of the stack for a handler; 0: the one that is in use. */
static uintptr_t other_stack(const struct twix_action *a, uintptr_t sp)
{
	const stack_t *s = &twix_me->stack;

	if (!(a->flags & SA_ONSTACK) || s->ss_flags & SS_DISABLE || is_on(s, sp))
		return 0;
	return ((uintptr_t)s->ss_sp + s->ss_size) & ~15ul;
}

void twix_signal_info(const struct twix_signal *s, siginfo_t *info)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = s->sig;
	info->si_code = s->code;
	if (SIG_BIT(s->sig) & SIGS_FAULTS && s->code > 0 && s->code < SI_KERNEL) {
		info->si_addr = (void *)s->value;
		return;
	}
	info->si_pid = s->a;
	info->si_uid = (uid_t)s->b;
	info->si_value.sival_ptr = (void *)s->value;
	if (s->code == SI_TIMER)
		info->si_overrun = twix_timer_taken(s->a, s->b);
}

static void run(void *arg)
{
	struct call *c = arg;

	if (c->frame) {
		__twix_call_in((void *)c->action->handler, c->info.si_signo, &c->info, &c->context, c->frame);
		return;
	}
	((void (*)(int, siginfo_t *, void *))(void *)c->action->handler)(c->info.si_signo, &c->info, &c->context);
}

static bool deliver(struct twz_fault_frame *f, const struct twz_fault_frame *own);

/* Others that may interrupt the handler begin at once, before its first instruction. */
static void call_handler(const struct twix_signal *s, const struct twix_action *a, struct twz_fault_frame *f,
    const struct twz_fault_frame *own)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), top = other_stack(a, here), pc;
	uint64_t before = twix_me->restore ? twix_me->kept : twix_me->blocked;
	struct call c = { .action = a, .frame = twix_linux_program() ? own : NULL };

	twix_me->restore = false;
	twix_signal_info(s, &c.info);
	twix_context_save(&c.context, f);
	pc = twix_context_pc(&c.context);
	memcpy(&c.context.uc_sigmask, &before, sizeof(before));
	c.context.uc_stack = twix_me->stack;
	twix_block(twix_me->blocked | a->mask | (a->flags & SA_NODEFER ? 0 : SIG_BIT(s->sig)));
	if (attention())
		deliver(NULL, own);
	if (top)
		__twix_on_stack(run, &c, (void *)top);
	else
		run(&c);
	memcpy(&before, &c.context.uc_sigmask, sizeof(before));
	twix_block(before);
	if (f)
		twix_context_load(f, &c.context);
	else if (twix_context_pc(&c.context) != pc)
		((void (*)(void))twix_context_pc(&c.context))();
}

/* Whether it ends the process, which it does when this thread leaves its call. */
static bool default_action(int sig)
{
	if (SIG_BIT(sig) & SIGS_IGNORED)
		return false;
	twix_job_end(twix_self(), sig);
	twix_threads_disturb();
	return true;
}

/* The next to be taken, with its action; false: none, or it is done with. */
static bool next(struct twix_signal *s, struct twix_action *a)
{
	int sig;

	twix_me->depth++;
	twix_job_look();
	sig = twix_signal_take(~twix_me->blocked, s);
	if (sig > 0)
		*a = twix_use_action(sig);
	twix_me->depth--;
	if (sig > 0 && a->handler == SIG_DFL && default_action(sig))
		twix_job_leave();
	return sig > 0 && twix_is_handler(a);
}

/* The call whose end f is was interrupted, and is made again, unless the first handler is against it. */
static void repeat_call(struct twz_fault_frame *f, bool restart)
{
	if (f && f->info == LEAVING_AGAIN && restart)
		twix_frame_repeat(f, twix_me->again);
	if (f)
		f->info = 0;
}

/*
 * Take all that have come. Whether a call they interrupted may go on as if nothing had happened. f is
 * what was disturbed, or NULL; own has the pointers of a program with registers of its own.
 */
static bool deliver(struct twz_fault_frame *f, const struct twz_fault_frame *own)
{
	bool restart = true, first = true;
	struct twix_action a;
	struct twix_signal s;

	while (attention()) {
		if (!next(&s, &a))
			continue;
		if (first) {
			restart = a.flags & SA_RESTART && s.sig != SIGCANCEL;
			repeat_call(f, restart);
		}
		first = false;
		call_handler(&s, &a, f, own);
	}
	repeat_call(f, true);
	return restart;
}

/* --- where they are looked for */

bool twix_interrupted(void)
{
	struct twix_action a;
	struct twix_signal s;
	int sig;

	while (attention()) {
		if (twix_job_wait())
			return true;
		sig = twix_signal_claim(~twix_me->blocked);
		if (sig <= 0)
			continue;
		a = twix_action(sig, NULL);
		if (twix_is_handler(&a))
			return true;
		if (twix_signal_take(SIG_BIT(sig), &s) > 0 && a.handler == SIG_DFL && default_action(sig))
			return true;
	}
	/* A cancellation that its handler put off until the next call that can be cancelled. */
	return twix_me->pending & SIG_BIT(SIGCANCEL);
}

void twix_signal_enter(void)
{
	twix_me->depth++;
}

/* What has come is taken, and what was blocked for the call only is so no longer. */
static bool finish(struct twz_fault_frame *f)
{
	bool restart = true;

	if (attention() || (f && f->info == LEAVING_AGAIN))
		restart = deliver(f, f);
	if (!twix_me->restore)
		return restart;
	twix_me->restore = false;
	twix_block(twix_me->kept);
	if (attention())
		deliver(f, f);
	return restart;
}

/* Within another call nothing is done, and nothing may be done again. */
bool twix_signal_leave(bool interrupted)
{
	bool cancelled = interrupted && twix_me->pending & SIG_BIT(SIGCANCEL);

	if (--twix_me->depth)
		return false;
	return finish(NULL) && !cancelled;
}

/* On the thread's own stack again, where what it did stands as f. */
static void resume(struct twz_fault_frame *f)
{
	twix_me->depth--;
	do
		finish(f);
	while (attention());
	sys_fault_return(f);
	__builtin_trap();
}

/*
 * Let the thread go on with its signals, on a stack; then with what it did. Others wait until then: the
 * caller has made the thread's depth one more, and a fault here is the end.
 */
static void divert(struct twz_fault_frame *f, uintptr_t sp)
{
	struct twz_fault_frame *kept = (void *)((sp - sizeof(*kept)) & ~15ul);

	memcpy(kept, f, sizeof(*f));
	twix_frame_own(f);
	twz_frame_set_pc(f, (uintptr_t)resume);
	twz_frame_set_sp(f, (uintptr_t)kept);
	twz_frame_set_arg(f, 0, (uint64_t)kept);
}

/* The frame that a handler was about to leave with, of those who come first. */
static struct twz_fault_frame *take_leaving(void)
{
	struct twz_fault_frame *f = __atomic_exchange_n(&twix_me->leaving, NULL, __ATOMIC_SEQ_CST);

	return f && (f->info == LEAVING || f->info == LEAVING_AGAIN) ? f : NULL;
}

/*
 * The end of what is done on the fault stack, with the depth one more than before: nothing but the
 * kernel looks at f from now on. A signal that disturbs the thread before the kernel does finds f, and
 * diverts it in its turn. What the kernel writes when the next fault comes is not marked so.
 */
static void leave_with(struct twz_fault_frame *f, bool again)
{
	f->info = again ? LEAVING_AGAIN : LEAVING;
	__atomic_store_n(&twix_me->leaving, f, __ATOMIC_SEQ_CST);
	twix_me->depth--;
	if ((!again && !twix_me->restore && !attention()) || !take_leaving())
		return;
	twix_me->depth++;
	divert(f, twz_frame_sp(f));
}

void twix_signal_begin(struct twz_fault_frame *f)
{
	divert(f, twz_frame_sp(f));
}

static bool is_on_fault_stack(const struct twz_fault_frame *f)
{
	const struct twzthread_repr *repr = twz_thread_repr_base();

	return twz_frame_sp(f) - repr->fault_stack <= repr->fault_stack_size;
}

/* A handler of faults that was disturbed looks itself before it leaves, or has looked already. */
static void disturbed(int fault, void *info, void *unused)
{
	struct twz_fault_frame *f = twz_fault_frame();

	(void)fault, (void)info, (void)unused;
	if (!twix_me || !f)
		return;
	twix_signal_forward();
	if (twix_me->depth)
		return;
	twix_me->depth++;
	if (!is_on_fault_stack(f)) {
		leave_with(f, false);
		return;
	}
	f = take_leaving();
	if (f)
		divert(f, twz_frame_sp(f));
	else
		twix_me->depth--;
}

/* --- faults of the program itself */

static struct twix_signal signal_of_exception(const struct fault_exception_info *e)
{
	switch (e->code) {
	case FAULT_EXCEPTION_ILLEGAL:
		return (struct twix_signal){ .sig = SIGILL, .code = ILL_ILLOPC, .value = e->ip };
	case FAULT_EXCEPTION_BREAKPOINT:
		return (struct twix_signal){ .sig = SIGTRAP, .code = TRAP_BRKPT, .value = e->ip };
	case FAULT_EXCEPTION_FLOAT:
		return (struct twix_signal){ .sig = SIGFPE, .code = FPE_FLTINV, .value = e->ip };
	case FAULT_EXCEPTION_MISALIGNED:
		return (struct twix_signal){ .sig = SIGBUS, .code = BUS_ADRALN, .value = e->arg0 };
	case FAULT_EXCEPTION_MACHINE:
		return (struct twix_signal){ .sig = SIGBUS, .code = BUS_OBJERR, .value = e->arg0 };
	default:
		return (struct twix_signal){ .sig = SIGSEGV, .code = SEGV_MAPERR, .value = e->arg0 };
	}
}

static struct twix_signal signal_of(int fault, const void *info)
{
	const struct fault_object_info *o = info;
	const struct fault_null_info *n = info;
	const struct fault_page_info *p = info;
	int code;

	switch (fault) {
	case FAULT_EXCEPTION:
		return signal_of_exception(info);
	case FAULT_NULL:
		return (struct twix_signal){ .sig = SIGSEGV, .code = SEGV_MAPERR, .value = n->addr };
	case FAULT_PAGE:
		return (struct twix_signal){ .sig = SIGBUS, .code = BUS_ADRERR, .value = p->vaddr };
	default:
		code = o->flags & (FAULT_OBJECT_NOMAP | FAULT_OBJECT_EXIST) ? SEGV_MAPERR : SEGV_ACCERR;
		return (struct twix_signal){ .sig = SIGSEGV, .code = code, .value = o->addr };
	}
}

/* A system call that is not of this kernel: one of Linux's, by a program that makes them itself. */
static bool is_foreign_call(int fault, const struct fault_exception_info *e)
{
	struct twz_fault_frame *f = twz_fault_frame();

	if (fault != FAULT_EXCEPTION || e->code != FAULT_EXCEPTION_SYSCALL || !f)
		return false;
	if (!twix_me) {
		twix_linux_call(f, (long)e->arg0);
		return true;
	}
	twix_me->depth++;
	leave_with(f, twix_linux_call(f, (long)e->arg0));
	return true;
}

/* Nobody takes it: it is reported, and ends the process. */
static void end_by_fault(int sig, int fault, void *info)
{
	struct twix_process *p = twix_self();

	if (twix_me) {
		twix_me->depth++;
		twix_job_end(p, sig);
		twix_threads_disturb();
		twix_robust_release();
	}
	if (twix_me && twix_me->tid == p->pid) {
		twix_end_other_threads();
		twix_process_end(p, sig);
	}
	twzcatch_propagate(fault, info);
}

/* Of a child of vfork(), in whose memory its parent is to go on. */
static void end_child(struct twz_fault_frame *f, int sig)
{
	twix_job_end(twix_self(), sig);
	twix_frame_own(f);
	twz_frame_set_pc(f, (uintptr_t)twix_job_leave);
	twz_frame_set_sp(f, twz_frame_sp(f) & ~15ul);
}

/* A block that catches it goes first, then a handler. */
static void faulted(int fault, void *info, void *unused)
{
	struct twz_fault_frame *f = twz_fault_frame();
	struct twix_signal s;
	struct twix_action a;
	uintptr_t top;

	(void)unused;
	if ((f && twix_probe_failed(f)) || is_foreign_call(fault, info))
		return;
	if (twz_try_is_active())
		twzcatch_propagate(fault, info);
	s = signal_of(fault, info);
	if (!twix_me || !f || (twix_me->depth && !twix_vfork_is_on()))
		end_by_fault(s.sig, fault, info);
	twix_me->depth++;
	a = twix_action(s.sig, NULL);
	s.tid = twix_me->tid;
	if (!twix_is_handler(&a) || twix_me->blocked & SIG_BIT(s.sig)) {
		if (twix_vfork_is_on()) {
			end_child(f, s.sig);
			return;
		}
		end_by_fault(s.sig, fault, info);
	}
	twix_signal_post(twix_self(), twix_me, &s);
	top = other_stack(&a, twz_frame_sp(f));
	divert(f, top ? top : twz_frame_sp(f));
}

/* --- beginning */

void twix_signals_init(void)
{
	static const int faults[] = { FAULT_OBJECT, FAULT_NULL, FAULT_EXCEPTION, FAULT_PAGE };
	struct twix_process *p = twix_self();

	twix_me->blocked = p->blocked;
	twix_actions_init();
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		twz_fault_set(faults[i], faulted, NULL);
	twz_fault_set(FAULT_SIGNAL, disturbed, NULL);
}

/* The child has the parent's handlers, but none of its signals. */
void twix_signals_after_fork(void)
{
	twix_me->pending = 0;
	twix_block(twix_me->blocked);
}
