// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in the allocator (T59): after each, every region is owned by the word that was to own
 * it and constructed, or free; never lost, never owned while free; a step is done or not. Then
 * every flush and every fence is left out in turn.
 */
#include "unit.h"

#include <twz/alloc.h>
#include <twz/persist.h>

#include "libtwz/explore.h"

#define SLOTS 20u
#define SEEN __attribute__((noinline)) /* a store that the compiler must report */
#define PAGES 200u
#define START 4096u /* base offset of the allocator */

/* --- constructors and other stores of a program */

struct filling {
	unsigned char tag;
	size_t len;
};

SEEN static void fill(void *p, void *data)
{
	const struct filling *f = data;

	memset(p, f->tag, f->len);
}

SEEN static void set_word(void **word, void *value)
{
	*word = value;
	_clwb_len(word, sizeof(*word));
	_pfence();
}

EXPLORE_SEEN_ONLY_LIBTWZ

/* --- what is there, and what may be there after the step under way */

struct slot {
	size_t len;
	unsigned char tag; /* of every byte; 0: of none */
	bool live;
};

static struct slot now[SLOTS], next[SLOTS];
static unsigned unowned; /* regions that nobody owns: of the early form */
static bool has_allocator;

static void **word(unsigned i)
{
	return (void **)twz_object_base(explore_object(0)) + i;
}

/* --- judging */

static bool slot_is(unsigned i, const struct slot *s)
{
	twzobj *o = explore_object(0);
	const unsigned char *p = twz_object_lea(o, (unsigned char *)*word(i));

	if (!s->live || !*word(i))
		return s->live == (*word(i) != NULL);
	if (twz_alloc_usable(o, *word(i)) < s->len)
		return false;
	for (size_t j = 0; s->tag && j < s->len; j++)
		if (p[j] != s->tag)
			return false;
	return true;
}

static bool slots_are(const struct slot *s)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (!slot_is(i, &s[i]))
			return false;
	return true;
}

static unsigned met;

/* A live region: owned, or one that nobody may own. */
static int meet(void *p, size_t len, void *data)
{
	uint64_t local = (uintptr_t)p & (OBJ_MAXSIZE - 1);

	(void)len, (void)data;
	for (unsigned i = 0; i < SLOTS; i++)
		if ((uintptr_t)*word(i) == local)
			return 0;
	met++;
	return met > unowned;
}

/* What is allocated now is nothing that was there. */
static bool goes_on(void)
{
	twzobj *o = explore_object(0);
	struct filling f = { 0xee, 100 };
	bool before = slots_are(now);

	if (twz_alloc(o, f.len, word(SLOTS + 1), 0, fill, &f) < 0)
		return false;
	twz_free(o, *word(SLOTS + 1), word(SLOTS + 1), 0);
	return twz_alloc_check(o, NULL, NULL) == 0 && before == slots_are(now) && !*word(SLOTS + 1);
}

static const char *judge(void)
{
	twzobj *o = explore_object(0);
	int faults = twz_alloc_check(o, NULL, NULL);

	if (!has_allocator && faults == -EINVAL)
		return twz_object_init_alloc(o, START) == 0 && goes_on() ? NULL : "making it again";
	if (faults)
		return "the checker finds faults";
	if (!slots_are(now) && !slots_are(next))
		return "neither as before nor as after";
	met = 0;
	if (twz_alloc_walk(o, meet, NULL) || met > unowned)
		return "a region is lost";
	return goes_on() ? NULL : "life does not go on";
}

/* What stands in for opening the object: the records are replayed, and that is cut, too. */
static void recover(void)
{
	twz_alloc_recover(explore_object(0));
}

/* --- steps: each is one failure-atomic call */

static void begin(void)
{
	explore_step_begin();
}

static void done(void)
{
	memcpy(now, next, sizeof(now));
	explore_step_end();
}

static void make(unsigned i, size_t len, unsigned char tag)
{
	struct filling f = { tag, len };

	next[i] = (struct slot){ len, tag, true };
	begin();
	assert_int_equal(twz_alloc(explore_object(0), len, word(i), 0, tag ? fill : NULL, &f), 0);
	done();
}

static void drop(unsigned i)
{
	next[i] = (struct slot){ 0 };
	begin();
	twz_free(explore_object(0), *word(i), word(i), 0);
	done();
}

static void resize(unsigned i, size_t len)
{
	next[i].len = len < now[i].len || !now[i].tag ? len : now[i].len;
	begin();
	assert_int_equal(twz_realloc(explore_object(0), *word(i), word(i), len, 0), 0);
	done();
}

static void replace(unsigned i, size_t len, unsigned char tag)
{
	struct filling f = { tag, len };

	next[i] = (struct slot){ len, tag, true };
	begin();
	assert_int_equal(twz_alloc_replace(explore_object(0), word(i), len, 0, fill, &f), 0);
	done();
}

/* A program moves what it owns by stores of its own. */
static void move(unsigned from, unsigned to)
{
	next[to] = now[from];
	begin();
	set_word(word(to), *word(from));
	done();
	next[from] = (struct slot){ 0 };
	begin();
	set_word(word(from), NULL);
	done();
}

static void new_object(void)
{
	memset(now, 0, sizeof(now));
	memset(next, 0, sizeof(next));
	unowned = 0;
	has_allocator = false;
}

/* What the object held before does not matter. */
static void noise(void)
{
	new_object();
	memset(twz_object_base(explore_object(0)), 0, START);
	memset((char *)twz_object_base(explore_object(0)) + START, 0xa5,
	    (PAGES - 1) * 4096 - START);
}

static void with_allocator(void)
{
	noise();
	assert_int_equal(twz_object_init_alloc(explore_object(0), START), 0);
	has_allocator = true;
}

/* --- what is cut */

static void init_and_first(void)
{
	begin();
	assert_int_equal(twz_object_init_alloc(explore_object(0), START), 0);
	has_allocator = true;
	done();
	make(0, 40, 1);
}

static void furnish(void)
{
	with_allocator();
	make(0, 40, 1);
	make(1, 64, 2);
}

static void small_ones(void)
{
	make(2, 100, 3);
	move(2, 3);
	drop(0);
	resize(1, 80);
	make(4, 300, 4);
	resize(4, 700);
	replace(3, 40, 5);
	drop(4);
	move(1, 4);
	move(3, 0);
}

/* A lane's last record must not come back after that of another, once both lanes have a run. */
static void several_lanes(void)
{
	for (unsigned i = 0; i < 4; i++) {
		explore_alloc_use_lane(0, 5 + i % 2);
		drop(1);
		explore_alloc_use_lane(0, 6 - i % 2);
		make(1, 64, 3);
	}
}

static void large_ones(void)
{
	make(2, 9000, 3);
	make(3, 20000, 0);
	resize(3, 9000);
	resize(2, 20000);
	drop(3);
	move(1, 3);
	replace(2, 10000, 4);
	resize(2, 200);
	drop(2);
}

static void fill_run(void)
{
	with_allocator();
	for (unsigned i = 0; i < 16; i++)
		make(i, 8000, 0);
}

/* Of three runs one remains without regions, and goes. */
static void empty_run(void)
{
	for (unsigned i = 0; i < 9; i++)
		drop(i);
	make(0, 33000, 0);
}

static struct twz_alloc_action keep(unsigned slot, size_t len, unsigned char tag, bool flushed)
{
	struct filling f = { tag, len };
	void *p = twz_alloc_reserve(explore_object(0), len, 0, NULL);

	next[slot] = (struct slot){ len, tag, true };
	fill(p, &f);
	if (flushed)
		_clwb_len(p, len);
	return (struct twz_alloc_action){ TWZ_ALLOC_KEEP, 0, p, flushed ? 0 : len };
}

static struct twz_alloc_action set(unsigned slot, const void *p)
{
	return (struct twz_alloc_action){ TWZ_ALLOC_SET, 0, word(slot),
		(uintptr_t)p & (OBJ_MAXSIZE - 1) };
}

static struct twz_alloc_action unmake(unsigned slot)
{
	next[slot] = (struct slot){ 0 };
	return (struct twz_alloc_action){ TWZ_ALLOC_DROP, 0, *word(slot), 0 };
}

static void publish(const struct twz_alloc_action *actions, size_t n)
{
	begin();
	assert_int_equal(twz_alloc_publish(explore_object(0), actions, n), 0);
	done();
}

/* Two regions and their words at once, one of them in place of an old one; six freed at once. */
static void batches(void)
{
	struct twz_alloc_action a[12];
	unsigned n = 0;

	a[0] = keep(2, 48, 7, false);
	a[1] = keep(3, 300, 8, false);
	a[2] = unmake(0);
	a[3] = set(2, a[0].at);
	a[4] = set(3, a[1].at);
	a[5] = set(0, NULL);
	publish(a, 6);
	a[0] = keep(4, 48, 9, true);
	a[1] = set(4, a[0].at);
	publish(a, 2);
	for (unsigned i = 5; i < 8; i++)
		make(i, 64, (unsigned char)i);
	for (unsigned i = 2; i < 8; i++) {
		a[n++] = unmake(i);
		a[n++] = set(i, NULL);
	}
	publish(a, n);
	make(0, 64, 3);
}

/* --- a program that goes on after recovery: nothing that was recovered comes back */

#define GONE_ON (SLOTS + 2)

static void recover_and_go_on(void)
{
	recover();
	if (*word(GONE_ON))
		return;
	if (*word(0))
		set_word(word(0), NULL);
	set_word(word(GONE_ON), (void *)16);
}

static const char *judge_gone_on(void)
{
	return *word(0) && *word(GONE_ON) ? "what was recovered comes back" : NULL;
}

static void make_one(void)
{
	make(0, 64, 3);
}

/* --- the tests */

#define TEST(before, what)                                                               \
	{                                                                                \
		.objects = 1, .data_pages = PAGES, .setup = before, .operation = what,   \
		.recover = recover, .judge = judge, .depth = 2, .unneeded = unneeded,    \
		.is_volatile = explore_alloc_is_volatile,                               \
	}

/* What is for other threads is not missed by one. */
static const char *const unneeded[] = { "fence __twz_alloc_fence_for_others", NULL };

static void cuts_lose_nothing(void **state)
{
	static const struct explore_test tests[] = {
		TEST(noise, init_and_first),
		TEST(furnish, small_ones),
		TEST(furnish, several_lanes),
		TEST(furnish, large_ones),
		TEST(fill_run, empty_run),
		TEST(furnish, batches),
		{
			.objects = 1, .data_pages = PAGES, .setup = with_allocator,
			.operation = make_one, .recover = recover_and_go_on, .judge = judge_gone_on,
			.is_volatile = explore_alloc_is_volatile,
			.nested = 1, .depth = 2, .unneeded = unneeded,
		},
	};

	(void)state;
	explore_check_all(tests, sizeof(tests) / sizeof(tests[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
