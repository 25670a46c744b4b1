// SPDX-License-Identifier: BSD-3-Clause
/* Changing an object between memory and store while it is used; cache modes. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define PAGES 40ul
#define CPUS 3
#define CHANGES 10

static uint16_t backing_of(twzobj *o)
{
	struct kernel_ostat st = { 0 };

	CHECK_EQ(twz_object_kstat(o, &st), 0);
	return (uint16_t)st.backing;
}

static uint64_t wrong_words(twzobj *o)
{
	uint64_t wrong = 0;

	for (uint64_t p = 1; p <= PAGES; p++)
		wrong += *page_word(o, p * 3) != p;
	return wrong;
}

static int fill(twzobj *o, enum object_backing_type type)
{
	int r = twz_object_new(o, NULL, NULL, type, NEW_FLAGS);

	for (uint64_t p = 1; r == 0 && p <= PAGES; p++)
		*page_word(o, p * 3) = p;
	return r;
}

static void there_and_back(void)
{
	struct metainfo before;
	twzobj o;

	if (!have_store())
		return;
	NEED(fill(&o, OBJ_VOLATILE) == 0);
	twz_object_setsz(&o, TWZ_OSSM_ABSOLUTE, 777);
	CHECK_EQ(twz_object_addfot(&o, missing_id(), FE_READ), 1);
	before = *twz_object_meta(&o);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), 0);
		CHECK_EQ(backing_of(&o), TWZ_BACKING_PERSISTENT);
		CHECK_EQ(wrong_words(&o), 0);
		CHECK(memcmp(twz_object_meta(&o), &before, sizeof(before)) == 0);
		CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), 0);
		CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 0), 0);
		CHECK_EQ(backing_of(&o), TWZ_BACKING_VOLATILE);
		CHECK_EQ(wrong_words(&o), 0);
		*page_word(&o, 1000) = 1;
	}
	CHECK_EQ(twz_object_addfot(&o, missing_id(), FE_READ), 1);
	drop_object(&o);
}

/* Made persistent and closed, it is found again; made volatile and deleted, it is gone. */
static void found_again(void)
{
	objid_t id;
	twzobj o;

	if (!have_store())
		return;
	NEED(fill(&o, OBJ_VOLATILE) == 0);
	id = twz_object_guid(&o);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), 0);
	twz_object_release(&o);
	NEED(twz_object_init_guid(&o, id, ACCESS_RW) == 0);
	CHECK_EQ(wrong_words(&o), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 0), 0);
	twz_object_release(&o);
	CHECK(object_exists(id));
	CHECK_EQ(twz_object_delete_guid(id, 0), 0);
	CHECK(!object_exists(id));
}

/* A copy that shares pages with what moves keeps its own. */
static void shared_pages(void)
{
	twzobj a, b;

	if (!have_store())
		return;
	NEED(fill(&a, OBJ_VOLATILE) == 0);
	NEED(twz_object_new(&b, &a, NULL, OBJ_VOLATILE, NEW_FLAGS) == 0);
	CHECK_EQ(twz_object_ctl(&a, OCO_PERSIST, 1), 0);
	*page_word(&a, 3) = 99;
	CHECK_EQ(wrong_words(&b), 0);
	CHECK_EQ(twz_object_ctl(&b, OCO_PERSIST, 1), 0);
	*page_word(&b, 6) = 98;
	CHECK_EQ(*page_word(&a, 6), 2);
	CHECK_EQ(*page_word(&a, 3), 99);
	drop_object(&a);
	drop_object(&b);
}

static twzobj moving;
static atomic_ulong stop;

static void use_it(void *arg)
{
	uint64_t me = (uint64_t)arg, value = 0;

	while (!atomic_load(&stop)) {
		value++;
		for (uint64_t p = 1 + me; p <= PAGES; p += CPUS)
			*page_word(&moving, p) = value;
		for (uint64_t p = 1 + me; p <= PAGES; p += CPUS)
			if (*page_word(&moving, p) != value)
				twz_thread_exit(1);
	}
}

static void while_others_use_it(void)
{
	struct thread t[CPUS];

	if (!have_store())
		return;
	NEED(new_object(&moving) == 0);
	atomic_store(&stop, 0);
	for (uintptr_t i = 0; i < CPUS; i++)
		NEED(run_thread(&t[i], use_it, (void *)i) == 0);
	for (int i = 0; i < CHANGES; i++)
		CHECK_EQ(twz_object_ctl(&moving, OCO_PERSIST, (i + 1) % 2), 0);
	atomic_store(&stop, 1);
	for (int i = 0; i < CPUS; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	drop_object(&moving);
}

static void refusals(void)
{
	objid_t id;
	twzobj o;

	NEED(new_object(&o) == 0);
	id = twz_object_guid(&o);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 2), -EINVAL);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1, 1), -EINVAL);
	CHECK_EQ(twz_object_ctl(&o, 77), -EINVAL);
	CHECK_EQ(twz_object_ctl(&o, OCO_MAP, 0, 0x1000, 0), -ENOTSUP);
	CHECK_EQ(sys_octl(missing_id(), OCO_PERSIST, 1, 0, 0), -ENOENT);
	if (!(twz_sysinfo()->features & TWZ_FEATURE_STORE))
		CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), -ENODEV);
	CHECK_EQ(sys_octl(KSO_ROOT_ID, OCO_PERSIST, 1, 0, 0) < 0, 1);
	drop_object(&o);
	CHECK_EQ(sys_octl(id, OCO_PERSIST, 1, 0, 0), -ENOENT);
}

static void held_where_it_is(void)
{
	twzobj o;

	if (!have_store())
		return;
	NEED(fill(&o, OBJ_VOLATILE) == 0);
	CHECK_EQ(twz_object_pin(&o, NULL, 0), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), -EBUSY);
	CHECK_EQ(twz_object_pin(&o, NULL, OP_UNPIN), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), 0);
	CHECK_EQ(wrong_words(&o), 0);
	drop_object(&o);
}

/* ---- Ties come along ---- */

static int make(twzobj *o, enum object_backing_type type)
{
	return twz_object_new(o, NULL, NULL, type, NEW_FLAGS);
}

static uint64_t ties_in(twzobj *o)
{
	struct kernel_ostat st = { 0 };

	CHECK_EQ(twz_object_kstat(o, &st), 0);
	return st.ties_in;
}

/* Deleted and closed, so that nothing but its ties keeps it. */
static objid_t leave_to_ties(twzobj *o)
{
	objid_t id = twz_object_guid(o);

	CHECK_EQ(sys_odelete(id, 0), 0);
	twz_object_release(o);
	return id;
}

/*
 * A parent and its child, each moved as the bits say, in both orders: the tie holds, counted, and
 * lets go when it is undone as often as it was made.
 */
static void move_both(unsigned how, bool child_first, enum object_backing_type parent_type,
    enum object_backing_type child_type)
{
	twzobj parent, child;
	objid_t id;

	NEED(make(&parent, parent_type) == 0 && make(&child, child_type) == 0);
	id = twz_object_guid(&child);
	CHECK_EQ(twz_object_tie(&parent, &child, 0), 0);
	CHECK_EQ(twz_object_tie(&parent, &child, 0), 0);
	for (int i = 0; i < 2; i++) {
		bool of_child = (i == 0) == child_first;

		CHECK_EQ(twz_object_ctl(of_child ? &child : &parent, OCO_PERSIST, of_child ? how & 1 : how >> 1), 0);
		CHECK_EQ(ties_in(&child), 1);
	}
	leave_to_ties(&child);
	CHECK(object_exists(id));
	CHECK_EQ(sys_otie(twz_object_guid(&parent), id, OTIE_UNTIE), 0);
	CHECK(object_exists(id));
	CHECK_EQ(sys_otie(twz_object_guid(&parent), id, OTIE_UNTIE), 0);
	CHECK(!object_exists(id));
	drop_object(&parent);
}

static void ties_come_along(void)
{
	if (!have_store())
		return;
	for (unsigned i = 0; i < 32; i++)
		move_both(i & 3, i & 4, i & 8 ? OBJ_PERSISTENT : OBJ_VOLATILE, i & 16 ? OBJ_PERSISTENT : OBJ_VOLATILE);
}

/* Nobody has the parent open: it is remembered all the same, until it goes. */
static void volatile_child_of_a_persistent_parent(void)
{
	twzobj parent, child;
	objid_t id, up;

	if (!have_store())
		return;
	NEED(make(&parent, OBJ_PERSISTENT) == 0 && make(&child, OBJ_VOLATILE) == 0);
	up = twz_object_guid(&parent);
	CHECK_EQ(twz_object_tie(&parent, &child, 0), 0);
	id = leave_to_ties(&child);
	twz_object_release(&parent);
	CHECK(object_exists(id));
	NEED(twz_object_init_guid(&parent, up, ACCESS_RW) == 0);
	drop_object(&parent);
	CHECK(!object_exists(up));
	CHECK(!object_exists(id));
}

/* grand -> parent (both of the store, parent deleted) -> child (in memory). */
static void family(bool untie)
{
	twzobj grand, parent, child;
	objid_t id, middle;

	NEED(make(&grand, OBJ_PERSISTENT) == 0 && make(&parent, OBJ_PERSISTENT) == 0);
	NEED(make(&child, OBJ_VOLATILE) == 0);
	CHECK_EQ(twz_object_tie(&grand, &parent, 0), 0);
	CHECK_EQ(twz_object_tie(&parent, &child, 0), 0);
	middle = leave_to_ties(&parent);
	id = leave_to_ties(&child);
	CHECK(object_exists(middle) && object_exists(id));
	if (untie)
		CHECK_EQ(sys_otie(twz_object_guid(&grand), middle, OTIE_UNTIE), 0);
	drop_object(&grand);
	CHECK(!object_exists(middle));
	CHECK(!object_exists(id));
}

static void three_generations(void)
{
	if (!have_store())
		return;
	family(true);
	family(false);
}

/* A circle that is closed in memory, with a tie of the store in it. */
static void circles_of_both_kinds(void)
{
	twzobj a, b, v;

	if (!have_store())
		return;
	NEED(make(&a, OBJ_PERSISTENT) == 0 && make(&b, OBJ_PERSISTENT) == 0 && make(&v, OBJ_VOLATILE) == 0);
	CHECK_EQ(twz_object_tie(&a, &b, 0), 0);
	CHECK_EQ(twz_object_tie(&b, &v, 0), 0);
	CHECK_EQ(twz_object_tie(&v, &a, 0), -ELOOP);
	CHECK_EQ(twz_object_tie(&b, &v, TIE_UNTIE), 0);
	CHECK_EQ(twz_object_tie(&v, &a, 0), 0);
	CHECK_EQ(twz_object_tie(&b, &v, 0), -ELOOP);
	CHECK_EQ(twz_object_tie(&a, &b, TIE_UNTIE), 0);
	CHECK_EQ(twz_object_tie(&b, &v, 0), 0);
	CHECK_EQ(twz_object_tie(&a, &b, 0), -ELOOP);
	drop_object(&v);
	drop_object(&b);
	drop_object(&a);
}

#define TOO_MANY 65

static void more_ties_than_one_step_takes(void)
{
	static twzobj child[TOO_MANY];
	twzobj o;

	if (!have_store())
		return;
	NEED(make(&o, OBJ_VOLATILE) == 0);
	for (int i = 0; i < TOO_MANY; i++) {
		NEED(make(&child[i], OBJ_PERSISTENT) == 0);
		CHECK_EQ(twz_object_tie(&o, &child[i], 0), 0);
	}
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), -EMLINK);
	CHECK_EQ(backing_of(&o), TWZ_BACKING_VOLATILE);
	CHECK_EQ(twz_object_tie(&o, &child[0], TIE_UNTIE), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), 0);
	CHECK_EQ(ties_in(&child[1]), 1);
	CHECK_EQ(twz_object_tie(&o, &child[0], 0), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 0), -EMLINK);
	CHECK_EQ(backing_of(&o), TWZ_BACKING_PERSISTENT);
	CHECK_EQ(ties_in(&child[0]), 1);
	drop_object(&o);
	for (int i = 0; i < TOO_MANY; i++) {
		CHECK_EQ(ties_in(&child[i]), 0);
		drop_object(&child[i]);
	}
}

static twzobj mover, friend;

static void tie_and_untie(void *arg)
{
	bool above = (uintptr_t)arg;
	twzobj *parent = above ? &friend : &mover, other;

	if (make(&other, above ? OBJ_PERSISTENT : OBJ_VOLATILE) < 0)
		twz_thread_exit(1);
	while (!atomic_load(&stop)) {
		long r = twz_object_tie(parent, &other, 0);

		if (r < 0 || twz_object_tie(parent, &other, TIE_UNTIE) < 0)
			twz_thread_exit(2);
	}
	drop_object(&other);
}

/* Others tie what moves, and what it is tied to, which moves as well. */
static void tied_and_moved_at_once(void)
{
	struct thread t[2];

	if (!have_store())
		return;
	NEED(make(&mover, OBJ_VOLATILE) == 0 && make(&friend, OBJ_PERSISTENT) == 0);
	CHECK_EQ(twz_object_tie(&mover, &friend, 0), 0);
	atomic_store(&stop, 0);
	for (uintptr_t i = 0; i < 2; i++)
		NEED(run_thread(&t[i], tie_and_untie, (void *)i) == 0);
	for (unsigned i = 0; i < 40; i++)
		CHECK_EQ(twz_object_ctl(i % 3 ? &mover : &friend, OCO_PERSIST, i & 1), 0);
	atomic_store(&stop, 1);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	CHECK_EQ(ties_in(&friend), 1);
	CHECK_EQ(twz_object_tie(&mover, &friend, TIE_UNTIE), 0);
	CHECK_EQ(ties_in(&friend), 0);
	drop_object(&mover);
	drop_object(&friend);
}

static uint32_t cache_mode_of(twzobj *o)
{
	struct kernel_ostat st = { 0 };

	CHECK_EQ(twz_object_kstat(o, &st), 0);
	return st.cache_mode;
}

static void cache_mode_arguments(void)
{
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, OC_CM_WB), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, 4), -EINVAL);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, OBJ_MAXSIZE, 0x1000, OC_CM_WB), -EINVAL);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, -0x1000l, 0x2000, OC_CM_WB), -EINVAL);
	drop_object(&o);
	if (!(twz_sysinfo()->features & TWZ_FEATURE_STORE))
		return;
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, OC_CM_WB), 0);
	for (long mode = OC_CM_UC; mode <= OC_CM_WC; mode++)
		CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, mode), -EINVAL);
	drop_object(&o);
}

/*
 * Pages 3 … 6 of an object change their mode: what is in them stays, is written, copied, and read
 * by the kernel.
 */
static void in_mode(long mode)
{
	const uint64_t word = 77;
	uint64_t got = 0;
	twzobj o, copy;

	NEED(fill(&o, OBJ_VOLATILE) == 0);
	NEED(twz_object_new(&copy, &o, NULL, OBJ_VOLATILE, NEW_FLAGS) == 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 2 * 0x1000, 4 * 0x1000, mode), 0);
	CHECK_EQ(cache_mode_of(&o), OC_CM_WB);
	CHECK_EQ(wrong_words(&o), 0);
	*page_word(&o, 3) = word;
	CHECK_EQ(*page_word(&copy, 3), 1);
	drop_object(&copy);
	NEED(twz_object_new(&copy, &o, NULL, OBJ_VOLATILE, NEW_FLAGS) == 0);
	CHECK_EQ(*page_word(&copy, 3), word);
	*page_word(&o, 3) = 1;
	CHECK_EQ(*page_word(&copy, 3), word);
	CHECK_EQ(sys_ocopy(&(objid_t){ twz_object_guid(&o) }, &(objid_t){ twz_object_guid(&copy) }, 0x3000, 0x3000, 0x1000, 0), 0);
	got = *page_word(&o, 3);
	CHECK_EQ(got, word);
	*page_word(&copy, 3) = 5;
	CHECK_EQ(*page_word(&o, 3), word);
	drop_object(&copy);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, mode), 0);
	CHECK_EQ(cache_mode_of(&o), mode);
	if (twz_sysinfo()->features & TWZ_FEATURE_STORE)
		CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), -EBUSY);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, OBJ_MAXSIZE / 2, OC_CM_WB), 0);
	CHECK_EQ(cache_mode_of(&o), OC_CM_WB);
	*page_word(&o, 3) = 1;
	CHECK_EQ(wrong_words(&o), 0);
	drop_object(&o);
}

static void cache_modes(void)
{
	long r;
	twzobj o;

	NEED(new_object(&o) == 0);
	r = twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, OC_CM_WC);
	drop_object(&o);
	if (r == -ENOTSUP) {
		ktap_skip("this machine has no memory that is not cached");
		return;
	}
	CHECK_EQ(r, 0);
	for (long mode = OC_CM_UC; mode <= OC_CM_WC; mode++)
		in_mode(mode);
}

static void many_cache_ranges(void)
{
	twzobj o;
	long r = 0;
	int made = 0;

	NEED(new_object(&o) == 0);
	for (; made < 64 && r == 0; made += r == 0)
		r = twz_object_ctl(&o, OCO_CACHE_MODE, made * 0x2000l, 0x1000, OC_CM_WC);
	if (r != -ENOTSUP) {
		CHECK_EQ(r, -ENOSPC);
		CHECK_EQ(made, 16);
		CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x40000, OC_CM_WC), 0);
		CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0x2000, 0x1000, OC_CM_WB), 0);
	}
	drop_object(&o);
}

static void nothing_is_left(void)
{
	struct twz_sysinfo si;
	uint64_t memory = 0, store = 0;
	twzobj o;

	if (!have_store())
		return;
	for (int i = 0; i < 30; i++) {
		NEED(fill(&o, i % 2 ? OBJ_VOLATILE : OBJ_PERSISTENT) == 0);
		CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, i % 2), 0);
		CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, i / 2 % 2), 0);
		drop_object(&o);
		sys_sysinfo(&si, sizeof(si));
		if (i == 9) {
			memory = memory_free();
			store = si.pm_free;
		}
	}
	ktap_note("store free: %lu before, %lu after", (unsigned long)store,
	    (unsigned long)si.pm_free);
	CHECK(si.pm_free + (64 << 10) >= store);
	CHECK(memory_free() + (64 << 10) >= memory);
}

static const struct ktap_case cases[] = {
	{ "there and back, with all it contains", there_and_back },
	{ "found again afterwards", found_again },
	{ "copies keep the pages they shared", shared_pages },
	{ "while others use it", while_others_use_it },
	{ "refusals", refusals },
	{ "pins hold an object where it is", held_where_it_is },
	{ "ties come along, either end first", ties_come_along },
	{ "a volatile child of a persistent parent", volatile_child_of_a_persistent_parent },
	{ "three generations", three_generations },
	{ "circles of both kinds of ties", circles_of_both_kinds },
	{ "more ties than one step takes", more_ties_than_one_step_takes },
	{ "tied and moved at once", tied_and_moved_at_once },
	{ "cache modes: arguments", cache_mode_arguments },
	{ "cache modes", cache_modes },
	{ "cache modes: many ranges", many_cache_ranges },
	{ "nothing is left behind", nothing_is_left },
};

int main(void)
{
	return KTAP_RUN(cases);
}
