// SPDX-License-Identifier: BSD-3-Clause
/*
 * Queues: what goes in comes out once and in order, whoever waits is woken, and what is not a queue
 * is refused.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/obj/queue.h>
#include <twz/sys/sync.h>

struct item {
	struct queue_entry qe;
	uint64_t from, number;
	uint64_t check;
};

#define STRIDE sizeof(struct item)

#define CHECK_OF(from, number) (~((uint64_t)(from) << 32 ^ (uint64_t)(number)))

/* A macro, for a struct that may grow at its end is not returned by value. */
#define item_of(f, n) ((struct item){ .qe.info = (uint32_t)((f) * 1000 + (n)), .from = (f), .number = (n), \
	.check = CHECK_OF(f, n) })

static bool is_whole(const struct item *i)
{
	return i->check == CHECK_OF(i->from, i->number) &&
	    i->qe.info == (uint32_t)(i->from * 1000 + i->number);
}

static int new_queue(twzobj *o, size_t l2length)
{
	int r = new_object(o);

	return r < 0 ? r : queue_init_hdr(o, l2length, STRIDE, l2length, STRIDE);
}

static struct queue_subqueue *sub(twzobj *o, int which)
{
	return &((struct queue_hdr *)twz_object_base(o))->subqueue[which];
}

static int put(twzobj *o, uint64_t number)
{
	struct item i = item_of(0, number);

	return queue_submit(o, &i.qe, QUEUE_NONBLOCK);
}

/* The number that comes out, or a negative error. */
static int64_t get(twzobj *o)
{
	struct item i;
	int r = queue_receive(o, &i.qe, QUEUE_NONBLOCK);

	if (r < 0)
		return r;
	CHECK(is_whole(&i));
	return (int64_t)i.number;
}

/* ---- One thread ---- */

static void there_and_back(void)
{
	struct item i = item_of(3, 4), back;
	twzobj o;

	NEED(new_queue(&o, 2) == 0);
	CHECK(twz_object_getext(&o, QUEUE_METAEXT_TAG) == twz_object_base(&o));
	CHECK_EQ(queue_receive(&o, &back.qe, QUEUE_NONBLOCK), -EAGAIN);
	CHECK_EQ(queue_submit(&o, &i.qe, 0), 0);
	CHECK_EQ(queue_get_finished(&o, &back.qe, QUEUE_NONBLOCK), -EAGAIN);
	CHECK_EQ(queue_receive(&o, &back.qe, 0), 0);
	CHECK(is_whole(&back) && back.from == 3 && back.number == 4);
	CHECK_EQ(back.qe.cmd_id, QUEUE_TURN);
	back = item_of(5, 6);
	CHECK_EQ(queue_complete(&o, &back.qe, 0), 0);
	CHECK_EQ(queue_get_finished(&o, &i.qe, 0), 0);
	CHECK(is_whole(&i) && i.from == 5 && i.number == 6);
	CHECK_EQ(queue_get_finished(&o, &i.qe, QUEUE_NONBLOCK), -EAGAIN);
	CHECK_EQ(queue_submit(&o, &i.qe, 2), -EINVAL);
	CHECK_EQ(queue_receive(&o, &i.qe, -1), -EINVAL);
	drop_object(&o);
}

/* Every fill of rings of every small size, through several rounds. */
static void fill_and_drain(void)
{
	uint64_t in = 0, out = 0;
	twzobj o;

	for (size_t l2length = 0; l2length <= 4; l2length++) {
		NEED(new_queue(&o, l2length) == 0);
		for (uint64_t fill = 1; fill <= 1ul << l2length; fill++) {
			while (in < out + fill)
				CHECK_EQ(put(&o, in++), 0);
			if (fill == 1ul << l2length)
				CHECK_EQ(put(&o, in), -EAGAIN);
			while (out < in)
				CHECK_EQ(get(&o), out++);
			CHECK_EQ(get(&o), -EAGAIN);
		}
		drop_object(&o);
	}
}

/* T51 */
static void full_for_a_million_tries(void)
{
	static struct queue_hdr before;
	struct item i = item_of(0, 9);
	int64_t refused = 0;
	twzobj o;

	NEED(new_queue(&o, 3) == 0);
	for (uint64_t n = 0; n < 8; n++)
		CHECK_EQ(put(&o, n), 0);
	before = *(struct queue_hdr *)twz_object_base(&o);
	for (int n = 0; n < 1000000; n++)
		refused += queue_submit(&o, &i.qe, QUEUE_NONBLOCK) == -EAGAIN;
	CHECK_EQ(refused, 1000000);
	CHECK(memcmp(&before, twz_object_base(&o), sizeof(before)) == 0);
	for (uint64_t n = 0; n < 20; n++) {
		CHECK_EQ(get(&o), n);
		CHECK_EQ(put(&o, n + 8), 0);
	}
	drop_object(&o);
}

static void lengths_and_strides(void)
{
	static uint64_t small[8], large[64];
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(queue_init_hdr(&o, 21, 8, 0, 8), -EINVAL);
	CHECK_EQ(queue_init_hdr(&o, 0, 8, 21, 8), -EINVAL);
	CHECK_EQ(queue_init_hdr(&o, 20, 1024, 0, 8), -EINVAL);
	CHECK_EQ(queue_init_hdr(&o, 19, 1024, 19, 1024), -EINVAL);
	CHECK_EQ(queue_init_hdr(&o, 0, ~0ul, 0, 8), -EINVAL);
	CHECK_EQ(queue_submit(&o, (void *)small, 0), -EINVLOBJ);
	CHECK_EQ(queue_init_hdr(&o, 20, 512, 3, 1), 0);
	CHECK_EQ(sub(&o, 0)->stride, 512);
	CHECK_EQ(sub(&o, 1)->stride, 8);
	small[0] = 7ull << 32;
	small[1] = 1;
	CHECK_EQ(queue_complete(&o, (void *)small, 0), 0);
	small[0] = small[1] = 2;
	CHECK_EQ(queue_get_finished(&o, (void *)small, 0), 0);
	CHECK_EQ(small[0] >> 32, 7);
	CHECK_EQ(small[1], 2);
	for (size_t i = 1; i < 64; i++)
		large[i] = i;
	CHECK_EQ(queue_submit(&o, (void *)large, 0), 0);
	memset(large, 0, sizeof(large));
	CHECK_EQ(queue_receive(&o, (void *)large, 0), 0);
	for (size_t i = 1; i < 64; i++)
		CHECK_EQ(large[i], i);
	/* made anew: what was in it is gone */
	CHECK_EQ(queue_submit(&o, (void *)large, 0), 0);
	CHECK_EQ(queue_init_hdr(&o, 3, 13, 3, 16), 0);
	CHECK_EQ(sub(&o, 0)->stride, 16);
	CHECK_EQ(queue_receive(&o, (void *)large, QUEUE_NONBLOCK), -EAGAIN);
	drop_object(&o);
}

static void bounded_entries(void)
{
	struct { struct queue_entry qe; uint8_t bytes[40]; } in, out;
	twzobj o;

	memset(&in, 0x55, sizeof(in));
	memset(&out, 0x66, sizeof(out));
	NEED(new_object(&o) == 0);
	NEED(queue_init_hdr(&o, 1, 32, 1, 32) == 0);
	CHECK_EQ(queue_enqueue_len(&o, 0, &in.qe, 33, 0), -EMSGSIZE);
	CHECK_EQ(queue_enqueue_len(&o, 0, &in.qe, 7, 0), -EINVAL);
	CHECK_EQ(queue_enqueue_len(&o, 2, &in.qe, 32, 0), -EINVAL);
	CHECK_EQ(queue_enqueue_len(&o, -1, &in.qe, 32, 0), -EINVAL);
	CHECK_EQ(queue_enqueue_len(&o, 0, &in.qe, 13, 0), 0);
	CHECK_EQ(queue_dequeue_len(&o, 0, &out.qe, 31, 0), -EMSGSIZE);
	CHECK_EQ(out.bytes[0], 0x66);
	CHECK_EQ(queue_dequeue_len(&o, 0, &out.qe, sizeof(out), 0), 0);
	CHECK_EQ(out.qe.info, 0x55555555);
	for (size_t i = 0; i < sizeof(out.bytes); i++)
		CHECK_EQ(out.bytes[i], i < 5 ? 0x55 : i < 24 ? 0 : 0x66);
	drop_object(&o);
}

/* ---- Many threads ---- */

#define SIDES 4

static struct crowd {
	twzobj o;
	uint64_t each; /* entries of a producer */
	uint64_t seen[SIDES][SIDES]; /* by consumer and producer: the next number it may see */
	uint64_t got[SIDES];
	atomic_ulong left; /* entries not taken yet */
	atomic_ulong bad;
} crowd;

static void produce(void *arg)
{
	uint64_t me = (uintptr_t)arg;

	for (uint64_t n = 0; n < crowd.each; n++) {
		struct item i = item_of(me, n);

		if (queue_submit(&crowd.o, &i.qe, 0) != 0)
			crowd.bad++;
	}
}

/* Take one and check it; false: it was the last word. */
static bool consume_one(uint64_t me)
{
	struct item i;

	if (queue_receive(&crowd.o, &i.qe, 0) != 0 || i.from > SIDES) {
		crowd.bad++;
		return false;
	}
	if (i.from == SIDES)
		return false;
	if (!is_whole(&i) || i.number < crowd.seen[me][i.from])
		crowd.bad++;
	crowd.seen[me][i.from] = i.number + 1;
	crowd.got[me]++;
	return true;
}

static void consume(void *arg)
{
	while (consume_one((uintptr_t)arg))
		;
}

static void run_crowd(uint64_t each)
{
	struct thread producers[SIDES], consumers[SIDES];
	struct item last = item_of(SIDES, 0);
	uint64_t got = 0;

	crowd.each = each;
	crowd.bad = 0;
	memset(crowd.seen, 0, sizeof(crowd.seen));
	memset(crowd.got, 0, sizeof(crowd.got));
	for (uintptr_t i = 0; i < SIDES; i++) {
		NEED(run_thread(&consumers[i], consume, (void *)i) == 0);
		NEED(run_thread(&producers[i], produce, (void *)i) == 0);
	}
	for (int i = 0; i < SIDES; i++)
		CHECK_EQ(finish_thread(&producers[i]), 0);
	for (int i = 0; i < SIDES; i++)
		CHECK_EQ(queue_submit(&crowd.o, &last.qe, 0), 0);
	for (int i = 0; i < SIDES; i++) {
		CHECK_EQ(finish_thread(&consumers[i]), 0);
		got += crowd.got[i];
	}
	CHECK_EQ(got, each * SIDES);
	CHECK_EQ(crowd.bad, 0);
}

static void four_and_four(void)
{
	for (size_t l2length = 0; l2length <= 6; l2length += 2) {
		NEED(new_queue(&crowd.o, l2length) == 0);
		run_crowd(250);
		drop_object(&crowd.o);
	}
}

/* T52: the positions begin so shortly before they wrap that they do in the middle of it. */
static void positions_wrap(void)
{
	for (size_t l2length = 0; l2length <= 5; l2length += 5) {
		struct queue_subqueue *sq;

		NEED(new_queue(&crowd.o, l2length) == 0);
		sq = sub(&crowd.o, 0);
		sq->head = QUEUE_POSITION_MASK - 499;
		sq->tail = QUEUE_POSITION_MASK - 499;
		run_crowd(250);
		CHECK_EQ(sq->head, 504);
		CHECK_EQ(sq->tail & QUEUE_POSITION_MASK, 504);
		drop_object(&crowd.o);
	}
}

/* T53: on a ring of one entry everyone sleeps all the time. */
static void answer(void *arg)
{
	struct item i;

	for (uint64_t n = 0; n < (uintptr_t)arg; n++) {
		if (queue_receive(&crowd.o, &i.qe, 0) != 0 || i.number != n)
			crowd.bad++;
		if (queue_complete(&crowd.o, &i.qe, 0) != 0)
			crowd.bad++;
	}
}

static void no_wake_is_lost(void)
{
	const uint64_t rounds = 2000;
	struct thread t;
	struct item i;

	NEED(new_queue(&crowd.o, 0) == 0);
	crowd.bad = 0;
	NEED(run_thread(&t, answer, (void *)rounds) == 0);
	for (uint64_t n = 0; n < rounds; n++) {
		i = item_of(0, n);
		CHECK_EQ(queue_submit(&crowd.o, &i.qe, 0), 0);
		CHECK_EQ(queue_get_finished(&crowd.o, &i.qe, 0), 0);
		CHECK_EQ(i.number, n);
	}
	CHECK_EQ(finish_thread(&t), 0);
	CHECK_EQ(crowd.bad, 0);
	drop_object(&crowd.o);
}

/* ---- Several at once ---- */

static void multiple_without_sleep(void)
{
	struct queue_dequeue_multiple_spec specs[129];
	atomic_uint_least64_t word = 5;
	struct item items[3];
	twzobj a, b;

	NEED(new_queue(&a, 2) == 0);
	NEED(new_queue(&b, 2) == 0);
	memset(specs, 0, sizeof(specs));
	specs[0] = (struct queue_dequeue_multiple_spec){ .obj = &a, .result = &items[0].qe };
	specs[1] = (struct queue_dequeue_multiple_spec){ .obj = &b, .result = &items[1].qe, .sq = 1 };
	specs[2] = (struct queue_dequeue_multiple_spec){ .word = &word, .cmp = 4 };
	specs[3] = (struct queue_dequeue_multiple_spec){ .word = &word, .cmp = 5 };
	CHECK_EQ(queue_dequeue_multiple(0, specs), 0);
	CHECK_EQ(queue_dequeue_multiple(129, specs), -EINVAL);
	CHECK_EQ(queue_dequeue_multiple(4, specs), 1);
	CHECK(!specs[0].ret && !specs[1].ret && specs[2].ret == 1 && !specs[3].ret);
	items[2] = item_of(1, 2);
	CHECK_EQ(put(&a, 77), 0);
	CHECK_EQ(put(&a, 78), 0);
	CHECK_EQ(queue_complete(&b, &items[2].qe, 0), 0);
	specs[1].sq = 2;
	CHECK_EQ(queue_dequeue_multiple(4, specs), -EINVAL);
	specs[1].sq = 1;
	CHECK_EQ(queue_dequeue_multiple(2, specs), 2);
	CHECK(specs[0].ret == 1 && specs[1].ret == 1);
	CHECK(is_whole(&items[0]) && items[0].number == 77);
	CHECK(is_whole(&items[1]) && items[1].number == 2);
	CHECK_EQ(queue_dequeue_multiple(1, specs), 1);
	CHECK_EQ(items[0].number, 78);
	drop_object(&a);
	drop_object(&b);
}

static struct several {
	twzobj queues[3];
	atomic_uint_least64_t word;
	atomic_ulong bad;
	uint64_t taken[3];
} several;

/* Until the word is set, and nothing is left. */
static void take_from_all(void *arg)
{
	struct queue_dequeue_multiple_spec specs[4];
	struct item items[3];
	ssize_t n;

	(void)arg;
	memset(specs, 0, sizeof(specs));
	for (int i = 0; i < 3; i++)
		specs[i] = (struct queue_dequeue_multiple_spec){ .obj = &several.queues[i],
			.result = &items[i].qe, .sq = i & 1 };
	specs[3] = (struct queue_dequeue_multiple_spec){ .word = &several.word };
	do {
		n = queue_dequeue_multiple(4, specs);
		if (n <= 0)
			several.bad++;
		for (int i = 0; i < 3; i++) {
			if (specs[i].ret && (!is_whole(&items[i]) || items[i].number != several.taken[i]++))
				several.bad++;
		}
	} while (n > 0 && !(n == 1 && specs[3].ret));
}

static void multiple_with_sleep(void)
{
	const uint64_t each = 400;
	struct thread t;

	several.bad = several.word = 0;
	memset(several.taken, 0, sizeof(several.taken));
	for (int i = 0; i < 3; i++)
		NEED(new_queue(&several.queues[i], (size_t)i) == 0);
	NEED(run_thread(&t, take_from_all, NULL) == 0);
	for (uint64_t n = 0; n < each; n++) {
		struct item i = item_of(0, n);

		CHECK_EQ(queue_submit(&several.queues[0], &i.qe, 0), 0);
		CHECK_EQ(queue_complete(&several.queues[1], &i.qe, 0), 0);
		CHECK_EQ(queue_submit(&several.queues[2], &i.qe, 0), 0);
	}
	several.word = 1;
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&several.word, (uint64_t)-1, NULL);
	CHECK_EQ(finish_thread(&t), 0);
	CHECK_EQ(several.bad, 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(several.taken[i], each);
		drop_object(&several.queues[i]);
	}
}

/* ---- Repair ---- */

static void repaired(void)
{
	struct queue_subqueue *sq;
	twzobj o;

	NEED(new_queue(&o, 2) == 0);
	sq = sub(&o, 0);
	CHECK_EQ(queue_repair(&o), 0);
	sq->head++; /* reserved, and then its producer ended */
	CHECK_EQ(put(&o, 1), 0);
	sq->head++;
	CHECK_EQ(get(&o), -EAGAIN);
	CHECK_EQ(put(&o, 2), 0);
	CHECK_EQ(put(&o, 3), -EAGAIN);
	CHECK_EQ(queue_repair(&o), 2);
	CHECK_EQ(queue_repair(&o), 0);
	CHECK_EQ(get(&o), 1);
	CHECK_EQ(get(&o), 2);
	CHECK_EQ(get(&o), -EAGAIN);
	for (uint64_t n = 0; n < 20; n++) {
		CHECK_EQ(put(&o, n), 0);
		CHECK_EQ(get(&o), n);
	}
	/* a whole ring of nothing */
	sq->head += 4;
	CHECK_EQ(put(&o, 1), -EAGAIN);
	CHECK_EQ(queue_repair(&o), 4);
	CHECK_EQ(get(&o), -EAGAIN);
	CHECK_EQ(put(&o, 5), 0);
	CHECK_EQ(get(&o), 5);
	drop_object(&o);
}

static void take_one(void *arg)
{
	struct item i;

	(void)arg;
	if (queue_receive(&crowd.o, &i.qe, 0) != 0 || i.number != 1)
		crowd.bad++;
}

static void put_one(void *arg)
{
	struct item i = item_of(0, 2);

	(void)arg;
	if (queue_submit(&crowd.o, &i.qe, 0) != 0)
		crowd.bad++;
}

/* Those who sleep because of it go on. */
static void repaired_under_sleepers(void)
{
	struct thread consumer, producer;

	NEED(new_queue(&crowd.o, 1) == 0);
	crowd.bad = 0;
	sub(&crowd.o, 0)->head++;
	CHECK_EQ(put(&crowd.o, 1), 0);
	NEED(run_thread(&consumer, take_one, NULL) == 0);
	NEED(run_thread(&producer, put_one, NULL) == 0);
	twz_sleep_ns(5 * NS_PER_MS);
	CHECK_EQ(queue_repair(&crowd.o), 1);
	CHECK_EQ(finish_thread(&consumer), 0);
	CHECK_EQ(finish_thread(&producer), 0);
	CHECK_EQ(get(&crowd.o), 2);
	CHECK_EQ(crowd.bad, 0);
	drop_object(&crowd.o);
}

/* ---- Signals ---- */

static void on_signal(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
}

static void interrupted_receive(void *arg)
{
	struct item i = item_of(0, 5);

	*(int *)arg = queue_receive(&crowd.o, &i.qe, 0);
	CHECK_EQ(i.number, 5);
}

static void interrupted_submit(void *arg)
{
	struct item i = item_of(0, 5);

	*(int *)arg = queue_submit(&crowd.o, &i.qe, 0);
}

/* Signal a thread until it ends: it may not have been asleep yet. */
static void end_by_signals(struct thread *t)
{
	struct twzthread_repr *repr = twz_object_base(&t->obj);
	uint64_t until = twz_clock_ns() + PATIENCE_NS;

	while (!__atomic_load_n(&repr->syncs[THRD_SYNC_EXIT], __ATOMIC_ACQUIRE) && twz_clock_ns() < until) {
		sys_signal(t->tid, 0, 0, 0, 0);
		twz_sleep_ns(NS_PER_MS);
	}
	CHECK_EQ(finish_thread(t), 0);
}

static void signals(void)
{
	struct queue_hdr before;
	struct thread t;
	int r = 0;

	twz_fault_set(FAULT_SIGNAL, on_signal, NULL);
	NEED(new_queue(&crowd.o, 0) == 0);
	NEED(run_thread(&t, interrupted_receive, &r) == 0);
	end_by_signals(&t);
	CHECK_EQ(r, -EINTR);
	CHECK_EQ(put(&crowd.o, 1), 0);
	before = *(struct queue_hdr *)twz_object_base(&crowd.o);
	NEED(run_thread(&t, interrupted_submit, &r) == 0);
	end_by_signals(&t);
	CHECK_EQ(r, -EINTR);
	CHECK_EQ(sub(&crowd.o, 0)->head, before.subqueue[0].head);
	CHECK_EQ(get(&crowd.o), 1);
	CHECK_EQ(get(&crowd.o), -EAGAIN);
	drop_object(&crowd.o);
	twz_fault_set(FAULT_SIGNAL, NULL, NULL);
}

/* ---- What is no queue ---- */

static void refuses_all(twzobj *o)
{
	struct item i = item_of(0, 0);
	struct queue_dequeue_multiple_spec spec = { .obj = o, .result = &i.qe };

	CHECK_EQ(queue_submit(o, &i.qe, 0), -EINVLOBJ);
	CHECK_EQ(queue_receive(o, &i.qe, 0), -EINVLOBJ);
	CHECK_EQ(queue_enqueue_len(o, 0, &i.qe, sizeof(i), 0), -EINVLOBJ);
	CHECK_EQ(queue_dequeue_len(o, 0, &i.qe, sizeof(i), 0), -EINVLOBJ);
	CHECK_EQ(queue_dequeue_multiple(1, &spec), -EINVLOBJ);
	CHECK_EQ(queue_repair(o), -EINVLOBJ);
}

static void hostile_headers(void)
{
	struct queue_subqueue good, *sq;
	struct item i = item_of(0, 0);
	twzobj o;

	NEED(new_object(&o) == 0);
	refuses_all(&o);
	NEED(queue_init_hdr(&o, 2, STRIDE, 2, STRIDE) == 0);
	sq = sub(&o, 0);
	good = *sq;
#define WITH(member, value)                                   \
	do {                                                  \
		sq->member = (value);                         \
		refuses_all(&o);                              \
		*sq = good;                                   \
	} while (0)
	WITH(l2length, 21);
	WITH(l2length, 1ull << 32);
	WITH(l2length, ~0ull);
	WITH(stride, 0);
	WITH(stride, 4);
	WITH(stride, 12);
	WITH(stride, OBJ_MAXSIZE);
	WITH(stride, 1ull << 63);
	WITH(stride, ~7ull);
	WITH(queue, 0);
	WITH(queue, 8);
	WITH(queue, good.queue + 4);
	WITH(queue, good.queue | 1ull << OBJ_SHIFT); /* foreign */
	WITH(queue, OBJ_TOPDATA - 4 * STRIDE + 8);
	WITH(queue, OBJ_METAPAGE);
	WITH(queue, ~7ull);
#undef WITH
	sq->queue = OBJ_TOPDATA - 4 * STRIDE;
	CHECK_EQ(queue_submit(&o, &i.qe, QUEUE_NONBLOCK), 0);
	CHECK_EQ(queue_receive(&o, &i.qe, QUEUE_NONBLOCK), 0);
	*(uint64_t *)twz_object_base(&o) ^= 1;
	refuses_all(&o);
	drop_object(&o);
}

static uint64_t noise_state = 88172645463325252ull;

static uint64_t noise(void)
{
	noise_state ^= noise_state << 13;
	noise_state ^= noise_state >> 7;
	noise_state ^= noise_state << 17;
	return noise_state;
}

/* With every pointer, length and position at random: an answer each time, nothing outside changed. */
static void noise_in_headers(void)
{
	static uint8_t room[1 << 16];
	struct queue_hdr *h;
	twzobj o;

	NEED(new_queue(&o, 2) == 0);
	h = twz_object_base(&o);
	for (int n = 0; n < 3000; n++) {
		uint64_t *words = (uint64_t *)h->subqueue;

		for (size_t i = 0; i < sizeof(h->subqueue) / 8; i++)
			words[i] = noise() >> noise() % 64;
		for (int i = 0; i < 2; i++) {
			h->subqueue[i].l2length = noise() % 23;
			h->subqueue[i].stride = noise() % 4096 & ~(noise() % 8);
			h->subqueue[i].queue = noise() % 0x10000 + OBJ_NULLPAGE_SIZE + 1024;
			if (n % 4)
				h->subqueue[i].queue &= ~7ull;
		}
		queue_submit(&o, (void *)room, QUEUE_NONBLOCK);
		queue_receive(&o, (void *)room, QUEUE_NONBLOCK);
		queue_complete(&o, (void *)room, QUEUE_NONBLOCK);
		queue_get_finished(&o, (void *)room, QUEUE_NONBLOCK);
		if (n % 16 == 0)
			queue_repair(&o);
	}
	CHECK_EQ(h->magic, QUEUE_MAGIC);
	CHECK_EQ(queue_init_hdr(&o, 2, STRIDE, 2, STRIDE), 0);
	CHECK_EQ(put(&o, 3), 0);
	CHECK_EQ(get(&o), 3);
	drop_object(&o);
}

static const struct ktap_case cases[] = {
	{ "an entry goes there and one comes back", there_and_back },
	{ "rings fill and drain in order", fill_and_drain },
	{ "a full ring stays as it is", full_for_a_million_tries },
	{ "lengths and strides", lengths_and_strides },
	{ "entries of a given length", bounded_entries },
	{ "four producers and four consumers", four_and_four },
	{ "positions wrap", positions_wrap },
	{ "no wake is lost", no_wake_is_lost },
	{ "several queues and words at once", multiple_without_sleep },
	{ "sleeping on several", multiple_with_sleep },
	{ "what dead producers reserved is skipped", repaired },
	{ "and those who slept go on", repaired_under_sleepers },
	{ "a signal ends a sleep, and nothing else", signals },
	{ "headers that are none", hostile_headers },
	{ "noise", noise_in_headers },
};

int main(void)
{
	return KTAP_RUN(cases);
}
