// SPDX-License-Identifier: BSD-3-Clause
/* Hash-data objects: the content is the name, and neither ever changes. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define FLAGS (TWZ_OC_HASHDATA | TWZ_OC_DFL_READ)
#define ZERO (FLAGS | TWZ_OC_ZERONONCE)
#define SIZE_D 532487ul

/* The object made of the whole of src; *id is 0 if it failed. */
static long make(objid_t *id, twzobj *src, uint32_t flags, uint16_t backing)
{
	struct twz_ocreate_source s = { .id = twz_object_guid(src) };

	return create_from(id, &s, 1, flags, backing);
}

static int text_object(twzobj *o, const char *text, size_t len)
{
	int r = new_object(o);

	if (r < 0)
		return r;
	memcpy(twz_object_base(o), text, len);
	twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, (ssize_t)len);
	return 0;
}

static void check_vector(twzobj *src, objid_t want, uint16_t backing)
{
	objid_t id;

	CHECK_EQ(make(&id, src, ZERO, backing), 0);
	if (id != want)
		ktap_note("the ID is " IDFMT ", not " IDFMT, IDPR(id), IDPR(want));
	CHECK(id == want);
	if (id)
		CHECK_EQ(sys_odelete(id, TWZ_OD_IMMEDIATE), 0);
}

static void check_vectors(uint16_t backing)
{
	objid_t bytes = MKID(0x0f0e0d0c0b0a0908ull, 0x0706050403020100ull);
	uint8_t *base;
	twzobj o;

	NEED(text_object(&o, "", 0) == 0);
	check_vector(&o, MKID(0x86776f522bc59220ull, 0x5e72940acb93547aull), backing);
	drop_object(&o);
	NEED(text_object(&o, "hello", 5) == 0);
	check_vector(&o, MKID(0x434b0b52d9c451baull, 0x415e6317c00fa8fbull), backing);
	CHECK_EQ(twz_object_addfot(&o, bytes, FE_READ), 1);
	check_vector(&o, MKID(0xc0968e515ee33b60ull, 0x44c1e29d75df7152ull), backing);
	drop_object(&o);
	NEED(new_object(&o) == 0);
	base = twz_object_base(&o);
	for (unsigned i = 0; i < SIZE_D; i++)
		base[i] = (uint8_t)(i % 251);
	twz_object_setsz(&o, TWZ_OSSM_ABSOLUTE, SIZE_D);
	check_vector(&o, MKID(0x87e20aff54f1626bull, 0x9175b1fafa271983ull), backing);
	drop_object(&o);
}

static void vectors(void)
{
	check_vectors(TWZ_BACKING_VOLATILE);
}

static void persistent_vectors(void)
{
	if (have_store())
		check_vectors(TWZ_BACKING_PERSISTENT);
}

static void equal_content_equal_name(void)
{
	objid_t id, again, other;
	twzobj a, b;

	NEED(text_object(&a, "equal", 5) == 0 && text_object(&b, "equal", 5) == 0);
	NEED(make(&id, &a, ZERO, 0) == 0);
	CHECK_EQ(make(&again, &b, ZERO, 0), 0);
	CHECK(again == id);
	CHECK_EQ(make(&other, &b, ZERO | TWZ_OC_DFL_EXEC, 0), 0);
	CHECK(other != id);
	sys_odelete(other, TWZ_OD_IMMEDIATE);
	*(char *)twz_object_base(&b) = 'E';
	CHECK_EQ(make(&other, &b, ZERO, 0), 0);
	CHECK(other != id);
	sys_odelete(other, TWZ_OD_IMMEDIATE);
	CHECK_EQ(sys_odelete(id, TWZ_OD_IMMEDIATE), 0);
	CHECK(!object_exists(id));
	CHECK_EQ(make(&again, &a, ZERO, 0), 0);
	CHECK(again == id);
	sys_odelete(id, TWZ_OD_IMMEDIATE);
	drop_object(&a);
	drop_object(&b);
}

static void nonces_make_names_differ(void)
{
	objid_t id, again;
	twzobj a, h;

	NEED(text_object(&a, "nonce", 5) == 0);
	NEED(make(&id, &a, FLAGS, 0) == 0);
	NEED(make(&again, &a, FLAGS, 0) == 0);
	CHECK(again != id);
	NEED(twz_object_init_guid(&h, again, FE_READ) == 0);
	CHECK(memcmp(twz_object_base(&h), "nonce", 6) == 0);
	CHECK(twz_object_meta(&h)->nonce != 0);
	drop_object(&h);
	sys_odelete(id, TWZ_OD_IMMEDIATE);
	drop_object(&a);
}

/* What the size does not cover is not content: not hashed, and not there. */
static void uncovered_bytes(void)
{
	objid_t id, again;
	twzobj a, h;

	NEED(text_object(&a, "covered", 7) == 0);
	NEED(make(&id, &a, ZERO, 0) == 0);
	((char *)twz_object_base(&a))[7] = 'x';
	*page_word(&a, 2) = 1;
	*page_word(&a, 5000) = 1;
	CHECK_EQ(make(&again, &a, ZERO, 0), 0);
	CHECK(again == id);
	sys_odelete(id, TWZ_OD_IMMEDIATE);
	NEED(make(&id, &a, FLAGS, 0) == 0);
	NEED(twz_object_init_guid(&h, id, FE_READ) == 0);
	CHECK(memcmp(twz_object_base(&h), "covered", 8) == 0);
	CHECK_EQ(*page_word(&h, 2), 0);
	CHECK_EQ(*page_word(&h, 5000), 0);
	drop_object(&h);
	drop_object(&a);
}

static void implied_size(void)
{
	objid_t id;
	twzobj a, h;

	NEED(new_object(&a) == 0);
	*page_word(&a, 3) = 9;
	NEED(make(&id, &a, ZERO, 0) == 0);
	NEED(twz_object_init_guid(&h, id, FE_READ) == 0);
	CHECK_EQ(twz_object_meta(&h)->flags, MIF_SZ);
	CHECK_EQ(twz_object_meta(&h)->sz, 3 * TWZ_PAGE_SIZE);
	CHECK_EQ(*page_word(&h, 3), 9);
	drop_object(&h);
	drop_object(&a);
}

static void write_handle(void *arg)
{
	*page_word(arg, 1) = 1;
}

static void write_meta(void *arg)
{
	twz_object_meta(arg)->p_flags |= MIP_DFL_WRITE;
}

static void nobody_writes(void)
{
	twzobj a, h, rw;
	objid_t id;

	NEED(text_object(&a, "fixed", 5) == 0);
	NEED(make(&id, &a, ZERO, 0) == 0);
	NEED(twz_object_init_guid(&h, id, FE_READ) == 0);
	NEED(twz_object_init_guid(&rw, id, ACCESS_RW) == 0);
	CHECK(exit_code_of(write_handle, &h) != 0);
	CHECK(exit_code_of(write_handle, &rw) != 0);
	CHECK(exit_code_of(write_meta, &rw) != 0);
	CHECK(memcmp(twz_object_base(&h), "fixed", 6) == 0);
	CHECK(sys_random((char *)twz_object_base(&rw), 8, 0) < 0);
	CHECK_EQ(sys_osync(id, 0, 0, 0), -EACCES);
	CHECK_EQ(sys_octl(id, OCO_CACHE_MODE, 0, 0, OC_CM_WB), -EACCES);
	CHECK_EQ(sys_otie(id, twz_object_guid(&a), 0), -EACCES);
	CHECK(sys_ocopy(&id, &a.id, 0x1000, 0x1000, 0x1000, 0) < 0);
	CHECK(memcmp(twz_object_base(&h), "fixed", 6) == 0);
	twz_object_release(&rw);
	drop_object(&h);
	drop_object(&a);
}

/* The original goes on being written, the object made of it stays. */
static void source_goes_on(void)
{
	objid_t id;
	twzobj a, h;

	NEED(text_object(&a, "before", 6) == 0);
	NEED(make(&id, &a, FLAGS, 0) == 0);
	memcpy(twz_object_base(&a), "after!", 6);
	NEED(twz_object_init_guid(&h, id, FE_READ) == 0);
	CHECK(memcmp(twz_object_base(&h), "before", 6) == 0);
	memcpy(twz_object_base(&a), "later!", 6);
	CHECK(memcmp(twz_object_base(&h), "before", 6) == 0);
	drop_object(&h);
	drop_object(&a);
}

/* An ordinary copy of a hash-data object can be written, and does not change it. */
static void copies_are_ordinary(void)
{
	objid_t id;
	twzobj a, h, copy;

	NEED(text_object(&a, "stays", 5) == 0);
	NEED(make(&id, &a, ZERO, 0) == 0);
	NEED(twz_object_init_guid(&h, id, FE_READ) == 0);
	NEED(twz_object_new(&copy, &h, NULL, OBJ_VOLATILE, NEW_FLAGS) == 0);
	CHECK(memcmp(twz_object_base(&copy), "stays", 6) == 0);
	*(char *)twz_object_base(&copy) = 'S';
	CHECK(memcmp(twz_object_base(&h), "stays", 6) == 0);
	drop_object(&copy);
	drop_object(&h);
	drop_object(&a);
}

/* A twin gets the ties that were asked for. */
static void twins_are_tied(void)
{
	struct twz_ocreate_source s;
	objid_t id, tie;
	struct twz_ocreate_spec spec = {
		.srcs = (uintptr_t)&s, .srcs_len = 1, .flags = ZERO, .ties = (uintptr_t)&tie,
		.ties_len = 1, .lifetime = 1,
	};
	twzobj a, parent;

	NEED(text_object(&a, "twin", 4) == 0 && new_object(&parent) == 0);
	s = (struct twz_ocreate_source){ .id = twz_object_guid(&a) };
	tie = twz_object_guid(&parent);
	NEED(make(&id, &a, ZERO, 0) == 0);
	CHECK_EQ(sys_ocreate2(&spec), 0);
	CHECK(spec.result == id);
	CHECK_EQ(sys_odelete(id, 0), 0);
	CHECK(object_exists(id));
	drop_object(&parent);
	CHECK(!object_exists(id));
	drop_object(&a);
}

static void twin_on_its_way_out(void)
{
	objid_t id, again;
	twzobj a, h;

	NEED(text_object(&a, "leaving", 7) == 0);
	NEED(make(&id, &a, ZERO, 0) == 0);
	NEED(twz_object_init_guid(&h, id, FE_READ) == 0);
	CHECK(*(volatile char *)twz_object_base(&h) == 'l');
	CHECK_EQ(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE), 0);
	CHECK_EQ(make(&again, &a, ZERO, 0), -EBUSY);
	twz_object_release(&h);
	CHECK_EQ(make(&again, &a, ZERO, 0), 0);
	CHECK(again == id);
	sys_odelete(again, TWZ_OD_IMMEDIATE);
	drop_object(&a);
}

static void through_libtwz(void)
{
	twzobj a, h;

	NEED(text_object(&a, "libtwz", 6) == 0);
	NEED(twz_object_new(&h, &a, NULL, OBJ_VOLATILE, ZERO) == 0);
	CHECK(memcmp(twz_object_base(&h), "libtwz", 7) == 0);
	CHECK_EQ(twz_object_meta(&h)->p_flags, MIP_HASHDATA | MIP_DFL_READ);
	twz_object_release(&h);
	CHECK_EQ(twz_object_new(&h, &a, NULL, OBJ_VOLATILE, FLAGS | TWZ_OC_DFL_WRITE), -EINVAL);
	CHECK_EQ(twz_object_new(&h, &a, NULL, OBJ_VOLATILE, TWZ_OC_ZERONONCE), -EINVAL);
	drop_object(&a);
}

/* Metadata that makes no sense cannot be named. */
static void bad_metadata(void)
{
	objid_t id;
	twzobj a;

	NEED(text_object(&a, "bad", 3) == 0);
	twz_object_meta(&a)->sz = OBJ_MAXDATA + 1;
	CHECK_EQ(make(&id, &a, ZERO, 0), -EINVAL);
	twz_object_meta(&a)->sz = 3;
	twz_object_meta(&a)->fotentries = OBJ_MAXFOTE + 1;
	CHECK_EQ(make(&id, &a, ZERO, 0), -EINVAL);
	drop_object(&a);
}

static void memory_comes_back(void)
{
	uint64_t before = 0, after;
	objid_t id;
	twzobj a;

	NEED(new_object(&a) == 0);
	for (uint64_t p = 1; p <= 64; p++)
		*page_word(&a, p) = p;
	for (int i = 0; i < 60; i++) {
		NEED(make(&id, &a, ZERO, 0) == 0);
		NEED(make(&id, &a, ZERO, 0) == 0);
		sys_odelete(id, TWZ_OD_IMMEDIATE);
		if (i == 9)
			before = memory_free();
	}
	after = memory_free();
	ktap_note("memory free: %lu before, %lu after", (unsigned long)before, (unsigned long)after);
	CHECK(after + (64 << 10) >= before);
	drop_object(&a);
}

static const struct ktap_case cases[] = {
	{ "the names are those of the specification", vectors },
	{ "the same in the store", persistent_vectors },
	{ "equal content, equal name", equal_content_equal_name },
	{ "a nonce makes names differ", nonces_make_names_differ },
	{ "what the size does not cover is not there", uncovered_bytes },
	{ "the size of an unsized source", implied_size },
	{ "nobody writes", nobody_writes },
	{ "the source goes on", source_goes_on },
	{ "copies are ordinary objects", copies_are_ordinary },
	{ "a twin gets the ties", twins_are_tied },
	{ "a twin that is being deleted at once", twin_on_its_way_out },
	{ "through libtwz", through_libtwz },
	{ "bad metadata cannot be named", bad_metadata },
	{ "memory comes back", memory_comes_back },
};

int main(void)
{
	return KTAP_RUN(cases);
}
