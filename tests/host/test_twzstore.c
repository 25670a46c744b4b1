// SPDX-License-Identifier: BSD-3-Clause
/*
 * twzstore's parts, on stores in memory: importing is all or nothing, exporting gives the same
 * bytes and stays in its folder, lists of names that lie are survived.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <abi/errno.h>

#include "../../tools/twzstore/check.h"
#include "../../tools/twzstore/show.h"
#include "../../tools/twzstore/transfer.h"
#include "twzstore/image.h"

#define LEN (8ul << 20)

static struct region region;
static struct store st;

static void mount_region(bool writable)
{
	enum status status;

	region.writable = writable;
	assert_true(region_mount(&region, &st, &status));
}

static int make(void **state)
{
	(void)state;
	complain_to(nowhere());
	make_region(&region, LEN);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	munmap(region.base, region.len + STORE_PAGE_SIZE);
	return 0;
}

static void check_clean(void)
{
	region.writable = false;
	assert_int_equal(check_region(&region, true, nowhere()), DONE);
}

/* Import one file under a name; whether it worked. */
static bool import_one(const char *path, const char *name)
{
	struct plan p = { .items = NULL };
	bool ok = plan_file(&p, path, name);

	mount_region(true);
	ok = ok && import_place(&st, &p) && import_run(&st, &p);
	plan_free(&p);
	return ok;
}

static const char *small_file(void)
{
	const char *path = scratch_path("small");

	write_file(path, "small", 5);
	return path;
}

static int run_diff(const char *a, const char *b)
{
	char command[1200];

	snprintf(command, sizeof(command), "diff -r --no-dereference '%s' '%s'", a, b);
	return system(command);
}

static void a_tree_comes_back_byte_identical(void **state)
{
	struct object ns;

	(void)state;
	make_sample_tree(scratch_path("tree"));
	import_tree(&region, scratch_path("tree"), "tree");
	check_clean();
	mount_region(false);
	assert_true(object_named(&st, "/tree/", &ns));
	assert_true(export_tree(&ns, scratch_path("back"), false));
	assert_int_equal(run_diff(scratch_path("tree"), scratch_path("back")), 0);
	assert_false(export_tree(&ns, scratch_path("back"), false));
}

static void names_taken_or_improper_are_refused(void **state)
{
	static const char *const names[] = { "a", "a/", "//a", "a/b", "b/c", ".", "..", "", "/" };
	const char *path = small_file();
	struct store_stats before, after;

	(void)state;
	assert_true(import_one(path, "a"));
	store_stats(&st, &before);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (import_one(path, names[i]))
			fail_msg("imported as '%s'", names[i]);
	}
	store_stats(&st, &after);
	assert_int_equal(before.objects, after.objects);
	assert_int_equal(before.free_pages, after.free_pages);
	check_clean();
}

static void a_name_in_a_new_store_is_not_in_a_folder(void **state)
{
	(void)state;
	assert_false(import_one(small_file(), "a/b"));
	assert_true(import_one(small_file(), "/b/"));
	check_clean();
}

static void one_name_for_two_things_is_refused(void **state)
{
	struct plan p = { .items = NULL };

	(void)state;
	assert_true(plan_file(&p, small_file(), "x"));
	assert_true(plan_file(&p, small_file(), "/x"));
	mount_region(true);
	assert_false(import_place(&st, &p));
	plan_free(&p);
}

static void files_beyond_the_limit_are_refused(void **state)
{
	struct plan p = { .items = NULL };

	(void)state;
	mkdir(scratch_path("large"), 0755);
	write_file(scratch_path("large/a"), "a", 1);
	write_file(scratch_path("large/z"), "", 0);
	assert_int_equal(truncate(scratch_path("large/z"), OBJ_MAXDATA + 1), 0);
	assert_false(plan_folder(&p, scratch_path("large"), "large"));
	plan_free(&p);
	assert_int_equal(truncate(scratch_path("large/z"), OBJ_MAXDATA), 0);
	assert_true(plan_folder(&p, scratch_path("large"), "large"));
	plan_free(&p);
}

/* Fill the store but for a few pages, then import what needs one more than there is. */
static void a_full_store_takes_nothing(void **state)
{
	static uint8_t bytes[LEN];
	struct store_stats before, after;

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	assert_true(import_one(small_file(), "first"));
	store_stats(&st, &before);
	write_file(scratch_path("filler"), bytes, (before.free_pages - 20) * STORE_PAGE_SIZE);
	assert_true(import_one(scratch_path("filler"), "filler"));
	store_stats(&st, &before);
	write_file(scratch_path("more"), bytes, before.free_pages * STORE_PAGE_SIZE);
	assert_false(import_one(scratch_path("more"), "more"));
	store_stats(&st, &after);
	assert_int_equal(before.objects, after.objects);
	assert_int_equal(before.free_pages, after.free_pages);
	check_clean();
}

/* A file that changes between planning and reading: everything that was imported goes again. */
static void a_failed_import_is_taken_back(void **state)
{
	struct plan p = { .items = NULL };
	struct store_stats before, after;
	const char *folder = scratch_path("moving");

	(void)state;
	mkdir(folder, 0755);
	write_file(scratch_path("moving/a"), "a", 1);
	write_file(scratch_path("moving/b"), "b", 1);
	assert_true(import_one(small_file(), "first"));
	store_stats(&st, &before);
	assert_true(plan_folder(&p, folder, "moving"));
	write_file(scratch_path("moving/b"), "bb", 2);
	assert_true(import_place(&st, &p));
	assert_false(import_run(&st, &p));
	plan_free(&p);
	store_stats(&st, &after);
	assert_int_equal(before.objects, after.objects);
	assert_int_equal(before.free_pages, after.free_pages);
	check_clean();
}

/* ---- Lists that lie ---- */

/* Append a record to the root of names, whatever it says. */
static void append_to_root(const char *name, const char *target, uint8_t type, objid_t id)
{
	struct entry e = { .id = id, .type = type, .name = (char *)name, .target = (char *)target };
	struct entries entries;
	struct object root;
	objid_t root_id;

	mount_region(true);
	assert_int_equal(store_nameroot(&st, &root_id), 0);
	assert_int_equal(object_open(&st, root_id, &root), 0);
	assert_int_equal(entries_read(&root, &entries), 0);
	entries_free(&entries);
	assert_int_equal(hier_append(&root, &entries.end, &e), 0);
}

static objid_t id_of(const char *name)
{
	struct object o;

	mount_region(false);
	assert_true(object_named(&st, name, &o));
	return o.h.id;
}

static bool export_root(bool keep_going)
{
	struct object root;
	objid_t id;

	mount_region(false);
	assert_int_equal(store_nameroot(&st, &id), 0);
	assert_int_equal(object_open(&st, id, &root), 0);
	return export_tree(&root, scratch_path("lies"), keep_going);
}

static void clear_export(void)
{
	char command[600];

	snprintf(command, sizeof(command), "rm -rf '%s'", scratch_path("lies"));
	assert_int_equal(system(command), 0);
}

static void a_circle_of_namespaces_ends(void **state)
{
	struct names names;
	objid_t root;

	(void)state;
	assert_true(import_one(small_file(), "small"));
	assert_int_equal(store_nameroot(&st, &root), 0);
	append_to_root("again", NULL, NAME_ENT_NAMESPACE, root);
	names_collect(&st, NULL, &names);
	assert_int_equal(names.count, 3);
	assert_int_equal(names.faults, 1);
	names_free(&names);
	assert_false(export_root(false));
	assert_int_not_equal(access(scratch_path("lies"), F_OK), 0);
	assert_false(export_root(true));
	assert_int_equal(access(scratch_path("lies/small"), F_OK), 0);
	clear_export();
}

static void exports_stay_in_their_folder(void **state)
{
	objid_t id;

	(void)state;
	assert_true(import_one(small_file(), "small"));
	id = id_of("small");
	append_to_root("../escaped", NULL, NAME_ENT_REGULAR, id);
	append_to_root("way", scratch_folder(), NAME_ENT_SYMLINK, 0);
	append_to_root("way/escaped", NULL, NAME_ENT_REGULAR, id);
	assert_false(export_root(true));
	assert_int_not_equal(access(scratch_path("escaped"), F_OK), 0);
	assert_int_equal(access(scratch_path("lies/small"), F_OK), 0);
	clear_export();
}

static void of_two_records_with_a_name_the_later_counts(void **state)
{
	(void)state;
	assert_true(import_one(small_file(), "a"));
	assert_true(import_one(small_file(), "b"));
	append_to_root("a", NULL, NAME_ENT_REGULAR, id_of("b"));
	assert_true(id_of("a") == id_of("b"));
}

static void names_of_lost_objects_are_faults_of_objects_only(void **state)
{
	(void)state;
	assert_true(import_one(small_file(), "a"));
	append_to_root("lost", NULL, NAME_ENT_REGULAR, MKID(1, 2));
	region.writable = false;
	assert_int_equal(check_region(&region, false, nowhere()), DONE);
	assert_int_equal(check_region(&region, true, nowhere()), FAILED);
	assert_false(export_root(false));
}

static void changed_metadata_does_not_belong_to_its_id(void **state)
{
	struct object o;
	void *page;

	(void)state;
	assert_true(import_one(small_file(), "a"));
	assert_true(object_named(&st, "a", &o));
	assert_null(object_fault(&o));
	assert_int_equal(store_page_get(&st, &o.h, STORE_OBJECT_PAGES - 1, &page), 0);
	((struct metainfo *)page)->nonce ^= 1;
	assert_true(object_named(&st, "a", &o));
	assert_non_null(object_fault(&o));
	region.writable = false;
	assert_int_equal(check_region(&region, true, nowhere()), FAILED);
}

static void a_damaged_store_is_not_written(void **state)
{
	struct region copy = region;
	enum status status;

	(void)state;
	assert_true(import_one(small_file(), "a"));
	store_unmount(&st);
	region.base[16 * STORE_PAGE_SIZE + 100] ^= 1; /* in the bitmap */
	assert_int_equal(check_region(&copy, false, nowhere()), FAILED);
	assert_false(check_before_writing(&region, &st, &status));
	assert_int_equal(status, FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tree_comes_back_byte_identical, make, unmake),
		cmocka_unit_test_setup_teardown(names_taken_or_improper_are_refused, make, unmake),
		cmocka_unit_test_setup_teardown(a_name_in_a_new_store_is_not_in_a_folder, make,
						unmake),
		cmocka_unit_test_setup_teardown(one_name_for_two_things_is_refused, make, unmake),
		cmocka_unit_test_setup_teardown(files_beyond_the_limit_are_refused, make, unmake),
		cmocka_unit_test_setup_teardown(a_full_store_takes_nothing, make, unmake),
		cmocka_unit_test_setup_teardown(a_failed_import_is_taken_back, make, unmake),
		cmocka_unit_test_setup_teardown(a_circle_of_namespaces_ends, make, unmake),
		cmocka_unit_test_setup_teardown(exports_stay_in_their_folder, make, unmake),
		cmocka_unit_test_setup_teardown(of_two_records_with_a_name_the_later_counts, make,
						unmake),
		cmocka_unit_test_setup_teardown(names_of_lost_objects_are_faults_of_objects_only,
						make, unmake),
		cmocka_unit_test_setup_teardown(changed_metadata_does_not_belong_to_its_id, make,
						unmake),
		cmocka_unit_test_setup_teardown(a_damaged_store_is_not_written, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
