// SPDX-License-Identifier: BSD-3-Clause
/*
 * Running out: of the store, and of memory where there is little. Nothing changes, deletion works.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define SMALL (64ul << 20)
#define BIG_PAGES 256ul
#define MOST 512
#define SLACK (256ul << 10)

static objid_t made[MOST];
static unsigned made_count;

static struct twz_sysinfo now(void)
{
	struct twz_sysinfo si;

	sys_sysinfo(&si, sizeof(si));
	return si;
}

static bool small_store(void)
{
	if (!have_store())
		return false;
	if (now().pm_free <= SMALL)
		return true;
	ktap_skip("a store with more than 64 MiB free takes too long to fill");
	return false;
}

/* Big objects until no more fits; returns the error that ended it. */
static long fill_with_copies(twzobj *big, uint16_t backing)
{
	struct twz_ocreate_source s = { .id = twz_object_guid(big) };
	long r = 0;

	made_count = 0;
	while (made_count < MOST) {
		r = create_from(&made[made_count], &s, 1, TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL, backing);
		if (r < 0)
			break;
		made_count++;
	}
	return r;
}

static void delete_made(void)
{
	while (made_count)
		CHECK_EQ(sys_odelete(made[--made_count], TWZ_OD_IMMEDIATE), 0);
}

static int big_object(twzobj *o)
{
	int r = new_object(o);

	for (uint64_t p = 1; r == 0 && p <= BIG_PAGES; p++)
		for (unsigned w = 0; w < 512; w += 16)
			page_word(o, p)[w] = p * 512 + w;
	return r;
}

static uint64_t wrong_words(twzobj *o)
{
	uint64_t wrong = 0;

	for (uint64_t p = 1; p <= BIG_PAGES; p++)
		for (unsigned w = 0; w < 512; w += 16)
			wrong += page_word(o, p)[w] != p * 512 + w;
	return wrong;
}

/* With the store full: everything that needs space is refused, and changes nothing. */
static void refused_when_full(twzobj *big)
{
	uint64_t free = now().pm_free;
	struct kernel_ostat st;
	twzobj o;

	CHECK_EQ(twz_object_new(&o, big, NULL, OBJ_PERSISTENT, NEW_FLAGS), -ENOSPC);
	CHECK_EQ(twz_object_ctl(big, OCO_PERSIST, 1), -ENOSPC);
	CHECK_EQ(twz_object_kstat(big, &st), 0);
	CHECK_EQ(st.backing, TWZ_BACKING_VOLATILE);
	CHECK_EQ(wrong_words(big), 0);
	CHECK_EQ(twz_object_new(&o, big, NULL, OBJ_PERSISTENT,
		     TWZ_OC_HASHDATA | TWZ_OC_DFL_READ | TWZ_OC_TIED_NONE), -ENOSPC);
	CHECK(now().pm_free <= free + SLACK && free <= now().pm_free + SLACK);
}

static void full_store(void)
{
	uint64_t before;
	twzobj big;

	if (!small_store())
		return;
	NEED(big_object(&big) == 0);
	before = now().pm_free;
	CHECK_EQ(fill_with_copies(&big, TWZ_BACKING_PERSISTENT), -ENOSPC);
	ktap_note("%u objects of 1 MiB in %lu KiB", made_count, (unsigned long)(before >> 10));
	refused_when_full(&big);
	delete_made();
	CHECK(now().pm_free + SLACK >= before);
	drop_object(&big);
}

/* Full to the last small object; then one goes, and one fits again. */
static void last_small_object(void)
{
	uint64_t before;
	objid_t id;
	twzobj big;
	static objid_t small[4096];
	unsigned count = 0;
	long r = 0;

	if (!small_store())
		return;
	NEED(big_object(&big) == 0);
	before = now().pm_free;
	fill_with_copies(&big, TWZ_BACKING_PERSISTENT);
	while (count < 4096) {
		r = twz_object_create(NEW_FLAGS | TWZ_OC_PERSIST, 0, 0, &id);
		if (r < 0)
			break;
		small[count++] = id;
	}
	CHECK_EQ(r, -ENOSPC);
	if (made_count)
		CHECK_EQ(sys_odelete(made[--made_count], TWZ_OD_IMMEDIATE), 0);
	CHECK_EQ(twz_object_create(NEW_FLAGS | TWZ_OC_PERSIST, 0, 0, &id), 0);
	CHECK_EQ(twz_object_delete_guid(id, 0), 0);
	while (count)
		CHECK_EQ(twz_object_delete_guid(small[--count], 0), 0);
	delete_made();
	CHECK(now().pm_free + SLACK >= before);
	drop_object(&big);
}

static void write_on(void *arg)
{
	for (uint64_t p = 1;; p++)
		*page_word(arg, p) = p;
}

static void full_memory(void)
{
	uint64_t before, p = 1;
	objid_t id;
	twzobj o, big;

	if (now().mem_total > SMALL) {
		ktap_skip("more than 64 MiB of memory take too long to fill");
		return;
	}
	NEED(big_object(&big) == 0);
	NEED(new_object(&o) == 0);
	before = memory_free();
	CHECK_EQ(exit_code_of(write_on, &o), THRD_EXIT_FAULT(FAULT_PAGE));
	while (p < before / TWZ_PAGE_SIZE / 2 && *page_word(&o, p) == p)
		p++;
	CHECK_EQ(p, before / TWZ_PAGE_SIZE / 2);
	CHECK_EQ(wrong_words(&big), 0);
	/* Slab pages and CPU caches may hold room for a few. */
	for (made_count = 0; made_count < MOST; made_count++)
		if (twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &made[made_count]) < 0)
			break;
	CHECK(made_count < MOST);
	CHECK_EQ(twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &id), -ENOMEM);
	delete_made();
	drop_object(&o);
	CHECK(memory_free() + SLACK >= before);
	CHECK_EQ(wrong_words(&big), 0);
	drop_object(&big);
}

static const struct ktap_case cases[] = {
	{ "T60: a full store", full_store },
	{ "the last small object", last_small_object },
	{ "no memory", full_memory },
};

int main(void)
{
	return KTAP_RUN(cases);
}
