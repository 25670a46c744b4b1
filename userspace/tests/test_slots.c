// SPDX-License-Identifier: BSD-3-Clause
/*
 * Slots: more objects than there are slots, what stays mapped and what does not, threads that are
 * killed while they hold the table, and noise in the table.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/sys/thread.h>

#define OBJECTS 1000u
#define IDLE_MAX 32u /* libtwz keeps so many slots mapped for nobody */

static objid_t ids[OBJECTS];

/* Slots that the view says are used. */
static size_t used_slots(void)
{
	size_t n = 0, from = twz_nslots() < 4096 ? 16 : TWZSLOT_ALLOC_START;
	uint32_t flags;

	for (size_t s = from; s < from + 2000 && s <= TWZSLOT_ALLOC_MAX; s++) {
		twz_view_get(NULL, s, NULL, &flags);
		n += (flags & VE_VALID) != 0;
	}
	return n;
}

static bool is_mapped(objid_t id)
{
	size_t from = twz_nslots() < 4096 ? 16 : TWZSLOT_ALLOC_START;
	uint32_t flags;
	objid_t there;

	for (size_t s = from; s < from + 2000 && s <= TWZSLOT_ALLOC_MAX; s++) {
		twz_view_get(NULL, s, &there, &flags);
		if (flags & VE_VALID && there == id)
			return true;
	}
	return false;
}

static bool make_objects(unsigned n)
{
	twzobj o;

	for (unsigned i = 0; i < n; i++) {
		if (new_object(&o) < 0)
			return false;
		ids[i] = twz_object_guid(&o);
		*(uint64_t *)twz_object_base(&o) = i;
		twz_object_release(&o);
	}
	return true;
}

static void delete_objects(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		CHECK_EQ(twz_object_delete_guid(ids[i], TWZ_OD_IMMEDIATE), 0);
}

static void thousand_in_turn(void)
{
	size_t before = used_slots();
	twzobj o;

	NEED(make_objects(OBJECTS));
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < OBJECTS; i++) {
			NEED(twz_object_init_guid(&o, ids[i], round ? FE_READ : ACCESS_RW) == 0);
			CHECK_EQ(*(uint64_t *)twz_object_base(&o), i);
			twz_object_release(&o);
		}
	}
	CHECK(used_slots() <= before + IDLE_MAX);
	delete_objects(OBJECTS);
	CHECK(used_slots() <= before);
}

/* The slot of what was used last is there when it is opened again. */
static void released_stays(void)
{
	twzobj o;
	void *base;

	NEED(make_objects(3));
	NEED(twz_object_init_guid(&o, ids[0], ACCESS_RW) == 0);
	base = twz_object_base(&o);
	twz_object_release(&o);
	CHECK(is_mapped(ids[0]));
	NEED(twz_object_init_guid(&o, ids[0], ACCESS_RW) == 0);
	CHECK(twz_object_base(&o) == base);
	twz_object_release(&o);
	delete_objects(3);
	CHECK(!is_mapped(ids[0]) && !object_exists(ids[0]));
}

/* What is tied goes with its last handle, also one with other access. */
static void tied_goes(void)
{
	twzobj o, reader;
	objid_t id;

	NEED(twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE) == 0);
	id = twz_object_guid(&o);
	NEED(twz_object_init_guid(&reader, id, FE_READ) == 0);
	CHECK_EQ(*(volatile uint64_t *)twz_object_base(&reader), 0);
	twz_object_release(&reader);
	twz_object_release(&o);
	CHECK(!is_mapped(id));
	CHECK_EQ(twz_object_tie_guid(twz_thread_id(), id, TIE_UNTIE), 0);
	CHECK(!object_exists(id));
}

static void deleted_goes(void)
{
	twzobj o;

	NEED(make_objects(1));
	NEED(twz_object_init_guid(&o, ids[0], ACCESS_RW) == 0);
	CHECK_EQ(twz_object_delete(&o, 0), 0);
	CHECK(object_exists(ids[0]));
	CHECK_EQ(*(volatile uint64_t *)twz_object_base(&o), 0);
	twz_object_release(&o);
	CHECK(!is_mapped(ids[0]) && !object_exists(ids[0]));
}

/* On a machine with few slots: all taken is an error, and one given back is enough. */
static void all_taken(void)
{
	static twzobj open[OBJECTS];
	unsigned n = 0;
	twzobj o;
	int r = 0;

	if (twz_nslots() > 4096) {
		ktap_skip("many slots");
		return;
	}
	NEED(make_objects(OBJECTS));
	while (n < OBJECTS && (r = twz_object_init_guid(&open[n], ids[n], ACCESS_RW)) == 0)
		n++;
	CHECK_EQ(r, -ENOSPC);
	ktap_note("%u objects open at once", n);
	CHECK(n > 150);
	CHECK(open[n].base == NULL);
	NEED(n > 7);
	twz_object_release(&open[7]);
	CHECK_EQ(twz_object_init_guid(&o, ids[n + 1], ACCESS_RW), 0);
	CHECK_EQ(*(uint64_t *)twz_object_base(&o), n + 1);
	twz_object_release(&o);
	CHECK_EQ(*(uint64_t *)twz_object_base(&open[8]), 8);
	for (unsigned i = 0; i < n; i++)
		twz_object_release(&open[i]);
	delete_objects(OBJECTS);
}

/* --- several threads */

static atomic_int over;

static void open_and_close(void *arg)
{
	unsigned first = (unsigned)(uintptr_t)arg;
	twzobj o;

	for (unsigned i = first; !atomic_load(&over); i++) {
		if (twz_object_init_guid(&o, ids[i % 60], i % 2 ? FE_READ : ACCESS_RW) < 0)
			break;
		if (*(volatile uint64_t *)twz_object_base(&o) != i % 60)
			twz_thread_exit(77);
		twz_object_release(&o);
	}
}

/* Whoever is killed may hold the table: others go on, and each finds its object. */
static void killed_in_the_table(void)
{
	struct timespec little = { 0, 300000 };
	atomic_ulong never = 0;
	struct thread steady, t;
	size_t before;
	bool kills = true;
	twzobj o;

	NEED(make_objects(60));
	before = used_slots();
	atomic_store(&over, 0);
	NEED(run_thread(&steady, open_and_close, (void *)7) == 0);
	for (unsigned i = 0; kills && i < 40; i++) {
		NEED(run_thread(&t, open_and_close, (void *)(uintptr_t)i) == 0);
		twz_thread_sync(THREAD_SYNC_SLEEP, &never, 0, &little);
		kills = sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 9) == 0;
		if (!kills)
			atomic_store(&over, 1);
		CHECK_EQ(finish_thread(&t), kills ? 9 : 0);
		for (unsigned k = 0; k < 60; k += 7) {
			NEED(twz_object_init_guid(&o, ids[k], ACCESS_RW) == 0);
			CHECK_EQ(*(volatile uint64_t *)twz_object_base(&o), k);
			twz_object_release(&o);
		}
	}
	atomic_store(&over, 1);
	CHECK_EQ(finish_thread(&steady), 0);
	delete_objects(60);
	/* Of those that were killed a few slots may stay: handle, object, stack. */
	ktap_note("%lu slots in use before, %lu after", (unsigned long)before,
	    (unsigned long)used_slots());
	CHECK(used_slots() < before + 160);
}

/* --- noise in the table, as one who shares the view could write it */

/* Another view, whose table may be spoilt. */
static void noise(void)
{
	uint64_t state = 7;
	twzobj view, o;

	NEED(make_objects(20));
	for (unsigned round = 0; round < 12; round++) {
		int r = new_view(&view);

		if (r == -ENOSYS || r == -ENOTSUP) {
			ktap_skip("no other views here");
			break;
		}
		NEED(r == 0);
		uint32_t *table = (void *)((char *)twz_object_base(&view) + VIEW_SLOT_TABLE_OFFSET);

		for (unsigned i = 0; i < 2000; i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			table[10 + (state >> 33) % (round % 2 ? 40 : 4200)] =
			    (uint32_t)(round % 3 ? state >> 32 : state >> 50);
		}
		for (unsigned i = 0; i < 20; i++) {
			ssize_t s = twz_view_allocate_slot(&view, ids[i], FE_READ);

			CHECK(s < (ssize_t)twz_nslots());
			if (s >= 0 && i % 2)
				twz_view_release_slot(&view, ids[i], FE_READ, (size_t)s);
		}
		drop_object(&view);
	}
	NEED(twz_object_init_guid(&o, ids[3], ACCESS_RW) == 0);
	CHECK_EQ(*(uint64_t *)twz_object_base(&o), 3);
	twz_object_release(&o);
	delete_objects(20);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "a thousand objects in turn", thousand_in_turn },
		{ "what was released stays mapped for a while", released_stays },
		{ "what is tied goes with its last handle", tied_goes },
		{ "what is deleted goes with its last handle", deleted_goes },
		{ "all slots taken is an error", all_taken },
		{ "threads killed in the slot table", killed_in_the_table },
		{ "noise in the slot table of a view", noise },
	};

	return KTAP_RUN(cases);
}
