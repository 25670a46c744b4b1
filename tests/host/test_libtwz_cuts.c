// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in libtwz: adding foreign entries, storing pointers, adding and removing extensions.
 * In each state that a cut leaves, every pointer that is stored resolves, no entry and no extension
 * is half there, and what was acknowledged is there. Then every flush and every fence is left out
 * in turn, and that must show.
 */
#include "unit.h"

#include "libtwz/explore.h"

EXPLORE_SEEN_ONLY_LIBTWZ

#define LOCS 3u
#define EXTS 2u
#define ENTRY_FLAGS (_FE_VALID | _FE_ALLOC | FE_READ)

/* What has been acknowledged, and what may be there. */
static bool stored[LOCS], ext_added[EXTS], ext_removed[EXTS], ext_tried[EXTS];

static objid_t target(unsigned i)
{
	return MKID(0x7000 + i, 0x8000 + i);
}

static uint64_t *loc(unsigned i)
{
	return (uint64_t *)twz_object_base(explore_object(0)) + i * 8;
}

/* ---- Judging ---- */

static const struct fotentry *entry_of(uint64_t index)
{
	return (const struct fotentry *)twz_object_meta(explore_object(0)) - index;
}

static bool known_target(objid_t id)
{
	for (unsigned i = 0; i < LOCS; i++)
		if (target(i) == id)
			return true;
	return false;
}

static bool pointer_resolves(unsigned i, uint32_t entries)
{
	uint64_t index = PPTR_FOTE(*loc(i));

	if (*loc(i) == 0)
		return !stored[i];
	return index > 0 && index < entries && entry_of(index)->id == target(i) &&
	       entry_of(index)->flags == ENTRY_FLAGS && PPTR_OFFSET(*loc(i)) == 0x1000 + i;
}

static bool fot_is_sound(void)
{
	uint32_t entries = twz_object_meta(explore_object(0))->fotentries;

	for (unsigned i = 0; i < LOCS; i++)
		if (!pointer_resolves(i, entries))
			return false;
	for (uint32_t i = 1; i < entries && i < 100; i++) {
		const struct fotentry *e = entry_of(i);

		if ((e->flags & _FE_VALID) &&
		    (!known_target(e->id) || e->info != 0 || e->flags != ENTRY_FLAGS))
			return false;
	}
	return entries >= 1 && entries < 100;
}

static uint64_t ext_tag(unsigned i)
{
	return 0x5000 + i;
}

static bool exts_are_sound(void)
{
	const struct metainfo *mi = twz_object_meta(explore_object(0));
	bool found[EXTS] = { false };

	for (unsigned i = 0; i < 32; i++) {
		uint64_t tag = mi->exts[i].tag;

		if (tag == 0 || tag == METAEXT_CLAIMED)
			continue;
		if (tag < ext_tag(0) || tag >= ext_tag(EXTS) || !ext_tried[tag - ext_tag(0)] ||
		    mi->exts[i].ptr != 0x2000 + tag || found[tag - ext_tag(0)])
			return false;
		found[tag - ext_tag(0)] = true;
	}
	for (unsigned i = 0; i < EXTS; i++)
		if (found[i] ? ext_removed[i] : ext_added[i])
			return false;
	return true;
}

/* Life goes on after the cut: new entries do no harm to what is there. */
static bool goes_on(void)
{
	twzobj *o = explore_object(0);

	return twz_object_addfot(o, target(0), FE_READ) > 0 &&
	       twz_object_addfot(o, target(LOCS - 1), FE_READ) > 0 && fot_is_sound();
}

static const char *judge(void)
{
	if (!fot_is_sound())
		return "the FOT";
	if (!exts_are_sound())
		return "the extensions";
	return goes_on() ? NULL : "adding entries afterwards";
}

/* ---- The run ---- */

static void store_pointer(unsigned i)
{
	twzobj to = { .id = target(i) };
	void *p = (void *)(0x1000ul + i);
	int r = __twz_ptr_store_guid(explore_object(0), loc(i), &to, p, FE_READ);

	assert_int_equal(r, 0);
	stored[i] = true;
	explore_step_end();
}

static void add_ext(unsigned i)
{
	void *at = (void *)(uintptr_t)(0x2000 + ext_tag(i));

	ext_tried[i] = true;
	explore_step_begin();
	assert_int_equal(twz_object_addext(explore_object(0), ext_tag(i), at), 0);
	ext_added[i] = true;
	explore_step_end();
}

static void remove_ext(unsigned i)
{
	ext_added[i] = false;
	explore_step_begin();
	assert_int_equal((twz_object_delext)(explore_object(0), ext_tag(i)), 0);
	ext_removed[i] = true;
	explore_step_end();
}

static void operation(void)
{
	memset(stored, 0, sizeof(stored));
	memset(ext_added, 0, sizeof(ext_added));
	memset(ext_removed, 0, sizeof(ext_removed));
	memset(ext_tried, 0, sizeof(ext_tried));
	store_pointer(0);
	add_ext(0);
	store_pointer(1);
	add_ext(1);
	remove_ext(0);
	store_pointer(2);
}

/*
 * T8. The fence after an index was handed out is what the specification asks for: what stands in
 * the entry comes with a fence of its own before anything names it.
 */
static void cuts_leave_nothing_half(void **state)
{
	static const char *const unneeded[] = { "fence take_index", NULL };
	static const struct explore_test test = {
		.objects = 1,
		.data_pages = 1,
		.operation = operation,
		.judge = judge,
		.unneeded = unneeded,
	};

	(void)state;
	explore_check(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_leave_nothing_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
