// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sleeping on words and waking sleepers, between all threads of the machine. A word has a bucket, by
 * its object and offset; who wakes counts the bucket's generation up, and a sleeper that compared its
 * word after it had read the generation sleeps on that. So a word may have 64 bits, and no wake is
 * lost; who shares the bucket with another word may be woken for nothing. Who sleeps on several words
 * uses a generation of its own kind, which every wake counts up while there is such a sleeper.
 */
#define _GNU_SOURCE
#include "hosted.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <machine/counter.h>
#include <sys/syscall.h>
#include <time.h>
#include <twz/sys/sys.h>
#include <unistd.h>

#define BUCKETS 16384u
#define NS_PER_SEC 1000000000ull
#define NEVER UINT64_MAX
/* How long a holder is believed to live before it is looked for, and between looks. */
#define LOOK_NS 20000000ull

struct bucket {
	atomic_uint generation;
	atomic_uint sleepers;
};

struct buckets {
	struct bucket several; /* of those who sleep on several words */
	struct bucket each[BUCKETS];
	atomic_uint of_object[BUCKETS]; /* how many sleep on words of an object, by its ID */
};

static struct buckets *shared;
static struct buckets own; /* of words outside all slots: this process's */

/* Of this thread: what it sleeps in or is about to; whether a signal came meanwhile. */
static __thread struct bucket *volatile sleeping_in;
static __thread volatile bool interrupted;

void __twz_futex_setup(void)
{
	shared = __twz_places_shared("sleepers", sizeof(*shared));
	if (!shared)
		libtwz_refuse("no memory to share with other processes: is there room?");
}

static struct bucket *bucket_of(uint64_t addr)
{
	uint64_t h = addr & (OBJ_MAXSIZE - 1);
	struct buckets *b = &own;
	objid_t id;

	if (!__twz_map_owns(addr))
		h = addr;
	else if (twz_vaddr_to_obj((void *)addr, &id, NULL) == 0)
		h ^= ID_LO(id) ^ ID_HI(id), b = shared;
	h *= 0x9e3779b97f4a7c15ull;
	return &b->each[h >> 40 & (BUCKETS - 1)];
}

static atomic_uint *count_of(objid_t id)
{
	uint64_t h = (ID_LO(id) ^ ID_HI(id)) * 0x9e3779b97f4a7c15ull;

	return &shared->of_object[h >> 40 & (BUCKETS - 1)];
}

uint32_t __twz_futex_sleepers(objid_t id)
{
	return atomic_load(count_of(id));
}

/* Each object once for each of its words, as long as somebody sleeps. */
static void count_sleeper(const struct sys_thread_sync_args *ops, size_t count, unsigned change)
{
	objid_t id;

	for (size_t i = 0; i < count; i++)
		if (ops[i].op == THREAD_SYNC_SLEEP && __twz_map_owns(ops[i].addr) &&
		    twz_vaddr_to_obj((void *)ops[i].addr, &id, NULL) == 0)
			atomic_fetch_add(count_of(id), change);
}

void __twz_futex_interrupt(void)
{
	interrupted = true;
	if (sleeping_in)
		atomic_fetch_add(&sleeping_in->generation, 1);
}

static long futex(atomic_uint *word, int op, unsigned value, const struct timespec *until)
{
	return syscall(SYS_futex, word, op, value, until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static uint64_t wake_bucket(struct bucket *b)
{
	long n;

	if (!atomic_load(&b->sleepers))
		return 0;
	atomic_fetch_add(&b->generation, 1);
	n = futex(&b->generation, FUTEX_WAKE, INT_MAX, NULL);
	return n > 0 ? (uint64_t)n : 0;
}

/* The word was changed before the call: it is seen by who is not yet counted as a sleeper. */
static void wake(struct sys_thread_sync_args *op)
{
	atomic_thread_fence(memory_order_seq_cst);
	op->res = op->arg ? wake_bucket(bucket_of(op->addr)) : 0;
	if (op->arg)
		wake_bucket(&shared->several);
}

static bool differs(const struct sys_thread_sync_args *op)
{
	if (op->flags & THREAD_SYNC_32BIT)
		return atomic_load((atomic_uint *)op->addr) != (uint32_t)op->arg;
	return atomic_load((atomic_ulong *)op->addr) != op->arg;
}

/* Note the sleeps whose words differ; returns whether there are any. */
static bool any_differs(struct sys_thread_sync_args *ops, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (ops[i].op != THREAD_SYNC_SLEEP)
			continue;
		ops[i].res = differs(&ops[i]) ? THREAD_SYNC_RES_DIFFER : 0;
		any |= ops[i].res != 0;
	}
	return any;
}

static void set_results(struct sys_thread_sync_args *ops, size_t count, uint64_t res)
{
	for (size_t i = 0; i < count; i++)
		if (ops[i].op == THREAD_SYNC_SLEEP)
			ops[i].res = res;
}

/* 0 woken or for no reason, -ETIMEDOUT, -EINTR: a handler of a signal ran, which is no reason. */
static long sleep_on(struct bucket *b, unsigned generation, uint64_t until)
{
	struct timespec ts = { (long)(until / NS_PER_SEC), (long)(until % NS_PER_SEC) };
	long r = futex(&b->generation, FUTEX_WAIT_BITSET, generation, until == NEVER ? NULL : &ts);

	return r < 0 && errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

/* One sleep until a time. */
static long sleep_once(struct sys_thread_sync_args *ops, size_t count, struct bucket *b,
    uint64_t until)
{
	unsigned generation;
	long r = 0;

	atomic_fetch_add(&b->sleepers, 1);
	generation = atomic_load(&b->generation);
	interrupted = false;
	sleeping_in = b;
	if (!any_differs(ops, count)) {
		count_sleeper(ops, count, 1);
		r = sleep_on(b, generation, until);
		count_sleeper(ops, count, -1u);
		if (interrupted)
			r = -EINTR;
		else if (r == -ETIMEDOUT)
			set_results(ops, count, THREAD_SYNC_RES_TIMEOUT);
		else if (count == 1)
			set_results(ops, count, THREAD_SYNC_RES_WAKEUP);
	}
	sleeping_in = NULL;
	atomic_fetch_sub(&b->sleepers, 1);
	return r;
}

static bool holder_lives(const struct sys_thread_sync_args *op)
{
	uint64_t boot = __twz_rt.sysinfo.boot_code << 2;

	return __twz_thread_lives((op->arg ^ boot) & THREAD_SYNC_OWNER_MASK);
}

/* As a sleep; from time to time the holder is looked for. */
static long sleep_for_holder(struct sys_thread_sync_args *op, uint64_t until)
{
	struct bucket *b = bucket_of(op->addr);

	for (;;) {
		uint64_t now = machine_counter(); /* twz_clock_ns() takes locks */
		uint64_t look = until < now + LOOK_NS ? until : now + LOOK_NS;

		long r = sleep_once(op, 1, b, look);

		if (r != -ETIMEDOUT)
			return r;
		if (!holder_lives(op))
			return -EOWNERDEAD;
		if (until <= look)
			return 0;
	}
}

/* All words in slots: sleepers of several are woken with the machine's, else with this process's. */
static struct bucket *bucket_for_all(const struct sys_thread_sync_args *ops, size_t count)
{
	const struct sys_thread_sync_args *only = NULL;

	for (size_t i = 0; i < count; i++) {
		if (ops[i].op != THREAD_SYNC_SLEEP)
			continue;
		if (only)
			return &shared->several;
		only = &ops[i];
	}
	return only ? bucket_of(only->addr) : NULL;
}

static long check(struct sys_thread_sync_args *ops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct sys_thread_sync_args *op = &ops[i];
		unsigned size = op->flags & THREAD_SYNC_32BIT ? 4 : 8;
		bool owned = op->flags & THREAD_SYNC_OWNED;

		op->res = 0;
		if (op->op > THREAD_SYNC_WAKE || op->addr % size ||
		    op->flags & ~(THREAD_SYNC_32BIT | THREAD_SYNC_OWNED) ||
		    (owned && (count != 1 || op->op != THREAD_SYNC_SLEEP || size != 8))) {
			op->res = (uint64_t)-EINVAL;
			return -EINVAL;
		}
		if (__twz_probe((void *)op->addr, size, false) < 0) {
			op->res = (uint64_t)-EFAULT;
			return -EFAULT;
		}
	}
	return 0;
}

/* The time of the monotonic clock at which to stop; NEVER. */
static long deadline(const struct timespec *to, bool absolute, uint64_t *until)
{
	*until = NEVER;
	if (!to)
		return 0;
	if (to->tv_sec < 0 || to->tv_nsec < 0 || to->tv_nsec >= (long)NS_PER_SEC)
		return -EINVAL;
	if ((uint64_t)to->tv_sec > INT64_MAX / NS_PER_SEC / 2)
		return 0;
	*until = (uint64_t)to->tv_sec * NS_PER_SEC + (uint64_t)to->tv_nsec;
	*until += absolute ? 0 : machine_counter();
	return 0;
}

static void sleep_until(uint64_t until)
{
	struct timespec ts = { (long)(until / NS_PER_SEC), (long)(until % NS_PER_SEC) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static long sync_calls(size_t count, struct sys_thread_sync_args *ops, const struct timespec *to,
    bool absolute)
{
	struct bucket *b;
	uint64_t until;
	long r = count > THREAD_SYNC_MAX_OPS || (!count && !to) ? -EINVAL : check(ops, count);

	if (r == 0)
		r = deadline(to, absolute, &until);
	if (r < 0)
		return r;
	if (!count)
		sleep_until(until);
	for (size_t i = 0; i < count; i++)
		if (ops[i].op == THREAD_SYNC_WAKE)
			wake(&ops[i]);
	b = bucket_for_all(ops, count);
	if (b && ops[0].flags & THREAD_SYNC_OWNED)
		return sleep_for_holder(ops, until);
	if (!b)
		return 0;
	return sleep_once(ops, count, b, until) == -EINTR ? -EINTR : 0;
}

long sys_thread_sync(size_t count, struct sys_thread_sync_args *ops, struct timespec *timeout)
{
	return sync_calls(count, ops, timeout, false);
}

long sys_thread_sync_abs(size_t count, struct sys_thread_sync_args *ops, struct timespec *until)
{
	return sync_calls(count, ops, until, true);
}
