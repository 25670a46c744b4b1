// SPDX-License-Identifier: BSD-3-Clause
/*
 * A damaged store: every metadata word with a flipped bit, images cut short, words replaced by
 * others that pass their checks. Damage is found, costs at most the object it is in, and never
 * crashes or hangs.
 *
 * STORE_DAMAGE_BITS: how many bits of each word are flipped, one at a time (1; all 64 are done by
 * test_store_bits.c, on stores that are then only read).
 */
#include "unit.h"

#include <sys/mman.h>

#include <abi/errno.h>

#include "../../kernel/store/internal.h"
#include "store/sample.h"

#define LEN STORE_MIN_REGION

static struct sample sample;
static unsigned char *pristine;

static int make(void **state)
{
	(void)state;
	sample_make(&sample, LEN);
	pristine = block(LEN);
	memcpy(pristine, sample.base, LEN);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	hosted_region_free(sample.base, LEN);
	free(pristine);
	return 0;
}

static void restore(void)
{
	memcpy(sample.base, pristine, LEN - STORE_TAIL_RESERVE);
}

/* Bytes of the log page that an earlier, longer record left behind mean nothing. */
static bool means_nothing(uint64_t offset)
{
	const struct log_record *log = (const void *)(pristine + LOG_PAGE * STORE_PAGE_SIZE);
	uint64_t within = offset - LOG_PAGE * STORE_PAGE_SIZE;

	return within < sizeof(*log) && within >= 32 + 16 * log->count;
}

/* The check fails, or the mount refuses, or says that the log record is torn or was needed. */
static bool noticed(void)
{
	struct store st;

	hosted_log_clear();
	if (store_mount(&st, sample.base, LEN, STORE_RDONLY, NULL))
		return hosted_log_lines() > 0;
	return hosted_check(&st) > 0 || hosted_log_has("incomplete") ||
	       hosted_log_has("completed from the log");
}

static void flip(uint64_t offset, unsigned bit)
{
	struct store st;

	*(uint64_t *)(sample.base + offset) ^= 1ull << bit;
	if (!noticed())
		fail_msg("bit %u at 0x%lx went unnoticed", bit, (unsigned long)offset);
	hosted_log_clear();
	if (!store_mount(&st, sample.base, LEN, 0, &hosted_ops)) {
		if (sample_use(&sample, &st) + 1 < sample.live)
			fail_msg("bit %u at 0x%lx cost more than one object", bit,
				 (unsigned long)offset);
	}
	restore();
}

static void every_flipped_bit_is_noticed_and_contained(void **state)
{
	const char *setting = getenv("STORE_DAMAGE_BITS");
	unsigned bits = setting ? (unsigned)atoi(setting) : 1;
	uint64_t seed = 1;

	(void)state;
	for (uint64_t page = 0; page < (LEN - STORE_TAIL_RESERVE) / STORE_PAGE_SIZE; page++) {
		if (!sample_is_metadata(&sample, page))
			continue;
		for (unsigned i = 0; i < PAGE_WORDS; i++) {
			uint64_t at = page * STORE_PAGE_SIZE + 8 * i;

			for (unsigned n = 0; n < bits && !means_nothing(at); n++)
				flip(at, bits == 64 ? n : next_random(&seed) % 64);
		}
	}
}

/* Where both superblocks are damaged there is no store to find; nothing may be written. */
static void two_damaged_superblocks_are_refused(void **state)
{
	struct store st;

	(void)state;
	sample.base[60] ^= 1;
	sample.base[SUPER_B_PAGE * STORE_PAGE_SIZE + 61] ^= 1;
	assert_int_equal(store_mount(&st, sample.base, LEN, 0, &hosted_ops), -EUCLEAN);
	assert_int_equal(store_format(sample.base, LEN, pristine, &hosted_ops), -EEXIST);
	sample.base[0] ^= 1;
	sample.base[SUPER_B_PAGE * STORE_PAGE_SIZE] ^= 1;
	assert_int_equal(store_probe(sample.base, LEN), STORE_FOREIGN);
	assert_int_equal(store_mount(&st, sample.base, LEN, 0, &hosted_ops), -EINVAL);
	assert_int_equal(store_format(sample.base, LEN, pristine, &hosted_ops), -EEXIST);
	restore();
}

/* A sound record of one word of the state, in both copies, that was not carried out yet. */
static void put_record(enum state_word index, uint64_t payload)
{
	const struct super_header *super = (const void *)sample.base;
	struct log_record *log = (void *)(sample.base + LOG_PAGE * STORE_PAGE_SIZE);
	uint64_t salt;

	memcpy(&salt, super->uuid + 8, sizeof(salt));
	log->count = 2;
	log->write[0] = (struct store_write){ state_offset(SUPER_A_PAGE, index), store_seal(payload) };
	log->write[1] = (struct store_write){ state_offset(SUPER_B_PAGE, index), store_seal(payload) };
	log->sum = store_sum(store_sum(salt, (uint64_t *)log, 3), (uint64_t *)log->write, 4);
}

/* Not even the operation that was cut off is completed in a store that then is refused. */
static void refused_mounts_write_nothing(void **state)
{
	static const struct {
		enum state_word index;
		uint64_t payload;
	} bad[] = { { STATE_OBJECTS, PAYLOAD_MAX }, { STATE_FREE, PAYLOAD_MAX },
		    { STATE_BOOTS, PAYLOAD_MAX } };
	unsigned char *before = block(LEN);
	struct store st;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		put_record(bad[i].index, bad[i].payload);
		memcpy(before, sample.base, LEN);
		assert_int_equal(store_mount(&st, sample.base, LEN, 0, &hosted_ops), -EUCLEAN);
		assert_memory_equal(sample.base, before, LEN);
		restore();
	}
	put_record(STATE_CLOCK, 77);
	assert_int_equal(store_mount(&st, sample.base, LEN, 0, &hosted_ops), 0);
	assert_int_equal(store_clock_mark(&st), 77);
	restore();
	free(before);
}

static void truncated_images_are_refused(void **state)
{
	size_t full = 2 * LEN;
	struct sample big;
	struct store st;

	(void)state;
	sample_make(&big, full);
	for (size_t len = full; len > 0; len -= STORE_PAGE_SIZE) {
		int error = store_mount(&st, big.base, len - STORE_PAGE_SIZE, 0, &hosted_ops);

		assert_int_equal(error, len > LEN ? -EUCLEAN : -EINVAL);
		assert_int_not_equal(store_probe(big.base, len - STORE_PAGE_SIZE), STORE_BLANK);
		assert_int_equal(mprotect(big.base + len - STORE_PAGE_SIZE, STORE_PAGE_SIZE,
					  PROT_NONE), 0);
	}
	hosted_region_free(big.base, full);
}

/* Reads as zero from `len` on: what a sparse copy that was cut short leaves. */
static void zeroed_tails_are_survived(void **state)
{
	struct store st;

	(void)state;
	for (size_t from = 0; from < LEN - STORE_TAIL_RESERVE; from += STORE_PAGE_SIZE) {
		memset(sample.base + from, 0, LEN - STORE_TAIL_RESERVE - from);
		if (!store_mount(&st, sample.base, LEN, 0, &hosted_ops))
			sample_use(&sample, &st);
		restore();
	}
}

static void damage_word(uint64_t *seed)
{
	uint64_t page, offset;

	do {
		page = next_random(seed) % ((LEN - STORE_TAIL_RESERVE) / STORE_PAGE_SIZE);
		if (next_random(seed) % 2)
			page %= 100; /* where the sample is */
		offset = page * STORE_PAGE_SIZE + next_random(seed) % PAGE_WORDS * 8;
	} while (page == SUPER_A_PAGE && offset < 8);
	uint64_t value = next_random(seed) % (next_random(seed) % 2 ? 600 : 1ull << 33);

	*(uint64_t *)(sample.base + offset) = next_random(seed) % 4 ? store_seal(value) : value;
}

/* Words with right checks and wrong contents: no crash and no endless loop, no more is promised. */
static void wrong_words_are_survived(void **state)
{
	uint64_t seed = 2;
	struct store st;

	(void)state;
	for (unsigned n = 0; n < 3000; n++) {
		for (uint64_t i = next_random(&seed) % 60; i > 0; i--)
			damage_word(&seed);
		unsigned flags = next_random(&seed) % 4 ? 0 : STORE_RDONLY;

		if (!store_mount(&st, sample.base, LEN, flags, &hosted_ops))
			sample_use(&sample, &st);
		restore();
	}
}

static void aim(uint64_t inode, unsigned word, uint64_t payload)
{
	*(uint64_t *)(sample.base + inode * STORE_PAGE_SIZE + 8ull * word) = store_seal(payload);
}

/* Chains, lists and trees that lead back into themselves. */
static void circles_are_survived(void **state)
{
	static const unsigned words[] = { INODE_NEXT, INODE_ORPHAN_NEXT, INODE_ORPHAN_PREV,
					  INODE_NODE, INODE_LOW + 1, INODE_HIGH };
	struct store_handle h;
	struct store st;
	uint64_t inode[SAMPLE_OBJECTS];

	(void)state;
	assert_int_equal(store_mount(&st, sample.base, LEN, 0, &hosted_ops), 0);
	for (unsigned i = 0; i < sample.live; i++) {
		assert_int_equal(store_lookup(&st, sample.id[i], &h), 0);
		inode[i] = h.inode;
	}
	restore();
	for (unsigned w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		for (unsigned i = 0; i < sample.live * sample.live; i++) {
			aim(inode[i / sample.live], words[w], inode[i % sample.live]);
			aim(inode[i % sample.live], words[w], inode[i / sample.live]);
			assert_true(noticed());
			if (!store_mount(&st, sample.base, LEN, 0, &hosted_ops))
				sample_use(&sample, &st);
			restore();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flipped_bit_is_noticed_and_contained),
		cmocka_unit_test(two_damaged_superblocks_are_refused),
		cmocka_unit_test(refused_mounts_write_nothing),
		cmocka_unit_test(truncated_images_are_refused),
		cmocka_unit_test(zeroed_tails_are_survived),
		cmocka_unit_test(wrong_words_are_survived),
		cmocka_unit_test(circles_are_survived),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
