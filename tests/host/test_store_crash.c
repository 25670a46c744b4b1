// SPDX-License-Identifier: BSD-3-Clause
/*
 * The crash explorer: the power is cut at every fence of an operation in every way the model
 * (store/trace.h) allows, or a seeded sample where too many; recovery on each; then the checker,
 * and a comparison with what had been acknowledged. Recovery itself is cut, too. Each operation
 * alone, all pairs, random sequences. Then every flush and fence of the store is left out in turn:
 * each must be noticed.
 *
 * Environment: STORE_CRASH_FULL=1: until there are 2.5 million distinct states and 0.5 million in
 * recovery. STORE_CRASH_SEED (1), STORE_CRASH_JOBS (processes; 2), STORE_CRASH_SITE (only this site
 * of the last part), STORE_CRASH_VERBOSE.
 */
#include "unit.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/explore.h"

#define RANDOM_OPS 60u  /* of one random sequence */
#define QUICK_PAIRS 12u /* one in so many */
#define QUICK_RANDOM 6u
#define FULL_STATES 2500000ul
#define FULL_NESTED 500000ul
#define RANDOM_MOST 2000u
#define NESTED_SHARE 200u

/* Shared by the processes. */
static struct totals {
	unsigned next; /* piece of work */
	unsigned long operations, fences, states, distinct, nested, nested_distinct, bad;
	unsigned long done[32], site[PM_SITES];
	char first[96];
} *totals;

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static bool full(void)
{
	return setting("STORE_CRASH_FULL", 0) != 0;
}

static void add(unsigned long *to, unsigned long value)
{
	__atomic_fetch_add(to, value, __ATOMIC_RELAXED);
}

static unsigned long get(const unsigned long *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static void collect(const char *what)
{
	const struct trace_counts *run = &trace_counts[0], *recovery = &trace_counts[1];

	add(&totals->operations, explore_result.operations);
	add(&totals->fences, run->fences);
	add(&totals->states, run->states);
	add(&totals->distinct, run->distinct);
	add(&totals->nested, recovery->states);
	add(&totals->nested_distinct, recovery->distinct);
	for (unsigned i = 0; i < explore_kinds(); i++)
		add(&totals->done[i], explore_result.done[i]);
	for (unsigned i = 0; i < PM_SITES; i++)
		add(&totals->site[i], run->site[i] + recovery->site[i]);
	add(&totals->bad, explore_result.bad);
	if (explore_result.bad)
		snprintf(totals->first, sizeof(totals->first), "%s: %s", what,
			 explore_result.first);
}

/* ---- Pieces of work: the operations alone, the pairs, random sequences ---- */

static void explore_alone(uint64_t seed, unsigned kind)
{
	char what[64];

	explore_start(seed + kind, kind == 0, true);
	explore_operation(kind);
	snprintf(what, sizeof(what), "%s", explore_name(kind));
	collect(what);
}

static void explore_pair(uint64_t seed, unsigned pair)
{
	unsigned a = pair / explore_kinds(), b = pair % explore_kinds();
	char what[64];

	if (!full() && pair % QUICK_PAIRS != seed % QUICK_PAIRS)
		return;
	explore_start(seed + 1000 + pair, false, true);
	explore_operation(a);
	explore_operation(b);
	snprintf(what, sizeof(what), "%s, %s", explore_name(a), explore_name(b));
	collect(what);
}

static bool enough(unsigned sequence)
{
	if (!full())
		return sequence >= QUICK_RANDOM;
	return sequence >= RANDOM_MOST || get(&totals->bad) ||
	       (get(&totals->distinct) >= FULL_STATES &&
		get(&totals->nested_distinct) >= FULL_NESTED);
}

static void explore_sequence(uint64_t seed, unsigned sequence)
{
	char what[64];

	explore_start(seed * 1000003 + sequence, sequence < 2, sequence % 3 != 0);
	explore_random(RANDOM_OPS, false);
	snprintf(what, sizeof(what), "random sequence %u", sequence);
	collect(what);
}

static void work(void)
{
	uint64_t seed = setting("STORE_CRASH_SEED", 1);
	unsigned kinds = explore_kinds();

	explore_nested(NESTED_SHARE);
	for (;;) {
		unsigned piece = __atomic_fetch_add(&totals->next, 1, __ATOMIC_RELAXED);

		if (piece < kinds)
			explore_alone(seed, piece);
		else if (piece - kinds < kinds * kinds)
			explore_pair(seed, piece - kinds);
		else if (!enough(piece - kinds - kinds * kinds))
			explore_sequence(seed, piece - kinds - kinds * kinds);
		else
			break;
	}
	trace_end();
}

/* There only in a build that counts coverage (store/coverage); _exit() would lose it. */
int __llvm_profile_write_file(void) __attribute__((weak));

static void run_processes(unsigned count)
{
	unsigned started = 0;
	int status;

	trace_reset(4096, 1); /* makes what they share */
	for (; started < count; started++) {
		pid_t pid = fork();

		if (pid == 0) {
			work();
			if (__llvm_profile_write_file)
				__llvm_profile_write_file();
			_exit(0);
		}
		assert_true(pid > 0);
	}
	while (started--) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static void print_totals(double seconds)
{
	print_message("# %lu operations, %lu fences; states %lu (%lu distinct), in recovery %lu "
		      "(%lu distinct); %lu bad%s%s\n", totals->operations, totals->fences,
		      totals->states, totals->distinct, totals->nested, totals->nested_distinct,
		      totals->bad, totals->bad ? ": " : "", totals->first);
	print_message("# %.1f s, %.0f states/s\n", seconds,
		      (double)(totals->states + totals->nested) / seconds);
	for (unsigned i = 0; i < explore_kinds(); i++)
		print_message("# %6lu times: %s\n", totals->done[i], explore_name(i));
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void test_every_crash_state_recovers(void **state)
{
	double from = now();

	(void)state;
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(totals != MAP_FAILED);
	run_processes((unsigned)setting("STORE_CRASH_JOBS", 2));
	print_totals(now() - from);
	assert_int_equal(totals->bad, 0);
	for (unsigned site = 0; site < PM_SITES; site++)
		assert_true(totals->site[site] > 0);
	for (unsigned i = 0; i < explore_kinds(); i++)
		assert_true(totals->done[i] > 0);
	if (full()) {
		assert_true(totals->distinct >= FULL_STATES);
		assert_true(totals->nested_distinct >= FULL_NESTED);
	}
	trace_end();
}

static bool site_is_noticed(unsigned site)
{
	bool noticed = false;

	trace_drop((int)site);
	for (uint64_t seed = 1; seed <= 5 && !noticed; seed++) {
		explore_start(seed, true, false);
		explore_random(200, true);
		noticed = explore_result.bad != 0;
		print_message("# without %s: %s after %lu states (operation %lu)\n",
			      pm_site_name(site), noticed ? explore_result.first : "not noticed",
			      trace_counts[0].states + trace_counts[1].states,
			      explore_result.first_operation);
		trace_end();
	}
	trace_drop(-1);
	return noticed;
}

static void test_every_site_is_needed(void **state)
{
	unsigned long only = setting("STORE_CRASH_SITE", PM_SITES);
	unsigned missed = 0;

	(void)state;
	explore_nested(NESTED_SHARE);
	for (unsigned site = 0; site < PM_SITES; site++) {
		if (only == PM_SITES || only == site)
			missed += !site_is_noticed(site);
	}
	assert_int_equal(missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_crash_state_recovers),
		cmocka_unit_test(test_every_site_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
