// SPDX-License-Identifier: BSD-3-Clause
/*
 * Hash-data objects of the store, whose pages are verified one by one as they are used. Without
 * arguments a test; with arguments a step of a test that damages the media between two boots:
 *
 *     test_hash_media make NAME PAGES   a new object of so many pages
 *     test_hash_media read NAME         which of its pages can be read and copied
 *     test_hash_media first NAME PAGE   what the first access to a page takes
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/name.h>
#include <twz/sys/kec.h>

#define FLAGS (TWZ_OC_HASHDATA | TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL | TWZ_OC_ZERONONCE)
#define WORDS (TWZ_PAGE_SIZE / 8)
#define MAX_PAGES 1000 /* that can be read and told about */

/* What stands in a word of the data: the host finds a page on the media by it. */
static uint64_t content(uint64_t pgnr, uint64_t word)
{
	return 0x7a5aull << 48 | pgnr << 16 | word;
}

static void fill(twzobj *o, uint64_t pages)
{
	for (uint64_t p = 1; p <= pages; p++)
		for (uint64_t w = 0; w < WORDS; w++)
			page_word(o, p)[w] = content(p, w);
	twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, (ssize_t)(pages * TWZ_PAGE_SIZE));
}

static bool page_is_right(twzobj *o, uint64_t pgnr)
{
	for (uint64_t w = 0; w < WORDS; w++)
		if (page_word(o, pgnr)[w] != content(pgnr, w))
			return false;
	return true;
}

/* A hash-data object in the store, which the kernel knows nothing of but what stands there. */
static long make(objid_t *id, uint64_t pages)
{
	struct twz_ocreate_source source;
	twzobj draft;
	long r = new_object(&draft);

	if (r < 0)
		return r;
	fill(&draft, pages);
	source = (struct twz_ocreate_source){ .id = twz_object_guid(&draft) };
	r = create_from(id, &source, 1, FLAGS, TWZ_BACKING_PERSISTENT);
	drop_object(&draft);
	return r;
}

/* ---- The test ---- */

static void pages_in_any_order(void)
{
	enum { PAGES = 700 };
	objid_t id;
	twzobj o;

	if (!have_store())
		return;
	NEED(make(&id, PAGES) == 0);
	NEED(twz_object_init_guid(&o, id, FE_READ) == 0);
	for (uint64_t i = 0; i < PAGES; i++)
		CHECK(page_is_right(&o, i * 487 % PAGES + 1));
	CHECK_EQ(*page_word(&o, PAGES + 1), 0);
	CHECK_EQ(twz_object_meta(&o)->sz, PAGES * TWZ_PAGE_SIZE);
	drop_object(&o);
	CHECK(!object_exists(id));
}

static void copies(void)
{
	struct twz_ocreate_source range;
	objid_t id, part, zero = 0;
	twzobj o, to;

	if (!have_store())
		return;
	NEED(make(&id, 200) == 0 && new_object(&to) == 0);
	CHECK_EQ(sys_ocopy(&to.id, &id, 0x1000, 0x1000, 200 * TWZ_PAGE_SIZE, 0), 0);
	for (uint64_t p = 1; p <= 200; p++)
		CHECK(page_is_right(&to, p));
	CHECK_EQ(sys_ocopy(&to.id, &zero, 0x1000, 0x1000, TWZ_PAGE_SIZE, 0), 0);
	drop_object(&to);
	range = page_range(id, 120, 20, 120);
	NEED(create_from(&part, &range, 1, NEW_FLAGS & TWZ_SYS_OC_ALL, TWZ_BACKING_PERSISTENT) == 0);
	NEED(twz_object_init_guid(&o, part, ACCESS_RW) == 0);
	for (uint64_t p = 120; p < 140; p++)
		CHECK(page_is_right(&o, p));
	*page_word(&o, 130) = 1;
	drop_object(&o);
	NEED(twz_object_init_guid(&o, id, FE_READ) == 0);
	CHECK(page_is_right(&o, 130));
	drop_object(&o);
}

static uint64_t store_free_bytes(void)
{
	struct twz_sysinfo si;

	sys_sysinfo(&si, sizeof(si));
	return si.pm_free;
}

/* The digests go with the object. */
static void room_comes_back(void)
{
	uint64_t before;
	objid_t id;

	if (!have_store())
		return;
	NEED(make(&id, 300) == 0 && sys_odelete(id, TWZ_OD_IMMEDIATE) == 0);
	before = store_free_bytes();
	for (int i = 0; i < 5; i++) {
		NEED(make(&id, 300) == 0);
		CHECK(store_free_bytes() < before - 300 * TWZ_PAGE_SIZE);
		CHECK_EQ(sys_odelete(id, TWZ_OD_IMMEDIATE), 0);
	}
	CHECK_EQ(store_free_bytes(), before);
}

static twzobj shared;

static void read_from(void *arg)
{
	uint64_t start = (uintptr_t)arg;

	for (uint64_t i = 0; i < 300; i++)
		if (!page_is_right(&shared, (start + i) % 300 + 1))
			twz_thread_exit(1);
}

static void several_readers(void)
{
	struct thread t[4];
	objid_t id;

	if (!have_store())
		return;
	NEED(make(&id, 300) == 0 && twz_object_init_guid(&shared, id, FE_READ) == 0);
	for (uintptr_t i = 0; i < 4; i++)
		NEED(run_thread(&t[i], read_from, (void *)(i * 75)) == 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	drop_object(&shared);
}

static const struct ktap_case cases[] = {
	{ "pages in any order", pages_in_any_order },
	{ "copies of what is verified page by page", copies },
	{ "the room of an object and its digests", room_comes_back },
	{ "several readers at once", several_readers },
};

/* ---- The steps ---- */

static int make_named(const char *name, uint64_t pages)
{
	objid_t id;
	long r = make(&id, pages);

	if (r < 0 || twz_name_assign(id, name) < 0) {
		kec_printf("hash: cannot make %s (%ld)\n", name, r);
		return 1;
	}
	kec_printf("hash: made %s " IDFMT "\n", name, IDPR(id));
	return 0;
}

/* Reads on until a page faults; `at` tells which. */
struct reading {
	twzobj *o;
	volatile uint64_t at;
	uint64_t pages;
};

#define HASH_FAULT 2
#define OTHER_FAULT 3

static void end_reading(int fault, void *info, void *data)
{
	const struct fault_page_info *page = info;
	const struct reading *r = data;

	(void)fault;
	twz_thread_exit(page->info == FAULT_PAGE_HASH && page->pgnr == r->at ? HASH_FAULT : OTHER_FAULT);
}

static void read_on(void *arg)
{
	struct reading *r = arg;

	for (; r->at <= r->pages; r->at++)
		if (!page_is_right(r->o, r->at))
			twz_thread_exit(1);
}

/* What is wrong is told at the end, so that no report of a fault comes between. */
static void tell_wrong(const struct reading *r, const bool *wrong)
{
	kec_printf("hash: %lu pages, wrong:", (unsigned long)r->pages);
	for (uint64_t p = 1; p <= r->pages; p++)
		if (wrong[p])
			kec_printf(" %lu", (unsigned long)p);
	kec_printf("\n");
}

static int read_all(objid_t id)
{
	static bool wrong[MAX_PAGES + 1];
	struct reading r = { .at = 1 };
	twzobj o, to;

	if (twz_object_init_guid(&o, id, FE_READ) < 0 || new_object(&to) < 0)
		return 1;
	r.o = &o;
	r.pages = twz_object_meta(&o)->sz / TWZ_PAGE_SIZE;
	if (r.pages > MAX_PAGES)
		return 1;
	twz_fault_set(FAULT_PAGE, end_reading, &r);
	for (; r.at <= r.pages; r.at++) {
		uint64_t code = exit_code_of(read_on, &r);
		if (code == HASH_FAULT)
			wrong[r.at] = true;
		else if (code != 0)
			return 1;
	}
	tell_wrong(&r, wrong);
	kec_printf("hash: copying gives %ld\n",
	    sys_ocopy(&to.id, &id, 0x1000, 0x1000, r.pages * TWZ_PAGE_SIZE, 0));
	drop_object(&to);
	return 0;
}

static int first_access(objid_t id, uint64_t pgnr)
{
	uint64_t start = twz_clock_ns();
	twzobj o;

	if (twz_object_init_guid(&o, id, FE_READ) < 0 || *page_word(&o, pgnr) != content(pgnr, 0))
		return 1;
	kec_printf("hash: first access took %lu ns\n", (unsigned long)(twz_clock_ns() - start));
	start = twz_clock_ns();
	(void)*page_word(&o, pgnr + 1);
	kec_printf("hash: one more page took %lu ns\n", (unsigned long)(twz_clock_ns() - start));
	return 0;
}

static uint64_t number(const char *digits)
{
	uint64_t n = 0;

	while (*digits >= '0' && *digits <= '9')
		n = n * 10 + (uint64_t)(*digits++ - '0');
	return n;
}

static int step(int argc, char **argv)
{
	struct kernel_ostat st;
	objid_t id;
	long r;

	if (argc == 4 && strcmp(argv[1], "make") == 0)
		return make_named(argv[2], number(argv[3]));
	if (argc < 3 || twz_name_dfl_resolve(argv[2], 0, &id) < 0)
		return 1;
	if (argc == 4 && strcmp(argv[1], "first") == 0)
		return first_access(id, number(argv[3]));
	r = sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st);
	if (r == 0)
		return read_all(id);
	kec_printf("hash: refused with %ld\n", r);
	return 0;
}

int main(int argc, char **argv)
{
	return argc > 1 ? step(argc, argv) : KTAP_RUN(cases);
}
