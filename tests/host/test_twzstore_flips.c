// SPDX-License-Identifier: BSD-3-Clause
/*
 * Every byte of a small store, flipped: `twzstore check` finds each flip in metadata and says whom
 * it concerns, and finds nothing where content, free pages or what is behind the store was hit.
 *
 * TWZSTORE_FLIP_BITS: how many bits of each byte are flipped, one at a time (1; 8 takes
 * minutes).
 */
#include "unit.h"

#include "../../kernel/store/internal.h"
#include "../../tools/twzstore/check.h"
#include "../../tools/twzstore/inside.h"
#include "twzstore/image.h"

static struct region region;
static struct page_map map;
static uint64_t first_data;

static int make(void **state)
{
	enum status status;
	struct store st;

	(void)state;
	complain_to(nowhere());
	make_region(&region, 8ul << 20);
	make_sample_tree(scratch_path("tree"));
	import_tree(&region, scratch_path("tree"), "tree");
	add_rare_things(&region);
	region.writable = false;
	assert_true(region_mount(&region, &st, &status));
	inside_map(&st, &map);
	first_data = st.first_data;
	assert_int_equal(check_store(&st, stdout), 0);
	return 0;
}

static bool is_metadata(uint64_t page)
{
	if (page < first_data)
		return true;
	return page < map.pages && map.owner[page].use != PAGE_UNUSED &&
	       map.owner[page].use != PAGE_CONTENT;
}

static const struct log_record *last_record(void)
{
	return (const void *)(region.base + LOG_PAGE * STORE_PAGE_SIZE);
}

/*
 * What a cut may leave as well is a note, not a fault: a torn record in the log, and a word of the
 * last operation that is not in place, which the log has.
 */
static bool is_noted(uint64_t offset, const char *text)
{
	const struct log_record *log = last_record();

	if (offset / STORE_PAGE_SIZE == LOG_PAGE)
		return strstr(text, "log record") != NULL;
	for (uint64_t i = 0; i < log->count; i++) {
		if (log->write[i].offset == (offset & ~7ull))
			return strstr(text, "from the log") != NULL;
	}
	return false;
}

/* Bytes that an earlier, longer record left behind mean nothing. */
static bool means_nothing(uint64_t offset)
{
	const struct log_record *log = last_record();
	uint64_t within = offset - LOG_PAGE * STORE_PAGE_SIZE;

	return within < sizeof(*log) && within >= 32 + 16 * log->count;
}

/* What check prints; freed by the caller. */
static char *check_text(enum status *status)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	*status = check_region(&region, false, out);
	fclose(out);
	return text;
}

static void flip_metadata(uint64_t offset, unsigned int bit)
{
	enum status status;
	char *text;

	region.base[offset] ^= (uint8_t)(1u << bit);
	text = check_text(&status);
	region.base[offset] ^= (uint8_t)(1u << bit);
	if (status == DONE && !is_noted(offset, text))
		fail_msg("bit %u of byte 0x%lx went unnoticed", bit, (unsigned long)offset);
	free(text);
}

static unsigned int bits_to_flip(void)
{
	const char *setting = getenv("TWZSTORE_FLIP_BITS");
	int bits = setting != NULL ? atoi(setting) : 1;

	return bits < 1 || bits > 8 ? 8 : (unsigned int)bits;
}

static void every_flip_in_metadata_is_found(void **state)
{
	unsigned int bits = bits_to_flip();
	unsigned long flips = 0;
	uint64_t seed = 1;

	(void)state;
	for (uint64_t page = 0; page < map.pages; page++) {
		uint64_t from = page * STORE_PAGE_SIZE;

		if (!is_metadata(page))
			continue;
		for (uint64_t at = from; at < from + STORE_PAGE_SIZE; at++) {
			unsigned int first = (unsigned int)next_random(&seed);

			for (unsigned int n = 0; n < bits && !means_nothing(at); n++, flips++)
				flip_metadata(at, (first + n) % 8);
		}
	}
	printf("# %lu flips\n", flips);
}

static void flips_elsewhere_are_no_faults(void **state)
{
	uint64_t seed = 2;
	enum status status;

	(void)state;
	for (uint64_t page = 0; page < region.len / STORE_PAGE_SIZE; page++) {
		uint64_t at = page * STORE_PAGE_SIZE + next_random(&seed) % STORE_PAGE_SIZE;

		if (is_metadata(page))
			continue;
		region.base[at] ^= 1;
		free(check_text(&status));
		region.base[at] ^= 1;
		assert_int_equal(status, DONE);
	}
}

/* The text must name the object that a flipped byte belongs to. */
static void names_the_object(uint64_t page, unsigned int word)
{
	uint64_t offset = page * STORE_PAGE_SIZE + 8 * word;
	enum status status;
	char id[48], *text;

	snprintf(id, sizeof(id), IDFMT, IDPR(map.owner[page].id));
	region.base[offset] ^= 4;
	text = check_text(&status);
	region.base[offset] ^= 4;
	assert_int_equal(status, FAILED);
	if (strstr(text, id) == NULL)
		fail_msg("word %u of page %lu: no object named:\n%s", word, (unsigned long)page,
			 text);
	free(text);
}

/* Ties are of two objects, and one that is hidden has no ID that could be made sure of. */
static bool is_found(uint64_t page)
{
	return map.owner[page].use != PAGE_TIES && map.owner[page].id != HIDDEN_ID;
}

static void damage_names_the_object(void **state)
{
	static const unsigned int words[] = { 0, 4, 7, INODE_NEXT, INODE_FLAGS, INODE_PAGES,
					      INODE_NODE, 200 };

	(void)state;
	for (uint64_t page = first_data; page < map.pages; page++) {
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (is_metadata(page) && is_found(page))
				names_the_object(page, words[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flip_in_metadata_is_found),
		cmocka_unit_test(flips_elsewhere_are_no_faults),
		cmocka_unit_test(damage_names_the_object),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
