// SPDX-License-Identifier: BSD-3-Clause
/*
 * Persistent pointers: many foreign entries, several adders, the FOT full and spoilt, entries bound
 * late, private copies.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/alloc.h>
#include <twz/env.h>
#include <twz/name.h>
#include <twz/obj/hier.h>
#include <twz/sys/thread.h>
#include <twz/twztry.h>

#define MANY 2000u
#define FOREIGN(index) ((char *)((uint64_t)(index) << OBJ_SHIFT | 0x1000))

struct holder {
	void *ptr;
	uint64_t value;
};

static struct fault_pptr_info thrown;
static char thrown_name[128];

static void note(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)userdata;
	thrown = *(struct fault_pptr_info *)info;
	if (thrown.name)
		strlcpy(thrown_name, (const char *)(uintptr_t)thrown.name, sizeof(thrown_name));
}

/* What a lea of p in o throws: FAULT_PPTR_*, or -1. */
static int lea_throws(twzobj *o, const void *p)
{
	void *d;

	thrown = (struct fault_pptr_info){ .info = ~0u };
	twz_fault_set(FAULT_PPTR, note, NULL);
	d = twz_object_lea(o, (char *)p);
	twz_fault_set(FAULT_PPTR, NULL, NULL);
	CHECK((d == NULL) == (thrown.info != ~0u));
	return (int)thrown.info;
}

static objid_t fake(uint64_t n)
{
	return MKID(0xf00d, n + 1);
}

/* --- adding */

static void many_entries(void)
{
	twzobj o;

	NEED(new_object(&o) == 0);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_EQ(twz_object_addfot(&o, fake(i), FE_READ), i + 1);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_EQ(twz_object_addfot(&o, fake(i), FE_READ), i + 1);
	CHECK_EQ(twz_object_addfot(&o, fake(3), FE_READ | FE_WRITE), MANY + 1);
	CHECK_EQ(twz_object_addfot(&o, fake(3), FE_READ | FE_WRITE), MANY + 1);
	CHECK_EQ(twz_object_addfot(&o, 0, FE_READ), -EINVAL);
	CHECK_EQ(twz_object_addfot(&o, fake(1), FE_NAME), -EINVAL);
	drop_object(&o);
}

/* The hash is of what the entries say now, not of what they said. */
static void entries_that_change(void)
{
	struct fotentry *fe;
	twzobj o;

	NEED(new_object(&o) == 0);
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQ(twz_object_addfot(&o, fake(i), FE_READ), i + 1);
	fe = (void *)((char *)twz_object_meta(&o) - 32 * 51);
	fe->id = fake(777);
	CHECK_EQ(twz_object_addfot(&o, fake(50), FE_READ), 101);
	CHECK_EQ(twz_object_addfot(&o, fake(49), FE_READ), 50);
	drop_object(&o);
}

static void add_many(void *arg)
{
	for (unsigned i = 0; i < 300; i++)
		CHECK(twz_object_addfot(arg, fake(i), FE_READ) > 0);
}

/* Duplicates are allowed, entries that are not whole are not. */
static void several_adders(void)
{
	struct thread threads[4];
	struct metainfo *mi;
	twzobj o;

	NEED(new_object(&o) == 0);
	for (unsigned i = 0; i < 4; i++)
		NEED(run_thread(&threads[i], add_many, &o) == 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(finish_thread(&threads[i]), 0);
	mi = twz_object_meta(&o);
	for (uint32_t e = 1; e < mi->fotentries; e++) {
		struct fotentry *fe = (void *)((char *)mi - 32ul * e);

		CHECK_EQ(fe->flags, FE_READ | _FE_ALLOC | _FE_VALID);
		CHECK(ID_LO(fe->id) >= 1 && ID_LO(fe->id) <= 300);
	}
	for (unsigned i = 0; i < 300; i++)
		CHECK(twz_object_addfot(&o, fake(i), FE_READ) < (ssize_t)mi->fotentries);
	drop_object(&o);
}

/* T7, from close below the limit: the way there is long. */
static void full(void)
{
	struct fotentry fe = { .id = fake(1), .flags = FE_READ };
	struct holder *h;
	twzobj o;

	NEED(new_object(&o) == 0);
	h = twz_object_base(&o);
	twz_object_meta(&o)->fotentries = OBJ_MAXFOTE - 2;
	memset((char *)h + OBJ_TOPDATA - 2 * 4096, 0x5a, 4096);
	CHECK_EQ(twz_ptr_store_fote(&o, &h->ptr, &fe, (void *)0x1000), 0);
	CHECK_EQ(twz_ptr_store_fote(&o, &h->ptr, &fe, (void *)0x1000), 0);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(twz_ptr_store_fote(&o, &h->ptr, &fe, (void *)0x1000), -ENOSPC);
	CHECK_EQ(PPTR_FOTE(h->ptr), OBJ_MAXFOTE - 1);
	CHECK_EQ(twz_object_meta(&o)->fotentries, OBJ_MAXFOTE);
	for (unsigned i = 0; i < 4096; i += 8)
		CHECK_EQ(*(uint64_t *)((char *)h + OBJ_TOPDATA - 2 * 4096 + i), 0x5a5a5a5a5a5a5a5a);
	drop_object(&o);
}

/* T15 */
static void entries_of_ones_own(void)
{
	struct fotentry fe = { .flags = FE_READ };
	struct holder *h;
	twzobj o, a, b;
	void *first;

	NEED(new_object(&o) == 0 && new_object(&a) == 0 && new_object(&b) == 0);
	h = twz_object_base(&o);
	fe.id = twz_object_guid(&a);
	CHECK_EQ(twz_ptr_store_fote(&o, &h->ptr, &fe, (void *)0x1000), 0);
	first = h->ptr;
	fe.id = twz_object_guid(&b);
	CHECK_EQ(twz_ptr_store_fote(&o, &h->ptr, &fe, (void *)0x1000), 0);
	CHECK(PPTR_FOTE(first) != PPTR_FOTE(h->ptr));
	*(uint64_t *)twz_object_base(&a) = 'a';
	*(uint64_t *)twz_object_base(&b) = 'b';
	CHECK_EQ(*(uint64_t *)twz_object_lea(&o, first), 'a');
	CHECK_EQ(*(uint64_t *)twz_object_lea(&o, h->ptr), 'b');
	fe.flags = 0x40;
	CHECK_EQ(twz_ptr_store_fote(&o, &h->ptr, &fe, (void *)0x1000), -EINVAL);
	CHECK_EQ(twz_ptr_store_guid(&o, (char *)&h->ptr + 4, &a, (void *)0x1000, FE_READ), -EINVAL);
	CHECK_EQ(twz_ptr_store_guid(&o, &first, &a, (void *)0x1000, FE_READ), -EINVAL);
	CHECK_EQ(twz_ptr_store_guid(&o, &h->ptr, &a, (void *)0x1000, FE_NAME), -EINVAL);
	drop_object(&b);
	drop_object(&a);
	drop_object(&o);
}

/* --- following */

static void masks_and_copies(void)
{
	struct holder *h;
	uint32_t flags;
	objid_t id;
	twzobj o, a;

	NEED(new_object(&o) == 0 && new_object(&a) == 0);
	h = twz_object_base(&o);
	CHECK_EQ(twz_ptr_store_guid(&o, &h->ptr, NULL, twz_object_base(&a), TWZ_PTR_FLAGS_COPY), 0);
	CHECK_EQ(twz_vaddr_to_obj(twz_object_lea(&o, h->ptr), &id, &flags), 0);
	CHECK(id == twz_object_guid(&a) && flags == (FE_READ | FE_WRITE));
	CHECK_EQ(twz_vaddr_to_obj(twz_object_lea_mask(&o, h->ptr, FE_READ), &id, &flags), 0);
	CHECK(id == twz_object_guid(&a) && flags == FE_READ);
	CHECK(twz_object_lea_mask(&o, h->ptr, FE_READ) == twz_object_lea_mask(&o, h->ptr, FE_READ));
	CHECK(twz_ptr_lea(h->ptr) == twz_object_base(&a));
	CHECK(twz_object_lea(&o, twz_ptr_swizzle(&o, twz_object_base(&a), FE_READ)) != NULL);
	CHECK(twz_ptr_swizzle(&o, &h->value, FE_READ) == (void *)0x1008);
	drop_object(&a);
	drop_object(&o);
}

static void swizzle_nowhere(void *arg)
{
	CHECK(twz_ptr_swizzle((twzobj *)arg, (char *)SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 8, FE_READ) == NULL);
}

static void swizzle_full(void *arg)
{
	CHECK(twz_ptr_swizzle((twzobj *)arg, (char *)twz_thread_repr_base(), FE_READ) == NULL);
}

/* Everything in the FOT and the metadata may be noise: a fault of the pointer, and nothing else. */
static void noise(void)
{
	uint64_t state = 99;
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(thrown_by(swizzle_nowhere, &o), FAULT_PPTR_INVALID);
	twz_object_meta(&o)->fotentries = OBJ_MAXFOTE;
	CHECK_EQ(thrown_by(swizzle_full, &o), FAULT_PPTR_RESOURCES);
	twz_object_meta(&o)->fotentries = ~0u;
	CHECK_EQ(lea_throws(&o, FOREIGN(OBJ_MAXFOTE)), FAULT_PPTR_INVALID);
	CHECK_EQ(lea_throws(&o, (void *)~0ul), FAULT_PPTR_INVALID);
	CHECK_EQ(twz_object_addfot(&o, fake(1), FE_READ), -ENOSPC);
	twz_object_meta(&o)->milen = 12345;
	CHECK(twz_object_getext(&o, 0x1234) == NULL);
	twz_object_meta(&o)->fotentries = 64;
	for (unsigned i = 1; i < 64; i++) {
		struct fotentry *fe = (void *)((char *)twz_object_meta(&o) - 32ul * i);

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		fe->id = i % 3 ? MKID(state, state >> 7) : i % 2 ? 0 : state >> 20;
		fe->flags = (state >> 40 & 0x30fff) | (i % 4 ? _FE_VALID | (i % 5 ? 0 : FE_NAME) : 0);
		if (i % 4 && !(fe->flags & 0xfc3u) && !(fe->flags & FE_NAME))
			continue; /* that is an entry */
		CHECK(lea_throws(&o, FOREIGN(i)) != -1);
	}
	drop_object(&o);
}

/* --- entries bound late */

static void store_names(twzobj *o, struct holder *h)
{
	static char longest[TWZ_FOT_NAME_MAXLEN + 2];
	uint32_t before;

	memset(longest, 'n', sizeof(longest) - 1);
	CHECK_EQ(twz_ptr_store_name(o, &h->ptr, "late", (void *)0x1008, FE_READ), -EINVAL);
	NEED(twz_object_init_alloc(o, 4096) == 0);
	before = twz_object_meta(o)->fotentries;
	CHECK_EQ(twz_ptr_store_name(o, &h->ptr, "", (void *)0x1008, FE_READ), -EINVAL);
	CHECK_EQ(twz_ptr_store_name(o, &h->ptr, longest, (void *)0x1008, FE_READ), -EINVAL);
	CHECK_EQ(twz_ptr_store_name(o, &h->ptr, "late", (void *)0x1008, 0x40), -EINVAL);
	CHECK_EQ(twz_object_meta(o)->fotentries, before);
	longest[TWZ_FOT_NAME_MAXLEN] = 0;
	CHECK_EQ(twz_ptr_store_name(o, &h->ptr, longest, (void *)0x1008, FE_READ), 0);
	CHECK_EQ(twz_ptr_store_name(o, &h->ptr, "late", (void *)0x1008, FE_READ | FE_WRITE), 0);
}

static void bound_by_name(void)
{
	twzobj *root = twz_name_get_root(), ns, o, a, b;
	struct holder *h;

	NEED(new_object(&o) == 0 && new_object(&a) == 0 && new_object(&b) == 0);
	NEED(new_object(&ns) == 0 && twz_hier_namespace_init(&ns, 0) == 0);
	NEED(twz_name_switch_root(&ns) == 0);
	h = twz_object_base(&o);
	store_names(&o, h);
	CHECK_EQ(lea_throws(&o, h->ptr), FAULT_PPTR_RESOLVE);
	CHECK_EQ((int32_t)thrown.retval, -ENOENT);
	CHECK(strcmp(thrown_name, "late") == 0 && thrown.objid == twz_object_guid(&o));
	CHECK_EQ(thrown.fote, PPTR_FOTE(h->ptr));
	CHECK_EQ(thrown.ptr, (uintptr_t)h->ptr);
	CHECK_EQ(twz_name_assign(twz_object_guid(&a), "late"), 0);
	CHECK(twz_object_lea(&o, h->ptr) == (char *)twz_object_base(&a) + 8);
	CHECK_EQ(twz_name_assign(twz_object_guid(&b), "late"), 0);
	CHECK(twz_object_lea(&o, h->ptr) == (char *)twz_object_base(&a) + 8);
	twz_object_release(&b);
	objid_t id = twz_object_guid(&o);
	void *p = h->ptr;
	twz_object_release(&o);
	NEED(twz_object_init_guid(&o, id, ACCESS_RW) == 0);
	CHECK(twz_object_lea(&o, p) != (char *)twz_object_base(&a) + 8);
	if (root)
		twz_name_switch_root(root);
	drop_object(&o);
	drop_object(&a);
}

static int the_symbol(int x)
{
	return x + 7;
}

static void functions_by_name(void)
{
	twzobj o;
	struct holder *h;
	int (*fn)(int);

	NEED(new_object(&o) == 0 && twz_object_init_alloc(&o, 4096) == 0);
	h = twz_object_base(&o);
	CHECK_EQ(twz_sofn_register("nocolons", (void *)the_symbol), -EINVAL);
	CHECK_EQ(twz_ptr_store_name(&o, &h->ptr, "test::the_symbol", (void *)0,
	    (void *)TWZ_NAME_RESOLVER_SOFN, FE_READ | FE_EXEC), 0);
	CHECK_EQ(lea_throws(&o, h->ptr), FAULT_PPTR_RESOLVE);
	CHECK_EQ((int32_t)thrown.retval, -ENOENT);
	CHECK_EQ(twz_sofn_register("test::the_symbol", (void *)the_symbol), 0);
	fn = (int (*)(int))twz_object_lea(&o, h->ptr);
	CHECK(fn == the_symbol);
	CHECK(twz_object_lea(&o, h->ptr) == (void *)the_symbol);
	drop_object(&o);
}

/* T14: the function stands in this program's text object, which may be executed. */
static char resolver_saw[16];

static int own_resolver(twzobj *o, struct fotentry *fe, const void *p, void **vptr, uint64_t *info)
{
	strlcpy(resolver_saw, (const char *)(uintptr_t)fe->name.data, sizeof(resolver_saw));
	if (resolver_saw[0] == '!') {
		*info = FAULT_PPTR_UNKNOWN;
		return -EDOM;
	}
	*vptr = (char *)o->base + PPTR_OFFSET(p);
	return 0;
}

static void functions_of_objects(void)
{
	struct holder *h;
	void *resolver, *d;
	struct fotentry fe;
	uint64_t info;
	objid_t text;
	ssize_t i;
	twzobj o;

	if (twz_vaddr_to_obj((void *)own_resolver, &text, NULL) < 0) {
		ktap_skip("programs are not objects here");
		return;
	}
	NEED(new_object(&o) == 0 && twz_object_init_alloc(&o, 4096) == 0);
	h = twz_object_base(&o);
	resolver = twz_ptr_swizzle(&o, (void *)own_resolver, FE_READ | FE_EXEC);
	CHECK_EQ(twz_ptr_store_name(&o, &h->ptr, "readable", (void *)0x1010, resolver, FE_READ), 0);
	CHECK(twz_object_lea(&o, h->ptr) == (char *)h + 0x1010);
	CHECK(strcmp(resolver_saw, "readable") == 0);
	CHECK_EQ(twz_ptr_store_name(&o, &h->ptr, "!", (void *)0x1010, resolver, FE_READ), 0);
	CHECK_EQ(lea_throws(&o, h->ptr), FAULT_PPTR_UNKNOWN);
	CHECK_EQ((int32_t)thrown.retval, -EDOM);
	/* What cannot be executed is no resolver. */
	i = twz_object_addfot(&o, fake(9), FE_READ | FE_EXEC);
	CHECK_EQ(twz_ptr_store_name(&o, &h->ptr, "x", (void *)0x1010, FOREIGN(i), FE_READ), 0);
	CHECK_EQ(lea_throws(&o, h->ptr), FAULT_PPTR_RESOLVE);
	CHECK_EQ((int32_t)thrown.retval, -EACCES);
	strlcpy((char *)h + 0x100, "step", 8);
	twz_fote_init_name(&fe, (char *)0x1100, resolver, FE_READ);
	CHECK_EQ(twz_fot_indirect_resolve(&o, &fe, (void *)0x1020, &d, &info), 0);
	CHECK(d == (char *)h + 0x1020 && strcmp(resolver_saw, "step") == 0);
	drop_object(&o);
}

/* --- private copies */

static void private_copies(void)
{
	struct fotentry fe = { .flags = FE_READ | FE_WRITE | FE_DERIVE };
	struct holder *h;
	uint64_t *one, *two;
	twzobj o, again, a;
	objid_t copy;

	NEED(new_object(&o) == 0 && new_object(&a) == 0);
	h = twz_object_base(&o);
	*(uint64_t *)twz_object_base(&a) = 5;
	fe.id = twz_object_guid(&a);
	CHECK_EQ(twz_ptr_store_fote(&o, &h->ptr, &fe, (void *)0x1000), 0);
	NEED(twz_object_init_guid(&again, twz_object_guid(&o), ACCESS_RW) == 0);
	one = twz_object_lea(&o, h->ptr);
	CHECK(one != twz_object_base(&a) && *one == 5);
	*one = 6;
	CHECK(twz_object_lea(&o, h->ptr) == one && *one == 6);
	two = twz_object_lea(&again, h->ptr);
	CHECK(two != one && *two == 5);
	CHECK_EQ(*(uint64_t *)twz_object_base(&a), 5);
	CHECK_EQ(*(uint64_t *)twz_object_lea_mask(&o, h->ptr, FE_READ), 6);
	CHECK_EQ(twz_vaddr_to_obj(one, &copy, NULL), 0);
	CHECK(object_exists(copy));
	twz_object_release(&o);
	CHECK(object_goes(copy));
	CHECK_EQ(*two, 5);
	CHECK_EQ(twz_vaddr_to_obj(two, &copy, NULL), 0);
	twz_ptr_store_fote(&again, &h->ptr, (&(struct fotentry){ .id = fake(5), .flags = fe.flags }),
	    (void *)0x1000);
	CHECK_EQ(lea_throws(&again, ((struct holder *)twz_object_base(&again))->ptr), FAULT_PPTR_DERIVE);
	CHECK_EQ((int32_t)thrown.retval, -ENOENT);
	drop_object(&again);
	CHECK(object_goes(copy));
	drop_object(&a);
}

/* --- across objects, and threads that follow the same pointers */

#define RING 40u

static twzobj ring[RING];
static atomic_int wrong;

static void follow_ring(void *arg)
{
	struct holder *h = twz_object_base(&ring[(uintptr_t)arg]);

	for (unsigned i = 0; i < 4000; i++) {
		uint64_t value = h->value;

		h = twz_ptr_lea(*(struct holder **)&h->ptr);
		if (h->value != (value + 1) % RING)
			atomic_store(&wrong, 1);
	}
}

static void several_followers(void)
{
	struct thread threads[4];

	for (unsigned i = 0; i < RING; i++)
		NEED(new_object(&ring[i]) == 0);
	for (unsigned i = 0; i < RING; i++) {
		struct holder *h = twz_object_base(&ring[i]);

		h->value = i;
		CHECK_EQ(twz_ptr_store_guid(&ring[i], &h->ptr, &ring[(i + 1) % RING], (void *)0x1000,
		    ACCESS_RW), 0);
	}
	for (unsigned i = 0; i < 4; i++)
		NEED(run_thread(&threads[i], follow_ring, (void *)(uintptr_t)(i * 9)) == 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(finish_thread(&threads[i]), 0);
	CHECK(!atomic_load(&wrong));
	for (unsigned i = 0; i < RING; i++)
		drop_object(&ring[i]);
}

/* The key of what is made comes from the environment. */
static void key_of_the_user(void)
{
	char text[40];
	twzobj key, o;

	NEED(twz_object_new(&key, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_HASHDATA) == 0);
	twz_setenv("TWZUSERKU", NULL);
	CHECK_EQ(twz_object_new(&o, NULL, TWZ_KU_USER, NEW_FLAGS), -EINVAL);
	twz_setenv("TWZUSERKU", "no ID");
	CHECK_EQ(twz_object_new(&o, NULL, TWZ_KU_USER, NEW_FLAGS), -EINVAL);
	snprintf(text, sizeof(text), IDFMT, IDPR(twz_object_guid(&key)));
	CHECK_EQ(twz_setenv("TWZUSERKU", text), 0);
	CHECK_EQ(twz_object_new(&o, NULL, TWZ_KU_USER, OBJ_VOLATILE, TWZ_OC_DFL_READ), 0);
	CHECK(twz_object_meta(&o)->kuid == twz_object_guid(&key));
	twz_setenv("TWZUSERKU", NULL);
	twz_object_release(&o);
	twz_object_release(&key);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "thousands of foreign entries", many_entries },
		{ "entries that change", entries_that_change },
		{ "several adders", several_adders },
		{ "a full FOT stays full", full },
		{ "entries of one's own", entries_of_ones_own },
		{ "masks, and permissions that are copied", masks_and_copies },
		{ "noise in FOT and metadata", noise },
		{ "entries bound by name", bound_by_name },
		{ "functions by name", functions_by_name },
		{ "resolvers that stand in objects", functions_of_objects },
		{ "private copies", private_copies },
		{ "the key of the user", key_of_the_user },
		{ "several threads follow a ring of objects", several_followers },
	};

	return KTAP_RUN(cases);
}
