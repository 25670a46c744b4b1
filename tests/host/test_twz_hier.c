// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts while names change: added, replaced, removed, written into the room of others, renamed.
 * After any cut all names are bound as before the change or as after it, and changes go on.
 */
#include "unit.h"

#include "libtwz/explore.h"

#include "../../userspace/libtwz/src/hier.h"

EXPLORE_SEEN_ONLY_LIBTWZ

static const char *const names[] = { "a", "bee", "a-rather-long-name-here", "d", "after", "." };
#define NAMES (sizeof(names) / sizeof(*names))
#define AFTER 4u

struct bindings {
	objid_t id[NAMES]; /* 0: none */
};

static struct bindings now, next;

static objid_t id_of(unsigned n)
{
	return MKID(0xabc + n, 0xdef + n);
}

static struct bindings as_they_are(const char **wrong)
{
	struct bindings b = { { 0 } };
	struct hier_found f;

	for (unsigned i = 0; i < NAMES; i++) {
		int r = __twz_hier_find(explore_object(0), names[i], strlen(names[i]), &f);

		if (r == 0)
			b.id[i] = f.id;
		else if (r != -ENOENT)
			*wrong = "a name cannot be looked up";
	}
	return b;
}

/* Recovery adds a name; the others are as before or after. */
static const char *judge(void)
{
	const char *wrong = NULL;
	struct bindings b = as_they_are(&wrong);
	struct twz_name_ent *e;
	size_t pos = 0;
	ssize_t n;

	b.id[AFTER] = 0;
	while ((n = twz_hier_get_entry(explore_object(0), pos, &e)) > 0)
		pos += (size_t)n;
	if (n < 0)
		return "the list is malformed";
	if (wrong)
		return wrong;
	return memcmp(&b, &now, sizeof(b)) == 0 || memcmp(&b, &next, sizeof(b)) == 0 ?
	    NULL : "names are bound to neither what was nor what is to be";
}

static void recover(void)
{
	twz_hier_assign_name(explore_object(0), names[AFTER], NAME_ENT_REGULAR, id_of(99));
}

static void setup(void)
{
	memset(&now, 0, sizeof(now));
	twz_hier_namespace_init(explore_object(0), 0);
	now.id[5] = explore_id(0);
	next = now;
}

static void assign(unsigned name, unsigned id)
{
	explore_step_begin();
	next.id[name] = id_of(id);
	twz_hier_assign_name(explore_object(0), names[name], NAME_ENT_REGULAR, id_of(id));
	now = next;
	explore_step_end();
}

static void drop(unsigned name)
{
	explore_step_begin();
	next.id[name] = 0;
	twz_hier_remove_name(explore_object(0), names[name]);
	now = next;
	explore_step_end();
}

static void rename_to(unsigned from, unsigned to)
{
	explore_step_begin();
	next.id[to] = next.id[from];
	next.id[from] = 0;
	twz_hier_rename(explore_object(0), names[from], explore_object(0), names[to]);
	now = next;
	explore_step_end();
}

static void additions(void)
{
	assign(0, 1);
	assign(2, 2);
	assign(1, 3);
	assign(1, 4);
	drop(0);
}

static void room_used_again(void)
{
	assign(0, 1);
	assign(1, 2);
	drop(0);
	assign(3, 3);
	assign(1, 4);
	assign(1, 5);
	drop(1);
}

static void renames(void)
{
	assign(0, 1);
	rename_to(0, 3);
	assign(0, 2);
	rename_to(3, 1);
	assign(3, 3);
	rename_to(0, 3);
	rename_to(1, 3);
	assign(0, 4);
	rename_to(0, 2);
}

/* The new record into room that others left. */
static void renames_into_holes(void)
{
	assign(0, 1);
	assign(3, 2);
	assign(1, 3);
	drop(0);
	rename_to(1, 0);
	rename_to(3, 1);
	assign(3, 6);
	drop(0);
	assign(0, 7);
	rename_to(3, 0);
}

#define TEST(what)                                                                          \
	{                                                                                   \
		.objects = 1, .data_pages = 4, .setup = setup, .operation = what,           \
		.recover = recover, .judge = judge, .unneeded = unneeded,                   \
	}

/*
 * A record that is not VALID yet is written again; what a rename leaves to do is done again, so the
 * end of that matters only to what comes later, and fences there.
 */
static const char *const unneeded[] = {
	"append_length", "fence append", "fence finish_rename", "fence twz_hier_rename", "put", NULL,
};

static void cuts_leave_the_old_or_the_new(void **state)
{
	static const struct explore_test tests[] = {
		TEST(additions),
		TEST(room_used_again),
		TEST(renames),
		TEST(renames_into_holes),
	};

	(void)state;
	explore_check_all(tests, sizeof(tests) / sizeof(tests[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cuts_leave_the_old_or_the_new) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
