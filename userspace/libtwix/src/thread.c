// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads, as the C library makes them: on a stack and with thread-local storage of its own making;
 * and futexes.
 */
#include "twix.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>

#define THREADS 257 /* with the first */
#define FAULT_STACK 65536ul
#define END_NS 2000000000ull /* time for a thread to see that it ends; more is a fault of it */
#define STACK_PART 4096ul /* of the stack given, that is made known as such */

#define NEEDED_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static struct mutex *const lock = &twix_own_locks[TWIX_LOCK_THREADS]; /* between those who make threads */
static _Alignas(TWIX_PAGE) struct twix_thread threads[THREADS];
static unsigned next_place; /* guarded by lock */
static unsigned places_end; /* atomic: from there on none was ever used */
static uint32_t others;     /* atomic: threads but the first */
static uint32_t first_left; /* atomic: the first has ended, and waits for the others */

__thread struct twix_thread *twix_me;

/* What vanish.S is written with. */
_Static_assert(SYS_THRD_SYNC == 0x1007 && SYS_THRD_CTL == 0x100a && THRD_CTL_EXIT == 0x100, "numbers");
_Noreturn void __twix_vanish(int *word, struct sys_thread_sync_args *wake);

/* Threads of a process have numbers beyond all those of processes. */
static int tid_of(const struct twix_thread *t)
{
	return twix_self()->pid + 65536 * (int)(t - threads);
}

struct twix_thread *twix_thread_number(unsigned n)
{
	return n < __atomic_load_n(&places_end, __ATOMIC_ACQUIRE) ? &threads[n] : NULL;
}

struct twix_thread *twix_thread_of(int tid)
{
	struct twix_thread *t = tid > 0 ? twix_thread_number((unsigned)tid / 65536) : NULL;
	uint32_t state = t ? __atomic_load_n(&t->state, __ATOMIC_ACQUIRE) : TWIX_UNUSED;

	return (state == TWIX_LIVE || state == TWIX_BEGINNING) && t->tid == tid ? t : NULL;
}

void twix_threads_disturb(void)
{
	struct twix_process *p = twix_self();
	struct twix_thread *t;

	__atomic_fetch_add(&p->disturbed, 1, __ATOMIC_ACQ_REL);
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&p->disturbed, (uint64_t)-1, NULL);
	for (unsigned n = 0; (t = twix_thread_number(n)); n++)
		if (t != twix_me && __atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == TWIX_LIVE)
			sys_signal(t->thread.tid, 0, 0, 0, 0);
}

static void set_state(struct twix_thread *t, uint32_t state)
{
	__atomic_store_n(&t->state, state, __ATOMIC_RELEASE);
	twz_thread_sync32(THREAD_SYNC_WAKE, (atomic_uint_least32_t *)&t->state, (uint32_t)-1, NULL);
}

bool twix_thread_is_alone(void)
{
	return twix_me == threads && !__atomic_load_n(&others, __ATOMIC_ACQUIRE) && !twix_self()->helper;
}

void twix_threads_init(void)
{
	twix_me = &threads[0];
	twix_me->thread.tid = twz_thread_id();
	twix_me->tid = twix_self()->pid;
	twix_me->stack.ss_flags = SS_DISABLE;
	twix_me->state = TWIX_LIVE;
	places_end = 1;
}

/* --- making */

/* The first is not asked: it ends with the process. */
static bool has_ended(struct twix_thread *t)
{
	struct twzthread_repr *repr = t == threads ? NULL : twz_object_base(&t->thread.obj);

	return repr && __atomic_load_n(&repr->syncs[THRD_SYNC_STATE], __ATOMIC_ACQUIRE) == THRD_STATE_ENDED;
}

static void forget(struct twix_thread *t)
{
	twz_thread_release(&t->thread);
	if (t->unmap[1])
		twix_munmap(t->unmap);
	t->state = TWIX_UNUSED;
}

/* A place that nobody uses, or whose thread has ended. Lock held. */
static struct twix_thread *take_place(void)
{
	for (unsigned i = 0; i < THREADS; i++) {
		struct twix_thread *t = &threads[next_place++ % THREADS];

		if (t != threads && t->state != TWIX_UNUSED && has_ended(t))
			forget(t);
		if (t->state != TWIX_UNUSED)
			continue;
		if (t >= threads + places_end)
			__atomic_store_n(&places_end, (unsigned)(t - threads) + 1, __ATOMIC_RELEASE);
		return t;
	}
	return NULL;
}

/* From here on others know it. What came for all of them before, it sees now. */
static void begin(void *arg)
{
	twix_me = arg;
	twz_thread_repr_base()->fault_stack_size = FAULT_STACK;
	__atomic_store_n(&twz_thread_repr_base()->fault_stack, (uintptr_t)twix_me->fault_stack, __ATOMIC_RELEASE);
	__atomic_store_n(&twix_me->state, TWIX_LIVE, __ATOMIC_SEQ_CST);
	twix_signal_enter();
	if (!twix_linux_program()) /* else when it is in the program */
		twix_signal_leave(false);
	twix_me->fn(twix_me->arg);
	twix_exit((const long[6]){ 0 });
}

/* Lock held. */
static int start(struct twix_thread *t, void *stack, void *tls)
{
	struct thrd_spawn_args args = {
		.start_func = (uintptr_t)begin,
		.arg = (uintptr_t)t,
		.stack_base = ((uintptr_t)stack & ~15ul) - STACK_PART,
		.stack_size = STACK_PART,
		.tls_base = (uintptr_t)tls,
	};

	if (!t->fault_stack)
		t->fault_stack = twix_pages(FAULT_STACK);
	if (!t->fault_stack)
		return -EAGAIN;
	__atomic_fetch_add(&others, 1, __ATOMIC_ACQ_REL);
	t->state = TWIX_BEGINNING;
	if (twz_thread_spawn(&t->thread, &args) == 0)
		return t->tid;
	t->state = TWIX_UNUSED;
	__atomic_fetch_sub(&others, 1, __ATOMIC_ACQ_REL);
	return -EAGAIN;
}

/* A child that would share memory, and go on beside its parent, gets a copy instead. */
static int fork_and_run(int (*fn)(void *), void *arg)
{
	long pid;

	twix_signal_enter();
	pid = twix_fork();
	twix_signal_leave(false);
	if (pid == 0)
		twix_exit_group((const long[6]){ fn(arg) });
	return (int)pid;
}

static int make_process(int (*fn)(void *), int flags, void *arg)
{
	int pid = flags & CLONE_VM && flags & CLONE_VFORK ? twix_vfork_call(fn, arg) : -1;

	return pid > 0 ? pid : fork_and_run(fn, arg);
}

/* What musl's assembler file of this name is for. */
int __twix_clone(int (*fn)(void *), void *stack, int flags, void *arg, int *parent_tid, void *tls,
    int *clear_tid)
{
	struct twix_thread *t;
	int tid = -EAGAIN;

	if ((flags & NEEDED_FLAGS) != NEEDED_FLAGS)
		return make_process(fn, flags, arg);
	twix_signal_enter();
	if (twix_vfork_settle() < 0) {
		twix_signal_leave(false);
		return tid;
	}
	mutex_acquire(lock);
	t = take_place();
	if (t) {
		*t = (struct twix_thread){ .fault_stack = t->fault_stack, .fn = fn, .arg = arg, .clear_tid = clear_tid, .tid = tid_of(t),
			.blocked = twix_me->blocked, .stack.ss_flags = SS_DISABLE };
		if (flags & CLONE_PARENT_SETTID)
			*parent_tid = t->tid;
		tid = start(t, stack, tls);
	}
	mutex_release(lock);
	twix_signal_leave(false);
	return tid;
}

/* The call itself, which is made to fork. */
long twix_clone(const long a[6])
{
	return a[0] & (CLONE_VM | CLONE_THREAD) && !(a[0] & CLONE_VFORK) ? -EINVAL : twix_fork();
}

long twix_set_tid_address(const long a[6])
{
	twix_me->clear_tid = (int *)a[0];
	return twix_me->tid;
}

long twix_gettid(const long a[6])
{
	(void)a;
	return twix_me->tid;
}

/* --- ending */

/*
 * The process goes on without its first thread, which still is where others send signals for all, and whose
 * status is the process's.
 */
static _Noreturn void first_exits(int status)
{
	struct twix_process *p = twix_self();
	int *word = twix_me->clear_tid;
	uint64_t seen;

	twix_block(~0ull);
	__atomic_store_n(&first_left, 1, __ATOMIC_SEQ_CST);
	if (twix_can_write(word, sizeof(*word))) {
		__atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
		twz_thread_sync32(THREAD_SYNC_WAKE, (atomic_uint_least32_t *)word, 1, NULL);
	}
	for (;;) {
		seen = __atomic_load_n(&p->disturbed, __ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&others, __ATOMIC_SEQ_CST))
			twix_exit_group((const long[6]){ status });
		twix_job_look();
		twix_signal_forward();
		twix_sleep_on(&p->disturbed, seen, UINT64_MAX);
	}
}

/* This one is not counted any more, nor sent anything. */
static void retire(void)
{
	struct twix_process *p = twix_self();

	twix_me->depth++;
	set_state(twix_me, TWIX_GONE);
	twix_signal_forward();
	if (__atomic_sub_fetch(&others, 1, __ATOMIC_SEQ_CST) == 0 && __atomic_load_n(&first_left, __ATOMIC_SEQ_CST)) {
		__atomic_fetch_add(&p->disturbed, 1, __ATOMIC_ACQ_REL);
		twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&p->disturbed, (uint64_t)-1, NULL);
	}
}

/* From when the word is cleared, who waits for that may take the stack: what is still needed is not there. */
long twix_exit(const long a[6])
{
	struct sys_thread_sync_args *wake = &twix_me->last_wake;
	int *word = twix_can_write(twix_me->clear_tid, sizeof(int)) ? twix_me->clear_tid : NULL;

	if (twix_vfork_is_on())
		twix_exit_group(a);
	twix_robust_release();
	if (twix_me == threads)
		first_exits((int)a[0]);
	retire();
	__twz_thread_retire(0);
	if (!word)
		twz_thread_exit(0);
	twz_thread_sync_init(wake, THREAD_SYNC_WAKE, (atomic_ulong *)word, 1);
	wake->flags = THREAD_SYNC_32BIT;
	__twix_vanish(word, wake);
}

_Noreturn void twix_thread_vanish(void)
{
	twix_robust_release();
	if (twix_me == threads)
		set_state(twix_me, TWIX_GONE);
	else
		retire();
	twz_thread_exit(0);
}

void twix_thread_keep(void *stacks, size_t size)
{
	twix_me->unmap[0] = (long)stacks;
	twix_me->unmap[1] = (long)size;
}

_Noreturn void __twix_unmapself(void *base, size_t size);

void __twix_unmapself(void *base, size_t size)
{
	twix_me->unmap[0] = (long)base;
	twix_me->unmap[1] = (long)size;
	twix_exit((const long[6]){ 0 });
	__builtin_unreachable();
}

/* One that does not come to where it would see that it ends is ended where it is. */
static void wait_until_gone(struct twix_thread *t, uint64_t until)
{
	struct timespec at = twix_time_of(until);
	struct sys_thread_sync_args op;
	uint32_t state;

	while ((state = __atomic_load_n(&t->state, __ATOMIC_ACQUIRE)) != TWIX_GONE && state != TWIX_UNUSED) {
		if (has_ended(t))
			return;
		if (twz_clock_ns() >= until) {
			sys_thrd_ctl2(t->thread.tid, THRD_CTL_KILL, 1);
			return;
		}
		twz_thread_sync_init(&op, THREAD_SYNC_SLEEP, (atomic_ulong *)&t->state, state);
		op.flags = THREAD_SYNC_32BIT;
		sys_thread_sync_abs(1, &op, &at);
	}
}

void twix_end_other_threads(void)
{
	uint64_t until = twz_clock_ns() + END_NS;
	struct twix_thread *t;

	for (unsigned n = 0; (t = twix_thread_number(n)); n++)
		if (t != twix_me)
			wait_until_gone(t, until);
}

/* The others are the parent's. */
void twix_threads_after_fork(void)
{
	/* It is in a call at every moment of this. */
	if (twix_me != threads)
		threads[0] = *twix_me;
	twix_me = threads;
	memset(threads + 1, 0, (places_end - 1) * sizeof(threads[0]));
	places_end = 1;
	others = first_left = 0;
	twix_me->thread = (struct thread){ .tid = twix_self()->thread };
	twix_me->tid = twix_self()->pid;
	twix_me->unmap[1] = 0;
	twix_me->robust = NULL;
}

/* --- futexes */

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_PRIVATE 128
#define FUTEX_CLOCK_REALTIME 256

/* Until when, as a duration from now; false: that is over. */
static bool remaining(const struct timespec *until, bool real, struct timespec *rest)
{
	uint64_t now = real ? twz_clock_real_ns() : twz_clock_ns();
	uint64_t at = (uint64_t)until->tv_sec * TWIX_NS + (uint64_t)until->tv_nsec;

	if (at <= now)
		return false;
	*rest = twix_time_of(at - now);
	return true;
}

static long futex_wait(uint32_t *word, uint32_t value, const struct timespec *time, int op)
{
	struct sys_thread_sync_args ops[2];
	struct timespec rest;
	uint64_t until;
	long r;

	if (time && !twix_can_read(time, sizeof(*time)))
		return -EFAULT;
	if (time && !twix_is_duration(time))
		return -EINVAL;
	if (!twix_can_read(word, sizeof(*word)))
		return -EFAULT;
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value)
		return -EAGAIN;
	if (time && (op & 127) == FUTEX_WAIT_BITSET) {
		if (!remaining(time, op & FUTEX_CLOCK_REALTIME, &rest))
			return -ETIMEDOUT;
		time = &rest;
	}
	twix_until(time, &until);
	rest = twix_time_of(until);
	twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, (atomic_ulong *)word, value);
	ops[0].flags = THREAD_SYNC_32BIT;
	r = twix_sleep(1, ops, until == UINT64_MAX ? NULL : &rest);
	if (r < 0)
		return r;
	if (ops[0].res == THREAD_SYNC_RES_TIMEOUT || ops[1].res == THREAD_SYNC_RES_TIMEOUT)
		return -ETIMEDOUT;
	return ops[0].res == THREAD_SYNC_RES_DIFFER ? -EAGAIN : 0;
}

/* How many were woken. A word of this process's alone may be anywhere. */
static long futex_wake(uint32_t *word, int count, bool private)
{
	struct sys_thread_sync_args op;
	long r;

	if (!twix_can_read(word, sizeof(*word)))
		return private && (long)word >= 0 ? 0 : -EFAULT;
	twz_thread_sync_init(&op, THREAD_SYNC_WAKE, (atomic_ulong *)word, (unsigned long)count);
	op.flags = THREAD_SYNC_32BIT;
	r = sys_thread_sync(1, &op, NULL);
	return r < 0 ? r : (long)op.res;
}

long twix_futex(const long a[6])
{
	uint32_t *word = (void *)a[0], value = (uint32_t)a[2];
	int op = (int)a[1];

	if ((uintptr_t)word % 4)
		return -EINVAL;
	switch (op & 127) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return futex_wait(word, value, (const struct timespec *)a[3], op);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		return futex_wake(word, (int)value, op & FUTEX_PRIVATE);
	case FUTEX_CMP_REQUEUE:
		if (!twix_can_read(word, sizeof(*word)))
			return -EFAULT;
		if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != (uint32_t)a[5])
			return -EAGAIN;
		/* fall through */
	case FUTEX_REQUEUE: /* those who would be moved are woken: they look again */
		return futex_wake(word, (int)value + (int)a[3], op & FUTEX_PRIVATE);
	default:
		return -ENOSYS;
	}
}
