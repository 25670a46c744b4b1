// SPDX-License-Identifier: BSD-3-Clause
/*
 * Signals on their way. A bit for each that has come, and a list with what its handler is told: one
 * entry of each signal, of those from SIGRTMIN on as many as were sent. Bits and list stand in what
 * all programs share, so that any of them can send; the bits for one thread stand with the thread.
 */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <twz/sys/sync.h>
#include <twz/sys/syscall.h>

#define FIRST_QUEUED 32 /* from this on each counts */

static void set_bits(uint64_t *word, uint64_t bits)
{
	__atomic_fetch_or(word, bits, __ATOMIC_ACQ_REL);
}

static void clear_bits(uint64_t *word, uint64_t bits)
{
	__atomic_fetch_and(word, ~bits, __ATOMIC_ACQ_REL);
}

/* --- with the lock held */

/* Those of a set go; from elsewhere the bits of threads are not seen, and stay. */
static void drop(struct twix_process *p, uint64_t set)
{
	struct twix_queue *q = twix_queue(p);
	struct twix_thread *t;
	uint32_t kept = 0;

	clear_bits(&p->pending, set);
	for (unsigned n = 0; p == twix_self() && (t = twix_thread_number(n)); n++)
		clear_bits(&t->pending, set);
	for (uint32_t i = 0; i < q->n; i++)
		if ((q->all[i].tid && p != twix_self()) || !(set & SIG_BIT(q->all[i].sig)))
			q->all[kept++] = q->all[i];
	q->n = kept;
}

/* A timer has one on its way at most, which says how often it was due besides. */
static bool count_timer(struct twix_queue *q, const struct twix_signal *s)
{
	for (uint32_t i = 0; i < q->n; i++) {
		struct twix_signal *o = &q->all[i];

		if (o->code != SI_TIMER || o->sig != s->sig || o->a != s->a || o->tid != s->tid)
			continue;
		o->b += s->b + 1;
		return true;
	}
	return false;
}

static int add(struct twix_queue *q, const struct twix_signal *s, bool had)
{
	if (s->code == SI_TIMER && count_timer(q, s))
		return 0;
	if (had && s->sig < FIRST_QUEUED)
		return 0;
	if (q->n < TWIX_QUEUED) {
		q->all[q->n++] = *s;
		return 0;
	}
	return s->sig >= FIRST_QUEUED && s->code == SI_QUEUE ? -EAGAIN : 0;
}

/* Find and remove what was told of a signal; whether there is more of it. */
static bool pick(struct twix_queue *q, int sig, int tid, struct twix_signal *s)
{
	bool found = false, more = false;
	uint32_t kept = 0;

	*s = (struct twix_signal){ .sig = sig, .tid = tid };
	for (uint32_t i = 0; i < q->n; i++) {
		bool same = q->all[i].sig == sig && q->all[i].tid == tid;

		if (same && !found)
			*s = q->all[i];
		else
			q->all[kept++] = q->all[i];
		more = more || (same && found);
		found = found || same;
	}
	q->n = kept;
	return more;
}

/* The lowest of a set, those that the program did itself before all others; 0. */
static int lowest(uint64_t set)
{
	uint64_t own = set & (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) |
	    SIG_BIT(SIGFPE) | SIG_BIT(SIGSYS));

	set = own ? own : set;
	return set ? __builtin_ctzll(set) + 1 : 0;
}

/* A signal that stops the process does so with the lock held, so that one to go on comes before or after. */
static bool stops(struct twix_process *p, int sig)
{
	if (!(SIG_BIT(sig) & SIGS_STOPPING & ~(p->caught | p->ignored)))
		return false;
	if (twix_job_stop(p)) {
		twix_process_report(p, sig << 8 | 0x7f);
		twix_threads_disturb();
	}
	return true;
}

static int take_from(uint64_t *word, int tid, uint64_t set, struct twix_signal *s)
{
	int sig = lowest(__atomic_load_n(word, __ATOMIC_ACQUIRE) & set);

	if (sig && !pick(twix_queue(twix_self()), sig, tid, s))
		clear_bits(word, SIG_BIT(sig));
	return sig && stops(twix_self(), sig) ? -1 : sig;
}

/* --- sending */

static bool is_ignored(const struct twix_process *p, const struct twix_thread *t, int sig)
{
	uint64_t caught = __atomic_load_n(&p->caught, __ATOMIC_ACQUIRE);
	uint64_t ignored = __atomic_load_n(&p->ignored, __ATOMIC_ACQUIRE) | (SIGS_IGNORED & ~caught);
	uint64_t blocked = __atomic_load_n(t ? &t->blocked : &p->blocked, __ATOMIC_ACQUIRE);

	return ignored & ~blocked & SIG_BIT(sig);
}

/* Stopping and going on undo one another, whether they are ignored or not. Lock held. */
static void undo(struct twix_process *p, int sig)
{
	if (sig == SIGCONT) {
		drop(p, SIGS_STOPPING);
		if (twix_job_continue(p))
			twix_process_report(p, 0xffff);
	} else if (SIG_BIT(sig) & SIGS_STOPPING) {
		drop(p, SIG_BIT(SIGCONT));
	}
}

/* Whoever sleeps looks; and one that runs, which may then let another. */
static void notify(struct twix_process *p, struct twix_thread *t, int sig)
{
	__atomic_fetch_add(&p->disturbed, 1, __ATOMIC_ACQ_REL);
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&p->disturbed, (uint64_t)-1, NULL);
	if (__atomic_load_n(&p->signals_watched, __ATOMIC_SEQ_CST))
		event_wake_other((atomic_ulong *)&p->signals_seen, SIG_BIT(sig), -1);
	/* What has only just begun, a program or a thread, looks itself when it can take signals. */
	if (p != twix_self()) {
		if (__atomic_load_n(&p->taken, __ATOMIC_SEQ_CST) == TWIX_TAKEN)
			sys_signal(p->thread, 0, 0, 0, 0);
		return;
	}
	if (t && t != twix_me && __atomic_load_n(&t->state, __ATOMIC_SEQ_CST) == TWIX_LIVE)
		sys_signal(t->thread.tid, 0, 0, 0, 0);
	else if (!t && (!twix_me || twix_me->blocked & SIG_BIT(sig)))
		twix_signal_forward();
}

void twix_signal_child(struct twix_process *p, struct twix_process *child, uint32_t state,
    const struct twix_signal *s)
{
	struct twix_queue *q = twix_queue(p);
	bool ignored;

	mutex_acquire(&q->lock);
	ignored = is_ignored(p, NULL, s->sig);
	if (!ignored) {
		add(q, s, __atomic_load_n(&p->pending, __ATOMIC_ACQUIRE) & SIG_BIT(s->sig));
		set_bits(&p->pending, SIG_BIT(s->sig));
	}
	__atomic_store_n(&child->state, state, __ATOMIC_RELEASE);
	mutex_release(&q->lock);
	if (!ignored)
		notify(p, NULL, s->sig);
}

int twix_signal_post(struct twix_process *p, struct twix_thread *t, const struct twix_signal *s)
{
	uint64_t *word = t ? &t->pending : &p->pending;
	struct twix_queue *q = twix_queue(p);
	bool ignored;
	int r = 0;

	mutex_acquire(&q->lock);
	undo(p, s->sig);
	ignored = is_ignored(p, t, s->sig);
	if (!ignored) {
		r = add(q, s, __atomic_load_n(word, __ATOMIC_ACQUIRE) & SIG_BIT(s->sig));
		if (r == 0)
			set_bits(word, SIG_BIT(s->sig));
	}
	mutex_release(&q->lock);
	if (s->sig == SIGKILL)
		twix_job_end(p, SIGKILL);
	if (r == 0 && !ignored)
		notify(p, t, s->sig);
	return r;
}

/* --- taking: nothing while the process is stopped, which it is and goes on with the lock held */

static bool is_stopped(const struct twix_process *p)
{
	return __atomic_load_n(&p->job, __ATOMIC_ACQUIRE) & TWIX_STOPPED;
}

int twix_signal_take(uint64_t set, struct twix_signal *s)
{
	struct twix_process *p = twix_self();
	int sig;

	mutex_acquire(&twix_queue(p)->lock);
	sig = is_stopped(p) ? -1 : take_from(&twix_me->pending, twix_me->tid, set, s);
	if (!sig)
		sig = take_from(&p->pending, 0, set, s);
	mutex_release(&twix_queue(p)->lock);
	return sig;
}

int twix_signal_claim(uint64_t set)
{
	struct twix_process *p = twix_self();
	struct twix_queue *q = twix_queue(p);
	struct twix_signal s;
	int sig;

	mutex_acquire(&q->lock);
	sig = is_stopped(p) ? -1 : lowest(twix_me->pending & set);
	if (!sig && (sig = take_from(&p->pending, 0, set, &s)) > 0) {
		s.tid = twix_me->tid;
		add(q, &s, false);
		set_bits(&twix_me->pending, SIG_BIT(sig));
	}
	mutex_release(&q->lock);
	return sig;
}

/* It is ignored from now on. */
void twix_signal_discard(int sig)
{
	struct twix_queue *q = twix_queue(twix_self());

	mutex_acquire(&q->lock);
	drop(twix_self(), SIG_BIT(sig));
	mutex_release(&q->lock);
}
