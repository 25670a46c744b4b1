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

#define THREADS 256
#define STACK_PART 4096ul /* of the stack given, that is made known as such */

#define NEEDED_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

struct record {
	struct thread thread;
	int (*fn)(void *);
	void *arg;
	int *clear_tid;
	long unmap[6]; /* the stack to give back when the thread has ended */
	bool used;
};

static struct mutex lock;
static _Alignas(TWIX_PAGE) struct record records[THREADS]; /* guarded by lock, but what a thread needs at its ends */
static unsigned next_record;           /* guarded by lock */
static unsigned records_end;           /* guarded by lock: from there on none was ever used */

static __thread struct record *own; /* NULL: the first thread */

/* What vanish.S is written with. */
_Static_assert(SYS_THRD_SYNC == 0x1007 && SYS_THRD_CTL == 0x100a && THRD_CTL_EXIT == 0x100, "numbers");
_Noreturn void __twix_vanish(int *word, struct sys_thread_sync_args *wake);

/* Threads of a process have numbers beyond all those of processes. */
static int tid_of(const struct record *r)
{
	int pid = twix_self()->pid;

	return r ? pid + 65536 * (1 + (int)(r - records)) : pid;
}

/* --- making */

static bool has_ended(struct record *r)
{
	struct twzthread_repr *repr = twz_object_base(&r->thread.obj);

	return __atomic_load_n(&repr->syncs[THRD_SYNC_STATE], __ATOMIC_ACQUIRE) == THRD_STATE_ENDED;
}

static void forget(struct record *r)
{
	twz_thread_release(&r->thread);
	if (r->unmap[1])
		twix_munmap(r->unmap);
	r->used = false;
}

/* A record that nobody uses, or whose thread has ended. Lock held. */
static struct record *take_record(void)
{
	for (unsigned i = 0; i < THREADS; i++) {
		struct record *r = &records[next_record++ % THREADS];

		if (r->used && has_ended(r))
			forget(r);
		if (r->used)
			continue;
		if (r >= records + records_end)
			records_end = (unsigned)(r - records) + 1;
		return r;
	}
	return NULL;
}

static void begin(void *arg)
{
	own = arg;
	own->fn(own->arg);
	twix_exit((const long[6]){ 0 });
}

/* Lock held. */
static int start(struct record *r, void *stack, void *tls)
{
	struct thrd_spawn_args args = {
		.start_func = (uintptr_t)begin,
		.arg = (uintptr_t)r,
		.stack_base = ((uintptr_t)stack & ~15ul) - STACK_PART,
		.stack_size = STACK_PART,
		.tls_base = (uintptr_t)tls,
	};

	r->used = twz_thread_spawn(&r->thread, &args) == 0;
	return r->used ? tid_of(r) : -EAGAIN;
}

/* A child that would share memory until it runs another program gets a copy instead. */
static int fork_and_run(int (*fn)(void *), void *arg)
{
	long pid = twix_fork();

	if (pid == 0)
		twix_exit_group((const long[6]){ fn(arg) });
	return (int)pid;
}

int __twix_clone(int (*fn)(void *), void *stack, int flags, void *arg, int *parent_tid, void *tls,
    int *clear_tid);

/* What musl's assembler file of this name is for. */
int __twix_clone(int (*fn)(void *), void *stack, int flags, void *arg, int *parent_tid, void *tls,
    int *clear_tid)
{
	struct record *r;
	int tid = -EAGAIN;

	if ((flags & NEEDED_FLAGS) != NEEDED_FLAGS)
		return fork_and_run(fn, arg);
	mutex_acquire(&lock);
	r = take_record();
	if (r) {
		*r = (struct record){ .fn = fn, .arg = arg, .clear_tid = clear_tid };
		if (flags & CLONE_PARENT_SETTID)
			*parent_tid = tid_of(r);
		tid = start(r, stack, tls);
	}
	mutex_release(&lock);
	return tid;
}

/* The call itself, which is made to fork. */
long twix_clone(const long a[6])
{
	return a[0] & (CLONE_VM | CLONE_THREAD) && !(a[0] & CLONE_VFORK) ? -EINVAL : twix_fork();
}

long twix_set_tid_address(const long a[6])
{
	(void)a; /* the first thread ends with the program */
	return tid_of(own);
}

long twix_gettid(const long a[6])
{
	(void)a;
	return tid_of(own);
}

long twix_set_robust_list(const long a[6])
{
	(void)a; /* the C library walks it itself when a thread ends */
	return 0;
}

/* --- ending */

/* One thread at a time is here: who clears the word is who holds the C library's thread list. */
long twix_exit(const long a[6])
{
	static struct sys_thread_sync_args wake;

	if (!own)
		return twix_exit_group(a);
	twz_thread_sync_init(&wake, THREAD_SYNC_WAKE, (atomic_ulong *)own->clear_tid, 1);
	wake.flags = THREAD_SYNC_32BIT;
	__twz_thread_retire(0);
	__twix_vanish(own->clear_tid, &wake);
}

_Noreturn void __twix_unmapself(void *base, size_t size);

void __twix_unmapself(void *base, size_t size)
{
	own->unmap[0] = (long)base;
	own->unmap[1] = (long)size;
	twix_exit((const long[6]){ 0 });
	__builtin_unreachable();
}

void twix_end_other_threads(void)
{
	mutex_acquire(&lock);
	for (unsigned i = 0; i < records_end; i++)
		if (records[i].used && &records[i] != own)
			sys_thrd_ctl2(records[i].thread.tid, THRD_CTL_KILL, 1);
	if (own)
		sys_thrd_ctl2(twix_self()->thread, THRD_CTL_KILL, 1);
	mutex_release(&lock);
}

/* The records are of the parent's threads. */
void twix_threads_after_fork(void)
{
	mutex_init(&lock);
	memset(records, 0, records_end * sizeof(records[0]));
	records_end = 0;
	own = NULL;
}

/* --- futexes */

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
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
	struct timespec rest;

	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value)
		return -EAGAIN;
	if (time && !twix_is_duration(time))
		return -EINVAL;
	if (time)
		rest = *time;
	if (time && (op & 127) == FUTEX_WAIT_BITSET && !remaining(time, op & FUTEX_CLOCK_REALTIME, &rest))
		return -ETIMEDOUT;
	return twz_thread_sync32(THREAD_SYNC_SLEEP, (atomic_uint_least32_t *)word, value, time ? &rest : NULL);
}

/* How many were woken. */
static long futex_wake(uint32_t *word, int count)
{
	struct sys_thread_sync_args op;
	long r;

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
		return futex_wake(word, (int)value);
	case FUTEX_CMP_REQUEUE:
		if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != (uint32_t)a[5])
			return -EAGAIN;
		/* fall through */
	case FUTEX_REQUEUE: /* those who would be moved are woken: they look again */
		return futex_wake(word, (int)value + (int)a[3]);
	default:
		return -ENOSYS;
	}
}

long twix_sched_yield(const long a[6])
{
	(void)a;
	sys_thrd_ctl(THRD_CTL_YIELD, 0);
	return 0;
}

long twix_sched_getaffinity(const long a[6])
{
	size_t size = (size_t)a[1], cpus = twz_sysinfo()->ncpus;
	unsigned char *set = (void *)a[2];

	if (size < 8 || size % 8 || size * 8 < cpus)
		return -EINVAL;
	memset(set, 0, 8);
	for (size_t i = 0; i < cpus && i < 64; i++)
		set[i / 8] |= (unsigned char)(1u << i % 8);
	return 8;
}
