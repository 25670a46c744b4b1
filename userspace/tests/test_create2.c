// SPDX-License-Identifier: BSD-3-Clause
/* The general form of creation: sources, ties, birth deletion, and everything it refuses. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_DEL)
#define VOLATILE TWZ_BACKING_VOLATILE
#define PAGES 8ul

/* An object whose pages 1 … PAGES begin with seed + their number. */
static int numbered_object(twzobj *o, uint64_t seed)
{
	int r = new_object(o);

	for (uint64_t p = 1; r == 0 && p <= PAGES; p++)
		*page_word(o, p) = seed + p;
	return r;
}

/* Open what was just created; the case fails if it was not. */
static bool open_made(twzobj *o, long r, const objid_t *id)
{
	CHECK_EQ(r, 0);
	return r == 0 && twz_object_init_guid(o, *id, ACCESS_RW) == 0;
}

static void empty_object(void)
{
	struct twz_ocreate_spec spec = { .result = 1, .flags = FLAGS };
	struct metainfo *mi;
	twzobj o;

	NEED(open_made(&o, sys_ocreate2(&spec), &spec.result));
	CHECK(!objid_is_reserved(spec.result));
	mi = twz_object_meta(&o);
	CHECK_EQ(mi->magic, MI_MAGIC);
	CHECK_EQ(mi->p_flags, MIP_DFL_READ | MIP_DFL_WRITE | MIP_DFL_DEL);
	CHECK_EQ(mi->fotentries, 1);
	CHECK_EQ(mi->milen, MI_MILEN_DEFAULT);
	CHECK_EQ(*page_word(&o, 1), 0);
	drop_object(&o);
}

static long with(struct twz_ocreate_spec spec)
{
	long r;

	spec.result = 77;
	r = sys_ocreate2(&spec);
	if (r == 0)
		sys_odelete(spec.result, TWZ_OD_IMMEDIATE);
	return r;
}

static void bad_specs(void)
{
	static struct twz_ocreate_source many[TWZ_OCREATE_MAX_SOURCES + 1];
	static objid_t ties[TWZ_OCREATE_MAX_TIES + 1];
	uintptr_t srcs = (uintptr_t)many, parents = (uintptr_t)ties;

	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .srcs = srcs, .srcs_len = 257 }),
	    -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .srcs = srcs, .srcs_len = -1ul }),
	    -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .ties = parents, .ties_len = 65 }),
	    -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .ties = parents, .ties_len = -1ul }),
	    -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .backing_type = 2 }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .lifetime = 2 }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .lifetime = 1 }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .reserved = 1 }), -EINVAL);
}

static void bad_flags(void)
{
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS | 2 }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS | 0x80 }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS | TWZ_OC_TIED_NONE }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = 1u << 31 }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS | TWZ_OC_ZERONONCE }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS | TWZ_OC_HASHDATA }), -EINVAL);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS | TWZ_OC_DMA }), -ENOTSUP);
}

static void bad_addresses(void)
{
	static const struct twz_ocreate_spec constant = { .flags = FLAGS };
	uintptr_t missing = SLOT_TO_VADDR(twz_nslots() - 40) + 0x1000;

	CHECK_EQ(sys_ocreate2(NULL), -EFAULT);
	CHECK_EQ(sys_ocreate2((void *)missing), -EFAULT);
	CHECK_EQ(sys_ocreate2((void *)-64l), -EFAULT);
	CHECK_EQ(sys_ocreate2((struct twz_ocreate_spec *)&constant), -EFAULT);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .srcs = missing, .srcs_len = 1 }),
	    -EFAULT);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .srcs = 0, .srcs_len = 256 }),
	    -EFAULT);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .ties = missing, .ties_len = 64 }),
	    -EFAULT);
	CHECK_EQ(with((struct twz_ocreate_spec){ .flags = FLAGS, .srcs = -8ul, .srcs_len = 1 }),
	    -EFAULT);
}

/* What creation from one source says; what was made is deleted. */
static long from(objid_t src, uint64_t start, uint64_t length, uint64_t dest, uint64_t flags)
{
	struct twz_ocreate_source s = { src, start, length, dest, flags };
	objid_t id;
	long r = create_from(&id, &s, 1, FLAGS, VOLATILE);

	if (r == 0)
		sys_odelete(id, TWZ_OD_IMMEDIATE);
	else
		CHECK(id == 0);
	return r;
}

static void bad_sources(void)
{
	twzobj o;
	objid_t src;

	NEED(numbered_object(&o, 0) == 0);
	src = twz_object_guid(&o);
	CHECK_EQ(from(src, 0x1000, 0x1000, 0, 0), 0);
	CHECK_EQ(from(src, 0x1000, 0x1000, 0, 1), -EINVAL);
	CHECK_EQ(from(src, 0x1001, 0x1000, 0, 0), -EINVAL);
	CHECK_EQ(from(src, 0x1000, 0x1008, 0, 0), -EINVAL);
	CHECK_EQ(from(src, 0x1000, 0x1000, 0x2800, 0), -EINVAL);
	CHECK_EQ(from(src, 0x1000, OBJ_MAXSIZE, 0, 0), -EINVAL);
	CHECK_EQ(from(src, OBJ_MAXSIZE, 0x1000, 0x1000, 0), -EINVAL);
	CHECK_EQ(from(src, 0x1000, 0x2000, OBJ_METAPAGE, 0), -EINVAL);
	CHECK_EQ(from(src, -0x1000ul, 0x2000, 0x1000, 0), -EINVAL);
	CHECK_EQ(from(src, 0x1000, 0x2000, -0x1000ul, 0), -EINVAL);
	CHECK_EQ(from(src, 0x1000, -0x1000ul, 0, 0), -EINVAL);
	CHECK_EQ(from(src, 0, 0, 0x1000, 0), -EINVAL);
	CHECK_EQ(from(0, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(from(missing_id(), 0, 0, 0, 0), -ENOENT);
	CHECK_EQ(from(missing_id(), 0x1000, 0x1000, 0, 0), -ENOENT);
	drop_object(&o);
}

static void whole_comes_first_or_never(void)
{
	struct twz_ocreate_source s[2];
	objid_t id;
	twzobj o;

	NEED(numbered_object(&o, 0) == 0);
	s[0] = page_range(0, 1, 1, 0);
	s[1] = (struct twz_ocreate_source){ .id = twz_object_guid(&o) };
	CHECK_EQ(create_from(&id, s, 2, FLAGS, VOLATILE), -EINVAL);
	CHECK(id == 0);
	drop_object(&o);
}

static void ranges_land_where_they_shall(void)
{
	struct twz_ocreate_source s[4];
	twzobj a, b, made;
	objid_t id;

	NEED(numbered_object(&a, 100) == 0 && numbered_object(&b, 200) == 0);
	s[0] = page_range(twz_object_guid(&a), 1, 6, 0);
	s[1] = page_range(twz_object_guid(&b), 1, 2, 5);
	s[2] = page_range(0, 2, 1, 0);
	s[3] = page_range(twz_object_guid(&b), 8, 1, 4096);
	NEED(open_made(&made, create_from(&id, s, 4, FLAGS, VOLATILE), &id));
	CHECK_EQ(*page_word(&made, 1), 101);
	CHECK_EQ(*page_word(&made, 2), 0);
	CHECK_EQ(*page_word(&made, 3), 103);
	CHECK_EQ(*page_word(&made, 4), 104);
	CHECK_EQ(*page_word(&made, 5), 201);
	CHECK_EQ(*page_word(&made, 6), 202);
	CHECK_EQ(*page_word(&made, 7), 0);
	CHECK_EQ(*page_word(&made, 4096), 208);
	drop_object(&made);
	drop_object(&a);
	drop_object(&b);
}

/* A hole of a later source does not bring back what an earlier one put there. */
static void later_sources_win(void)
{
	struct twz_ocreate_source s[3];
	twzobj a, hollow, made;
	objid_t id;

	NEED(numbered_object(&a, 100) == 0 && new_object(&hollow) == 0);
	*page_word(&hollow, 3) = 33;
	s[0] = (struct twz_ocreate_source){ .id = twz_object_guid(&a) };
	s[1] = page_range(twz_object_guid(&hollow), 2, 3, 0);
	s[2] = page_range(twz_object_guid(&a), 1, 1, 8);
	NEED(open_made(&made, create_from(&id, s, 3, FLAGS, VOLATILE), &id));
	CHECK_EQ(*page_word(&made, 1), 101);
	CHECK_EQ(*page_word(&made, 2), 0);
	CHECK_EQ(*page_word(&made, 3), 33);
	CHECK_EQ(*page_word(&made, 4), 0);
	CHECK_EQ(*page_word(&made, 5), 105);
	CHECK_EQ(*page_word(&made, 8), 101);
	drop_object(&made);
	drop_object(&a);
	drop_object(&hollow);
}

static void most_sources(void)
{
	static struct twz_ocreate_source s[TWZ_OCREATE_MAX_SOURCES];
	uint64_t n = TWZ_OCREATE_MAX_SOURCES, wrong = 0;
	twzobj a, made;
	objid_t id;

	NEED(new_object(&a) == 0);
	for (uint64_t i = 0; i < n; i++) {
		*page_word(&a, i + 1) = i;
		s[i] = page_range(twz_object_guid(&a), i + 1, 1, 2 * n - i);
	}
	NEED(open_made(&made, create_from(&id, s, n, FLAGS, VOLATILE), &id));
	for (uint64_t i = 0; i < n; i++)
		wrong += *page_word(&made, 2 * n - i) != i;
	CHECK_EQ(wrong, 0);
	drop_object(&made);
	drop_object(&a);
}

static void null_page_stays_away(void)
{
	struct twz_ocreate_source s;
	twzobj a, made;
	objid_t id;

	NEED(numbered_object(&a, 100) == 0);
	s = page_range(twz_object_guid(&a), 0, 3, 0);
	NEED(open_made(&made, create_from(&id, &s, 1, FLAGS, VOLATILE), &id));
	CHECK_EQ(*page_word(&made, 1), 101);
	CHECK_EQ(*page_word(&made, 2), 102);
	CHECK_EQ(*page_word(&made, 3), 0);
	drop_object(&made);
	s = page_range(twz_object_guid(&a), 0, 3, 5);
	NEED(open_made(&made, create_from(&id, &s, 1, FLAGS, VOLATILE), &id));
	CHECK_EQ(*page_word(&made, 5), 0);
	CHECK_EQ(*page_word(&made, 6), 101);
	CHECK_EQ(*page_word(&made, 7), 102);
	drop_object(&made);
	drop_object(&a);
}

/* The new object's metadata is its own, whatever lands on its page. */
static void check_metadata(objid_t src, uint64_t start, uint64_t count, uint64_t dest)
{
	struct twz_ocreate_source s = page_range(src, start, count, dest);
	struct kernel_ostat st;
	objid_t id, copy;
	long r;

	NEED(create_from(&id, &s, 1, FLAGS, VOLATILE) == 0);
	r = sys_ocreate(FLAGS, 0, id, &copy);
	CHECK_EQ(r, 0);
	if (r == 0)
		sys_odelete(copy, TWZ_OD_IMMEDIATE);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), 0);
	CHECK_EQ(st.flags & OS_FLAGS_INVALID, 0);
	CHECK_EQ(st.fotentries, 1);
	sys_odelete(id, TWZ_OD_IMMEDIATE);
}

static void metadata_is_its_own(void)
{
	uint64_t meta = OBJ_MAXPAGES - 1;
	objid_t src;
	twzobj a;

	NEED(numbered_object(&a, 100) == 0);
	src = twz_object_guid(&a);
	check_metadata(src, 1, meta, 0);
	check_metadata(src, meta, 1, 0);
	check_metadata(src, meta, 1, 9);
	check_metadata(src, 1, 1, meta);
	check_metadata(src, 1, 2, meta - 1);
	check_metadata(0, 1, meta, 0);
	check_metadata(0, 1, 1, meta);
	drop_object(&a);
}

static void whole_with_all_it_has(void)
{
	struct twz_ocreate_source s;
	twzobj a, made;
	objid_t id;

	NEED(numbered_object(&a, 100) == 0);
	twz_object_setsz(&a, TWZ_OSSM_ABSOLUTE, 1234);
	CHECK_EQ(twz_object_addext(&a, 42, twz_object_base(&a)), 0);
	CHECK_EQ(twz_object_addfot(&a, missing_id(), FE_READ), 1);
	s = (struct twz_ocreate_source){ .id = twz_object_guid(&a) };
	NEED(open_made(&made, create_from(&id, &s, 1, FLAGS, VOLATILE), &id));
	CHECK_EQ(*page_word(&made, PAGES), 100 + PAGES);
	CHECK_EQ(twz_object_meta(&made)->sz, 1234);
	CHECK(twz_object_getext(&made, 42) == twz_object_base(&made));
	CHECK_EQ(twz_object_addfot(&made, missing_id(), FE_READ), 1);
	CHECK(twz_object_meta(&made)->nonce != twz_object_meta(&a)->nonce);
	drop_object(&made);
	drop_object(&a);
}

static void most_ties(void)
{
	static twzobj parents[TWZ_OCREATE_MAX_TIES];
	static objid_t ids[TWZ_OCREATE_MAX_TIES];
	struct twz_ocreate_spec spec = { .flags = FLAGS, .ties = (uintptr_t)ids, .lifetime = 1 };

	for (unsigned i = 0; i < TWZ_OCREATE_MAX_TIES; i++) {
		NEED(new_object(&parents[i]) == 0);
		ids[i] = twz_object_guid(&parents[i]);
	}
	spec.ties_len = TWZ_OCREATE_MAX_TIES;
	NEED(sys_ocreate2(&spec) == 0);
	for (unsigned i = 0; i < TWZ_OCREATE_MAX_TIES; i++) {
		CHECK(object_exists(spec.result));
		drop_object(&parents[i]);
	}
	CHECK(!object_exists(spec.result));
}

/* A parent that is missing: the parents before it hold nothing. */
static void missing_parent(void)
{
	struct kernel_ostat st;
	objid_t ties[2];
	struct twz_ocreate_spec spec = {
		.flags = FLAGS, .ties = (uintptr_t)ties, .ties_len = 2, .lifetime = 1
	};
	twzobj parent;

	NEED(new_object(&parent) == 0);
	ties[0] = twz_object_guid(&parent);
	ties[1] = missing_id();
	CHECK_EQ(sys_ocreate2(&spec), -ENOENT);
	CHECK(spec.result == 0);
	CHECK_EQ(twz_object_kstat(&parent, &st), 0);
	CHECK_EQ(st.ties_out, 0);
	ties[1] = 0;
	CHECK_EQ(sys_ocreate2(&spec), -ENOENT);
	drop_object(&parent);
}

static void one_parent_twice(void)
{
	objid_t ties[2];
	struct twz_ocreate_spec spec = {
		.flags = FLAGS, .ties = (uintptr_t)ties, .ties_len = 2, .lifetime = 1
	};
	twzobj parent;

	NEED(new_object(&parent) == 0);
	ties[0] = ties[1] = twz_object_guid(&parent);
	NEED(sys_ocreate2(&spec) == 0);
	CHECK_EQ(sys_otie(ties[0], spec.result, OTIE_UNTIE), 0);
	CHECK(object_exists(spec.result));
	CHECK_EQ(sys_otie(ties[0], spec.result, OTIE_UNTIE), 0);
	CHECK(!object_exists(spec.result));
	drop_object(&parent);
}

/* Tied, but not born deleted: it outlives its parent. */
static void tied_until_deleted(void)
{
	objid_t tie;
	struct twz_ocreate_spec spec = { .flags = FLAGS, .ties = (uintptr_t)&tie, .ties_len = 1 };
	twzobj parent;

	NEED(new_object(&parent) == 0);
	tie = twz_object_guid(&parent);
	NEED(sys_ocreate2(&spec) == 0);
	drop_object(&parent);
	CHECK(object_exists(spec.result));
	CHECK_EQ(sys_odelete(spec.result, 0), 0);
	CHECK(!object_exists(spec.result));
}

static void persistent_from_ranges(void)
{
	struct twz_ocreate_source s[2];
	twzobj a, made;
	objid_t id;

	if (!have_store())
		return;
	NEED(numbered_object(&a, 100) == 0);
	s[0] = page_range(twz_object_guid(&a), 1, 4, 0);
	s[1] = page_range(twz_object_guid(&a), 2, 1, 600);
	NEED(open_made(&made, create_from(&id, s, 2, FLAGS, TWZ_BACKING_PERSISTENT), &id));
	CHECK_EQ(*page_word(&made, 4), 104);
	CHECK_EQ(*page_word(&made, 5), 0);
	CHECK_EQ(*page_word(&made, 600), 102);
	drop_object(&a);
	s[0] = (struct twz_ocreate_source){ .id = id };
	NEED(open_made(&a, create_from(&id, s, 1, FLAGS, VOLATILE), &id));
	CHECK_EQ(*page_word(&a, 600), 102);
	*page_word(&a, 600) = 7;
	CHECK_EQ(*page_word(&made, 600), 102);
	drop_object(&a);
	drop_object(&made);
}

/* Sources that land on one another, into the store. */
static void persistent_overlaps(void)
{
	struct twz_ocreate_source s[3];
	twzobj a, made;
	objid_t id;
	long r;

	if (!have_store())
		return;
	NEED(numbered_object(&a, 100) == 0);
	s[0] = page_range(twz_object_guid(&a), 1, 4, 0);
	s[1] = page_range(twz_object_guid(&a), 7, 2, 2);
	s[2] = page_range(0, 4, 1, 0);
	r = create_from(&id, s, 3, FLAGS, TWZ_BACKING_PERSISTENT);
	NEED(open_made(&made, r, &id));
	CHECK_EQ(*page_word(&made, 1), 101);
	CHECK_EQ(*page_word(&made, 2), 107);
	CHECK_EQ(*page_word(&made, 3), 108);
	CHECK_EQ(*page_word(&made, 4), 0);
	drop_object(&made);
	drop_object(&a);
}

static void persistent_child(void)
{
	struct kernel_ostat st;
	objid_t tie;
	struct twz_ocreate_spec spec = {
		.flags = FLAGS, .ties = (uintptr_t)&tie, .ties_len = 1, .lifetime = 1,
		.backing_type = TWZ_BACKING_PERSISTENT,
	};
	twzobj parent;

	if (!have_store())
		return;
	NEED(new_object(&parent) == 0);
	tie = twz_object_guid(&parent);
	NEED(sys_ocreate2(&spec) == 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, spec.result, 0, &st), 0);
	CHECK_EQ(st.flags & (OS_FLAGS_PERSIST | OS_FLAGS_DELETED), OS_FLAGS_PERSIST | OS_FLAGS_DELETED);
	CHECK_EQ(st.ties_in, 1);
	drop_object(&parent);
	CHECK(!object_exists(spec.result));
}

static void no_store(void)
{
	struct twz_ocreate_spec spec = { .flags = FLAGS, .backing_type = TWZ_BACKING_PERSISTENT };

	if (twz_sysinfo()->features & TWZ_FEATURE_STORE) {
		ktap_skip("there is a store");
		return;
	}
	CHECK_EQ(sys_ocreate2(&spec), -ENODEV);
	CHECK(spec.result == 0);
	spec.backing_type = VOLATILE;
	spec.flags |= TWZ_OC_PERSIST;
	CHECK_EQ(sys_ocreate2(&spec), -ENODEV);
	spec.flags = TWZ_OC_DFL_READ | TWZ_OC_PERSIST | TWZ_OC_HASHDATA;
	CHECK_EQ(sys_ocreate2(&spec), -ENODEV);
}

static void refusals(void)
{
	twzobj o;

	bad_specs();
	bad_flags();
	NEED(numbered_object(&o, 0) == 0);
	from(twz_object_guid(&o), 0x1000, 0x1001, 0, 0);
	with((struct twz_ocreate_spec){ .flags = FLAGS, .ties = (uintptr_t)&o.id, .ties_len = 1 });
	drop_object(&o);
}

static void refusals_cost_nothing(void)
{
	uint64_t before, after;

	refusals();
	before = memory_free();
	for (int i = 0; i < 100; i++)
		refusals();
	after = memory_free();
	ktap_note("memory free: %lu before, %lu after", (unsigned long)before, (unsigned long)after);
	CHECK(after + (64 << 10) >= before);
}

static const struct ktap_case cases[] = {
	{ "an empty object", empty_object },
	{ "bad specifications are refused", bad_specs },
	{ "bad flags are refused", bad_flags },
	{ "bad addresses are refused", bad_addresses },
	{ "bad sources are refused", bad_sources },
	{ "a whole object comes first or never", whole_comes_first_or_never },
	{ "ranges land where they shall", ranges_land_where_they_shall },
	{ "later sources overwrite earlier ones, holes too", later_sources_win },
	{ "256 sources", most_sources },
	{ "the null page is never copied", null_page_stays_away },
	{ "the metadata page is the new object's own", metadata_is_its_own },
	{ "a whole object with size, extensions and foreign object table", whole_with_all_it_has },
	{ "64 ties", most_ties },
	{ "a missing parent: nothing is made", missing_parent },
	{ "one parent twice is two ties", one_parent_twice },
	{ "tied, but not born deleted", tied_until_deleted },
	{ "persistent, from ranges, and back", persistent_from_ranges },
	{ "persistent, from ranges that overlap", persistent_overlaps },
	{ "a persistent child of a volatile parent", persistent_child },
	{ "no store", no_store },
	{ "refusals cost nothing", refusals_cost_nothing },
};

int main(void)
{
	return KTAP_RUN(cases);
}
