// SPDX-License-Identifier: BSD-3-Clause
/*
 * Every single bit of every metadata word of a small store, flipped: each is noticed, and costs a
 * reader at most the object it is in. Two processes share the pages. Without STORE_CRASH_FULL=1 in
 * the environment only every 16th bit, others in each word.
 */
#include "unit.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../kernel/store/internal.h"
#include "store/sample.h"

#define LEN ((6ul << 20) + (512ul << 10)) /* room for a run */
#define PROCESSES 2u

static struct sample sample;
static struct shared {
	unsigned long flips, unnoticed, uncontained, first;
} *shared;

static void wrong(unsigned long *count, uint64_t at)
{
	if (!__atomic_fetch_add(count, 1, __ATOMIC_RELAXED))
		shared->first = at;
}

/* Left behind by an earlier, longer log record. */
static bool means_nothing(uint64_t offset)
{
	const struct log_record *log = (const void *)(sample.base + LOG_PAGE * STORE_PAGE_SIZE);
	uint64_t within = offset - LOG_PAGE * STORE_PAGE_SIZE;

	return within < sizeof(*log) && within >= 32 + 16 * log->count;
}

static void judge(uint64_t at)
{
	struct store st;

	hosted_log_clear();
	shared->flips++;
	if (store_mount(&st, sample.base, LEN, STORE_RDONLY, NULL)) {
		if (!hosted_log_lines())
			wrong(&shared->unnoticed, at);
		return;
	}
	bool said = hosted_log_has("incomplete") || hosted_log_has("completed from the log");

	if (!hosted_check(&st) && !said)
		wrong(&shared->unnoticed, at);
	if (sample_readable(&sample, &st) + 1 < sample.live)
		wrong(&shared->uncontained, at);
}

static void flip_page(uint64_t page, unsigned step)
{
	for (unsigned i = 0; i < PAGE_WORDS; i++) {
		uint64_t at = page * STORE_PAGE_SIZE + 8 * i;
		uint64_t *word = (uint64_t *)(sample.base + at);

		for (unsigned bit = i % step; bit < 64 && !means_nothing(at); bit += step) {
			*word ^= 1ull << bit;
			judge(at);
			*word ^= 1ull << bit;
		}
	}
}

static void flip_all(unsigned process)
{
	uint64_t pages = (LEN - STORE_TAIL_RESERVE) / STORE_PAGE_SIZE, metadata = 0;
	unsigned step = getenv("STORE_CRASH_FULL") ? 1 : 16;

	for (uint64_t page = 0; page < pages; page++) {
		if (sample_is_metadata(&sample, page) && metadata++ % PROCESSES == process)
			flip_page(page, step);
	}
}

static void every_bit_is_noticed_and_contained(void **state)
{
	int status;

	(void)state;
	sample_make(&sample, LEN);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(shared != MAP_FAILED);
	for (unsigned i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			flip_all(i);
			_exit(0);
		}
		assert_true(pid > 0);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	print_message("# %lu bits flipped, %lu unnoticed, %lu not contained, first at 0x%lx\n",
		      shared->flips, shared->unnoticed, shared->uncontained, shared->first);
	assert_int_equal(shared->unnoticed + shared->uncontained, 0);
	hosted_region_free(sample.base, LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_is_noticed_and_contained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
