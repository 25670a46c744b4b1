// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in queues (userspace/libtwz/src/queue.c). Entries carry numbers: those in the queue
 * after a cut and a repair are without a gap, each is whole, what was acknowledged is there unless
 * it was taken out, and the queue goes on.
 */
#include "unit.h"

#include "libtwz/explore.h"

#include <twz/obj/queue.h>

#include "../../userspace/libtwz/src/runtime.h"

/* Nothing says that an object is volatile. */
long sys_ostat(int type, objid_t id, uint64_t arg, void *out)
{
	(void)type, (void)id, (void)arg, (void)out;
	return -ENOSYS;
}

#define L2LENGTH 1u
#define LENGTH (1u << L2LENGTH)

struct item {
	struct queue_entry qe;
	uint64_t number;
	uint64_t pad[7]; /* so that an entry is never on one line */
	uint64_t again;
};

static bool making;             /* while the queue is being made */
static uint64_t in, out;        /* entries put in, taken out, as acknowledged */
static bool putting, taking;    /* one more may be */

static struct queue_subqueue *submissions(void)
{
	return &((struct queue_hdr *)twz_object_base(explore_object(0)))->subqueue[QUEUE_SUBMISSION];
}

/* What another thread has done, and got no further. It has to be seen: not inlined where it is not. */
#define SEEN static __attribute__((noinline))

SEEN void another_reserves(void)
{
	submissions()->head++;
}

SEEN void another_takes(void)
{
	submissions()->tail++;
}

EXPLORE_SEEN_ONLY_LIBTWZ

static int put(uint64_t number)
{
	struct item i = { .qe.info = (uint32_t)number, .number = number, .again = number };

	return queue_submit(explore_object(0), &i.qe, QUEUE_NONBLOCK);
}

/* The number taken out; -EAGAIN none, -EIO it is not whole. */
static int64_t take(void)
{
	struct item i;
	int r = queue_receive(explore_object(0), &i.qe, QUEUE_NONBLOCK);

	if (r < 0)
		return r;
	return i.number == i.again && i.qe.info == i.number ? (int64_t)i.number : -EIO;
}

static void make(void)
{
	assert_int_equal(queue_init_hdr(explore_object(0), L2LENGTH, sizeof(struct item), 0, 8), 0);
}

static void submit(void)
{
	explore_step_begin();
	putting = true;
	assert_int_equal(put(in), 0);
	putting = false;
	in++;
	explore_step_end();
}

static void receive(void)
{
	explore_step_begin();
	taking = true;
	assert_int_equal(take(), (int64_t)out);
	taking = false;
	out++;
	explore_step_end();
}

/* One takes an entry out and has not made that durable when another overwrites it. */
static void overtaken(void)
{
	submit();
	submit();
	explore_step_begin();
	taking = true;
	another_takes();
	explore_step_end();
	submit();
	explore_step_begin();
	taking = false;
	out++; /* what was acknowledged behind it says that it is durable */
	explore_step_end();
	receive();
	receive();
}

/* Full and empty, through several rounds. */
static void rounds(void)
{
	for (int i = 0; i < 2; i++) {
		submit();
		submit();
		assert_int_equal(put(99), -EAGAIN);
		receive();
		submit();
		receive();
		receive();
	}
}

/* One reserves a position and is never heard of again. */
static void left_alone(void)
{
	another_reserves();
	submit();
}

static void all_of_it(void)
{
	in = out = 0;
	putting = taking = false;
	overtaken();
	rounds();
	left_alone();
}

static void recover(void)
{
	queue_repair(explore_object(0));
}

static const char *goes_on(void)
{
	for (uint64_t n = 100; n < 100 + 2 * LENGTH; n++) {
		if (put(n) != 0)
			return "nothing can be put in any more";
		if (take() != (int64_t)n)
			return "what is put in does not come out";
	}
	return NULL;
}

static const char *judge(void)
{
	int64_t n = take(), next;

	if (n == -EIO)
		return "the first entry is not whole";
	if (n == -EAGAIN)
		return out + taking >= in ? goes_on() : "entries are missing";
	if ((uint64_t)n < out || (uint64_t)n > out + taking)
		return "it does not begin with the next entry";
	for (; (next = take()) >= 0; n = next)
		if (next != n + 1)
			return "an entry is missing or stands twice";
	if (next == -EIO)
		return "an entry is not whole";
	if ((uint64_t)n + 1 < in || (uint64_t)n + 1 > in + putting)
		return "it does not end with the last entry";
	return goes_on();
}

static void making_one(void)
{
	in = out = 0;
	putting = taking = false;
	making = true;
	explore_step_begin();
	make();
	making = false;
	explore_step_end();
	submit();
}

/* With its magic it is whole, and until then none; the extension is there or not. */
static const char *judge_making(void)
{
	const struct metaext *ext = twz_object_meta(explore_object(0))->exts;
	const struct queue_hdr *h = twz_object_base(explore_object(0));

	if (ext->tag == QUEUE_METAEXT_TAG && ext->ptr != OBJ_NULLPAGE_SIZE)
		return "its extension leads elsewhere";
	if (h->magic != QUEUE_MAGIC)
		return making ? NULL : "there is no queue";
	if (ext->tag != QUEUE_METAEXT_TAG)
		return "it has no extension";
	if (queue_repair(explore_object(0)) < 0)
		return "it is not whole";
	return judge();
}

static void cuts_while_it_is_used(void **state)
{
	static const struct explore_test test = { .objects = 1, .data_pages = 4, .setup = make,
		.operation = all_of_it, .recover = recover, .judge = judge, .effort = 64 };

	(void)state;
	explore_check(&test);
}

/* The tag of the extension is followed by a fence before the magic; what putting in needs is seen above. */
static void cuts_while_it_is_made(void **state)
{
	static const char *const elsewhere[] = { "publish", "enqueue", NULL };
	static const struct explore_test test = { .objects = 1, .data_pages = 4,
		.operation = making_one, .judge = judge_making, .unneeded = elsewhere };

	(void)state;
	explore_check(&test);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_while_it_is_made),
		cmocka_unit_test(cuts_while_it_is_used),
	};

	__twz_rt.sysinfo.features |= TWZ_FEATURE_STORE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
