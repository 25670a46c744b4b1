// SPDX-License-Identifier: BSD-3-Clause
/*
 * Money moves between accounts of several objects, by several processes that are killed at any
 * moment: no cent is lost, in no snapshot and not at the end.
 */
#include "hosted.h"

#include <signal.h>
#include <time.h>
#include <twz/mutex.h>
#include <twz/name.h>
#include <twz/txn.h>

#define OBJECTS 3u
#define ACCOUNTS 4u /* of each object, with a lock of its own each */
#define PROCESSES 3u
#define KILLS 60u
#define START 1000
#define LOG 1024u

struct part {
	_Alignas(64) struct twz_txlocks locks;
	struct twz_txlock lock[ACCOUNTS];
	int64_t account[ACCOUNTS];
	uint64_t done;
};

/* One object by itself: a mutex and a log. */
struct till {
	struct mutex lock;
	int64_t box[2][64]; /* far apart; the sum over both is 0 */
	uint64_t done;
	_Alignas(64) struct twz_tx tx;
	char log[LOG];
};

struct lanes {
	struct {
		_Alignas(64) struct twz_lane lane;
		char log[LOG];
	} of[PROCESSES];
	struct till till;
};

static twzobj part_object[OBJECTS], lanes_object;
static struct part *part[OBJECTS];
static struct lanes *lanes;

static const char *name_of(unsigned i)
{
	static const char *const names[OBJECTS] = { "bank0", "bank1", "bank2" };

	return names[i];
}

static int make(twzobj *o, const char *name)
{
	int r = twz_object_new(o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS);

	return r < 0 ? r : twz_name_assign(twz_object_guid(o), name);
}

static int make_all(void)
{
	int r = make(&lanes_object, "lanes");

	lanes = twz_object_base(&lanes_object);
	for (unsigned i = 0; r == 0 && i < PROCESSES; i++)
		twz_lane_init(&lanes->of[i].lane, LOG);
	tx_init(&lanes->till.tx, LOG);
	for (unsigned i = 0; r == 0 && i < OBJECTS; i++) {
		r = make(&part_object[i], name_of(i));
		if (r < 0)
			return r;
		part[i] = twz_object_base(&part_object[i]);
		for (unsigned k = 0; k < ACCOUNTS; k++)
			part[i]->account[k] = START;
		r = twz_txlocks_init(&part_object[i], &part[i]->locks, ACCOUNTS);
	}
	return r;
}

static int open_all(void)
{
	int r = twz_object_init_name(&lanes_object, "lanes", ACCESS_RW);

	lanes = r < 0 ? NULL : twz_object_base(&lanes_object);
	for (unsigned i = 0; r == 0 && i < OBJECTS; i++) {
		r = twz_object_init_name(&part_object[i], name_of(i), ACCESS_RW);
		part[i] = r < 0 ? NULL : twz_object_base(&part_object[i]);
	}
	return r;
}

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

/* --- what the processes do until they are killed */

static int lock_and_record(struct twz_txn *t, unsigned i, unsigned k)
{
	int r = twz_txn_lock(t, &part_object[i], &part[i]->lock[k]);

	return r < 0 ? r : twz_txn_record(t, &part[i]->account[k], 8);
}

/* Between up to four accounts, each changed as soon as it is recorded. */
static int move(unsigned process, uint64_t *random)
{
	int64_t sum = (int64_t)(next_random(random) % 50), last = 0;
	struct twz_txn t;
	int r = twz_txn_begin(&t, &lanes_object, &lanes->of[process].lane);

	for (unsigned n = 0; r == 0 && n < 4; n++) {
		unsigned i = next_random(random) % OBJECTS, k = next_random(random) % ACCOUNTS;

		r = lock_and_record(&t, i, k);
		if (r < 0)
			break;
		part[i]->account[k] += n < 3 ? sum * (n + 1) : -last;
		last += sum * (n + 1);
	}
	if (r == 0 && next_random(random) % 8)
		return twz_txn_commit(&t);
	twz_txn_abort(&t);
	return r == -EDEADLK ? 0 : r;
}

static void use_till(uint64_t *random)
{
	struct till *till = &lanes->till;
	int64_t sum = (int64_t)(next_random(random) % 50);
	unsigned at = next_random(random) % 64;

	mutex_acquire(&till->lock);
	TXSTART(&lanes_object, &till->tx) {
		TXRECORD(&till->tx, &till->box[0][at]);
		till->box[0][at] += sum;
		TXRECORD(&till->tx, &till->box[1][63 - at]);
		till->box[1][63 - at] -= sum;
		TXCOMMIT;
	} TXEND;
	mutex_release(&till->lock);
}

static int work(unsigned process, uint64_t random)
{
	if (open_all() < 0)
		return 3;
	for (;;) {
		if (move(process, &random) < 0)
			return 4;
		use_till(&random);
		__atomic_fetch_add(&lanes->till.done, 1, __ATOMIC_RELAXED);
	}
}

/* --- judging */

static int64_t money(void)
{
	uint64_t seq[OBJECTS][ACCOUNTS];
	int64_t total;
	bool same;

	do {
		same = true;
		total = 0;
		for (unsigned i = 0; i < OBJECTS * ACCOUNTS; i++)
			if (twz_txlock_read(&part_object[i / ACCOUNTS], &part[i / ACCOUNTS]->lock[i % ACCOUNTS],
				&seq[i / ACCOUNTS][i % ACCOUNTS]) < 0)
				return -1;
		for (unsigned i = 0; i < OBJECTS * ACCOUNTS; i++)
			total += *(volatile int64_t *)&part[i / ACCOUNTS]->account[i % ACCOUNTS];
		for (unsigned i = 0; i < OBJECTS * ACCOUNTS; i++)
			same = same && twz_txlock_unchanged(&part[i / ACCOUNTS]->lock[i % ACCOUNTS],
					   seq[i / ACCOUNTS][i % ACCOUNTS]);
	} while (!same);
	return total;
}

static int64_t in_the_till(void)
{
	struct till *till = &lanes->till;
	int64_t total = 0;

	mutex_acquire(&till->lock);
	CHECK(TXCHECK(&lanes_object, &till->tx) >= 0);
	for (unsigned i = 0; i < 128; i++)
		total += till->box[i / 64][i % 64];
	mutex_release(&till->lock);
	return total;
}

static pid_t start_worker(unsigned i, unsigned n)
{
	char arg[32];

	snprintf(arg, sizeof(arg), "%u", n * PROCESSES + i);
	return start_role("work", arg, NULL);
}

static void let_them_work(uint64_t *random)
{
	struct timespec t = { 0, (long)(next_random(random) % 12000000) };

	nanosleep(&t, NULL);
}

static void killed_at_any_moment(void)
{
	uint64_t random = 0x1234567890abcdefull;
	pid_t pid[PROCESSES];
	uint64_t before = 0;

	NEED(make_all() == 0);
	for (unsigned i = 0; i < PROCESSES; i++)
		pid[i] = start_worker(i, 1);
	for (unsigned n = 0; n < KILLS; n++) {
		unsigned victim = next_random(&random) % PROCESSES;

		while (__atomic_load_n(&lanes->till.done, __ATOMIC_RELAXED) < before + 20)
			let_them_work(&random);
		before = lanes->till.done;
		let_them_work(&random);
		kill(pid[victim], SIGKILL);
		CHECK_EQ(finish_role(pid[victim]), 256 + SIGKILL);
		pid[victim] = start_worker(victim, n + 2);
		CHECK_EQ(money(), OBJECTS * ACCOUNTS * START);
		CHECK_EQ(in_the_till(), 0);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		kill(pid[i], SIGKILL);
		CHECK_EQ(finish_role(pid[i]), 256 + SIGKILL);
	}
	CHECK_EQ(money(), OBJECTS * ACCOUNTS * START);
	CHECK_EQ(in_the_till(), 0);
	ktap_note("%lu rounds", (unsigned long)lanes->till.done);
}

static const struct ktap_case cases[] = {
	{ "killed at any moment", killed_at_any_moment },
};

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "work") == 0) {
		unsigned n = (unsigned)strtoul(argv[2], NULL, 10);

		return work(n % PROCESSES, n * 0x9e3779b97f4a7c15ull | 1);
	}
	return KTAP_RUN(cases);
}
