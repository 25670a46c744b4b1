// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts while pointers that are bound late are stored: what is stored leads to a valid entry
 * with its name, and every string that the allocator gave out is owned by an entry.
 */
#include "unit.h"

#include "libtwz/explore.h"

#include <twz/alloc.h>

#include "../../userspace/libtwz/src/fot.h"

EXPLORE_SEEN_ONLY_LIBTWZ

#define LOCS 2u

static const char *const names[LOCS] = { "first", "the-second-name-is-longer-than-the-first" };
static bool stored[LOCS];

static uint64_t *loc(unsigned i)
{
	return (uint64_t *)twz_object_base(explore_object(0)) + i * 8;
}

static const char *string_of(const struct fotentry *fe)
{
	return (const char *)twz_object_base(explore_object(0)) - OBJ_NULLPAGE_SIZE + fe->name.data;
}

static const char *judge_pointer(unsigned i)
{
	uint64_t index = PPTR_FOTE(*loc(i));
	const struct fotentry *fe;

	if (!*loc(i))
		return stored[i] ? "what was stored is gone" : NULL;
	if (!index || index >= twz_object_meta(explore_object(0))->fotentries)
		return "no such entry";
	fe = __twz_fot_entry(explore_object(0), index);
	if (fe->flags != (_FE_VALID | _FE_ALLOC | FE_NAME | FE_READ) || fe->name.nresolver != 1)
		return "the entry is not whole";
	return fe->name.data && strcmp(string_of(fe), names[i]) == 0 ? NULL : "it has another name";
}

static bool owned(uint64_t offset)
{
	uint32_t n = twz_object_meta(explore_object(0))->fotentries;

	for (uint32_t e = 1; e < n; e++)
		if (__twz_fot_entry(explore_object(0), e)->name.data == offset)
			return true;
	return false;
}

/* Also of those that nothing leads to. */
static bool all_whole(void)
{
	uint32_t n = twz_object_meta(explore_object(0))->fotentries;

	for (uint32_t e = 1; e < n; e++) {
		const struct fotentry *fe = __twz_fot_entry(explore_object(0), e);

		if (fe->flags & _FE_VALID &&
		    (!(fe->flags & FE_NAME) || fe->name.nresolver != 1 || !fe->name.data))
			return false;
	}
	return true;
}

static bool seen_unowned;

static int look_at(void *p, size_t len, void *data)
{
	(void)len, (void)data;
	seen_unowned |= !owned((uintptr_t)p & (OBJ_MAXSIZE - 1));
	return 0;
}

static const char *judge(void)
{
	for (unsigned i = 0; i < LOCS; i++) {
		const char *wrong = judge_pointer(i);

		if (wrong)
			return wrong;
	}
	if (!all_whole())
		return "a valid entry is not whole";
	seen_unowned = false;
	twz_alloc_walk(explore_object(0), look_at, NULL);
	return seen_unowned ? "a string that nobody owns" : NULL;
}

static void setup(void)
{
	memset(stored, 0, sizeof(stored));
	twz_object_init_alloc(explore_object(0), 4096);
}

static void operation(void)
{
	for (unsigned i = 0; i < LOCS; i++) {
		explore_step_begin();
		twz_ptr_store_name(explore_object(0), loc(i), names[i], (void *)0x1000, (void *)1, FE_READ);
		stored[i] = true;
		explore_step_end();
	}
}

static void cuts(void **state)
{
	/* The allocator's are its own test's, and it writes the entry's line back with the word that
	 * owns the string; the index is handed out by what follows, too. */
	static const char *const unneeded[] = {
		"fence take_index", "bind", "__twz_alloc_take_block", "__twz_alloc_take_chunk",
		"__twz_alloc_commit", "__twz_alloc_retire", "fence __twz_alloc_fence_for_others", NULL,
	};
	const struct explore_test test = {
		.objects = 1, .data_pages = 600, .setup = setup, .operation = operation, .judge = judge,
		.is_volatile = explore_alloc_is_volatile, .depth = 4, .unneeded = unneeded,
	};

	(void)state;
	explore_check(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cuts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
