// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sleeping and waking on words of objects.
 *
 * A sleeper has one struct sync_wait per word, each in the queue of its bucket. Whoever gets to
 * change sleep.winner from WAIT_NOT_WOKEN decides why the thread wakes; sleep.state then tells
 * whether it had parked (wake it) or was still on its way to sleep (it notices by itself):
 *
 *   sleeper: ARMING, join queues, compare words, detach, ARMING → PARKED or, if WOKEN, go on
 *   waker:   winner := index, take the wait off its queue, state := WOKEN, if it was PARKED make runnable
 *
 * Nothing is left to do in the kernel for a parked thread but sync_resume(), which runs when it is
 * next put on a CPU.
 */
#include <abi/clock.h>
#include <abi/errno.h>
#include <abi/thread.h>
#include <arch/time.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <base/string.h>
#include <boot/machine.h>
#include <debug/delays.h>
#include <mm/phys.h>
#include <mm/space.h>
#include <mm/usercopy.h>
#include <panic.h>
#include <sched/lend.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sched/time.h>

/*
 * A bucket for so much memory: there is about one sleeper for each when memory is full of threads.
 */
#define MEMORY_PER_BUCKET (256ul << 10)
#define BUCKETS_MIN_ORDER 8u
#define BUCKETS_MAX_ORDER 16u

struct bucket {
	struct spinlock lock;
	struct list waits; /* struct sync_wait.link, highest level first; guarded by lock */
};

static struct bucket *buckets;
static unsigned int bucket_order;

void sync_init(void)
{
	uint64_t wanted = MAX(machine.ram_size / MEMORY_PER_BUCKET, 1ul);

	bucket_order = MIN(MAX(ilog2(wanted), BUCKETS_MIN_ORDER), BUCKETS_MAX_ORDER);
	uint64_t pages = div_round_up(sizeof(struct bucket) << bucket_order, PAGE_SIZE);
	buckets = pages_alloc(ilog2(2 * pages - 1));
	if (!buckets)
		panic("no memory for the wait queues");
	for (unsigned int i = 0; i < 1u << bucket_order; i++) {
		buckets[i] = (struct bucket){ .lock = SPINLOCK_INIT };
		list_init(&buckets[i].waits);
	}
}

static struct bucket *bucket_of(const struct object *object, uint64_t offset)
{
	uint64_t hash = ((uint64_t)(uintptr_t)object >> 6 ^ offset >> 2) * 0x9e3779b97f4a7c15ull;

	return &buckets[hash >> (64 - bucket_order)];
}

/*
 * Behind its equals. From the end that is nearer: real-time sleepers pass real-time sleepers only,
 * all others nobody but those below them. Bucket lock held.
 */
static void queue_up(struct bucket *bucket, struct sync_wait *wait)
{
	struct list *at = &bucket->waits;

	if (wait->level > LEVEL_NORMAL) {
		while (at->next != &bucket->waits &&
		       list_entry(at->next, struct sync_wait, link)->level >= wait->level)
			at = at->next;
		list_push_front(at, &wait->link);
	} else {
		while (at->prev != &bucket->waits &&
		       list_entry(at->prev, struct sync_wait, link)->level < wait->level)
			at = at->prev;
		list_push_back(at, &wait->link);
	}
}

/* ---- Waking ---- */

/*
 * Decide why a thread wakes. False: something else was first. The caller holds what keeps it
 * asleep, and calls finish_wake() without waiting for anything: the thread may wait for that.
 */
static bool decide(struct thread *thread, int winner)
{
	int expected = WAIT_NOT_WOKEN;
	bool decided = atomic_compare_exchange_strong(&thread->sleep.winner, &expected, winner);

	delay_here();
	return decided;
}

static void finish_wake(struct thread *thread)
{
	if (atomic_exchange(&thread->sleep.state, WAIT_WOKEN) == WAIT_PARKED)
		sched_wake(thread);
}

static void unqueue(struct sync_wait *wait)
{
	list_remove(&wait->link);
	wait->queued = false;
	atomic_fetch_sub_explicit(&wait->object->sleepers, 1, memory_order_relaxed);
}

long sync_wake(struct object *object, uint64_t offset, long count)
{
	struct bucket *bucket = bucket_of(object, offset);
	long woken = 0;

	spin_lock(&bucket->lock);
	list_for_each_entry_safe(struct sync_wait, wait, &bucket->waits, link) {
		if (woken == count)
			break;
		if (wait->object != object || wait->offset != offset)
			continue;
		struct thread *thread = wait->thread;
		if (!decide(thread, wait->index))
			continue;
		unqueue(wait);
		finish_wake(thread);
		woken++;
	}
	spin_unlock(&bucket->lock);
	return woken;
}

void sync_object_deleted(struct object *object)
{
	if (atomic_load(&object->sleepers) == 0)
		return;
	for (unsigned int i = 0; i < 1u << bucket_order; i++) {
		spin_lock(&buckets[i].lock);
		list_for_each_entry_safe(struct sync_wait, wait, &buckets[i].waits, link) {
			struct thread *thread = wait->thread;
			if (wait->object != object || !decide(thread, WAIT_DELETED))
				continue;
			unqueue(wait);
			finish_wake(thread);
		}
		spin_unlock(&buckets[i].lock);
	}
}

static void wake_for(struct thread *thread, int reason)
{
	if (decide(thread, reason))
		finish_wake(thread);
}

void sync_interrupt(struct thread *thread)
{
	wake_for(thread, WAIT_INTERRUPTED);
}

/* A thread that only waits for a time has no place in a queue. */
void sync_requeue(struct thread *thread)
{
	if (__atomic_load_n(&thread->sleep.count, __ATOMIC_RELAXED) != 0)
		wake_for(thread, WAIT_MOVED);
}

/* ---- Timeouts ---- */

static void update_next_timeout(struct cpu *cpu)
{
	struct heap_node *first = heap_min(&cpu->timers);

	atomic_store_explicit(&cpu->next_timeout, first ? first->key : TIMER_NEVER,
			      memory_order_relaxed);
}

static void timer_start(struct thread *thread, uint64_t deadline)
{
	struct cpu *cpu = this_cpu();

	thread->sleep.timer_cpu = cpu;
	spin_lock(&cpu->timer_lock);
	heap_insert(&cpu->timers, &thread->sleep.timer, deadline);
	update_next_timeout(cpu);
	spin_unlock(&cpu->timer_lock);
}

static void timer_stop(struct thread *thread)
{
	struct cpu *cpu = thread->sleep.timer_cpu;

	if (!cpu)
		return;
	spin_lock(&cpu->timer_lock);
	if (heap_contains(&thread->sleep.timer)) {
		heap_remove(&cpu->timers, &thread->sleep.timer);
		update_next_timeout(cpu);
	}
	spin_unlock(&cpu->timer_lock);
	thread->sleep.timer_cpu = NULL;
}

void sync_expire(struct cpu *cpu, uint64_t now)
{
	struct heap_node *node;

	spin_lock(&cpu->timer_lock);
	while ((node = heap_min(&cpu->timers)) && node->key <= now) {
		struct thread *thread = container_of(node, struct thread, sleep.timer);
		heap_remove(&cpu->timers, node);
		/* The lock keeps the thread from going away: it must pass timer_stop() first. */
		wake_for(thread, WAIT_TIMEOUT);
	}
	update_next_timeout(cpu);
	spin_unlock(&cpu->timer_lock);
}

/* ---- Going to sleep, and coming back ---- */

#define OP_RES offsetof(struct sys_thread_sync_args, res)
#define WAITS_PER_PAGE (PAGE_SIZE / sizeof(struct sync_wait))

static unsigned int waits_order(unsigned int count)
{
	unsigned int pages = div_round_up(count, WAITS_PER_PAGE);

	return pages <= 1 ? 0 : ilog2(pages - 1) + 1;
}

static bool waits_alloc(struct sleep *sleep, unsigned int count)
{
	sleep->waits = count <= SYNC_FEW ? sleep->few : pages_alloc(waits_order(count));
	sleep->allocated = count;
	sleep->count = 0;
	return sleep->waits != NULL;
}

static void waits_free(struct sleep *sleep)
{
	if (sleep->waits != sleep->few)
		pages_free(sleep->waits, waits_order(sleep->allocated));
}

/* Leave every queue. */
static void leave_queues(struct sleep *sleep)
{
	for (unsigned int i = 0; i < sleep->count; i++) {
		struct sync_wait *wait = &sleep->waits[i];
		struct bucket *bucket = bucket_of(wait->object, wait->offset);

		spin_lock(&bucket->lock);
		if (wait->queued)
			unqueue(wait);
		spin_unlock(&bucket->lock);
	}
}

/* Drop the references, and be asleep no more. */
static void end_waits(struct sleep *sleep)
{
	for (unsigned int i = 0; i < sleep->count; i++)
		object_put(sleep->waits[i].object);
	waits_free(sleep);
	sleep->count = 0;
	atomic_store(&sleep->state, WAIT_NONE);
}

/* The results of the SLEEP operations. What can no longer be written is the caller's own loss. */
static void write_results(struct sleep *sleep, int winner)
{
	for (unsigned int i = 0; i < sleep->count; i++) {
		uint32_t index = sleep->waits[i].index;
		uint64_t result = winner == WAIT_TIMEOUT ? THREAD_SYNC_RES_TIMEOUT
				  : winner == (int)index ? THREAD_SYNC_RES_WAKEUP : 0;
		uintptr_t at = sleep->user_ops + index * sizeof(struct sys_thread_sync_args) + OP_RES;
		(void)copy_to_user(at, &result, sizeof(result));
	}
}

static long result_of(struct thread *thread, int winner)
{
	if (winner == WAIT_DELETED)
		return -ENOENT;
	if (winner != WAIT_INTERRUPTED)
		return 0;
	thread->call_interrupted = atomic_load(&thread->pending) & PENDING_SIGNAL;
	return -EINTR;
}

/*
 * The sleep is over: from here on nobody decides about it, and who had decided has finished. Else
 * he could do so in the midst of the thread's next sleep. Returns the winner.
 */
static int end_deciding(struct sleep *sleep)
{
	int winner = WAIT_NOT_WOKEN;

	if (atomic_compare_exchange_strong(&sleep->winner, &winner, WAIT_OVER))
		return WAIT_OVER;
	spin_await(&sleep->state, WAIT_WOKEN);
	return winner;
}

/* The thread is current again, however it was woken. Returns the call's result. */
static long finish_sleep(struct thread *thread)
{
	struct sleep *sleep = &thread->sleep;
	int winner = end_deciding(sleep);

	assert(winner != WAIT_OVER);
	timer_stop(thread);
	lend_end(thread);
	/* Whoever woke it through its only wait has taken that off the queue. */
	if (winner < 0 || sleep->count > 1)
		leave_queues(sleep);
	if (winner != WAIT_INTERRUPTED)
		write_results(sleep, winner);
	end_waits(sleep);
	return result_of(thread, winner);
}

static void sync_resume(struct thread *thread)
{
	arch_regs_set_result(&thread->regs, finish_sleep(thread));
}

/*
 * Whether the word differs from what the caller expects, which decides after its queue was joined:
 * a waker stores first and then takes the bucket's lock. If he was there before us, we see what he
 * stored; if not, he sees us. Read as 64 aligned bits in one access. A word that cannot be read any
 * more differs.
 */
static bool word_differs(const struct sys_thread_sync_args *op)
{
	uint64_t word;

	if (copy_from_user(&word, op->addr & ~7ul, sizeof(word)) != 0)
		return true;
	if (!(op->flags & THREAD_SYNC_32BIT))
		return word != op->arg;
	return (uint32_t)(op->addr & 4 ? word >> 32 : word) != (uint32_t)op->arg;
}

/* Once it is arming: whoever changes its level after this has it join again. */
static void join_queue(struct sync_wait *wait)
{
	struct bucket *bucket = bucket_of(wait->object, wait->offset);

	wait->level = sched_level(wait->thread);
	spin_lock(&bucket->lock);
	queue_up(bucket, wait);
	wait->queued = true;
	atomic_fetch_add_explicit(&wait->object->sleepers, 1, memory_order_relaxed);
	spin_unlock(&bucket->lock);
}

/* ---- The call ---- */

struct request {
	struct sys_thread_sync_args *ops; /* kernel copy */
	struct sys_thread_sync_args few[SYNC_FEW];
	unsigned int count;
	unsigned int sleeps; /* how many of them are SLEEP */
	uintptr_t user_ops;
	bool timed;
	uint64_t deadline; /* counter value */
};

static unsigned int ops_order(unsigned int count)
{
	unsigned int pages = div_round_up(count * sizeof(struct sys_thread_sync_args), PAGE_SIZE);

	return pages <= 1 ? 0 : ilog2(pages - 1) + 1;
}

static void ops_free(struct request *request)
{
	if (request->ops != request->few)
		pages_free(request->ops, ops_order(request->count));
}

static int copy_ops(struct request *request)
{
	request->ops = request->count <= SYNC_FEW ? request->few : pages_alloc(ops_order(request->count));
	if (!request->ops)
		return -ENOMEM;
	if (request->count == 0)
		return 0;
	int error = copy_from_user(request->ops, request->user_ops,
				   request->count * sizeof(struct sys_thread_sync_args));
	if (error)
		ops_free(request);
	return error;
}

static int copy_timeout(struct request *request, uintptr_t timeout, bool absolute)
{
	struct twz_timespec ts;
	uint64_t ns;

	if (!timeout)
		return 0;
	int error = copy_from_user(&ts, timeout, sizeof(ts));
	if (error)
		return error;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec > 999999999)
		return -EINVAL;
	if (mul_overflow(ts.tv_sec, 1000000000u, &ns) || add_overflow(ns, ts.tv_nsec, &ns) ||
	    (!absolute && add_overflow(ns, time_now_ns(), &ns)))
		ns = UINT64_MAX;
	request->timed = true;
	request->deadline = time_ticks_from_ns(ns);
	return 0;
}

static int check_op(const struct sys_thread_sync_args *op, uint32_t flags)
{
	uint64_t align = op->flags & THREAD_SYNC_32BIT ? 4 : 8;

	if (op->op > THREAD_SYNC_WAKE || (op->flags & ~flags) || op->reserved)
		return -EINVAL;
	if ((op->flags & THREAD_SYNC_OWNED) && (op->op != THREAD_SYNC_SLEEP || op->flags != THREAD_SYNC_OWNED))
		return -EINVAL;
	return is_aligned(op->addr, align) ? 0 : -EINVAL;
}

static void write_op_result(struct request *request, unsigned int i, uint64_t result)
{
	(void)copy_to_user(request->user_ops + i * sizeof(request->few[0]) + OP_RES, &result,
			   sizeof(result));
}

/* Drop the references of the first `count` operations. */
static void put_resolved(struct sync_wait *resolved, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		object_put(resolved[i].object);
}

/* Check every operation and find its word; a bad one gets its error as result. */
static int resolve_ops(struct request *request, struct sync_wait *resolved)
{
	struct thread *thread = current_thread();

	for (unsigned int i = 0; i < request->count; i++) {
		const struct sys_thread_sync_args *op = &request->ops[i];
		struct sync_wait *wait = &resolved[i];
		int error = check_op(op, THREAD_SYNC_32BIT);

		if (!error)
			error = space_resolve(thread, op->addr, ACCESS_READ, &wait->object, &wait->offset);
		if (error) {
			put_resolved(resolved, i);
			write_op_result(request, i, (uint64_t)(int64_t)error);
			return error;
		}
		wait->thread = thread;
		wait->index = (uint16_t)i;
		wait->queued = false;
		request->sleeps += op->op == THREAD_SYNC_SLEEP;
	}
	return 0;
}

/* Perform the WAKE operations and keep only the SLEEPs in the array. */
static void perform_wakes(struct request *request, struct sync_wait *resolved)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < request->count; i++) {
		const struct sys_thread_sync_args *op = &request->ops[i];
		if (op->op == THREAD_SYNC_SLEEP) {
			resolved[kept++] = resolved[i];
			continue;
		}
		write_op_result(request, i, sync_wake(resolved[i].object, resolved[i].offset,
						      (long)op->arg));
		object_put(resolved[i].object);
	}
}

/* It does not come to sleeping, and its queues are left. */
static void end_sleep(struct sleep *sleep)
{
	end_deciding(sleep);
	end_waits(sleep);
}

/* Some words differ: nobody sleeps. */
static long report_differing(struct request *request, struct sleep *sleep, const uint8_t *differs)
{
	leave_queues(sleep);
	/* A wake that came before we left was counted by the waker: report it too. */
	int winner = end_deciding(sleep);
	for (unsigned int i = 0; i < sleep->count; i++) {
		uint32_t index = sleep->waits[i].index;
		uint64_t result = winner == (int)index ? THREAD_SYNC_RES_WAKEUP : 0;
		if (differs[index / 8] >> (index % 8) & 1)
			result = THREAD_SYNC_RES_DIFFER;
		write_op_result(request, index, result);
	}
	end_waits(sleep);
	return 0;
}

/*
 * Announce that the thread is about to sleep. False: something is pending for it that wants it
 * awake. In this order with who posts that: he finds it arming, or it finds what he posted. The
 * state first: once there can be a winner, a state of his must stay.
 */
static bool begin_arming(struct thread *thread)
{
	atomic_store(&thread->sleep.state, WAIT_ARMING);
	delay_here();
	atomic_store(&thread->sleep.winner, WAIT_NOT_WOKEN);
	return atomic_load(&thread->pending) == 0;
}

static long park(struct thread *thread, struct request *request)
{
	struct sleep *sleep = &thread->sleep;
	int arming = WAIT_ARMING;

	sleep->user_ops = request->user_ops;
	if (request->timed)
		timer_start(thread, request->deadline);
	thread->resume = sync_resume;
	sched_detach_current();
	if (atomic_compare_exchange_strong(&sleep->state, &arming, WAIT_PARKED))
		return SYSCALL_PARKED;
	/* Woken on the way: nobody has made it runnable, so it is still ours. */
	thread->resume = NULL;
	sched_attach_current(thread);
	return finish_sleep(thread);
}

static long sleep_on(struct thread *thread, struct request *request)
{
	struct sleep *sleep = &thread->sleep;
	uint8_t differs[THREAD_SYNC_MAX_OPS / 8];
	bool any = false;

	if (!begin_arming(thread)) {
		end_sleep(sleep);
		return result_of(thread, WAIT_INTERRUPTED);
	}

	memset(differs, 0, div_round_up(request->count, 8));
	for (unsigned int i = 0; i < sleep->count; i++) {
		uint32_t index = sleep->waits[i].index;
		join_queue(&sleep->waits[i]);
		if (word_differs(&request->ops[index])) {
			differs[index / 8] |= 1u << (index % 8);
			any = true;
		}
	}
	return any ? report_differing(request, sleep, differs) : park(thread, request);
}

static long perform(struct request *request)
{
	struct thread *thread = current_thread();
	struct sleep *sleep = &thread->sleep;

	if (!waits_alloc(sleep, request->count))
		return -ENOMEM;
	int error = resolve_ops(request, sleep->waits);
	if (error) {
		waits_free(sleep);
		return error;
	}
	perform_wakes(request, sleep->waits);
	if (request->sleeps == 0 && request->count > 0) {
		waits_free(sleep);
		return 0;
	}
	sleep->count = request->sleeps;
	return sleep_on(thread, request);
}

/* ---- One operation, the common case: the same steps without arrays ---- */

static long wake_one(struct thread *thread, const struct sys_thread_sync_args *op, uintptr_t user_op)
{
	uint64_t woken;
	int error = space_wake(thread, op->addr, (long)op->arg, &woken);

	if (error)
		woken = (uint64_t)(int64_t)error;
	(void)copy_to_user(user_op + OP_RES, &woken, sizeof(woken));
	return error;
}

/* A word that a thread holds: what waits for it lends it its level. */
static int lend_if_owned(struct thread *thread, const struct sys_thread_sync_args *op)
{
	const struct sync_wait *wait = &thread->sleep.few[0];

	if (!(op->flags & THREAD_SYNC_OWNED))
		return 0;
	thread->wanted_object = wait->object;
	thread->wanted_offset = wait->offset;
	return lend_begin(thread, op->arg >> 2);
}

/* The sleep will not be: its result is an error. */
static long forsake(struct request *request, struct sleep *sleep, int error)
{
	leave_queues(sleep);
	end_sleep(sleep);
	write_op_result(request, 0, (uint64_t)(int64_t)error);
	return error;
}

static long sleep_one(struct thread *thread, struct request *request)
{
	struct sleep *sleep = &thread->sleep;
	struct sync_wait *wait = &sleep->few[0];
	int error = space_resolve(thread, request->few[0].addr, ACCESS_READ, &wait->object, &wait->offset);

	if (error) {
		write_op_result(request, 0, (uint64_t)(int64_t)error);
		return error;
	}
	wait->thread = thread;
	wait->index = 0;
	wait->queued = false;
	sleep->waits = wait;
	sleep->count = 1;
	if (!begin_arming(thread)) {
		end_sleep(sleep);
		return result_of(thread, WAIT_INTERRUPTED);
	}
	join_queue(wait);
	if (!word_differs(&request->few[0])) {
		error = lend_if_owned(thread, &request->few[0]);
		if (error)
			return forsake(request, sleep, error);
		return park(thread, request);
	}
	const uint8_t differs = 1;
	return report_differing(request, sleep, &differs);
}

static long sync_one(struct request *request)
{
	struct thread *thread = current_thread();
	int error = copy_from_user(&request->few[0], request->user_ops, sizeof(request->few[0]));

	if (error)
		return error;
	error = check_op(&request->few[0], THREAD_SYNC_32BIT | THREAD_SYNC_OWNED);
	if (error) {
		write_op_result(request, 0, (uint64_t)(int64_t)error);
		return error;
	}
	if (request->few[0].op == THREAD_SYNC_WAKE)
		return wake_one(thread, &request->few[0], request->user_ops);
	return sleep_one(thread, request);
}

long sync_call(unsigned long count, uintptr_t ops, uintptr_t timeout, unsigned long flags)
{
	struct request request;

	if (count > THREAD_SYNC_MAX_OPS || (flags & ~(unsigned long)THREAD_SYNC_ABSOLUTE))
		return -EINVAL;
	if (count == 0 && !timeout)
		return -EINVAL;
	request.count = count;
	request.user_ops = ops;
	request.sleeps = 0;
	request.timed = false;
	long result = copy_timeout(&request, timeout, flags & THREAD_SYNC_ABSOLUTE);
	if (result)
		return result;
	if (count == 1)
		return sync_one(&request);
	result = copy_ops(&request);
	if (result)
		return result;
	result = perform(&request);
	ops_free(&request);
	return result;
}
