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
	CHECK_EQ(sys_odelete(id, 0), 0);
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
	twzobj o, child;

	if (!have_store())
		return;
	NEED(fill(&o, OBJ_VOLATILE) == 0 && new_object(&child) == 0);
	CHECK_EQ(twz_object_pin(&o, NULL, 0), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), -EBUSY);
	CHECK_EQ(twz_object_pin(&o, NULL, OP_UNPIN), 0);
	CHECK_EQ(twz_object_tie(&o, &child, 0), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), -EBUSY);
	CHECK_EQ(twz_object_ctl(&child, OCO_PERSIST, 1), -EBUSY);
	CHECK_EQ(twz_object_tie(&o, &child, TIE_UNTIE), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_PERSIST, 1), 0);
	CHECK_EQ(wrong_words(&o), 0);
	drop_object(&child);
	drop_object(&o);
}

static void cache_modes(void)
{
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, OC_CM_WB), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, OC_CM_UC), -ENOTSUP);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, 4), -EINVAL);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, OBJ_MAXSIZE, 0x1000, OC_CM_WB), -EINVAL);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, -0x1000l, 0x2000, OC_CM_WB), -EINVAL);
	drop_object(&o);
	if (!(twz_sysinfo()->features & TWZ_FEATURE_STORE))
		return;
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, OC_CM_WB), 0);
	CHECK_EQ(twz_object_ctl(&o, OCO_CACHE_MODE, 0, 0x1000, OC_CM_UC), -EINVAL);
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
	{ "pins and ties hold an object where it is", held_where_it_is },
	{ "cache modes", cache_modes },
	{ "nothing is left behind", nothing_is_left },
};

int main(void)
{
	return KTAP_RUN(cases);
}
