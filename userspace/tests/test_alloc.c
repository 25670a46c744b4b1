// SPDX-License-Identifier: BSD-3-Clause
/*
 * The allocator inside objects: sizes, alignment, owners, resizing, batches, what is refused,
 * growth, threads, two views, and allocators whose words make no sense.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/alloc.h>
#include <twz/debug.h>
#include <twz/twztry.h>

#define SLOTS 256u
#define START 16384u /* base offset of the allocator: what comes before it is the program's */

/* The program's own part of the object. */
struct root {
	void *slot[SLOTS];
};

static struct root *root(twzobj *o)
{
	return twz_object_base(o);
}

static int new_arena(twzobj *o)
{
	int r = new_object(o);

	return r < 0 ? r : twz_object_init_alloc(o, START);
}

static void tell(const char *what, uint64_t offset, void *data)
{
	(void)data;
	ktap_note("%s at %lx", what, offset);
}

static int count_region(void *p, size_t len, void *data)
{
	uint64_t *count = data;

	(void)p, (void)len;
	(*count)++;
	return 0;
}

static uint64_t regions(twzobj *o)
{
	uint64_t count = 0;

	CHECK_EQ(twz_alloc_walk(o, count_region, &count), 0);
	return count;
}

static void drop_arena(twzobj *o)
{
	CHECK_EQ(twz_alloc_check(o, tell, NULL), 0);
	drop_object(o);
}

/* --- contents */

static void fill(void *p, void *data)
{
	const uint64_t *len = data;

	for (uint64_t i = 0; i < *len; i++)
		((uint8_t *)p)[i] = (uint8_t)(*len + i * 7);
}

static bool is_filled(const void *p, uint64_t len, uint64_t upto)
{
	for (uint64_t i = 0; i < upto; i++)
		if (((const uint8_t *)p)[i] != (uint8_t)(len + i * 7))
			return false;
	return true;
}

static int alloc_filled(twzobj *o, void **owner, uint64_t len, uint64_t flags)
{
	return twz_alloc(o, len, owner, flags, fill, &len);
}

/* --- making one */

static void making(void)
{
	twzobj o;
	void *p = NULL;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twz_alloc(&o, 8, &root(&o)->slot[0], 0, NULL, NULL), -EINVAL);
	CHECK_EQ(twz_alloc_walk(&o, count_region, NULL), -EINVAL);
	CHECK_EQ(twz_alloc_check(&o, NULL, NULL), -EINVAL);
	CHECK(!twz_object_alloc(&o, 8));
	CHECK_EQ(twz_object_init_alloc(&o, OBJ_MAXDATA), -EINVAL);
	CHECK_EQ(twz_object_init_alloc(&o, ~0ul), -EINVAL);
	CHECK_EQ(twz_object_init_alloc(&o, START - 100), 0);
	CHECK_EQ(twz_object_build_alloc(&o, START), -EEXIST);
	CHECK_EQ(regions(&o), 0);
	CHECK_EQ(twz_alloc(&o, 8, &p, 0, NULL, NULL), -EINVAL);
	CHECK_EQ(twz_alloc(&o, 8, NULL, 0, NULL, NULL), -EINVAL);
	CHECK_EQ(twz_alloc(&o, 8, &root(&o)->slot[0], TWZ_ALLOC_ALIGN(48), NULL, NULL), -EINVAL);
	CHECK_EQ(twz_alloc(&o, 8, &root(&o)->slot[0], TWZ_ALLOC_ALIGN(8192), NULL, NULL), -EINVAL);
	CHECK_EQ(twz_alloc(&o, 8, &root(&o)->slot[0], 2, NULL, NULL), -EINVAL);
	CHECK_EQ(twz_alloc(&o, OBJ_MAXSIZE, &root(&o)->slot[0], 0, NULL, NULL), -ENOMEM);
	CHECK_EQ(twz_alloc(&o, ~0ul, &root(&o)->slot[0], 0, NULL, NULL), -ENOMEM);
	CHECK_EQ(regions(&o), 0);
	drop_arena(&o);
}

/* --- sizes */

static uint64_t length(unsigned i)
{
	return i < 150 ? i * 9 : 1350 + (i - 150) * 401ul;
}

static void check_slot(twzobj *o, unsigned i, uint64_t align)
{
	void *p = root(o)->slot[i];

	CHECK(twz_ptr_islocal(p));
	CHECK_EQ((uintptr_t)p & (align - 1), 0);
	CHECK(twz_alloc_usable(o, p) >= length(i));
	CHECK(is_filled(twz_object_lea(o, p), length(i), length(i)));
}

static void all_sizes(void)
{
	twzobj o;

	NEED(new_arena(&o) == 0);
	for (unsigned i = 0; i < SLOTS; i++)
		CHECK_EQ(alloc_filled(&o, &root(&o)->slot[i], length(i),
		    TWZ_ALLOC_ALIGN(16ul << i % 9)), 0);
	for (unsigned i = 0; i < SLOTS; i++)
		check_slot(&o, i, 16ul << i % 9);
	CHECK_EQ(regions(&o), SLOTS);
	for (unsigned i = 0; i < SLOTS; i++) {
		twz_free(&o, root(&o)->slot[i], &root(&o)->slot[i], 0);
		CHECK(!root(&o)->slot[i]);
	}
	CHECK_EQ(regions(&o), 0);
	drop_arena(&o);
}

static void zeroes_and_nothing(void)
{
	twzobj o;
	void **a, **b;
	const char *p;

	NEED(new_arena(&o) == 0);
	a = &root(&o)->slot[0];
	b = &root(&o)->slot[1];
	CHECK_EQ(alloc_filled(&o, a, 5000, 0), 0);
	twz_free(&o, *a, a, 0);
	CHECK_EQ(twz_alloc(&o, 5000, a, 0, TWZ_ALLOC_CTOR_ZERO, NULL), 0);
	p = twz_object_lea(&o, *a);
	for (unsigned i = 0; i < 5000; i++)
		CHECK_EQ(p[i], 0);
	CHECK_EQ(twz_alloc(&o, 0, b, 0, NULL, NULL), 0);
	CHECK(*b && *b != *a);
	twz_free(&o, NULL, b, 0);
	CHECK(*b);
	drop_arena(&o);
}

/* --- resizing, replacing */

static void resizing(void)
{
	static const uint64_t lens[] = { 10, 100, 101, 3000, 20, 9000, 40000, 39000, 9001, 8000,
		70000, 1 };
	uint64_t len = lens[0], kept;
	twzobj o;
	void **owner;

	NEED(new_arena(&o) == 0);
	owner = &root(&o)->slot[0];
	CHECK_EQ(twz_realloc(&o, NULL, owner, 20, 0), 0);
	twz_free(&o, *owner, owner, 0);
	for (unsigned i = 1; i < sizeof(lens) / sizeof(lens[0]); i++) {
		CHECK_EQ(alloc_filled(&o, owner, len, 0), 0);
		kept = lens[i] < len ? lens[i] : len;
		CHECK_EQ(twz_realloc(&o, *owner, owner, lens[i], 0), 0);
		CHECK(twz_alloc_usable(&o, *owner) >= lens[i]);
		CHECK(is_filled(twz_object_lea(&o, *owner), len, kept));
		CHECK_EQ(regions(&o), 1);
		twz_free(&o, twz_object_lea(&o, *owner), owner, 0);
		len = lens[i];
	}
	CHECK_EQ(regions(&o), 0);
	drop_arena(&o);
}

static void replacing(void)
{
	uint64_t len = 60;
	twzobj o;
	void **owner, *old;

	NEED(new_arena(&o) == 0);
	owner = &root(&o)->slot[0];
	for (len = 60; len < 20000; len *= 3) {
		old = *owner;
		CHECK_EQ(twz_alloc_replace(&o, owner, len, 0, fill, &len), 0);
		CHECK(*owner != old);
		CHECK(is_filled(twz_object_lea(&o, *owner), len, len));
		CHECK_EQ(regions(&o), 1);
	}
	drop_arena(&o);
}

/* --- several at once */

static void batches(void)
{
	struct twz_alloc_action a[4];
	int error = 0;
	twzobj o;
	void *p, *q;

	NEED(new_arena(&o) == 0);
	p = twz_alloc_reserve(&o, 100, 0, &error);
	q = twz_alloc_reserve(&o, 20000, 0, &error);
	NEED(p && q);
	CHECK_EQ(regions(&o), 0);
	memset(p, 1, 100);
	memset(q, 2, 20000);
	a[0] = (struct twz_alloc_action){ TWZ_ALLOC_KEEP, 0, p, 100 };
	a[1] = (struct twz_alloc_action){ TWZ_ALLOC_KEEP, 0, q, 20000 };
	a[2] = (struct twz_alloc_action){ TWZ_ALLOC_SET, 0, &root(&o)->slot[0],
		(uintptr_t)twz_ptr_local(p) };
	a[3] = (struct twz_alloc_action){ TWZ_ALLOC_SET, 0, &root(&o)->slot[1], ~5ull };
	CHECK_EQ(twz_alloc_publish(&o, a, 4), 0);
	CHECK_EQ(regions(&o), 2);
	CHECK_EQ((uint64_t)root(&o)->slot[1], ~5ull);
	CHECK(root(&o)->slot[0] == twz_ptr_local(p));
	CHECK_EQ(twz_alloc_publish(&o, a, 1), -EINVAL); /* it is live */
	a[0].kind = a[1].kind = TWZ_ALLOC_DROP;
	a[1].at = a[0].at;
	CHECK_EQ(twz_alloc_publish(&o, a, 2), -EINVAL); /* twice */
	a[1].at = q;
	a[2].at = (char *)p + 3;
	CHECK_EQ(twz_alloc_publish(&o, a, 3), -EINVAL); /* no word */
	CHECK_EQ(twz_alloc_publish(&o, a, 40), -E2BIG);
	CHECK_EQ(regions(&o), 2);
	CHECK_EQ(twz_alloc_publish(&o, a, 2), 0);
	CHECK_EQ(regions(&o), 0);
	p = twz_alloc_reserve(&o, 9000, 0, &error);
	twz_alloc_cancel(&o, p);
	CHECK(!twz_alloc_reserve(&o, OBJ_MAXSIZE, 0, &error));
	CHECK_EQ(error, -ENOMEM);
	drop_arena(&o);
}

/* --- what is refused */

struct wrong {
	twzobj *o;
	void *p;
	void **owner;
};

static void free_wrong(void *arg)
{
	struct wrong *w = arg;

	twz_free(w->o, w->p, w->owner, 0);
}

static void refuse(twzobj *o, uint64_t p, void **owner)
{
	struct wrong w = { o, (void *)p, owner };

	CHECK_EQ(thrown_by(free_wrong, &w), FAULT_PPTR_INVALID);
}

static void refused(void)
{
	static void *outside;
	uint64_t small, large;
	twzobj o;

	NEED(new_arena(&o) == 0);
	CHECK_EQ(alloc_filled(&o, &root(&o)->slot[0], 100, 0), 0);
	CHECK_EQ(alloc_filled(&o, &root(&o)->slot[1], 20000, 0), 0);
	small = (uintptr_t)root(&o)->slot[0];
	large = (uintptr_t)root(&o)->slot[1];
	refuse(&o, small + 16, NULL);
	refuse(&o, small + 112, NULL);
	refuse(&o, large + 4096, NULL);
	refuse(&o, large + 20480, NULL);
	refuse(&o, 0x1000, NULL);
	refuse(&o, OBJ_TOPDATA, NULL);
	refuse(&o, 5ul << OBJ_SHIFT, NULL);
	refuse(&o, (uintptr_t)&outside, NULL);
	refuse(&o, small, &outside);
	CHECK_EQ(regions(&o), 2);
	CHECK(is_filled(twz_object_lea(&o, root(&o)->slot[0]), 100, 100));
	twz_free(&o, (void *)small, &root(&o)->slot[0], 0);
	refuse(&o, small, NULL);
	twz_free(&o, (void *)large, &root(&o)->slot[1], 0);
	refuse(&o, large, NULL);
	CHECK_EQ(regions(&o), 0);
	drop_arena(&o);
}

/* --- volatile, early form */

static void without_atomicity(void)
{
	twzobj o;
	void *p = NULL, *q;

	NEED(new_arena(&o) == 0);
	CHECK_EQ(twz_alloc(&o, 100, NULL, TWZ_ALLOC_VOLATILE, TWZ_ALLOC_CTOR_ZERO, &p), 0);
	CHECK(twz_ptr_islocal(p) && twz_alloc_usable(&o, p) >= 100);
	CHECK_EQ(alloc_filled(&o, &root(&o)->slot[0], 30000, TWZ_ALLOC_VOLATILE), 0);
	CHECK_EQ(twz_realloc(&o, root(&o)->slot[0], &root(&o)->slot[0], 50, TWZ_ALLOC_VOLATILE), 0);
	CHECK(is_filled(twz_object_lea(&o, root(&o)->slot[0]), 30000, 50));
	q = twz_object_alloc(&o, 77);
	CHECK(q && twz_ptr_islocal(q));
	CHECK_EQ(regions(&o), 3);
	twz_object_free(&o, q);
	twz_free(&o, p, NULL, TWZ_ALLOC_VOLATILE);
	twz_free(&o, root(&o)->slot[0], &root(&o)->slot[0], TWZ_ALLOC_VOLATILE);
	CHECK_EQ(regions(&o), 0);
	drop_arena(&o);
}

/* --- constructors that do more */

static void construct_pair(void *p, void *data)
{
	twzobj *o = data;

	CHECK_EQ(twz_alloc(o, 50, &root(o)->slot[1], 0, TWZ_ALLOC_CTOR_ZERO, NULL), 0);
	memset(p, 9, 40);
}

static void construct_fault(void *p, void *data)
{
	(void)p, (void)data;
	twz_fault_raise(FAULT_NULL, &(struct fault_null_info){ 0 });
}

static void constructors(void)
{
	volatile bool caught = false;
	twzobj o;

	NEED(new_arena(&o) == 0);
	CHECK_EQ(twz_alloc(&o, 40, &root(&o)->slot[0], 0, construct_pair, &o), 0);
	CHECK_EQ(regions(&o), 2);
	twztry {
		twz_alloc(&o, 40, &root(&o)->slot[2], 0, construct_fault, NULL);
	} twzcatch(FAULT_NULL) {
		caught = true;
	} twztry_end;
	CHECK(caught && !root(&o)->slot[2]);
	CHECK_EQ(regions(&o), 2);
	drop_arena(&o);
}

/* --- growth */

static void filling_it(void)
{
	struct twz_alloc_stats st;
	twzobj o;
	unsigned n = 0;

	NEED(new_arena(&o) == 0);
	while (n < SLOTS && twz_alloc(&o, 16ul << 20, &root(&o)->slot[n], 0, NULL, NULL) == 0)
		n++;
	CHECK(n >= 60);
	CHECK_EQ(twz_alloc_stats(&o, &st), 0);
	CHECK_EQ(st.large, n);
	CHECK_EQ(st.live_bytes, n * (16ul << 20));
	while (n)
		n--, twz_free(&o, root(&o)->slot[n], &root(&o)->slot[n], 0);
	CHECK_EQ(twz_alloc(&o, 900ul << 20, &root(&o)->slot[0], 0, NULL, NULL), 0);
	CHECK_EQ(twz_alloc(&o, 900ul << 20, &root(&o)->slot[1], 0, NULL, NULL), -ENOMEM);
	CHECK(!root(&o)->slot[1]);
	drop_arena(&o);
}

static uint64_t pages_of(twzobj *o)
{
	struct kernel_ostat st;

	return twz_object_kstat(o, &st) == 0 ? st.pages : 0;
}

/* What is small stays small, and room is used again. */
static void room_is_used_again(void)
{
	struct twz_alloc_stats st;
	uint64_t pages, end = 0;
	twzobj o;

	NEED(new_arena(&o) == 0);
	CHECK_EQ(alloc_filled(&o, &root(&o)->slot[0], 64, 0), 0);
	pages = pages_of(&o);
	CHECK(pages < 24);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 1; i < SLOTS; i++)
			alloc_filled(&o, &root(&o)->slot[i], (i * 37 + round * 101) % 3000, 0);
		twz_alloc_stats(&o, &st);
		if (round == 4)
			end = st.end;
		for (unsigned i = 1; i < SLOTS; i++)
			twz_free(&o, root(&o)->slot[i], &root(&o)->slot[i], 0);
	}
	CHECK(st.end <= end + 4 * TWZ_ALLOC_RUN_SIZE); /* a class may be met late */
	drop_arena(&o);
}

/* --- threads, views */

struct worker {
	struct thread thread;
	objid_t object;
	unsigned first, rounds, bad;
};

#define EACH 32u /* slots of a worker */

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

static void churn(twzobj *o, struct worker *w)
{
	uint64_t random = w->first + 1, len[EACH] = { 0 };

	for (unsigned i = 0; i < w->rounds; i++) {
		unsigned s = (unsigned)next_random(&random) % EACH;
		void **slot = &root(o)->slot[w->first + s];

		if (*slot) {
			w->bad += !is_filled(twz_object_lea(o, *slot), len[s], len[s]);
			twz_free(o, *slot, slot, i % 8 == 0 ? TWZ_ALLOC_VOLATILE : 0);
			continue;
		}
		len[s] = next_random(&random) % (i % 16 ? 300 : 12000);
		w->bad += alloc_filled(o, slot, len[s], i % 4 == 0 ? TWZ_ALLOC_VOLATILE : 0) != 0;
	}
}

static void work(void *arg)
{
	struct worker *w = arg;
	twzobj o;

	if (twz_object_init_guid(&o, w->object, ACCESS_RW) < 0) {
		w->bad = 1;
		return;
	}
	churn(&o, w);
	twz_object_release(&o);
}

static uint64_t owned(twzobj *o)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < SLOTS; i++)
		n += root(o)->slot[i] != NULL;
	return n;
}

static void workers(twzobj *o, objid_t view, struct worker *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		w[i] = (struct worker){ .object = twz_object_guid(o), .first = i * EACH,
			.rounds = 1500 };
		NEED((view ? run_thread_in(&w[i].thread, view, work, &w[i]) :
		    run_thread(&w[i].thread, work, &w[i])) == 0);
	}
	for (unsigned i = 0; i < count; i++) {
		CHECK_EQ(finish_thread(&w[i].thread), 0);
		CHECK_EQ(w[i].bad, 0);
	}
	CHECK_EQ(twz_alloc_check(o, tell, NULL), 0);
	CHECK_EQ(regions(o), owned(o));
}

static void threads(void)
{
	static struct worker w[4];
	twzobj o;

	NEED(new_arena(&o) == 0);
	workers(&o, 0, w, 4);
	drop_arena(&o);
}

static void two_views(void)
{
	static struct worker w[2];
	twzobj o, view;
	int r = new_view(&view);

	if (r == -ENOTSUP) {
		ktap_skip("there is one view only");
		return;
	}
	NEED(r == 0 && new_arena(&o) == 0);
	workers(&o, twz_object_guid(&view), w, 2);
	w[0].rounds = 500;
	churn(&o, &w[0]);
	CHECK_EQ(regions(&o), owned(&o));
	drop_arena(&o);
	drop_object(&view);
}

/* --- noise: whatever stands where the allocator was, a call ends and stays in the object */

static void use_noise(void *arg)
{
	twzobj *o = arg;
	struct twz_alloc_stats st;
	uint64_t len = 100, count = 0;
	void **slot = root(o)->slot;

	twz_alloc_check(o, NULL, NULL);
	twz_alloc_walk(o, count_region, &count);
	twz_alloc_stats(o, &st);
	twz_alloc_usable(o, slot[1]);
	for (unsigned i = 0; i < 3; i++)
		twz_alloc(o, len, &slot[4 + i], 0, fill, &len);
	twz_realloc(o, slot[1], &slot[1], 20000, 0);
	twz_free(o, slot[0], &slot[0], 0);
	twz_free(o, slot[4], &slot[4], 0);
}

static void scatter(twzobj *o, uint64_t *random, uint64_t from, uint64_t len)
{
	for (unsigned i = 0; i < 40; i++) {
		uint64_t at = from + next_random(random) % len / 8 * 8;
		uint64_t *word = (void *)((char *)twz_object_base(o) + at);

		*word = i % 3 ? next_random(random) << 33 ^ next_random(random) : *word ^ 1ull << i;
	}
}

static void noise(void)
{
	uint64_t random = 5;

	for (unsigned round = 0; round < 24; round++) {
		twzobj o;

		NEED(new_arena(&o) == 0);
		for (unsigned i = 0; i < 4; i++)
			CHECK_EQ(alloc_filled(&o, &root(&o)->slot[i], 50 + i * 5000, 0), 0);
		if (round % 4 == 0)
			scatter(&o, &random, START, 64);
		if (round % 4 == 1)
			scatter(&o, &random, START + 64, 4032);
		if (round % 4 == 2)
			scatter(&o, &random, START + 4096, 128);
		scatter(&o, &random, START, 6 * 65536);
		thrown_by(use_noise, &o);
		drop_object(&o);
	}
}

static const struct ktap_case cases[] = {
	{ "made once, where there is room", making },
	{ "all sizes and alignments", all_sizes },
	{ "zeroes, and nothing", zeroes_and_nothing },
	{ "resized in all directions", resizing },
	{ "replaced", replacing },
	{ "several regions at once", batches },
	{ "what is not live is not freed", refused },
	{ "without failure atomicity", without_atomicity },
	{ "constructors allocate, and fail", constructors },
	{ "filled to the end", filling_it },
	{ "room is used again", room_is_used_again },
	{ "four threads", threads },
	{ "two views", two_views },
	{ "noise", noise },
};

int main(void)
{
	return KTAP_RUN(cases);
}
