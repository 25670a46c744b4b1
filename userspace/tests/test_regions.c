// SPDX-License-Identifier: BSD-3-Clause
/*
 * Persistent objects on a machine that may have several regions. Without arguments: what is the
 * same however many there are. With arguments, in the hands of a test that knows where which region
 * is plugged in:
 *
 *   make COUNT PAGES [full]   objects that know themselves; prints their IDs. full: until there is no more room
 *   look ID…                  whole, missing or damaged
 *   child ID…                 an object that is born deleted and tied to all of these
 *   tie PARENT CHILD          and untie PARENT CHILD
 *   copy ID                   shares pages where it can; then both are written
 *   hash                      the one hash-data object that is empty; everywhere the same
 *   root [ID]                 the root of names; sets it first
 *   delete ID…
 *   families                  objects that their parents keep, moved before and after they were tied; prints each, and
 *                             whether it will be there after a reset: kept or lost
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/sys/kec.h>

#define FIRST_PAGE 1ul
#define MOST_PAGES 4096ul
#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_DEL)

/* What an object begins with. Its pages hold words that follow from the seed. */
struct knows_itself {
	uint64_t pages;
	uint64_t seed;
};

static uint64_t word_of(uint64_t seed, uint64_t pgnr)
{
	return (seed + pgnr) * 0x9e3779b97f4a7c15ull;
}

static void fill(twzobj *o, uint64_t pages, uint64_t seed)
{
	*(struct knows_itself *)twz_object_base(o) = (struct knows_itself){ pages, seed };
	for (uint64_t p = FIRST_PAGE; p <= pages; p++)
		page_word(o, p)[2] = word_of(seed, p);
}

/* Drafted in memory, so that either all of it finds room in a store or nothing. */
static long make(objid_t *id, uint64_t pages, uint64_t seed)
{
	twzobj draft;
	long r = new_object(&draft);

	if (r < 0)
		return r;
	if (pages)
		fill(&draft, pages, seed);
	r = sys_ocreate(FLAGS | TWZ_OC_PERSIST, 0, twz_object_guid(&draft), id);
	drop_object(&draft);
	return r;
}

static const char *look(objid_t id)
{
	const struct knows_itself *self;
	uint64_t wrong = 0;
	twzobj o;

	if (!object_exists(id))
		return "missing";
	if (twz_object_init_guid(&o, id, FE_READ) < 0)
		return "closed";
	self = twz_object_base(&o);
	for (uint64_t p = FIRST_PAGE; p <= self->pages && p <= MOST_PAGES; p++)
		wrong += page_word(&o, p)[2] != word_of(self->seed, p);
	twz_object_release(&o);
	return wrong ? "damaged" : "whole";
}

/* ---- The same everywhere ---- */

static void made_and_found(void)
{
	objid_t id[4];

	if (!have_store())
		return;
	for (int i = 0; i < 4; i++)
		NEED(make(&id[i], 3, (unsigned)i) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(strcmp(look(id[i]), "whole") == 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(sys_odelete(id[i], TWZ_OD_IMMEDIATE), 0);
	for (int i = 0; i < 4; i++)
		CHECK(strcmp(look(id[i]), "missing") == 0);
}

static void free_space_adds_up(void)
{
	struct twz_sysinfo si;

	if (!have_store())
		return;
	sys_sysinfo(&si, sizeof(si));
	CHECK(si.pm_free > 0 && si.pm_free <= si.pm_total);
}

/* ---- In the hands of a test ---- */

static void told(const char *what, objid_t id, long r)
{
	kec_printf("regions: %s " IDFMT " %ld\n", what, IDPR(id), r);
}

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

static int make_many(uint64_t count, uint64_t pages, bool until_full)
{
	objid_t id;
	long r = 0;

	for (uint64_t i = 0; i < count; i++) {
		r = make(&id, pages, i);
		if (r < 0)
			break;
		told("made", id, r);
	}
	told("last", 0, r);
	return until_full ? r != -ENOSPC : r != 0;
}

static long child_of(const objid_t *parents, unsigned count, objid_t *id)
{
	struct twz_ocreate_spec spec = {
		.ties = (uintptr_t)parents,
		.ties_len = count,
		.flags = FLAGS,
		.backing_type = TWZ_BACKING_PERSISTENT,
		.lifetime = 1,
	};
	long r = sys_ocreate2(&spec);

	*id = spec.result;
	return r;
}

static long copy_of(objid_t source, objid_t *id)
{
	const struct knows_itself *self;
	twzobj a, b;
	long r = sys_ocreate(FLAGS | TWZ_OC_PERSIST, 0, source, id);

	if (r < 0)
		return r;
	if (twz_object_init_guid(&a, source, ACCESS_RW) < 0 || twz_object_init_guid(&b, *id, ACCESS_RW) < 0)
		return -EIO;
	self = twz_object_base(&a);
	fill(&b, self->pages, self->seed + 1);
	for (uint64_t p = FIRST_PAGE; p <= self->pages; p++)
		if (page_word(&a, p)[2] != word_of(self->seed, p))
			r = -EILSEQ;
	twz_object_release(&a);
	twz_object_release(&b);
	return r;
}

static long root_of_names(const objid_t *set, objid_t *id)
{
	struct twz_sysinfo si;
	long r = set ? twz_root_action(KACTION_CMD_ROOT_SET_NAMEROOT, (uintptr_t)set) : 0;

	sys_sysinfo(&si, sizeof(si));
	*id = si.nameroot;
	return r;
}

struct member {
	enum object_backing_type type, then;
};

/*
 * The child is deleted, so that nothing but its parent keeps it; both are moved after they were
 * tied.
 */
static long raise(struct member parent, struct member child, bool kept)
{
	objid_t up, down;
	twzobj p, c;

	if (twz_object_new(&p, NULL, NULL, parent.type, FLAGS | TWZ_OC_TIED_NONE) < 0 ||
	    twz_object_new(&c, NULL, NULL, child.type, FLAGS | TWZ_OC_TIED_NONE) < 0)
		return -ENOMEM;
	up = twz_object_guid(&p);
	down = twz_object_guid(&c);
	fill(&p, 2, 1);
	fill(&c, 3, 2);
	long r = sys_otie(up, down, 0);
	if (r == 0)
		r = sys_odelete(down, 0);
	if (r == 0)
		r = twz_object_ctl(&c, OCO_PERSIST, child.then == OBJ_PERSISTENT);
	if (r == 0)
		r = twz_object_ctl(&p, OCO_PERSIST, parent.then == OBJ_PERSISTENT);
	twz_object_release(&p);
	twz_object_release(&c);
	told(parent.then == OBJ_PERSISTENT ? "kept" : "lost", up, r);
	told(kept ? "kept" : "lost", down, r);
	return r;
}

static int families(void)
{
	const enum object_backing_type types[] = { OBJ_VOLATILE, OBJ_PERSISTENT };
	long r = 0;

	for (unsigned i = 0; i < 16; i++) {
		struct member parent = { types[i & 1], types[i >> 1 & 1] };
		struct member child = { types[i >> 2 & 1], types[i >> 3 & 1] };

		r |= raise(parent, child, parent.then == OBJ_PERSISTENT && child.then == OBJ_PERSISTENT);
	}
	return r != 0;
}

static int act(const char *verb, const objid_t *ids, unsigned count)
{
	objid_t id = ids[0];
	long r = -EINVAL;

	if (strcmp(verb, "hash") == 0)
		r = sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL | TWZ_OC_HASHDATA | TWZ_OC_ZERONONCE | TWZ_OC_PERSIST,
		    0, 0, &id);
	else if (strcmp(verb, "child") == 0)
		r = child_of(ids, count, &id);
	else if (strcmp(verb, "copy") == 0)
		r = copy_of(ids[0], &id);
	else if (strcmp(verb, "tie") == 0 && count == 2)
		r = sys_otie(ids[0], ids[1], 0);
	else if (strcmp(verb, "untie") == 0 && count == 2)
		r = sys_otie(ids[0], ids[1], OTIE_UNTIE);
	else if (strcmp(verb, "root") == 0)
		r = root_of_names(count ? &ids[0] : NULL, &id);
	told(verb, id, r);
	return 0;
}

static int act_on_each(const char *verb, const objid_t *ids, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(verb, "look") == 0)
			kec_printf("regions: " IDFMT " is %s\n", IDPR(ids[i]), look(ids[i]));
		else
			told(verb, ids[i], sys_odelete(ids[i], TWZ_OD_IMMEDIATE));
	}
	return 0;
}

static int command(int argc, char **argv)
{
	static objid_t ids[64];
	unsigned count = 0;

	if (strcmp(argv[1], "make") == 0 && argc >= 4)
		return make_many(number(argv[2]), number(argv[3]), argc > 4);
	if (strcmp(argv[1], "families") == 0)
		return families();
	for (int i = 2; i < argc && count < 64; i++)
		if (!objid_parse(argv[i], strlen(argv[i]), &ids[count++]))
			return 2;
	if (strcmp(argv[1], "look") == 0 || strcmp(argv[1], "delete") == 0)
		return act_on_each(argv[1], ids, count);
	return act(argv[1], ids, count);
}

static const struct ktap_case cases[] = {
	{ "objects are made, found and gone", made_and_found },
	{ "free space adds up", free_space_adds_up },
};

int main(int argc, char **argv)
{
	return argc > 1 ? command(argc, argv) : KTAP_RUN(cases);
}
