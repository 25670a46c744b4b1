// SPDX-License-Identifier: BSD-3-Clause
/* Tests of twzpack's namespace objects. */
#include "unit.h"

#include "names.h"

#include <abi/hier.h>

static void read_image(const void *object, uint64_t offset, void *bytes, size_t len)
{
	image_read(object, offset, bytes, len);
}

static struct names_walk walk(const struct image *img)
{
	return (struct names_walk){ .read = read_image, .object = img };
}

static void expect_entry(struct names_walk *w, const char *name, objid_t id)
{
	assert_int_equal(names_next(w), 1);
	assert_string_equal(w->name, name);
	assert_true(w->id == id);
}

static void names_come_back_sorted(void **state)
{
	struct name names[] = { { "init", 7 }, { "a", 5 }, { "demo", 6 } };
	struct names_walk w;
	struct image img;

	(void)state;
	names_build(names, 3, &img);
	w = walk(&img);
	assert_true(names_begin(&w));
	expect_entry(&w, ".", img.id);
	expect_entry(&w, "..", img.id);
	expect_entry(&w, "a", 5);
	expect_entry(&w, "demo", 6);
	expect_entry(&w, "init", 7);
	assert_int_equal(names_next(&w), 0);
	image_free(&img);
}

/* The bytes, as other readers will find them. */
static void layout_of_the_object(void **state)
{
	struct name names[] = { { "init", MKID(1, 2) } };
	uint8_t bytes[64 + 4 * 48];
	struct image img;

	(void)state;
	names_build(names, 1, &img);
	assert_true(img.mi->exts[0].tag == HIER_METAEXT_TAG);
	assert_int_equal(img.mi->exts[0].ptr, 0x1000);
	assert_int_equal(img.mi->p_flags, MIP_DFL_READ);
	image_read(&img, 0x1000, bytes, sizeof(bytes));
	assert_memory_equal(bytes, "\xcc\xcc\xbb\xbb\x00\x13\x3a\xa1\x01\x00\x00\x00", 12);
	assert_memory_equal(bytes + 64 + 96,
			    "\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"
			    "\x05\0\0\0\0\0\0\0init\0\0\0\0\0\0\0\0\0\0\0\0", 48);
	for (size_t i = 64 + 144; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
	image_free(&img);
}

static void many_long_names(void **state)
{
	static char text[500][256];
	struct name names[500];
	struct names_walk w;
	struct image img;
	int count = 0;

	(void)state;
	for (int i = 0; i < 500; i++) {
		char digits[16];

		snprintf(digits, sizeof(digits), "%04d", i);
		memset(text[i], 'n', 255);
		memcpy(text[i], digits, 4);
		assert_true(name_valid(text[i]));
		names[i] = (struct name){ text[i], (objid_t)i };
	}
	names_build(names, 500, &img);
	w = walk(&img);
	assert_true(names_begin(&w));
	while (names_next(&w) == 1)
		count++;
	assert_int_equal(count, 502);
	image_free(&img);
}

static void validity_of_names(void **state)
{
	char longest[257];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	assert_false(name_valid(longest));
	longest[255] = '\0';
	assert_true(name_valid(longest));
	assert_true(name_valid("a"));
	assert_true(name_valid("..."));
	assert_false(name_valid(""));
	assert_false(name_valid("."));
	assert_false(name_valid(".."));
	assert_false(name_valid("a/b"));
}

/* Set dlen of the first entry to a hostile value; walking must end. */
static void malformed_lists(void **state)
{
	static const uint64_t lengths[] = { 1, 255, 0x3dffe000, 0x3e000000, 1ull << 62,
					    UINT64_MAX - 40, UINT64_MAX };
	struct name names[] = { { "init", 7 } };
	struct names_walk w;
	struct image img;
	int rc;

	(void)state;
	names_build(names, 1, &img);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		image_write(&img, 0x1000 + 64 + 24, &lengths[i], 8);
		w = walk(&img);
		assert_true(names_begin(&w));
		rc = 1;
		for (int k = 0; k < 10 && rc == 1; k++)
			rc = names_next(&w);
		assert_int_not_equal(rc, 1);
	}
	image_write(&img, 0x1000, "no magic", 8);
	w = walk(&img);
	assert_false(names_begin(&w));
	image_free(&img);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_back_sorted),
		cmocka_unit_test(layout_of_the_object),
		cmocka_unit_test(many_long_names),
		cmocka_unit_test(validity_of_names),
		cmocka_unit_test(malformed_lists),
	};

	return cmocka_run_group_tests_name("twzpack/names", tests, NULL, NULL);
}
