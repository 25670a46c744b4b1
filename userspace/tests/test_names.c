// SPDX-License-Identifier: BSD-3-Clause
/* Names: namespaces with few and many names, changes from many threads, noise, odd names. */
#include "ktap.h"
#include "testlib.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/name.h>
#include <twz/obj/hier.h>

#define THREADS 10u
#define EACH 30u
#define MANY 3000u

static uint64_t state = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static int new_namespace(twzobj *ns)
{
	int r = new_object(ns);

	return r < 0 ? r : twz_hier_namespace_init(ns, 0);
}

static objid_t id_of(uint64_t n)
{
	return MKID(0x1234, n + 1);
}

/* What a name is bound to; 0: nothing. */
static objid_t bound(twzobj *ns, const char *name)
{
	struct twz_name_ent ent;
	int r = twz_hier_resolve_name(ns, name, TWZ_HIER_SYM, &ent);

	CHECK(r == 0 || r == -ENOENT);
	return r == 0 ? ent.id : 0;
}

static size_t list_end(twzobj *ns)
{
	struct twz_name_ent *e;
	size_t pos = 0;
	ssize_t n;

	while ((n = twz_hier_get_entry(ns, pos, &e)) > 0)
		pos += (size_t)n;
	CHECK_EQ(n, 0);
	return pos;
}

static void numbered(char *name, uint64_t n)
{
	snprintf(name, 32, "name-%lu", (unsigned long)n);
}

/* T16 */
static void removed_and_assigned_again(void)
{
	twzobj ns;

	NEED(new_namespace(&ns) == 0);
	for (unsigned i = 0; i < 200; i++) {
		const char *names[] = { "n", "name", "a-much-longer-name-than-the-others", "nam" };
		const char *name = names[i % 4];

		CHECK_EQ(twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, id_of(i)), 0);
		CHECK(bound(&ns, name) == id_of(i));
		CHECK_EQ(twz_hier_remove_name(&ns, name), 0);
		CHECK(bound(&ns, name) == 0);
		CHECK_EQ(twz_hier_remove_name(&ns, name), -ENOENT);
	}
	CHECK(list_end(&ns) < 1024);
	drop_object(&ns);
}

static void many_names(void)
{
	char name[32];
	size_t end;
	twzobj ns;

	NEED(new_namespace(&ns) == 0);
	for (unsigned i = 0; i < MANY; i++) {
		numbered(name, i);
		CHECK_EQ(twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, id_of(i)), 0);
	}
	for (unsigned i = 0; i < MANY; i += 3) {
		numbered(name, i);
		CHECK_EQ(twz_hier_remove_name(&ns, name), 0);
	}
	for (unsigned i = 0; i < MANY; i++) {
		numbered(name, i);
		CHECK(bound(&ns, name) == (i % 3 ? id_of(i) : 0));
	}
	end = list_end(&ns);
	for (unsigned i = 0; i < MANY; i += 3) {
		numbered(name, i);
		CHECK_EQ(twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, id_of(i + MANY)), 0);
		CHECK(bound(&ns, name) == id_of(i + MANY));
	}
	CHECK_EQ(list_end(&ns), end); /* in the room of those that are gone */
	drop_object(&ns);
}

/* Against a table of what should be there. */
static void at_random(void)
{
	enum { NAMES = 80 };
	static objid_t should[NAMES];
	char name[32], other[32];
	twzobj ns;

	memset(should, 0, sizeof(should));
	NEED(new_namespace(&ns) == 0);
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t n = draw(NAMES), m = draw(NAMES);
		int want = should[n] ? 0 : -ENOENT;

		numbered(name, n * n * n);
		numbered(other, m * m * m);
		switch (draw(4)) {
		case 0:
			CHECK_EQ(twz_hier_remove_name(&ns, name), want);
			should[n] = 0;
			break;
		case 1:
			CHECK_EQ(twz_hier_rename(&ns, name, &ns, other), want);
			if (should[n] && n != m) {
				should[m] = should[n];
				should[n] = 0;
			}
			break;
		default:
			should[n] = id_of(i);
			CHECK_EQ(twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, should[n]), 0);
		}
		CHECK(bound(&ns, name) == should[n] && bound(&ns, other) == should[m]);
	}
	CHECK(list_end(&ns) < NAMES * 2 * 96);
	drop_object(&ns);
}

/* --- many at once */

struct assigner {
	twzobj *ns;
	unsigned who;
};

static void assign_many(void *arg)
{
	struct assigner *a = arg;
	char name[32];

	for (unsigned i = 0; i < EACH; i++) {
		numbered(name, a->who * EACH + i);
		CHECK_EQ(twz_hier_assign_name(a->ns, name, NAME_ENT_REGULAR, id_of(a->who * EACH + i)), 0);
		CHECK(bound(a->ns, name) == id_of(a->who * EACH + i));
		CHECK_EQ(twz_hier_assign_name(a->ns, "shared", NAME_ENT_REGULAR, id_of(a->who)), 0);
		CHECK(bound(a->ns, "shared") != 0);
	}
}

/* T16 */
static void three_hundred_assigners(void)
{
	struct assigner a[THREADS];
	struct thread threads[THREADS];
	char name[32];
	twzobj ns;

	NEED(new_namespace(&ns) == 0);
	for (unsigned i = 0; i < THREADS; i++) {
		a[i] = (struct assigner){ &ns, i };
		NEED(run_thread(&threads[i], assign_many, &a[i]) == 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQ(finish_thread(&threads[i]), 0);
	for (unsigned i = 0; i < THREADS * EACH; i++) {
		numbered(name, i);
		CHECK(bound(&ns, name) == id_of(i));
	}
	drop_object(&ns);
}

static atomic_int over;

/* Both names are always there, bound to one of two; readers hold no lock. */
static void read_always(void *arg)
{
	twzobj *ns = arg;

	while (!atomic_load(&over)) {
		objid_t a = bound(ns, "always"), b = bound(ns, "swapped");

		CHECK(a == id_of(1) || a == id_of(2));
		CHECK(b == id_of(3) || b == id_of(4));
	}
}

static void readers_never_miss(void)
{
	struct thread t;
	char name[32];
	twzobj ns;

	NEED(new_namespace(&ns) == 0);
	for (unsigned i = 0; i < 100; i++) {
		numbered(name, i);
		twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, id_of(i));
	}
	twz_hier_assign_name(&ns, "always", NAME_ENT_REGULAR, id_of(1));
	twz_hier_assign_name(&ns, "swapped", NAME_ENT_REGULAR, id_of(3));
	atomic_store(&over, 0);
	NEED(run_thread(&t, read_always, &ns) == 0);
	for (unsigned i = 0; i < 600; i++) {
		CHECK_EQ(twz_hier_assign_name(&ns, "always", NAME_ENT_REGULAR, id_of(1 + i % 2)), 0);
		CHECK_EQ(twz_hier_assign_name(&ns, "other", NAME_ENT_REGULAR, id_of(3 + i % 2)), 0);
		CHECK_EQ(twz_hier_rename(&ns, "other", &ns, "swapped"), 0);
		CHECK(bound(&ns, "other") == 0);
	}
	atomic_store(&over, 1);
	CHECK_EQ(finish_thread(&t), 0);
	drop_object(&ns);
}

static void churn(void *arg)
{
	char name[32];

	for (unsigned i = 0; !atomic_load(&over); i++) {
		numbered(name, i % 50);
		twz_hier_assign_name(arg, name, NAME_ENT_REGULAR, id_of(i));
		twz_hier_remove_name(arg, name);
	}
}

/* Somebody who ends in the midst of a change. */
static void changer_is_killed(void)
{
	struct timespec little = { 0, 300000 };
	atomic_ulong never = 0;
	struct thread t;
	char name[32];
	twzobj ns;

	NEED(new_namespace(&ns) == 0);
	atomic_store(&over, 0);
	for (unsigned i = 0; i < 12; i++) {
		NEED(run_thread(&t, churn, &ns) == 0);
		twz_thread_sync(THREAD_SYNC_SLEEP, &never, 0, &little);
		if (sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 9) < 0)
			atomic_store(&over, 1); /* no kills here: it ends by itself */
		CHECK_EQ(finish_thread(&t), atomic_load(&over) ? 0 : 9);
		numbered(name, 1000 + i);
		CHECK_EQ(twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, id_of(i)), 0);
		CHECK(bound(&ns, name) == id_of(i));
	}
	drop_object(&ns);
}

/* --- odd names, and noise */

static void names_of_all_bytes(void)
{
	char name[2] = { 0, 0 }, longest[NAME_MAXLEN + 2];
	twzobj ns;

	NEED(new_namespace(&ns) == 0);
	for (unsigned c = 1; c < 256; c++) {
		name[0] = (char)c;
		CHECK_EQ(twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, id_of(c)),
		    c == '/' ? -EINVAL : 0);
	}
	for (unsigned c = 1; c < 256; c++) {
		name[0] = (char)c;
		if (c != '/')
			CHECK(bound(&ns, name) == id_of(c));
	}
	memset(longest, 'x', sizeof(longest));
	longest[NAME_MAXLEN + 1] = 0;
	CHECK_EQ(twz_hier_assign_name(&ns, longest, NAME_ENT_REGULAR, id_of(1)), -ENAMETOOLONG);
	CHECK_EQ(twz_hier_rename(&ns, "a", &ns, longest), -ENAMETOOLONG);
	longest[NAME_MAXLEN] = 0;
	CHECK_EQ(twz_hier_assign_name(&ns, longest, NAME_ENT_REGULAR, id_of(1)), 0);
	CHECK(bound(&ns, longest) == id_of(1));
	CHECK_EQ(twz_hier_assign_name(&ns, "", NAME_ENT_REGULAR, id_of(1)), -EINVAL);
	drop_object(&ns);
}

static void absurd_paths(void)
{
	static char path[8192];
	struct twz_name_ent ent;
	twzobj ns;

	NEED(new_namespace(&ns) == 0);
	memset(path, '/', sizeof(path) - 1);
	CHECK_EQ(twz_hier_resolve_name(&ns, path, 0, &ent), -ENAMETOOLONG);
	path[2000] = 0;
	CHECK_EQ(twz_hier_resolve_name(&ns, path, 0, &ent), 0);
	for (unsigned i = 0; i < 1999; i += 2)
		path[i] = '.';
	CHECK_EQ(twz_hier_resolve_name(&ns, path, 0, &ent), 0);
	CHECK(ent.id == twz_object_guid(&ns));
	memset(path, 'x', 1000);
	CHECK_EQ(twz_hier_resolve_name(&ns, path, 0, &ent), -ENAMETOOLONG);
	CHECK_EQ(twz_hier_resolve_name(&ns, "", 0, &ent), -ENOENT);
	CHECK_EQ(twz_hier_resolve_name(&ns, "a", 8, &ent), -EINVAL);
	drop_object(&ns);
}

/* T17 */
static void loops_of_symlinks(void)
{
	struct twz_name_ent ent;
	char target[8];
	twzobj ns;

	NEED(new_namespace(&ns) == 0);
	CHECK_EQ(twz_hier_symlink(&ns, "a", "b"), 0);
	CHECK_EQ(twz_hier_symlink(&ns, "b", "a"), 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "a", 0, &ent), -ELOOP);
	CHECK_EQ(twz_hier_resolve_name(&ns, "b/c", TWZ_HIER_SYM, &ent), -ELOOP);
	CHECK_EQ(twz_hier_resolve_name(&ns, "b", TWZ_HIER_SYM, &ent), 0);
	CHECK_EQ(twz_hier_readlink(&ns, "b", target, sizeof(target)), 1);
	CHECK_EQ(twz_hier_symlink(&ns, "b", "./x"), 0);
	CHECK_EQ(twz_hier_assign_name(&ns, "x", NAME_ENT_REGULAR, id_of(7)), 0);
	CHECK_EQ(twz_hier_rename(&ns, "a", &ns, "moved"), 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "moved", 0, &ent), 0);
	CHECK(ent.id == id_of(7));
	drop_object(&ns);
}

static void renames_between(void)
{
	struct twz_name_ent ent;
	twzobj a, b, sub;

	NEED(new_namespace(&a) == 0 && new_namespace(&b) == 0);
	NEED(twz_hier_namespace_new(&sub, &a, "sub", 0) == 0);
	CHECK_EQ(twz_hier_assign_name(&b, "there", NAME_ENT_REGULAR, id_of(9)), 0);
	CHECK_EQ(twz_hier_rename(&a, "sub", &b, "there"), 0);
	CHECK(bound(&a, "sub") == 0 && bound(&b, "there") == twz_object_guid(&sub));
	CHECK_EQ(twz_hier_resolve_name(&b, "there/..", 0, &ent), 0);
	CHECK(ent.id == twz_object_guid(&b));
	CHECK_EQ(twz_hier_rename(&a, "sub", &b, "there"), -ENOENT);
	CHECK(bound(&b, "there") == twz_object_guid(&sub));
	drop_object(&sub);
	drop_object(&b);
	drop_object(&a);
}

/* Whatever stands there: an answer, no fault, no loop, and nothing else is written. */
static void noise(void)
{
	char name[32];
	struct twz_name_ent ent, *e;
	twzobj ns;

	for (unsigned round = 0; round < 60; round++) {
		NEED(new_namespace(&ns) == 0);
		for (unsigned i = 0; i < 40; i++) {
			numbered(name, i);
			twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, id_of(i));
		}
		for (unsigned i = 0; i < 30; i++) {
			uint64_t *base = twz_object_base(&ns);

			base[round % 2 ? 4 + draw(4) : 8 + draw(200)] = draw(3) ? draw(-1ul) : draw(4096);
		}
		for (unsigned i = 0; i < 40; i += 5) {
			numbered(name, i);
			twz_hier_resolve_name(&ns, name, 0, &ent);
			twz_hier_remove_name(&ns, name);
			twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, id_of(i));
			twz_hier_rename(&ns, name, &ns, "other");
		}
		for (size_t pos = 0; pos < 8192; pos += 16)
			twz_hier_get_entry(&ns, pos, &e);
		drop_object(&ns);
	}
	CHECK(true);
}

static void not_a_namespace(void)
{
	struct twz_name_ent ent;
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twz_hier_resolve_name(&o, "a", 0, &ent), -ENOTDIR);
	CHECK_EQ(twz_hier_assign_name(&o, "a", NAME_ENT_REGULAR, id_of(1)), -ENOTDIR);
	CHECK_EQ(twz_hier_remove_name(&o, "a"), -ENOTDIR);
	CHECK_EQ(twz_hier_rename(&o, "a", &o, "b"), -ENOTDIR);
	CHECK_EQ(twz_hier_namespace_init(&o, 0), 0);
	CHECK_EQ(twz_hier_namespace_init(&o, 0), -EEXIST);
	CHECK(twz_object_getext(&o, HIER_METAEXT_TAG) == twz_object_base(&o));
	drop_object(&o);
}

/* --- the default namespace */

static int own_resolver(twzobj *o, const char *name, int flags, objid_t *id)
{
	(void)o;
	*id = id_of(strlen(name));
	return flags ? -EDOM : 0;
}

static void default_namespace(void)
{
	static char room[1024];
	struct twz_nament *names = (void *)room;
	twzobj *before = twz_name_get_root(), ns, sub;
	objid_t id;

	NEED(new_namespace(&ns) == 0 && twz_name_switch_root(&ns) == 0);
	NEED(twz_hier_namespace_new(&sub, &ns, "sub", 0) == 0);
	CHECK_EQ(twz_name_assign(id_of(5), "sub/five"), 0);
	CHECK_EQ(twz_name_assign(id_of(6), "/sub/five"), 0);
	CHECK_EQ(twz_name_assign(id_of(6), "missing/five"), -ENOENT);
	CHECK_EQ(twz_name_assign(id_of(6), "sub/five/x"), -ENOTDIR);
	CHECK_EQ(twz_name_resolve(NULL, "sub/five", NULL, 0, &id), 0);
	CHECK(id == id_of(6));
	CHECK_EQ(twz_name_resolve(NULL, "seven77", own_resolver, 0, &id), 0);
	CHECK(id == id_of(7));
	CHECK_EQ(twz_name_resolve(NULL, "x", own_resolver, 1, &id), -EDOM);
	CHECK_EQ(twz_name_dfl_getnames("sub", names, sizeof(room)), 3 * 48);
	CHECK(strcmp(names->name, ".") == 0 && names->reclen == 48 && names->flags == NAME_ENT_NAMESPACE);
	names = (void *)(room + 96);
	CHECK(strcmp(names->name, "five") == 0 && names->id == id_of(6));
	CHECK_EQ(twz_name_dfl_getnames("sub", NULL, 0), 3 * 48);
	CHECK_EQ(twz_name_dfl_getnames("sub/five", names, 0), -ENOTDIR);
	CHECK_EQ(twz_name_dfl_getnames("nowhere", names, 0), -ENOENT);
	if (before)
		twz_name_switch_root(before);
	drop_object(&sub);
}

/* A name and a resolver as p-ptrs of an object. */
static void names_in_objects(void)
{
	twzobj o;
	objid_t id;
	char *text;

	NEED(new_object(&o) == 0);
	text = twz_object_base(&o);
	strlcpy(text, "no/such", 16);
	CHECK_EQ(twz_name_resolve(&o, (char *)0x1000, NULL, 0, &id), -ENOENT);
	CHECK_EQ(twz_name_resolve(&o, (char *)(77ul << OBJ_SHIFT | 0x1000), NULL, 0, &id), -EFAULT);
	CHECK_EQ(twz_name_resolve(&o, NULL, NULL, 0, &id), -EINVAL);
	memset(text, 'a', 4000);
	CHECK_EQ(twz_name_resolve(&o, (char *)0x1000, NULL, 0, &id), -EINVAL);
	drop_object(&o);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "removed names never match, new ones do", removed_and_assigned_again },
		{ "thousands of names", many_names },
		{ "changes at random", at_random },
		{ "300 assigners lose nothing", three_hundred_assigners },
		{ "readers always see the old or the new", readers_never_miss },
		{ "whoever changes may be killed", changer_is_killed },
		{ "names of every byte, and of every length", names_of_all_bytes },
		{ "absurd paths", absurd_paths },
		{ "loops of symlinks end", loops_of_symlinks },
		{ "renames between namespaces", renames_between },
		{ "noise in a namespace", noise },
		{ "what is no namespace", not_a_namespace },
		{ "the default namespace", default_namespace },
		{ "names that stand in objects", names_in_objects },
	};

	return KTAP_RUN(cases);
}
