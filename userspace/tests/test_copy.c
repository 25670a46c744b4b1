// SPDX-License-Identifier: BSD-3-Clause
/*
 * Copies share pages until one side writes, and nobody can tell: not the original, not the copy,
 * not threads on other CPUs. Copying when an object is made, and into objects that exist
 * (SYS_OCOPY).
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define PAGES 64ul
#define FEW 12ul /* pages that threads fight for: each first write interrupts all CPUs */
#define CPUS 4
#define ROUNDS 5
#define WORDS (TWZ_PAGE_SIZE / 8)

static int fill(twzobj *o, uint64_t seed)
{
	int r = new_object(o);

	for (uint64_t p = 1; r == 0 && p <= PAGES; p++)
		*page_word(o, p) = seed + p;
	return r;
}

static int copy_of(twzobj *copy, twzobj *src)
{
	return twz_object_new(copy, src, NULL, OBJ_VOLATILE, NEW_FLAGS);
}

static uint64_t wrong_words(twzobj *o, uint64_t seed)
{
	uint64_t wrong = 0;

	for (uint64_t p = 1; p <= PAGES; p++)
		wrong += *page_word(o, p) != seed + p;
	return wrong;
}

static void both_ways(void)
{
	twzobj a, b;

	NEED(fill(&a, 100) == 0 && copy_of(&b, &a) == 0);
	CHECK_EQ(wrong_words(&b, 100), 0);
	for (uint64_t p = 1; p <= PAGES; p += 2)
		*page_word(&a, p) = 1;
	CHECK_EQ(wrong_words(&b, 100), 0);
	for (uint64_t p = 1; p <= PAGES; p++)
		*page_word(&b, p) = 200 + p;
	CHECK_EQ(*page_word(&a, 1), 1);
	CHECK_EQ(*page_word(&a, 2), 102);
	CHECK_EQ(wrong_words(&b, 200), 0);
	drop_object(&a);
	CHECK_EQ(wrong_words(&b, 200), 0);
	drop_object(&b);
}

static void copies_of_copies(void)
{
	enum { COUNT = 8 };
	twzobj o[COUNT];

	NEED(fill(&o[0], 100) == 0);
	for (int i = 1; i < COUNT; i++)
		NEED(copy_of(&o[i], &o[i - 1]) == 0);
	for (int i = 0; i < COUNT; i += 2)
		for (uint64_t p = 1; p <= PAGES; p++)
			*page_word(&o[i], p) = 1000u * (unsigned)i + p;
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(wrong_words(&o[i], i % 2 ? 100 : 1000u * (unsigned)i), 0);
	for (int i = 0; i < COUNT; i += 2)
		drop_object(&o[i]);
	for (int i = 1; i < COUNT; i += 2) {
		CHECK_EQ(wrong_words(&o[i], 100), 0);
		drop_object(&o[i]);
	}
}

/* A copy is cheap until it is written, costs its pages then, and gives them back. */
static void memory(void)
{
	uint64_t before, shared, written, after;
	twzobj a, b;

	NEED(fill(&a, 1) == 0);
	for (int i = 0; i < 3; i++) {
		NEED(copy_of(&b, &a) == 0);
		*page_word(&b, 1) = 1;
		drop_object(&b);
	}
	before = memory_free();
	NEED(copy_of(&b, &a) == 0);
	shared = memory_free();
	for (uint64_t p = 1; p <= PAGES; p++)
		*page_word(&b, p) = p;
	written = memory_free();
	drop_object(&b);
	after = memory_free();
	ktap_note("memory: a copy %ld, all written %ld more, left %ld", (long)(before - shared),
	    (long)(shared - written), (long)(before - after));
	CHECK(before - shared < PAGES * TWZ_PAGE_SIZE / 2);
	CHECK(shared - written >= PAGES * TWZ_PAGE_SIZE);
	CHECK(after + (64 << 10) >= before);
	drop_object(&a);
}

/* --- writers go on while copies are made */

static twzobj busy;
static atomic_ulong stop;

/* Each writer has pages of its own, and is the only one to write there: nothing else may appear. */
static void keep_writing(void *arg)
{
	uint64_t me = (uint64_t)arg, value = 0;

	while (!atomic_load(&stop)) {
		value++;
		for (uint64_t p = 1 + me; p <= FEW; p += CPUS)
			for (unsigned w = 0; w < WORDS; w += 64)
				page_word(&busy, p)[w] = me << 48 | value;
		for (uint64_t p = 1 + me; p <= FEW; p += CPUS)
			for (unsigned w = 0; w < WORDS; w += 64)
				if (page_word(&busy, p)[w] != (me << 48 | value))
					twz_thread_exit(1);
	}
}

static uint64_t digest(twzobj *o)
{
	uint64_t sum = 0;

	for (uint64_t p = 1; p <= FEW; p++)
		for (unsigned w = 0; w < WORDS; w += 64)
			sum = sum * 0x9e3779b97f4a7c15ull + page_word(o, p)[w];
	return sum;
}

/* A page of the copy holds what its writer wrote last, and in part what it wrote before. */
static uint64_t torn_pages(twzobj *o)
{
	uint64_t torn = 0;

	for (uint64_t p = 1; p <= FEW; p++) {
		uint64_t first = page_word(o, p)[0], me = (p - 1) % CPUS;

		for (unsigned w = 0; w < WORDS; w += 64) {
			uint64_t v = page_word(o, p)[w];
			bool fits = v == first || v + 1 == first;

			torn += !(fits && (v >> 48 == me || v == 0));
		}
	}
	return torn;
}

static void copy_and_look(int round)
{
	uint64_t sum;
	twzobj copy;

	NEED(copy_of(&copy, &busy) == 0);
	sum = digest(&copy);
	for (int i = 0; i < 3; i++) {
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
		CHECK(digest(&copy) == sum);
	}
	CHECK_EQ(torn_pages(&copy), 0);
	for (uint64_t p = 1 + (unsigned)round % 3; p <= FEW; p += 3)
		memset((void *)page_word(&copy, p), 0xcc, TWZ_PAGE_SIZE);
	drop_object(&copy);
}

static void writers_go_on(void)
{
	struct thread t[CPUS];

	NEED(new_object(&busy) == 0);
	atomic_store(&stop, 0);
	for (uintptr_t i = 0; i < CPUS; i++)
		NEED(run_thread(&t[i], keep_writing, (void *)i) == 0);
	for (int i = 0; i < ROUNDS; i++)
		copy_and_look(i);
	atomic_store(&stop, 1);
	for (int i = 0; i < CPUS; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	drop_object(&busy);
}

/* --- both sides part at the same moment, while others read */

#define OLD 0x01d
#define FROM_A 0xa
#define FROM_B 0xb

static twzobj side[2];
static atomic_ulong started, at_page;

static void write_side(void *arg)
{
	uint64_t me = (uint64_t)arg;

	atomic_fetch_add(&started, 1);
	for (uint64_t p = 1; p <= FEW; p++) {
		while (atomic_load(&at_page) < p)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
		*page_word(&side[me], p) = me ? FROM_B : FROM_A;
	}
}

static void read_side(void *arg)
{
	uint64_t me = (uint64_t)arg, foreign = me ? FROM_A : FROM_B;

	atomic_fetch_add(&started, 1);
	while (!atomic_load(&stop)) {
		uint64_t p = atomic_load(&at_page);

		for (int i = 0; p && i < 50; i++)
			if (*page_word(&side[me], p) == foreign)
				twz_thread_exit(1);
	}
}

static void part_once(void)
{
	struct thread t[4];

	NEED(new_object(&side[0]) == 0);
	for (uint64_t p = 1; p <= FEW; p++)
		*page_word(&side[0], p) = OLD;
	NEED(copy_of(&side[1], &side[0]) == 0);
	atomic_store(&stop, 0);
	atomic_store(&started, 0);
	atomic_store(&at_page, 0);
	for (uintptr_t i = 0; i < 4; i++)
		NEED(run_thread(&t[i], i < 2 ? write_side : read_side, (void *)(i % 2)) == 0);
	while (atomic_load(&started) < 4)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	for (uint64_t p = 1; p <= FEW; p++) {
		atomic_store(&at_page, p);
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	}
	CHECK_EQ(finish_thread(&t[0]), 0);
	CHECK_EQ(finish_thread(&t[1]), 0);
	atomic_store(&stop, 1);
	CHECK_EQ(finish_thread(&t[2]), 0);
	CHECK_EQ(finish_thread(&t[3]), 0);
	drop_object(&side[0]);
	drop_object(&side[1]);
}

static void sides_part(void)
{
	for (int i = 0; i < 4; i++)
		part_once();
}

/* --- many copies of one object come and go on all CPUs */

static void copy_and_drop(void *arg)
{
	uint64_t me = (uint64_t)arg;
	twzobj copy;

	for (int i = 0; i < ROUNDS; i++) {
		if (copy_of(&copy, &busy) < 0)
			twz_thread_exit(1);
		for (uint64_t p = 1; p <= FEW; p += 2)
			*page_word(&copy, p) = me;
		for (uint64_t p = 1; p <= FEW; p++)
			if (*page_word(&copy, p) != (p % 2 ? me : 100 + p))
				twz_thread_exit(2);
		drop_object(&copy);
	}
}

static void copies_come_and_go(void)
{
	uint64_t before = 0, after;
	struct thread t[CPUS];

	NEED(fill(&busy, 100) == 0);
	for (int round = 0; round < 3; round++) {
		for (uintptr_t i = 0; i < CPUS; i++)
			NEED(run_thread(&t[i], copy_and_drop, (void *)i) == 0);
		for (int i = 0; i < CPUS; i++)
			CHECK_EQ(finish_thread(&t[i]), 0);
		if (round == 0)
			before = memory_free();
	}
	after = memory_free();
	ktap_note("memory free: %lu before, %lu after", (unsigned long)before, (unsigned long)after);
	CHECK(after + (256 << 10) >= before);
	CHECK_EQ(wrong_words(&busy, 100), 0);
	drop_object(&busy);
}

static void pinned_source(void)
{
	twzobj a, b;

	NEED(fill(&a, 100) == 0 && copy_of(&b, &a) == 0);
	CHECK_EQ(twz_object_pin(&a, NULL, 0), 0);
	*page_word(&a, 1) = 1;
	CHECK_EQ(wrong_words(&b, 100), 0);
	drop_object(&b);
	NEED(copy_of(&b, &a) == 0);
	*page_word(&a, 2) = 2;
	CHECK_EQ(*page_word(&b, 1), 1);
	CHECK_EQ(*page_word(&b, 2), 102);
	CHECK_EQ(twz_object_pin(&a, NULL, OP_UNPIN), 0);
	CHECK_EQ(twz_object_pin(&a, NULL, OP_UNPIN), -EINVAL);
	drop_object(&a);
	drop_object(&b);
}

/* A pin keeps an object that is deleted, and that no one has mapped. */
static void pins_keep(void)
{
	uintptr_t addr = 5;
	twzobj a;
	objid_t id;

	NEED(fill(&a, 100) == 0);
	id = twz_object_guid(&a);
	CHECK_EQ(twz_object_pin(&a, &addr, 0), -ENOTSUP);
	CHECK_EQ(addr, 5);
	CHECK_EQ(twz_object_pin(&a, NULL, OP_UNPIN), -EINVAL);
	CHECK_EQ(twz_object_pin(&a, NULL, 2), -EINVAL);
	CHECK_EQ(sys_opin(missing_id(), NULL, 0), -ENOENT);
	CHECK_EQ(twz_object_pin(&a, NULL, 0), 0);
	CHECK_EQ(twz_object_pin(&a, NULL, 0), 0);
	twz_object_delete(&a, 0);
	twz_object_release(&a);
	CHECK(object_exists(id));
	CHECK_EQ(sys_opin(id, NULL, OP_UNPIN), 0);
	CHECK(object_exists(id));
	CHECK_EQ(sys_opin(id, NULL, OP_UNPIN), 0);
	CHECK(!object_exists(id));
}

static void between_memory_and_store(void)
{
	twzobj a, p, q, b;

	if (!have_store())
		return;
	NEED(fill(&a, 100) == 0);
	NEED(twz_object_new(&p, &a, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	NEED(twz_object_new(&q, &p, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	NEED(copy_of(&b, &q) == 0);
	*page_word(&a, 1) = 1;
	*page_word(&p, 2) = 2;
	*page_word(&q, 3) = 3;
	*page_word(&b, 4) = 4;
	for (uint64_t n = 1; n <= 4; n++) {
		CHECK_EQ(*page_word(&a, n), n == 1 ? 1 : 100 + n);
		CHECK_EQ(*page_word(&p, n), n == 2 ? 2 : 100 + n);
		CHECK_EQ(*page_word(&q, n), n == 3 ? 3 : 100 + n);
		CHECK_EQ(*page_word(&b, n), n == 4 ? 4 : 100 + n);
	}
	drop_object(&a);
	drop_object(&p);
	CHECK_EQ(*page_word(&q, PAGES), 100 + PAGES);
	drop_object(&q);
	CHECK_EQ(*page_word(&b, PAGES), 100 + PAGES);
	drop_object(&b);
}

/* --- SYS_OCOPY */

static long ocopy(twzobj *to, uint64_t to_page, twzobj *src, uint64_t from_page, uint64_t count)
{
	objid_t d = twz_object_guid(to), s = src ? twz_object_guid(src) : 0;

	return sys_ocopy(&d, &s, to_page * TWZ_PAGE_SIZE, from_page * TWZ_PAGE_SIZE,
	    count * TWZ_PAGE_SIZE, 0);
}

static void into_an_object(enum object_backing_type type)
{
	twzobj a, b;

	NEED(fill(&a, 100) == 0);
	NEED(twz_object_new(&b, NULL, NULL, type, NEW_FLAGS) == 0);
	for (uint64_t p = 1; p <= PAGES; p++)
		*page_word(&b, p) = 500 + p;
	CHECK_EQ(ocopy(&b, 3, &a, 1, 2), 0);
	CHECK_EQ(*page_word(&b, 2), 502);
	CHECK_EQ(*page_word(&b, 3), 101);
	CHECK_EQ(*page_word(&b, 4), 102);
	CHECK_EQ(*page_word(&b, 5), 505);
	*page_word(&a, 1) = 1;
	*page_word(&b, 4) = 2;
	CHECK_EQ(*page_word(&b, 3), 101);
	CHECK_EQ(*page_word(&a, 2), 102);
	CHECK_EQ(ocopy(&b, 6, &a, PAGES + 10, 1), 0);
	CHECK_EQ(*page_word(&b, 6), 0);
	CHECK_EQ(ocopy(&b, 7, NULL, 1, 2), 0);
	CHECK_EQ(*page_word(&b, 7), 0);
	CHECK_EQ(*page_word(&b, 8), 0);
	CHECK_EQ(*page_word(&b, 9), 509);
	CHECK_EQ(ocopy(&b, 20, &b, 30, 10), 0);
	CHECK_EQ(*page_word(&b, 29), 539);
	*page_word(&b, 39) = 1;
	CHECK_EQ(*page_word(&b, 29), 539);
	drop_object(&a);
	drop_object(&b);
}

static void into_volatile(void)
{
	into_an_object(OBJ_VOLATILE);
}

static void into_persistent(void)
{
	if (have_store())
		into_an_object(OBJ_PERSISTENT);
}

static void bad_ranges(void)
{
	objid_t d, none = missing_id(), zero = 0;
	twzobj a;

	NEED(fill(&a, 100) == 0);
	d = twz_object_guid(&a);
	CHECK_EQ(sys_ocopy(&d, &zero, 0x1000, 0x1000, 0x1000, 1), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &zero, 0, 0x1000, 0x1000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &d, 0x2000, 0, 0x1000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &zero, 0x1008, 0x1000, 0x1000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &d, 0x1000, 0x8008, 0x1000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &zero, 0x1000, 0x1000, 0x1001, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &zero, 0x1000, 0x1000, OBJ_MAXSIZE, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &zero, -0x1000ul, 0x1000, 0x2000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &d, 0x1000, -0x1000ul, 0x2000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &d, 0x1000, 0x2000, 0x2000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &d, 0x2000, 0x1000, 0x2000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&d, &d, 0x1000, 0x1000, 0x1000, 0), -EINVAL);
	CHECK_EQ(sys_ocopy(&none, &zero, 0x1000, 0x1000, 0x1000, 0), -ENOENT);
	CHECK_EQ(sys_ocopy(&d, &none, 0x1000, 0x1000, 0x1000, 0), -ENOENT);
	CHECK_EQ(sys_ocopy(NULL, &zero, 0x1000, 0x1000, 0x1000, 0), -EFAULT);
	CHECK_EQ(sys_ocopy(&d, NULL, 0x1000, 0x1000, 0x1000, 0), -EFAULT);
	CHECK_EQ(wrong_words(&a, 100), 0);
	CHECK_EQ(ocopy(&a, PAGES, NULL, 1, 1), 0);
	CHECK_EQ(*page_word(&a, PAGES), 0);
	drop_object(&a);
}

/* Metadata that is copied over another object's does not match its ID: nothing is granted. */
static void onto_the_metadata(void)
{
	objid_t copy;
	twzobj a, b;

	NEED(fill(&a, 100) == 0 && fill(&b, 200) == 0);
	CHECK_EQ(ocopy(&b, OBJ_MAXPAGES - 1, &a, OBJ_MAXPAGES - 1, 1), 0);
	CHECK_EQ(sys_ocreate(TWZ_OC_DFL_READ, 0, twz_object_guid(&b), &copy), -EINVLOBJ);
	CHECK_EQ(sys_ocreate(TWZ_OC_DFL_READ, 0, twz_object_guid(&a), &copy), 0);
	sys_odelete(copy, TWZ_OD_IMMEDIATE);
	drop_object(&a);
	drop_object(&b);
}

/* --- copies into an object that others read and write: each page is old or new */

static atomic_ulong epoch;

static void watch_pages(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		uint64_t before = atomic_load(&epoch);

		for (uint64_t p = 1; p <= FEW; p++) {
			uint64_t v = *page_word(&side[1], p);

			if (v && (v & 0xffff) != p)
				twz_thread_exit(1);
			if (v && v >> 16 < before)
				twz_thread_exit(2);
		}
	}
}

static void copying_under_readers(void)
{
	struct thread t[CPUS];

	NEED(new_object(&side[0]) == 0 && new_object(&side[1]) == 0);
	atomic_store(&stop, 0);
	atomic_store(&epoch, 0);
	for (int i = 0; i < CPUS; i++)
		NEED(run_thread(&t[i], watch_pages, NULL) == 0);
	for (uint64_t e = 1; e <= 2 * ROUNDS; e++) {
		for (uint64_t p = 1; p <= FEW; p++)
			*page_word(&side[0], p) = e << 16 | p;
		CHECK_EQ(ocopy(&side[1], 1, &side[0], 1, FEW), 0);
		atomic_store(&epoch, e);
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < CPUS; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	drop_object(&side[0]);
	drop_object(&side[1]);
}

static void copy_to_and_fro(void *arg)
{
	uint64_t me = (uint64_t)arg % 2;

	for (int i = 0; i < 20; i++)
		if (ocopy(&side[me], 1, &side[1 - me], 1, PAGES) != 0)
			twz_thread_exit(1);
}

/* Both directions at once, on all CPUs: nobody waits for ever. */
static void crosswise(void)
{
	struct thread t[CPUS];

	NEED(fill(&side[0], 100) == 0 && fill(&side[1], 100) == 0);
	for (uintptr_t i = 0; i < CPUS; i++)
		NEED(run_thread(&t[i], copy_to_and_fro, (void *)i) == 0);
	for (int i = 0; i < CPUS; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	CHECK_EQ(wrong_words(&side[0], 100), 0);
	CHECK_EQ(wrong_words(&side[1], 100), 0);
	drop_object(&side[0]);
	drop_object(&side[1]);
}

static const struct ktap_case cases[] = {
	{ "neither side sees the other's writes", both_ways },
	{ "copies of copies", copies_of_copies },
	{ "memory", memory },
	{ "a copy does not change while its source is written on all CPUs", writers_go_on },
	{ "both sides part at the same moment", sides_part },
	{ "copies come and go on all CPUs", copies_come_and_go },
	{ "a pinned source", pinned_source },
	{ "pins keep", pins_keep },
	{ "between memory and store", between_memory_and_store },
	{ "ocopy into a volatile object", into_volatile },
	{ "ocopy into a persistent object", into_persistent },
	{ "ocopy refuses bad ranges", bad_ranges },
	{ "ocopy onto the metadata", onto_the_metadata },
	{ "ocopy under readers", copying_under_readers },
	{ "ocopy crosswise", crosswise },
};

int main(void)
{
	return KTAP_RUN(cases);
}
