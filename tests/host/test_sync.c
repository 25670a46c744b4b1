// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sleeping and waking (kernel/sched/sync.c), in every interleaving of a sleeper with those who wake
 * it: by a wake, its timeout, a signal, the deletion of the object. tests/host/sync/explore.h says
 * what is explored.
 *
 * The rest of the kernel is played here: a thread that parks stops until somebody makes it
 * runnable, which must happen once. What is broken on purpose must be found.
 */
#include "unit.h"

#include <abi/clock.h>
#include <abi/errno.h>
#include <abi/thread.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <boot/machine.h>
#include <mm/phys.h>
#include <mm/space.h>
#include <sched/lend.h>
#include <sched/queue.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sched/time.h>

#include "sync/explore.h"

/* Who plays what: threads 0 … are sleepers or wakers with system calls; others are interrupts. */
struct cpu cpus[CONFIG_MAX_CPUS];
unsigned int cpu_count = EXPLORE_MAX;
struct arch_mmu arch_mmu;
struct machine machine;
uint64_t host_counter;

static struct thread threads[EXPLORE_MAX];
static struct object objects[2];
static uint64_t words[2]; /* word n is offset 4096 of object n */
static uint64_t snapshot[EXPLORE_MAX][2]; /* for MUTATE_COMPARE_FIRST */
static uint32_t pending_before[EXPLORE_MAX]; /* for MUTATE_PENDING_FIRST */
static uint32_t runnable[EXPLORE_MAX];
static const char *wrong;
static char pool[EXPLORE_MAX + 8][4096] __attribute__((aligned(4096)));
static unsigned int pool_used;

static void check(bool good, const char *what)
{
	if (!good && !wrong)
		wrong = what;
}

/* The explorer runs one at a time: this CPU is the CPU of whoever runs. */
struct cpu *explored_cpu(void)
{
	return &cpus[explore_self()];
}

void explore_shared(void)
{
	check(false, "two hold a lock");
}

bool explore_stale(const volatile void *at)
{
	return explore_mutated(MUTATE_PENDING_FIRST) && at == &threads[explore_self()].pending &&
	       !pending_before[explore_self()];
}

/* ---- The kernel around it ---- */

void *pages_alloc(unsigned int order)
{
	(void)order;
	return pool[pool_used++];
}

void pages_free(void *pages, unsigned int order)
{
	(void)pages;
	(void)order;
}

/* Whoever panics stops for good, which the explorer does not like. */
void panic(const char *format, ...)
{
	static const uint32_t never;

	check(false, format);
	for (;;)
		explore_wait(&never);
}

static unsigned int number_of(const struct thread *thread)
{
	return (unsigned int)(thread - threads);
}

struct thread *sched_detach_current(void)
{
	struct thread *thread = explored_cpu()->current;

	explored_cpu()->current = NULL;
	return thread;
}

void sched_attach_current(struct thread *thread)
{
	explored_cpu()->current = thread;
}

void sched_wake(struct thread *thread)
{
	unsigned int n = number_of(thread);

	explore_point(&runnable[n], true);
	check(runnable[n] == 0, "made runnable twice");
	check(atomic_load_explicit(&thread->sleep.state, memory_order_relaxed) == WAIT_WOKEN,
	      "made runnable before it was woken");
	runnable[n] = 1;
}

uint32_t sched_level(const struct thread *thread)
{
	(void)thread;
	return LEVEL_NORMAL;
}

int lend_begin(struct thread *thread, uint64_t holder)
{
	(void)thread;
	(void)holder;
	return 0;
}

void lend_end(struct thread *thread)
{
	(void)thread;
}

void object_put(struct object *object)
{
	(void)object;
}

/* Word n stands at the address of words[n], in object n. */
int space_resolve(struct thread *thread, uintptr_t va, unsigned int access, struct object **object, uint64_t *offset)
{
	size_t n = (va - (uintptr_t)words) / sizeof(words[0]);

	(void)thread;
	(void)access;
	*object = &objects[n];
	*offset = PAGE_SIZE;
	return 0;
}

int space_wake(struct thread *thread, uintptr_t va, long wanted, uint64_t *woken)
{
	struct object *object;
	uint64_t offset;

	space_resolve(thread, va, 0, &object, &offset);
	*woken = (uint64_t)sync_wake(object, offset, wanted);
	return 0;
}

int arch_copy_from_user(void *to, uintptr_t from, size_t length)
{
	size_t n = (from - (uintptr_t)words) / sizeof(words[0]);

	if (n < 2) {
		explore_point(&words[n], false);
		memcpy(to, explore_mutated(MUTATE_COMPARE_FIRST) ? &snapshot[explore_self()][n] : &words[n], length);
	} else {
		memcpy(to, (void *)from, length);
	}
	return 0;
}

int arch_copy_to_user(uintptr_t to, const void *from, size_t length)
{
	memcpy((void *)to, from, length);
	return 0;
}

uint64_t time_now_ns(void)
{
	return 0;
}

uint64_t time_ticks_from_ns(uint64_t ns)
{
	return ns;
}

/* ---- What threads do ---- */

static struct sys_thread_sync_args ops[EXPLORE_MAX][2];
static long results[EXPLORE_MAX];

/* The system call, and what the kernel does until the thread is back in user mode. */
static void call(unsigned int n, unsigned int count, struct twz_timespec *timeout)
{
	struct thread *thread = &threads[n];

	for (unsigned int i = 0; i < 2; i++) {
		explore_point(&words[i], false);
		snapshot[n][i] = words[i];
	}
	explore_point(&thread->pending, false);
	pending_before[n] = thread->pending;
	cpus[n].current = thread;
	results[n] = sync_call(count, (uintptr_t)ops[n], (uintptr_t)timeout, 0);
	if (results[n] != SYSCALL_PARKED)
		return;
	explore_wait(&runnable[n]);
	runnable[n] = 0;
	cpus[n].current = thread;
	void (*resume)(struct thread *) = thread->resume;
	thread->resume = NULL;
	resume(thread);
	results[n] = thread->regs.result;
}

static void set_op(unsigned int n, unsigned int i, uint32_t op, unsigned int word, uint64_t arg)
{
	ops[n][i] = (struct sys_thread_sync_args){
		.addr = (uintptr_t)&words[word], .arg = arg, .op = op, .res = 77,
	};
}

/* Sleep while the word is 0, until it is not. */
static void sleep_until_set(unsigned int n, unsigned int word)
{
	for (;;) {
		explore_point(&words[word], false);
		if (words[word] != 0)
			return;
		set_op(n, 0, THREAD_SYNC_SLEEP, word, 0);
		call(n, 1, NULL);
	}
}

static void store(unsigned int word, uint64_t value)
{
	explore_point(&words[word], true);
	words[word] = value;
}

/* How many it woke. */
static uint64_t wake(unsigned int n, unsigned int word, uint64_t wanted)
{
	set_op(n, 0, THREAD_SYNC_WAKE, word, wanted);
	call(n, 1, NULL);
	return ops[n][0].res;
}

static void begin(void)
{
	arch_mmu.user_slots = UINT32_MAX;
	memset(threads, 0, sizeof(threads));
	memset(objects, 0, sizeof(objects));
	memset(cpus, 0, sizeof(cpus));
	memset(words, 0, sizeof(words));
	memset(runnable, 0, sizeof(runnable));
	memset(results, 0, sizeof(results));
	wrong = NULL;
	pool_used = 0;
	for (unsigned int i = 0; i < EXPLORE_MAX; i++)
		cpus[i].id = i;
	sync_init();
}

/* Nothing of any sleep is left. */
static const char *end(void)
{
	for (unsigned int i = 0; i < 2; i++)
		check(atomic_load_explicit(&objects[i].sleepers, memory_order_relaxed) == 0, "a wait is still queued");
	for (unsigned int i = 0; i < EXPLORE_MAX; i++) {
		check(runnable[i] == 0, "made runnable for nothing");
		for (unsigned int w = 0; w < SYNC_FEW; w++)
			check(!threads[i].sleep.few[w].queued, "a wait says it is queued");
		check(heap_empty(&cpus[i].timers), "a timeout is left");
	}
	return wrong;
}

/* ---- Scenarios ---- */

/* A thread sleeps until another has set the word. */
static void run_wake(unsigned int n)
{
	if (n == 0) {
		sleep_until_set(0, 0);
	} else {
		store(0, 1);
		wake(n, 0, 1);
	}
}

/* Two sleepers, one wake for each: nobody's wake is another's loss. */
static void run_two_sleepers(unsigned int n)
{
	if (n < 2) {
		sleep_until_set(n, 0);
	} else {
		store(0, 1);
		wake(n, 0, 1);
		wake(n, 0, 1);
	}
}

/* One sleeps on two words; two set one each. A wake that was counted is told to whom it woke. */
static uint64_t counted[EXPLORE_MAX];

static void begin_two_words(void)
{
	begin();
	memset(counted, 0, sizeof(counted));
}

static void run_two_words(unsigned int n)
{
	if (n > 0) {
		store(n - 1, 1);
		counted[n] = wake(n, n - 1, UINT64_MAX);
		return;
	}
	set_op(0, 0, THREAD_SYNC_SLEEP, 0, 0);
	set_op(0, 1, THREAD_SYNC_SLEEP, 1, 0);
	call(0, 2, NULL);
}

static const char *end_two_words(void)
{
	uint64_t told = 0;

	for (unsigned int i = 0; i < 2; i++)
		told += ops[0][i].res == THREAD_SYNC_RES_WAKEUP;
	check(results[0] == 0, "the call failed");
	check(counted[1] + counted[2] <= 1, "one sleeper was woken twice");
	for (unsigned int i = 0; i < 2; i++)
		check(ops[0][i].res != THREAD_SYNC_RES_WAKEUP || counted[i + 1] == 1, "told of a wake that nobody made");
	check(told <= 1, "told of two wakes");
	return end();
}

/* A timeout, whatever else happens: it comes whenever the explorer likes. */
static struct twz_timespec soon = { 0, 5 };

static void run_timeout(unsigned int n)
{
	switch (n) {
	case 0:
		set_op(0, 0, THREAD_SYNC_SLEEP, 0, 0);
		call(0, 1, &soon);
		break;
	case 1:
		sync_expire(&cpus[0], 100); /* too early, or late, or in between */
		break;
	default:
		store(0, 1);
		counted[2] = wake(2, 0, 1);
	}
}

static void run_timeout_only(unsigned int n)
{
	if (n == 0) {
		set_op(0, 0, THREAD_SYNC_SLEEP, 0, 0);
		call(0, 1, &soon);
	} else {
		/* the timer is set once there is something to wait for */
		explore_wait((const volatile uint32_t *)&cpus[0].timers.root);
		sync_expire(&cpus[0], 100);
	}
}

static const char *end_timeout_only(void)
{
	check(results[0] == 0 && ops[0][0].res == THREAD_SYNC_RES_TIMEOUT, "not told of the timeout");
	return end();
}

/* A signal: whoever sends it notes it first; the object's lock is his. */
static void signal_thread(unsigned int n)
{
	spin_lock(&objects[1].lock);
	explore_point(&threads[n].pending, true);
	threads[n].pending = PENDING_SIGNAL;
	sync_interrupt(&threads[n]);
	spin_unlock(&objects[1].lock);
}

static void run_signal(unsigned int n)
{
	if (n == 0) {
		set_op(0, 0, THREAD_SYNC_SLEEP, 0, 0);
		call(0, 1, NULL);
	} else if (n == 1) {
		signal_thread(0);
	} else {
		store(0, 1);
		counted[2] = wake(2, 0, 1);
	}
}

static void run_signal_only(unsigned int n)
{
	if (n == 0) {
		set_op(0, 0, THREAD_SYNC_SLEEP, 0, 0);
		call(0, 1, NULL);
	} else {
		signal_thread(0);
	}
}

static const char *end_signal_only(void)
{
	check(results[0] == -EINTR && ops[0][0].res == 77, "the signal did not end the sleep");
	return end();
}

/* A wake that was counted is told, or it met a signal that is told instead. */
static const char *end_signal(void)
{
	check(results[0] == 0 || results[0] == -EINTR, "a strange result");
	check(counted[2] == 0 || results[0] == 0, "a counted wake is lost");
	return end();
}

static void run_deleted(unsigned int n)
{
	if (n == 0) {
		set_op(0, 0, THREAD_SYNC_SLEEP, 0, 0);
		call(0, 1, NULL);
	} else if (n == 1) {
		/* only who is asleep by then is told: deletion finds him by the object's count */
		sync_object_deleted(&objects[0]);
		store(0, 1);
		wake(1, 0, 1);
	} else {
		signal_thread(0);
	}
}

/* Sleep twice in a row, so that what comes late for the first sleep meets the second. */
static void run_twice(unsigned int n)
{
	if (n == 0) {
		sleep_until_set(0, 0);
		sleep_until_set(0, 1);
	} else if (n == 1) {
		store(0, 1);
		wake(1, 0, 1);
		store(1, 1);
		wake(1, 1, 1);
	}
}

/* Another level: sleepers join their queues anew. */
static void run_requeue(unsigned int n)
{
	if (n == 0) {
		sleep_until_set(0, 0);
	} else if (n == 1) {
		sync_requeue(&threads[0]);
	} else {
		store(0, 1);
		wake(n, 0, 1);
	}
}

/* Sleeps that are not to be, or are, on two words in turn. What comes late for one meets the next. */
static void run_requeue_twice(unsigned int n)
{
	if (n == 0) {
		set_op(0, 0, THREAD_SYNC_SLEEP, 0, 7);
		call(0, 1, NULL);
		sleep_until_set(0, 0);
		set_op(0, 0, THREAD_SYNC_SLEEP, 1, 7);
		call(0, 1, NULL);
	} else if (n == 1) {
		sync_requeue(&threads[0]);
	} else {
		store(0, 1);
		wake(n, 0, 1);
	}
}

static const struct explore_scenario scenarios[] = {
	{ "a wake", 2, begin, run_wake, end },
	{ "two sleepers, two wakes", 3, begin, run_two_sleepers, end },
	{ "two words, two wakers", 3, begin_two_words, run_two_words, end_two_words },
	{ "a timeout", 2, begin_two_words, run_timeout_only, end_timeout_only },
	{ "a timeout and a wake", 3, begin_two_words, run_timeout, end },
	{ "a signal", 2, begin_two_words, run_signal_only, end_signal_only },
	{ "a signal and a wake", 3, begin_two_words, run_signal, end_signal },
	{ "a deletion, a wake and a signal", 3, begin_two_words, run_deleted, end },
	{ "two sleeps in a row", 2, begin, run_twice, end },
	{ "another level", 3, begin, run_requeue, end },
	{ "another level, several sleeps", 3, begin, run_requeue_twice, end },
};

static bool explore_all(bool say)
{
	static struct explore_result result;

	for (unsigned int i = 0; i < ARRAY_SIZE(scenarios); i++) {
		explore(&scenarios[i], &result);
		if (say)
			printf("%s: %lu interleavings, %lu steps, %s\n", scenarios[i].name, (unsigned long)result.runs,
			       (unsigned long)result.steps, result.failure ? result.failure : "all good");
		if (!result.failure)
			continue;
		for (unsigned int k = 0; say && k < result.order_count; k++)
			printf("%u%s", result.order[k], k + 1 == result.order_count ? "\n" : " ");
		return false;
	}
	return true;
}

static void every_interleaving(void **state)
{
	(void)state;
	explore_mutation = MUTATE_NOTHING;
	assert_true(explore_all(true));
}

/* The explorer can fail: each part of the protocol is needed. */
static void broken_protocols(void **state)
{
	(void)state;
	for (unsigned int m = MUTATE_NOTHING + 1; m < MUTATE_COUNT; m++) {
		explore_mutation = (enum mutation)m;
		if (explore_all(false))
			fail_msg("mutation %u was not noticed", m);
	}
	explore_mutation = MUTATE_NOTHING;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_interleaving),
		cmocka_unit_test(broken_protocols),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
