// SPDX-License-Identifier: BSD-3-Clause
/*
 * Large objects: their creation and deletion take many steps, between which others run, threads end
 * and memory goes away. Seen from outside each is one step, and leaves nothing behind when it
 * fails.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_DEL)
#define PAGES 3000ul
#define SLACK (512ul << 10)

static int fill(twzobj *o, uint64_t pages, uint64_t seed)
{
	int r = new_object(o);

	for (uint64_t p = 1; r == 0 && p <= pages; p++)
		*page_word(o, p) = seed + p;
	return r;
}

static uint64_t store_free_bytes(void)
{
	struct twz_sysinfo si;

	sys_sysinfo(&si, sizeof(si));
	return si.pm_free;
}

/* Pages 1001 … 1700 come from b, 2001 … 2500 are holes, the rest from a. */
static void three_sources(uint16_t backing)
{
	struct twz_ocreate_source s[3];
	uint64_t wrong = 0;
	twzobj a, b, made;
	objid_t id;

	NEED(fill(&a, PAGES, 10000) == 0 && fill(&b, 1000, 50000) == 0);
	s[0] = (struct twz_ocreate_source){ .id = twz_object_guid(&a) };
	s[1] = page_range(twz_object_guid(&b), 1, 700, 1001);
	s[2] = page_range(0, 2001, 500, 2001);
	NEED(create_from(&id, s, 3, FLAGS, backing) == 0);
	NEED(twz_object_init_guid(&made, id, ACCESS_RW) == 0);
	for (uint64_t p = 1; p <= PAGES; p++) {
		uint64_t want = p > 1000 && p <= 1700 ? 50000 + p - 1000 : p > 2000 && p <= 2500 ? 0 : 10000 + p;

		wrong += *page_word(&made, p) != want;
	}
	CHECK_EQ(wrong, 0);
	*page_word(&made, 1) = 1;
	CHECK_EQ(*page_word(&a, 1), 10001);
	drop_object(&made);
	drop_object(&b);
	drop_object(&a);
}

static void many_steps(void)
{
	three_sources(TWZ_BACKING_VOLATILE);
	if (have_store())
		three_sources(TWZ_BACKING_PERSISTENT);
}

static void named_by_content(void)
{
	uint32_t persist = twz_sysinfo()->features & TWZ_FEATURE_STORE ? TWZ_OC_PERSIST : 0;
	const uint32_t flags = TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL | TWZ_OC_HASHDATA | TWZ_OC_ZERONONCE | persist;
	objid_t first, again;
	twzobj a, made;

	NEED(fill(&a, PAGES, 1) == 0);
	NEED(sys_ocreate(flags, 0, twz_object_guid(&a), &first) == 0);
	CHECK_EQ(sys_ocreate(flags, 0, twz_object_guid(&a), &again), 0);
	CHECK(first == again);
	NEED(twz_object_init_guid(&made, first, FE_READ) == 0);
	CHECK_EQ(*page_word(&made, PAGES), 1 + PAGES);
	twz_object_release(&made);
	CHECK_EQ(sys_odelete(first, TWZ_OD_IMMEDIATE), 0);
	drop_object(&a);
}

/* A creation goes on while the thread that wants it is ended. */

static twzobj source, parent;
static uint32_t create_flags;
static atomic_ulong begun;

/* Tied, so that what is complete when the thread ends does not stay either. */
static void create_for_ever(void *arg)
{
	const objid_t tie = twz_object_guid(&parent);
	struct twz_ocreate_source s = { .id = twz_object_guid(&source) };

	(void)arg;
	for (;;) {
		struct twz_ocreate_spec spec = {
			.srcs = (uintptr_t)&s, .srcs_len = 1, .ties = (uintptr_t)&tie, .ties_len = 1,
			.flags = create_flags, .lifetime = 1,
		};

		atomic_store(&begun, 1);
		if (sys_ocreate2(&spec) == 0)
			sys_otie(tie, spec.result, OTIE_UNTIE);
	}
}

static void end_one(int wait)
{
	struct thread t;

	NEED(new_object(&parent) == 0);
	atomic_store(&begun, 0);
	NEED(run_thread(&t, create_for_ever, NULL) == 0);
	while (!atomic_load(&begun))
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	for (int i = 0; i < wait; i++)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 0), 0);
	finish_thread(&t);
	drop_object(&parent);
}

static void ended_in_the_middle(uint32_t flags)
{
	uint64_t memory = 0, store = 0;

	create_flags = flags;
	for (int i = 0; i < 12; i++) {
		end_one(i);
		if (i == 3) {
			memory = memory_free();
			store = store_free_bytes();
		}
	}
	CHECK(memory_free() + SLACK >= memory);
	CHECK(store_free_bytes() + SLACK >= store);
}

static void threads_end(void)
{
	NEED(fill(&source, PAGES, 1) == 0);
	ended_in_the_middle(FLAGS);
	ended_in_the_middle(TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL | TWZ_OC_HASHDATA);
	if (twz_sysinfo()->features & TWZ_FEATURE_STORE)
		ended_in_the_middle(FLAGS | TWZ_OC_PERSIST);
	drop_object(&source);
}

/*
 * The place for the ID goes away meanwhile: then there is no object, and its parent holds nothing.
 */

static twzobj place;
static atomic_ulong result;

static void create_there(void *arg)
{
	(void)arg;
	atomic_store(&begun, 1);
	atomic_store(&result, (unsigned long)sys_ocreate2(twz_object_base(&place)));
}

static long create_and_unmap(int wait)
{
	struct twz_ocreate_source *s;
	struct twz_ocreate_spec *spec;
	objid_t *tie;
	struct thread t;

	if (new_object(&place) < 0)
		return -ENOMEM;
	spec = twz_object_base(&place);
	s = (void *)(spec + 1);
	tie = (void *)(s + 1);
	*s = (struct twz_ocreate_source){ .id = twz_object_guid(&source) };
	*tie = twz_object_guid(&parent);
	*spec = (struct twz_ocreate_spec){
		.srcs = (uintptr_t)s, .srcs_len = 1, .ties = (uintptr_t)tie, .ties_len = 1, .flags = FLAGS, .lifetime = 1,
	};
	atomic_store(&begun, 0);
	if (run_thread(&t, create_there, NULL) < 0)
		return -ENOMEM;
	while (!atomic_load(&begun))
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	for (int i = 0; i < wait; i++)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	drop_object(&place);
	finish_thread(&t);
	return (long)atomic_load(&result);
}

static void nobody_to_tell(void)
{
	uint64_t memory;
	int faults = 0;

	NEED(fill(&source, PAGES, 1) == 0);
	memory = memory_free();
	for (int i = 0; i < 12; i++) {
		NEED(new_object(&parent) == 0);
		long r = create_and_unmap(i);

		CHECK(r == 0 || r == -EFAULT);
		faults += r == -EFAULT;
		/* What was made goes with its parent; what was not, is not. */
		if (r == -EFAULT)
			CHECK(memory_free() + SLACK >= memory);
		drop_object(&parent);
	}
	ktap_note("%d of 12 had nobody to tell", faults);
	CHECK(memory_free() + SLACK >= memory);
	drop_object(&source);
}

/* Deleted, the space is there again. */
static void deleted(enum object_backing_type type)
{
	uint64_t memory = 0, store = 0;
	objid_t id;

	for (int i = 0; i < 4; i++) {
		twzobj o;

		NEED(twz_object_new(&o, NULL, NULL, type, NEW_FLAGS) == 0);
		id = twz_object_guid(&o);
		for (uint64_t p = 1; p <= 2 * PAGES; p++)
			*page_word(&o, p) = p;
		drop_object(&o);
		CHECK(object_goes(id));
		if (i == 0) {
			memory = memory_free();
			store = store_free_bytes();
		}
	}
	CHECK(memory_free() + SLACK >= memory);
	CHECK(store_free_bytes() + SLACK >= store);
}

static void deletion(void)
{
	deleted(OBJ_VOLATILE);
	if (have_store())
		deleted(OBJ_PERSISTENT);
}

static const struct ktap_case cases[] = {
	{ "from three sources, in many steps", many_steps },
	{ "named by content", named_by_content },
	{ "threads end in the middle", threads_end },
	{ "nobody to tell", nobody_to_tell },
	{ "deletion gives everything back", deletion },
};

int main(void)
{
	return KTAP_RUN(cases);
}
