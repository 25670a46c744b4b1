// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel's log as programs read it: what was said at boot is there, records are whole and in
 * order while the kernel writes, what is lost is counted, a level can be set, a waiter is woken.
 *
 * A message of the kernel that a program can provoke at will: that of a thread whose fault nobody
 * can handle, because it has no stack.
 */
#include <base/string.h>
#include <twz/sys/klog.h>

#include "ktap.h"
#include "testlib.h"

#define RECORDS_OF_A_DEATH 4 /* at least so many */

/* A thread that begins nowhere. Its stack is nowhere too. */
static int start_death(struct thread *t)
{
	struct thrd_spawn_args args = {
		.start_func = 16,
		.stack_base = SLOT_TO_VADDR(TWZSLOT_MAX_SLOT),
		.stack_size = 4096,
	};
	int r = twz_thread_create(t);

	return r < 0 ? r : (int)sys_thrd_spawn(t->tid, &args, 0);
}

static void die(void)
{
	struct thread t;

	if (start_death(&t) == 0)
		finish_thread(&t);
}

static bool contains(const struct twz_klog_record *r, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i + n <= r->length; i++)
		if (memcmp(r->text + i, text, n) == 0)
			return true;
	return false;
}

static bool sound(const struct twz_klog_record *r, uint64_t number)
{
	return r->number == number + 1 && r->length <= TWZ_KLOG_TEXT &&
	       r->level <= TWZ_KLOG_PROGRAM && r->cpu < twz_sysinfo()->ncpus &&
	       !memchr(r->text, '\n', r->length) && !memchr(r->text, 0, r->length);
}

static void boot_is_there(void)
{
	struct twz_klog_reader log;
	struct twz_klog_record r;
	bool found = false;
	uint64_t last = 0;

	NEED(twz_klog_open(&log) == 0);
	if (log.next > 0)
		ktap_note("%lu records are gone already", (unsigned long)log.next);
	for (uint64_t n = log.next; twz_klog_read(&log, &r); n++) {
		CHECK(sound(&r, n));
		CHECK(r.ns >= last);
		last = r.ns;
		found |= contains(&r, "entering user mode");
	}
	CHECK(found || log.log->next > log.log->capacity);
	CHECK_EQ(log.lost, 0);
	twz_klog_close(&log);
}

static void deaths_are_recorded(void)
{
	struct twz_klog_reader log;
	struct twz_klog_record r;
	unsigned int records = 0;
	bool found = false;

	NEED(twz_klog_open(&log) == 0);
	log.next = log.log->next;
	uint64_t before = twz_clock_ns();
	die();
	for (uint64_t n = log.next; twz_klog_read(&log, &r); n++) {
		CHECK(sound(&r, n));
		CHECK(r.ns >= before && r.ns <= twz_clock_ns());
		CHECK_EQ(r.level, TWZ_KLOG_ERROR);
		found |= contains(&r, " ended by ");
		records++;
	}
	CHECK(found);
	CHECK(records >= RECORDS_OF_A_DEATH);
	twz_klog_close(&log);
}

static void nobody_writes_it(void *arg)
{
	struct twz_klog_reader log;
	twzobj o;

	(void)arg;
	if (twz_klog_open(&log) == 0 && twz_object_init_guid(&o, TWZ_KLOG_ID, FE_READ | FE_WRITE) == 0)
		*((volatile char *)twz_object_base(&o) + TWZ_KLOG_RECORDS) = 0;
}

static void read_only(void)
{
	CHECK(exit_code_of(nobody_writes_it, NULL) >= THRD_EXIT_FAULT(0));
}

/* --- readers while the kernel writes */

static atomic_ulong stop;

static void die_again_and_again(void *arg)
{
	uint64_t deaths = (uintptr_t)arg;

	for (uint64_t i = 0; i < deaths; i++)
		die();
	atomic_store(&stop, 1);
}

/* The text of every message begins with its subsystem: a torn record would not. */
static bool begins_well(const struct twz_klog_record *r, bool goes_on)
{
	const char *colon = memchr(r->text, ':', r->length);

	return goes_on || r->level == TWZ_KLOG_PROGRAM || (colon && colon > r->text);
}

static void whole_while_written(void)
{
	struct twz_klog_reader log;
	struct twz_klog_record r;
	struct thread t;
	uint64_t read = 0;
	bool goes_on = false;

	NEED(twz_klog_open(&log) == 0);
	atomic_store(&stop, 0);
	NEED(run_thread(&t, die_again_and_again, (void *)(uintptr_t)30) == 0);
	for (bool last = false; !last;) {
		last = atomic_load(&stop);
		for (uint64_t lost = log.lost; twz_klog_read(&log, &r); read++, lost = log.lost) {
			goes_on = goes_on && lost == log.lost;
			CHECK(sound(&r, log.next - 1));
			CHECK(begins_well(&r, goes_on));
			goes_on = r.flags & TWZ_KLOG_CONTINUES;
		}
		twz_klog_wait(&log, NS_PER_MS);
	}
	CHECK_EQ(finish_thread(&t), 0);
	ktap_note("%lu records read, %lu lost", (unsigned long)read, (unsigned long)log.lost);
	CHECK(read + log.lost >= 30 * RECORDS_OF_A_DEATH);
	twz_klog_close(&log);
}

/* Who reads too late is told how much is gone, and gets the rest. */
static void losses_are_counted(void)
{
	struct twz_klog_reader log;
	struct twz_klog_record r;
	uint64_t read = 0;

	NEED(twz_klog_open(&log) == 0);
	log.next = 0;
	while (log.log->next <= log.log->capacity)
		die();
	uint64_t written = log.log->next;
	while (twz_klog_read(&log, &r))
		read++;
	CHECK_EQ(read, log.log->capacity);
	CHECK_EQ(log.lost, written - log.log->capacity);
	twz_klog_close(&log);
}

static void waiters_are_woken(void)
{
	struct twz_klog_reader log;
	struct thread t;

	NEED(twz_klog_open(&log) == 0);
	log.next = log.log->next;
	CHECK_EQ(twz_klog_wait(&log, NS_PER_MS), -ETIMEDOUT);
	uint64_t before = twz_clock_ns();
	NEED(start_death(&t) == 0);
	while (log.log->next == log.next && twz_clock_ns() - before < PATIENCE_NS)
		CHECK_EQ(twz_klog_wait(&log, PATIENCE_NS), 0);
	CHECK(log.log->next > log.next);
	finish_thread(&t);
	twz_klog_close(&log);
}

static void levels(void)
{
	CHECK_EQ(twz_root_action(KACTION_CMD_ROOT_LOG_LEVEL, 5), -EINVAL);
	CHECK_EQ(twz_root_action(KACTION_CMD_ROOT_LOG_LEVEL, TWZ_KLOG_INFO), 0);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "what was said at boot is there", boot_is_there },
		{ "what the kernel says is there at once", deaths_are_recorded },
		{ "nobody writes it", read_only },
		{ "records are whole while the kernel writes", whole_while_written },
		{ "losses are counted", losses_are_counted },
		{ "who waits for records is woken", waiters_are_woken },
		{ "levels", levels },
	};

	return KTAP_RUN(cases);
}
