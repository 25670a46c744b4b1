// SPDX-License-Identifier: BSD-3-Clause
/*
 * Tests of kso/resume_book.h over an array that plays the system object. Every write is cut in many
 * ways, as 8-byte pieces that arrived or did not; after each cut the list is what it was or what it
 * was to be.
 */
#include "unit.h"

#include <abi/errno.h>
#include <cpu.h>
#include <kso/resume_book.h>
#include <obj/object.h>

#include "host.h"

struct cpu cpus[CONFIG_MAX_CPUS];
unsigned int cpu_count = 1;
_Atomic unsigned int cpu_online_count = 1;
extern struct cpu *host_cpu;

#define BYTES (64u * 1024)
#define CUTS 4000u

static struct object object;
static _Alignas(4096) uint8_t media[BYTES]; /* object offsets */
static uint64_t allocated;                  /* object offset behind the last page that exists */
static unsigned int pages_left;

/* A write that is to be cut: what was there before. */
static struct {
	uint64_t at;
	size_t length;
	uint8_t before[4096], after[4096];
} last;

const char *symbol_name(uintptr_t address, uintptr_t *offset)
{
	(void)address;
	*offset = 0;
	return "?";
}

int object_read(struct object *of, uint64_t offset, void *to, size_t length)
{
	assert_ptr_equal(of, &object);
	assert_true(offset >= 4096 && offset + length <= BYTES);
	memcpy(to, media + offset, length);
	return 0;
}

int object_write(struct object *of, uint64_t offset, const void *from, size_t length)
{
	assert_ptr_equal(of, &object);
	assert_true(offset >= 4096 && offset + length <= BYTES && length <= sizeof(last.before));
	if (offset >= allocated) {
		assert_in_range(offset, allocated, allocated + 4095); /* no hole is left behind */
		if (pages_left == 0)
			return -ENOSPC;
		pages_left--;
		allocated += 4096;
	}
	last.at = offset;
	last.length = length;
	memcpy(last.before, media + offset, length);
	memcpy(last.after, from, length);
	memcpy(media + offset, from, length);
	return 0;
}

void object_sync(struct object *of, uint64_t offset, uint64_t length)
{
	assert_ptr_equal(of, &object);
	assert_true(offset == last.at && length == last.length);
}

int object_page(struct object *of, uint64_t pgnr, bool alloc, void **page)
{
	assert_ptr_equal(of, &object);
	assert_false(alloc);
	*page = pgnr * 4096 < allocated ? media + pgnr * 4096 : NULL;
	return 0;
}

/* As the next boot finds it. */
static void reopen(void)
{
	assert_int_equal(resume_book_open(&object), 0);
}

static int set_up(void **state)
{
	(void)state;
	host_cpu = &cpus[0];
	memset(media, 0, sizeof(media));
	allocated = 4096;
	pages_left = BYTES / 4096 - 1;
	reopen();
	return 0;
}

static struct resume_state state_of(uint64_t n)
{
	struct resume_state s = { .thread = n, .view = MKID(7, n), .active = n % 3, .context_count = n % 33 };

	s.sched.prio = (uint32_t)n;
	s.unrestricted = n % 5 == 0;
	for (uint32_t i = 0; i < s.context_count; i++)
		s.contexts[i] = n + i;
	return s;
}

static bool holds(resume_place place, const struct resume_state *want)
{
	struct resume_state got;

	return resume_book_next(place - 1, &got) == place && got.thread == want->thread &&
	       got.view == want->view && got.active == want->active &&
	       got.unrestricted == want->unrestricted &&
	       got.context_count == want->context_count &&
	       memcmp(got.contexts, want->contexts, sizeof(got.contexts)) == 0 &&
	       memcmp(&got.sched, &want->sched, sizeof(got.sched)) == 0;
}

static void assert_holds(resume_place place, uint64_t n)
{
	struct resume_state want = state_of(n);

	assert_true(holds(place, &want));
}

static void write_at(resume_place *place, uint64_t n)
{
	struct resume_state s = state_of(n);

	assert_int_equal(resume_book_write(place, &s), 0);
}

static void states_come_back(void **state)
{
	resume_place place[20] = { 0 };
	struct resume_state s;

	(void)state;
	assert_int_equal(resume_book_next(0, &s), 0);
	for (uint64_t n = 0; n < 20; n++) {
		write_at(&place[n], 100 + n);
		assert_int_equal(place[n], n + 1);
	}
	write_at(&place[4], 200);
	assert_int_equal(resume_book_erase(&place[5]), 0);
	assert_int_equal(place[5], 0);
	reopen();
	for (uint64_t n = 0; n < 20; n++)
		if (n != 5)
			assert_holds(place[n], n == 4 ? 200 : 100 + n);
	assert_int_equal(resume_book_next(5, &s), 7);
	write_at(&place[5], 300);
	assert_int_equal(place[5], 6);
	assert_int_equal(resume_book_next(20, &s), 0);
}

static void full_is_an_error(void **state)
{
	resume_place place = 0, kept = 0;
	struct resume_state s = state_of(1);

	(void)state;
	pages_left = 1;
	write_at(&kept, 8);
	write_at(&place, 9);
	place = 0;
	assert_int_equal(resume_book_write(&place, &s), -ENOSPC);
	assert_int_equal(place, 0);
	write_at(&kept, 10);
	assert_int_equal(resume_book_erase(&kept), 0);
	write_at(&place, 11);
	assert_int_equal(place, 1);
}

/* Each 8-byte piece of the last write arrived or not. */
static void cut_last(uint64_t *seed)
{
	for (size_t i = 0; i < last.length; i += 8)
		memcpy(media + last.at + i, (next_random(seed) & 1 ? last.after : last.before) + i, 8);
}

static void a_cut_leaves_the_old_or_the_new(void **state)
{
	resume_place place = 0;
	uint64_t seed = 1, old = 1;

	(void)state;
	write_at(&place, old);
	for (uint64_t n = 2; n < CUTS; n++) {
		write_at(&place, n);
		struct resume_state before = state_of(old), after = state_of(n);
		cut_last(&seed);
		reopen();
		assert_true(holds(place, &before) || holds(place, &after));
		old = holds(place, &after) ? n : old;
	}
}

static void a_cut_first_write_never_was(void **state)
{
	uint64_t seed = 2;

	for (unsigned int i = 0; i < CUTS / 10; i++) {
		struct resume_state after = state_of(31), got;
		resume_place place = 0;
		set_up(state);
		write_at(&place, 31);
		cut_last(&seed);
		reopen();
		assert_true(resume_book_next(0, &got) == 0 || holds(1, &after));
		place = 0;
		write_at(&place, 32);
		assert_holds(place, 32);
	}
}

static void a_cut_erasure_leaves_the_thread_or_nothing(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned int i = 0; i < CUTS / 10; i++) {
		struct resume_state before = state_of(i), got;
		resume_place place = 0;
		write_at(&place, i);
		assert_int_equal(place, 1);
		assert_int_equal(resume_book_erase(&place), 0);
		cut_last(&seed);
		reopen();
		bool there = resume_book_next(0, &got) == 1;
		assert_true(!there || holds(1, &before));
		place = 1;
		if (there)
			assert_int_equal(resume_book_erase(&place), 0);
	}
}

static void damage_is_reported(void **state)
{
	resume_place first = 0, second = 0;
	struct resume_state s;

	(void)state;
	write_at(&first, 1);
	write_at(&second, 2);
	for (size_t bit = 0; bit < 8 * 1024; bit += 5) {
		media[4096 + bit / 8] ^= 1u << bit % 8;
		host_log_lines = 0;
		reopen();
		assert_int_equal(resume_book_next(0, &s), second);
		assert_true(host_log_lines > 0 || bit < 64);
		media[4096 + bit / 8] ^= 1u << bit % 8;
	}
	reopen();
	assert_int_equal(resume_book_next(0, &s), first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(states_come_back, set_up),
		cmocka_unit_test_setup(full_is_an_error, set_up),
		cmocka_unit_test_setup(a_cut_leaves_the_old_or_the_new, set_up),
		cmocka_unit_test_setup(a_cut_first_write_never_was, set_up),
		cmocka_unit_test_setup(a_cut_erasure_leaves_the_thread_or_nothing, set_up),
		cmocka_unit_test_setup(damage_is_reported, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
