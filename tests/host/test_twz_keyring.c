// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts while keys are added to a ring (userspace/libtwz/src/keyring.c): the ring is as it was
 * or has the whole entry, and what was acknowledged is there.
 */
#include "unit.h"

#include "libtwz/explore.h"

#include <twz/obj/keyring.h>

#define KEYS 4u

static unsigned added; /* acknowledged */
static bool adding;    /* one more may be there */
static bool making;

EXPLORE_SEEN_ONLY_LIBTWZ

static void print_of(unsigned n, unsigned char fp[TWZ_KEY_PRINT_SIZE])
{
	memset(fp, (int)n + 1, TWZ_KEY_PRINT_SIZE);
}

static int insert(unsigned n)
{
	unsigned char fp[TWZ_KEY_PRINT_SIZE];

	print_of(n, fp);
	return twz_keyring_insert(explore_object(0), fp, sizeof(fp), MKID(7, n), MKID(8, n));
}

static bool has(unsigned n)
{
	unsigned char fp[TWZ_KEY_PRINT_SIZE];
	objid_t pub = 0, pri = 0;

	print_of(n, fp);
	return twz_keyring_lookup(explore_object(0), fp, sizeof(fp), &pub, &pri) == 0 && pub == MKID(7, n) &&
	       pri == MKID(8, n);
}

static void add(void)
{
	explore_step_begin();
	adding = true;
	assert_int_equal(insert(added), 0);
	adding = false;
	added++;
	explore_step_end();
}

static void make_and_fill(void)
{
	added = 0;
	adding = false;
	making = true;
	explore_step_begin();
	assert_int_equal(twz_keyring_init(explore_object(0)), 0);
	making = false;
	explore_step_end();
	while (added < KEYS)
		add();
}

static const char *judge(void)
{
	const struct metaext *ext = twz_object_meta(explore_object(0))->exts;
	ssize_t count = twz_keyring_count(explore_object(0));

	if (ext->tag == KRING_METAEXT_TAG && ext->ptr != OBJ_NULLPAGE_SIZE)
		return "the extension leads elsewhere";
	if (ext->tag == KRING_METAEXT_TAG && count < 0)
		return "what the extension leads to is not whole";
	if (count < 0)
		return making ? NULL : "there is no key ring";
	if (count < added || count > added + adding)
		return "a key is missing, or too much";
	for (unsigned n = 0; n < (unsigned)count; n++)
		if (!has(n))
			return "a key is not whole";
	if (insert((unsigned)count) != 0 || !has((unsigned)count))
		return "nothing can be added any more";
	return NULL;
}

static void cuts(void **state)
{
	static const struct explore_test test = { .objects = 1, .data_pages = 4, .operation = make_and_fill,
		.judge = judge };

	(void)state;
	explore_check(&test);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
