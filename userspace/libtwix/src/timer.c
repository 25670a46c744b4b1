// SPDX-License-Identifier: BSD-3-Clause
/*
 * Timers that send signals. A thread that the program does not see sleeps until the first of them is
 * due; it is made with the first timer. The first timer is that of alarm(), which another program in
 * the process takes over; the others end with theirs.
 */
#include "twix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>

#define TIMERS 33 /* with that of alarm() */
#define NEVER UINT64_MAX
#define STACK 32768

struct timer {
	bool used;
	int sig;            /* 0: none is sent */
	int tid;            /* to which thread; 0: to the process */
	int overrun;        /* atomic: how often it was due again before the last signal was taken */
	uint64_t value;     /* that a handler is told */
	clockid_t clock;
	uint64_t at, every; /* of the monotonic clock; at 0: not running */
};

/* As timer_create() hands it over. */
struct event_request {
	void *value;
	int sig, notify, tid;
};

static struct mutex *const lock = &twix_own_locks[TWIX_LOCK_TIMERS];
static struct timer timers[TIMERS] = { { .used = true, .sig = SIGALRM } }; /* guarded by lock */
static atomic_ulong changes;
static struct thread helper; /* guarded by lock */
static _Alignas(TWIX_PAGE) char stack[STACK];

/* --- the thread */

/* Whether the timer is due, and has been so often more; then it is set for the next time. Lock held. */
static bool is_due(struct timer *t, uint64_t now, int *more)
{
	uint64_t missed;

	if (!t->at || t->at > now)
		return false;
	missed = t->every ? (now - t->at) / t->every : 0;
	*more = missed < INT32_MAX ? (int)missed : INT32_MAX;
	t->at = t->every ? t->at + (missed + 1) * t->every : 0;
	return true;
}

/* The signals that are due, and how many; when to look again goes to *next. */
static int look(struct twix_signal due[TIMERS], uint64_t *next, unsigned long *seen)
{
	uint64_t now = twz_clock_ns();
	int n = 0, more = 0;

	*next = NEVER;
	mutex_acquire(lock);
	*seen = atomic_load(&changes);
	for (struct timer *t = timers; t < timers + TIMERS; t++) {
		if (is_due(t, now, &more) && t->sig)
			due[n++] = (struct twix_signal){ .sig = t->sig, .tid = t->tid, .value = t->value, .b = more,
				.a = (int)(t - timers) - 1, .code = t == timers ? SI_KERNEL : SI_TIMER };
		if (t->at && t->at < *next)
			*next = t->at;
	}
	mutex_release(lock);
	return n;
}

/* To the thread that it is for, unless that has ended. */
static void send(struct twix_signal *s)
{
	struct twix_thread *t = s->tid ? twix_thread_of(s->tid) : NULL;

	if (s->code == SI_KERNEL)
		s->a = s->b = 0;
	if (t || !s->tid)
		twix_signal_post(twix_self(), t, s);
}

/*
 * The C library would give each run of a timer's function thread-local storage as a new thread has it.
 * What stands there is not only the program's, but also what this library knows of the thread: it stays.
 * Programs are linked with this in place of the C library's own.
 */
void __reset_tls(void);

void __reset_tls(void)
{
}

/* The thread above may be late: what has come by now counts, too. */
int twix_timer_taken(int id, int overrun)
{
	struct timer *t = &timers[id + 1];
	int more;

	if (id < 0 || id >= TIMERS - 1)
		return overrun;
	twix_me->depth++;
	mutex_acquire(lock);
	if (is_due(t, twz_clock_ns(), &more))
		overrun += more + 1;
	__atomic_store_n(&t->overrun, overrun, __ATOMIC_RELAXED);
	mutex_release(lock);
	twix_me->depth--;
	return overrun;
}

static void watch(void *unused)
{
	struct twix_signal due[TIMERS];
	unsigned long seen;
	struct timespec rest;
	uint64_t next, now;
	int n;

	(void)unused;
	for (;;) {
		n = look(due, &next, &seen);
		for (int i = 0; i < n; i++)
			send(&due[i]);
		now = twz_clock_ns();
		now = next > now ? next - now : 0;
		rest = twix_time_of(now);
		if (now)
			twz_thread_sync(THREAD_SYNC_SLEEP, &changes, seen, next == NEVER ? NULL : &rest);
	}
}

/* Lock held. */
static long start_helper(void)
{
	struct thrd_spawn_args args = {
		.start_func = (uintptr_t)watch,
		.stack_base = (uintptr_t)stack,
		.stack_size = STACK,
	};

	if (helper.tid)
		return 0;
	if (twz_thread_spawn(&helper, &args) < 0) {
		memset(&helper, 0, sizeof(helper));
		return -EAGAIN;
	}
	twix_self()->helper = helper.tid;
	return 0;
}

void twix_timers_init(void)
{
	struct twix_process *p = twix_self();

	timers[0].at = p->alarm_at;
	timers[0].every = p->alarm_every;
	p->alarm_at = 0;
	if (timers[0].at)
		start_helper();
}

void twix_timers_hand_over(void)
{
	struct twix_process *p = twix_self();

	mutex_acquire(lock);
	p->alarm_at = timers[0].at;
	p->alarm_every = timers[0].every;
	if (helper.tid) {
		sys_thrd_ctl2(helper.tid, THRD_CTL_KILL, 1);
		twz_thread_join(&helper, NULL, 0);
		twz_thread_release(&helper);
		memset(&helper, 0, sizeof(helper));
		p->helper = 0;
	}
	mutex_release(lock);
}

void twix_timers_after_fork(void)
{
	memset(&helper, 0, sizeof(helper));
	memset(timers, 0, sizeof(timers));
	timers[0] = (struct timer){ .used = true, .sig = SIGALRM };
}

/* --- setting */

/* What is left of it, and its period. Lock held. */
static void report(const struct timer *t, struct itimerspec *out)
{
	uint64_t now = twz_clock_ns(), left = !t->at ? 0 : t->at > now ? t->at - now : 1;

	out->it_value = twix_time_of(left);
	out->it_interval = twix_time_of(t->every);
}

static uint64_t ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec < NEVER / TWIX_NS / 4 ? (uint64_t)ts->tv_sec * TWIX_NS + (uint64_t)ts->tv_nsec : NEVER / 4;
}

/* Lock held. */
static long set(struct timer *t, bool absolute, const struct itimerspec *new)
{
	uint64_t at = ns_of(&new->it_value), now = twz_clock_ns();
	uint64_t base = t->clock == CLOCK_REALTIME ? twz_clock_real_ns() : now;
	long r = at ? start_helper() : 0;

	if (r < 0)
		return r;
	if (at)
		at = !absolute ? now + at : at > base ? now + (at - base) : now;
	t->at = at;
	t->every = ns_of(&new->it_interval);
	__atomic_store_n(&t->overrun, 0, __ATOMIC_RELAXED);
	atomic_fetch_add(&changes, 1);
	twz_thread_sync(THREAD_SYNC_WAKE, &changes, 1, NULL);
	return 0;
}

/* Both directions; either may be NULL. */
static long exchange(struct timer *t, bool absolute, const struct itimerspec *new, struct itimerspec *old)
{
	struct itimerspec was;
	long r = 0;

	if (new && (!twix_is_duration(&new->it_value) || !twix_is_duration(&new->it_interval)))
		return -EINVAL;
	if (new)
		r = twix_vfork_settle();
	if (r < 0)
		return r;
	mutex_acquire(lock);
	report(t, &was);
	if (new)
		r = set(t, absolute, new);
	mutex_release(lock);
	if (old && r == 0)
		*old = was;
	return r;
}

/* --- the calls */

static struct timespec from_us(const struct timeval *tv)
{
	return (struct timespec){ tv->tv_sec, tv->tv_usec >= 0 && tv->tv_usec < 1000000 ? tv->tv_usec * 1000 : -1 };
}

static struct timeval to_us(const struct timespec *ts)
{
	return (struct timeval){ ts->tv_sec, ts->tv_nsec / 1000 };
}

/* Of real time only. */
static long interval_timer(int which, const struct itimerval *new, struct itimerval *old)
{
	struct itimerspec wanted, was;
	long r;

	if (which != ITIMER_REAL)
		return which == ITIMER_VIRTUAL || which == ITIMER_PROF ? -ENOSYS : -EINVAL;
	if (new)
		wanted = (struct itimerspec){ from_us(&new->it_interval), from_us(&new->it_value) };
	r = exchange(&timers[0], false, new ? &wanted : NULL, &was);
	if (r == 0 && old)
		*old = (struct itimerval){ to_us(&was.it_interval), to_us(&was.it_value) };
	return r;
}

long twix_setitimer(const long a[6])
{
	static const struct itimerval off;

	return interval_timer((int)a[0], a[1] ? (const void *)a[1] : &off, (struct itimerval *)a[2]);
}

long twix_getitimer(const long a[6])
{
	return interval_timer((int)a[0], NULL, (struct itimerval *)a[1]);
}

static struct timer *timer_of(long id)
{
	return id >= 0 && id < TIMERS - 1 && timers[id + 1].used ? &timers[id + 1] : NULL;
}

static int sig_of(const struct event_request *e)
{
	if (!e)
		return SIGALRM;
	if (e->notify == SIGEV_NONE)
		return 0;
	if (e->notify != SIGEV_SIGNAL && (e->notify != SIGEV_THREAD_ID || !twix_thread_of(e->tid)))
		return -EINVAL;
	return e->sig > 0 && e->sig <= 64 ? e->sig : -EINVAL;
}

long twix_timer_create(const long a[6])
{
	clockid_t clock = (clockid_t)a[0];
	const struct event_request *e = (const void *)a[1];
	int sig = sig_of(e), *id = (int *)a[2], n;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EINVAL;
	if (sig < 0)
		return sig;
	if (!twix_can_write(id, sizeof(*id)))
		return -EFAULT;
	if (twix_vfork_settle() < 0)
		return -EAGAIN;
	mutex_acquire(lock);
	for (n = 1; n < TIMERS && timers[n].used; n++)
		;
	if (n < TIMERS)
		timers[n] = (struct timer){ .used = true, .sig = sig, .clock = clock,
			.tid = e && e->notify == SIGEV_THREAD_ID ? e->tid : 0,
			.value = e ? (uint64_t)e->value : (uint64_t)n - 1 };
	mutex_release(lock);
	if (n == TIMERS)
		return -EAGAIN;
	*id = n - 1;
	return 0;
}

long twix_timer_settime(const long a[6])
{
	struct timer *t = timer_of((int)a[0]);

	return t && a[2] ? exchange(t, (int)a[1] & TIMER_ABSTIME, (const void *)a[2], (void *)a[3]) : -EINVAL;
}

long twix_timer_gettime(const long a[6])
{
	struct timer *t = timer_of((int)a[0]);

	return t ? exchange(t, false, NULL, (void *)a[1]) : -EINVAL;
}

long twix_timer_getoverrun(const long a[6])
{
	struct timer *t = timer_of((int)a[0]);

	return t ? __atomic_load_n(&t->overrun, __ATOMIC_RELAXED) : -EINVAL;
}

long twix_timer_delete(const long a[6])
{
	struct timer *t = timer_of((int)a[0]);

	if (!t)
		return -EINVAL;
	mutex_acquire(lock);
	*t = (struct timer){ .used = false };
	mutex_release(lock);
	return 0;
}
