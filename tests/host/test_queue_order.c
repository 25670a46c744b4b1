// SPDX-License-Identifier: BSD-3-Clause
/*
 * Queues (userspace/libtwz/src/queue.c) in every interleaving of a producer with a consumer, and in
 * many of more of them, who sleep and wake each other (tests/host/sync/explore.h). Positions have four bits here, so that they
 * wrap. Each entry comes out once and whole, those of one producer in order, and nobody sleeps for
 * ever. What is broken on purpose must be found.
 *
 * The kernel is played here: comparing and falling asleep are one step, waking another.
 */
#include "unit.h"

#include <twz/obj/queue.h>
#include <twz/sys/sync.h>

#include "../../userspace/libtwz/src/stream.h"
#include "queue/points.h"

enum queue_mutation queue_mutation;

struct item {
	struct queue_entry qe;
	uint64_t value; /* producer << 8 | number */
};

static _Alignas(4096) char memory[2 * 4096];
static twzobj object = { .base = memory + OBJ_NULLPAGE_SIZE, .id = 1 };
static const char *wrong;

static void check(bool good, const char *what)
{
	if (!good && !wrong)
		wrong = what;
}

bool queue_changes(const volatile void *at)
{
	const struct queue_subqueue *sq = ((struct queue_hdr *)object.base)->subqueue;

	return at != object.base && at != &sq->queue && at != &sq->l2length && at != &sq->stride;
}

/* ---- The rest of libtwz ---- */

void *twz_object_base(twzobj *o)
{
	return o->base;
}

int twz_object_addext(twzobj *o, uint64_t tag, void *ptr)
{
	(void)o, (void)tag, (void)ptr;
	return 0;
}

/* Nothing is persistent. */
struct twz_runtime __twz_rt;
uint32_t __twz_kinds = 1;

bool __stream_learn_kind(twzobj *o)
{
	(void)o;
	return false;
}

void __twz_obj_flush(twzobj *o, const void *p, size_t len)
{
	(void)o, (void)p, (void)len;
}

void __twz_obj_fence(twzobj *o)
{
	(void)o;
}

/* ---- The kernel ---- */

static uint32_t runnable[EXPLORE_MAX];
static const void *slept_on[EXPLORE_MAX];

static uint64_t value_at(const struct sys_thread_sync_args *a)
{
	return a->flags & THREAD_SYNC_32BIT ? *(uint32_t *)a->addr : *(uint64_t *)a->addr;
}

static void sleep_on(const struct sys_thread_sync_args *a)
{
	unsigned int me = explore_self();

	/* It joins the word's queue: others can notice. */
	explore_point((void *)a->addr, true);
	if (value_at(a) != a->arg)
		return;
	runnable[me] = 0;
	slept_on[me] = (void *)a->addr;
	explore_wait(&runnable[me]);
}

static void wake_all(const struct sys_thread_sync_args *a)
{
	explore_point((void *)a->addr, true);
	for (unsigned int i = 0; i < EXPLORE_MAX; i++) {
		if (slept_on[i] != (void *)a->addr)
			continue;
		slept_on[i] = NULL;
		explore_point(&runnable[i], true);
		runnable[i] = 1;
	}
}

void twz_thread_sync_init(struct sys_thread_sync_args *a, int op, atomic_ulong *w, unsigned long val)
{
	*a = (struct sys_thread_sync_args){ .addr = (uintptr_t)w, .arg = val, .op = (uint32_t)op };
}

long sys_thread_sync(size_t n, struct sys_thread_sync_args *ops, struct timespec *timeout)
{
	(void)n, (void)timeout;
	if (ops->op == THREAD_SYNC_WAKE)
		wake_all(ops);
	else
		sleep_on(ops);
	return 0;
}

int twz_thread_sync_multiple(size_t n, struct sys_thread_sync_args *ops, struct timespec *timeout)
{
	return (int)sys_thread_sync(n, ops, timeout);
}

int twz_thread_sync(int op, atomic_ulong *w, uint64_t val, struct timespec *timeout)
{
	struct sys_thread_sync_args a;

	twz_thread_sync_init(&a, op, w, val);
	return (int)sys_thread_sync(1, &a, timeout);
}

int twz_thread_sync32(int op, atomic_uint_least32_t *w, uint32_t val, struct timespec *timeout)
{
	struct sys_thread_sync_args a;

	twz_thread_sync_init(&a, op, (atomic_ulong *)w, val);
	a.flags = THREAD_SYNC_32BIT;
	return (int)sys_thread_sync(1, &a, timeout);
}

/* ---- Scenarios ---- */

#define MOST 8

static uint64_t taken[EXPLORE_MAX][MOST];
static unsigned int taken_count[EXPLORE_MAX];

static struct queue_subqueue *sq(void)
{
	return &((struct queue_hdr *)object.base)->subqueue[QUEUE_SUBMISSION];
}

static void begin_at(size_t l2length, uint32_t position)
{
	memset(memory, 0, sizeof(memory));
	memset(slept_on, 0, sizeof(slept_on));
	memset(taken_count, 0, sizeof(taken_count));
	wrong = NULL;
	/* Made by one of the coroutines, or before there is any: points are left out. */
	struct queue_hdr *h = object.base;
	h->magic = QUEUE_MAGIC;
	for (int i = 0; i < 2; i++) {
		h->subqueue[i].queue = OBJ_NULLPAGE_SIZE + 1024 + 512 * (unsigned)i;
		h->subqueue[i].l2length = l2length;
		h->subqueue[i].stride = sizeof(struct item);
	}
	sq()->head = position;
	sq()->tail = position;
}

static void begin_one(void)
{
	begin_at(0, 15);
}

static void begin_two(void)
{
	begin_at(1, 14);
}

static void put(unsigned int producer, unsigned int number)
{
	struct item i = { .value = producer << 8 | number };

	check(queue_submit(&object, &i.qe, 0) == 0, "an entry is not taken");
}

static void get(unsigned int consumer)
{
	struct item i;

	check(queue_receive(&object, &i.qe, 0) == 0, "no entry is given");
	taken[consumer][taken_count[consumer]++] = i.value;
}

/* How often a value came out, and whether one consumer saw it before another of its producer. */
static const char *count_value(uint64_t value)
{
	unsigned int seen = 0;

	for (unsigned int c = 0; c < EXPLORE_MAX; c++) {
		for (unsigned int i = 0; i < taken_count[c]; i++) {
			seen += taken[c][i] == value;
			for (unsigned int k = 0; k < i; k++)
				if (taken[c][k] >> 8 == taken[c][i] >> 8 && taken[c][k] > taken[c][i])
					return "entries come out in another order";
		}
	}
	return seen == 1 ? NULL : "an entry is lost or comes twice";
}

static const char *all_came(unsigned int producers, unsigned int each)
{
	for (unsigned int p = 0; p < producers && !wrong; p++)
		for (unsigned int n = 0; n < each && !wrong; n++)
			wrong = count_value(p << 8 | n);
	return wrong;
}

static void run_single(unsigned int n)
{
	n == 0 ? put(0, 0) : get(n);
}

static const char *end_single(void)
{
	return all_came(1, 1);
}

/* More entries than the ring holds. */
static void run_pair(unsigned int n)
{
	for (unsigned int i = 0; i < 3; i++)
		n == 0 ? put(0, i) : get(n);
}

static const char *end_pair(void)
{
	return all_came(1, 3);
}

/* Two producers, who sleep while the ring is full. */
static void run_producers(unsigned int n)
{
	for (unsigned int i = 0; i < 2; i++)
		n < 2 ? put(n, i) : (get(n), get(n));
}

static const char *end_producers(void)
{
	return all_came(2, 2);
}

/* Two of both. */
static void run_crowd(unsigned int n)
{
	for (unsigned int i = 0; i < 2; i++)
		n < 2 ? put(n, i) : get(n);
}

static const char *end_crowd(void)
{
	return all_came(2, 2);
}

/* Two consumers. */
static void run_consumers(unsigned int n)
{
	if (n == 0) {
		put(0, 0);
		put(0, 1);
	} else {
		get(n);
	}
}

static const char *end_consumers(void)
{
	return all_came(1, 2);
}

/* Without sleeping: full or not, nothing is changed by what is refused. */
static unsigned int refused;

static void begin_refusing(void)
{
	begin_at(0, 7);
	refused = 0;
}

static void run_refusing(unsigned int n)
{
	struct item i = { .value = n << 8 };

	if (n < 2)
		refused += queue_submit(&object, &i.qe, QUEUE_NONBLOCK) == -EAGAIN;
	else if (queue_receive(&object, &i.qe, QUEUE_NONBLOCK) == 0)
		taken[n][taken_count[n]++] = i.value;
}

static const char *end_refusing(void)
{
	unsigned int there = (sq()->head - (uint32_t)sq()->tail) & QUEUE_POSITION_MASK;

	return there + taken_count[2] + refused == 2 ? wrong : "the count is wrong";
}

/* Those of `whole` are explored whole, of the others so many interleavings. */
#define SAMPLE 3000

static const struct explore_plan plans[] = {
	{ { "one entry", 2, begin_one, run_single, end_single }, true },
	{ { "one and one, ring of one", 2, begin_one, run_pair, end_pair }, false },
	{ { "one and one, ring of two", 2, begin_two, run_pair, end_pair }, false },
	{ { "two producers", 3, begin_one, run_producers, end_producers }, false },
	{ { "two consumers", 3, begin_two, run_consumers, end_consumers }, false },
	{ { "two and two, ring of one", 4, begin_one, run_crowd, end_crowd }, false },
	{ { "two and two, ring of two", 4, begin_two, run_crowd, end_crowd }, false },
	{ { "without sleeping", 3, begin_refusing, run_refusing, end_refusing }, false },
};

static bool explore_all(bool say)
{
	return explore_plans(plans, sizeof(plans) / sizeof(*plans), SAMPLE, say);
}

static void interleavings(void **state)
{
	(void)state;
	queue_mutation = BREAK_NOTHING;
	assert_true(explore_all(true));
}

static void broken_queues(void **state)
{
	(void)state;
	for (unsigned int m = BREAK_NOTHING + 1; m < BREAK_COUNT; m++) {
		queue_mutation = (enum queue_mutation)m;
		if (explore_all(false))
			fail_msg("mutation %u was not noticed", m);
	}
	queue_mutation = BREAK_NOTHING;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(interleavings),
		cmocka_unit_test(broken_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
