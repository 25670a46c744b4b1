// SPDX-License-Identifier: BSD-3-Clause
/* Transactions over several objects: locks, deadlocks, threads that end in the middle, noise. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/txn.h>

#define LOG 2048u
#define LOCKS 3u
#define ACCOUNTS 4u
#define START 1000
#define THREADS 4u
#define ROUNDS 150u

struct bank {
	struct twz_txlocks locks;
	struct twz_txlock lock[LOCKS];
	int64_t account[ACCOUNTS];
	int64_t guard;
};

struct home {
	struct twz_lane lane;
	char log[LOG];
	int64_t guard;
};

static twzobj home_object, bank_object[2];
static struct home *home;
static struct bank *bank[2];

static bool fresh(void)
{
	bool ok = new_object(&home_object) == 0;

	for (unsigned i = 0; i < 2; i++) {
		ok = ok && new_object(&bank_object[i]) == 0;
		bank[i] = ok ? twz_object_base(&bank_object[i]) : NULL;
		ok = ok && twz_txlocks_init(&bank_object[i], &bank[i]->locks, LOCKS) == 0;
		for (unsigned k = 0; ok && k < ACCOUNTS; k++)
			bank[i]->account[k] = START;
	}
	if (!ok)
		return false;
	home = twz_object_base(&home_object);
	twz_lane_init(&home->lane, LOG);
	return true;
}

static void done(void)
{
	CHECK_EQ(home->guard, 0);
	drop_object(&home_object);
	drop_object(&bank_object[0]);
	drop_object(&bank_object[1]);
}

static int move(struct twz_txn *t, int64_t sum)
{
	int r = twz_txn_lock(t, &bank_object[0], bank[0]->lock);

	if (r == 0)
		r = twz_txn_lock(t, &bank_object[1], bank[1]->lock);
	if (r == 0)
		r = twz_txn_record_tmp(t, &bank[0]->account[0], 8);
	if (r == 0)
		r = twz_txn_record(t, &bank[1]->account[0], 8);
	if (r < 0)
		return r;
	bank[0]->account[0] -= sum;
	bank[1]->account[0] += sum;
	return 0;
}

static void commit_and_abort(void)
{
	struct twz_txn t;

	NEED(fresh());
	CHECK_EQ(twz_txn_begin(&t, &home_object, &home->lane), 0);
	CHECK_EQ(move(&t, 10), 0);
	CHECK_EQ(twz_txn_commit(&t), 0);
	CHECK_EQ(bank[0]->account[0], START - 10);
	CHECK_EQ(bank[1]->account[0], START + 10);
	CHECK_EQ(twz_txn_begin(&t, &home_object, &home->lane), 0);
	CHECK_EQ(move(&t, 10), 0);
	twz_txn_abort(&t);
	CHECK_EQ(bank[0]->account[0], START - 10);
	CHECK_EQ(bank[1]->account[0], START + 10);
	CHECK_EQ(home->lane.tx.end, 0);
	CHECK_EQ(bank[0]->lock[0].word, 0);
	CHECK_EQ(bank[0]->lock[0].seq % 2, 0);
	done();
}

static void refusals(void)
{
	struct twz_txn t;
	struct twz_txlock no = { .word = 0 };

	NEED(fresh());
	CHECK_EQ(twz_txlocks_init(&bank_object[0], &bank[0]->locks, 1), -EEXIST);
	CHECK_EQ(twz_txlocks_init(&home_object, (struct twz_txlocks *)(void *)((char *)home + 8), 1), -EINVAL);
	CHECK_EQ(twz_txn_begin(&t, &home_object, (struct twz_lane *)&no), -EINVAL);
	CHECK_EQ(twz_txn_begin(&t, &home_object, &home->lane), 0);
	CHECK_EQ(twz_txn_lock(&t, &bank_object[0], &no), -EINVAL);
	CHECK_EQ(twz_txn_lock(&t, &bank_object[0], &bank[1]->lock[0]), -EINVAL);
	CHECK_EQ(twz_txn_lock(&t, &bank_object[0], bank[0]->lock + LOCKS), -EINVAL);
	CHECK_EQ(twz_txn_lock(&t, &home_object, bank[0]->lock), -EINVAL);
	CHECK_EQ(twz_txn_record(&t, bank[0]->account, 8), -EINVAL);
	CHECK_EQ(twz_txn_lock(&t, &bank_object[0], bank[0]->lock), 0);
	CHECK_EQ(twz_txn_lock(&t, &bank_object[0], bank[0]->lock), 0);
	CHECK_EQ(twz_txn_record(&t, bank[1]->account, 8), -EINVAL);
	CHECK_EQ(twz_txn_record(&t, &bank[0]->guard + 1, LOG), -ENOMEM);
	CHECK_EQ(twz_txn_record(&t, bank[0]->account, OBJ_MAXSIZE), -EINVAL);
	twz_txn_abort(&t);
	done();
}

static void dies(void *arg)
{
	struct twz_txn t;

	if (twz_txn_begin(&t, &home_object, &home->lane) == 0 && move(&t, *(int64_t *)arg) == 0)
		twz_thread_exit(9);
	twz_thread_exit(1);
}

/* Found by a lock, by the lane, by a reader, by who looks at all of an object's. */
static void holder_ends(void)
{
	int64_t sum = 77;
	uint64_t seq;
	struct twz_txn t;

	NEED(fresh());
	for (unsigned way = 0; way < 4; way++) {
		CHECK_EQ(exit_code_of(dies, &sum), 9);
		CHECK_EQ(bank[0]->account[0], START - 77);
		if (way == 0)
			CHECK_EQ(twz_txlock_read(&bank_object[1], bank[1]->lock, &seq), 0);
		if (way == 1)
			CHECK_EQ(twz_txlocks_recover(&bank_object[1]), 1);
		if (way >= 2) {
			CHECK_EQ(twz_txn_begin(&t, &home_object, &home->lane), 0);
			if (way == 3)
				CHECK_EQ(twz_txn_lock(&t, &bank_object[0], bank[0]->lock), 0);
			twz_txn_abort(&t);
		}
		CHECK_EQ(bank[0]->account[0], START);
		CHECK_EQ(bank[1]->account[0], START);
		CHECK_EQ(twz_txlock_read(&bank_object[0], bank[0]->lock, &seq), 0);
		CHECK(twz_txlock_unchanged(bank[0]->lock, seq));
		CHECK_EQ(home->lane.tx.end, 0);
	}
	done();
}

/* Have a lock name a transaction. */
static void names(struct twz_txlock *l, objid_t lane_id, uint64_t lane, uint32_t gen)
{
	l->lane_id = lane_id;
	l->lane = lane;
	l->word = twz_txlock_word(lane_id, lane, gen);
}

/* The lane's object went with the power, say. */
static void log_is_gone(void)
{
	int64_t sum = 77;
	uint64_t seq;

	NEED(fresh());
	CHECK_EQ(exit_code_of(dies, &sum), 9);
	names(&bank[0]->lock[0], missing_id(), bank[0]->lock[0].lane, (uint32_t)bank[0]->lock[0].word);
	CHECK_EQ(twz_txlock_read(&bank_object[0], bank[0]->lock, &seq), -ENOENT);
	CHECK_EQ(twz_txlock_forget(&bank_object[0], bank[0]->lock), 0);
	CHECK_EQ(twz_txlock_read(&bank_object[0], bank[0]->lock, &seq), 0);
	done();
}

/* A log cannot change an object that does not name it. */
static void strangers_log(void)
{
	int64_t sum = 77;

	NEED(fresh());
	CHECK_EQ(exit_code_of(dies, &sum), 9);
	names(&bank[1]->lock[0], bank[1]->lock[0].lane_id, bank[1]->lock[0].lane + 64,
	    (uint32_t)bank[1]->lock[0].word);
	CHECK_EQ(twz_txlocks_recover(&bank_object[0]), 1);
	CHECK_EQ(bank[0]->account[0], START);
	CHECK_EQ(bank[1]->account[0], START + 77);
	done();
}

/* --- many threads: money moves between accounts, and its sum stays */

struct worker {
	twzobj home;
	uint64_t random;
	unsigned moved, again;
};

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

static int try_move(struct worker *w, unsigned a, unsigned b, int64_t sum)
{
	struct home *h = twz_object_base(&w->home);
	int64_t *from = &bank[a % 2]->account[a / 2], *to = &bank[b % 2]->account[b / 2];
	struct twz_txn t;
	int r = twz_txn_begin(&t, &w->home, &h->lane);

	if (r < 0)
		return r;
	r = twz_txn_lock(&t, &bank_object[a % 2], &bank[a % 2]->lock[a / 2]);
	if (r == 0)
		r = twz_txn_lock(&t, &bank_object[b % 2], &bank[b % 2]->lock[b / 2]);
	if (r == 0)
		r = twz_txn_record_tmp(&t, from, 8);
	if (r == 0)
		r = twz_txn_record(&t, to, 8);
	if (r < 0) {
		twz_txn_abort(&t);
		return r;
	}
	*from -= sum;
	*to += sum;
	return twz_txn_commit(&t);
}

static void work(void *arg)
{
	struct worker *w = arg;

	while (w->moved < ROUNDS) {
		unsigned a = next_random(&w->random) % (2 * LOCKS), b = next_random(&w->random) % (2 * LOCKS);
		int r = a == b ? -EDEADLK : try_move(w, a, b, (int64_t)(next_random(&w->random) % 100));

		if (r == 0)
			w->moved++;
		else if (r == -EDEADLK)
			w->again++;
		else
			twz_thread_exit(2);
	}
}

/* All accounts as of one moment, without a lock; false if something changed meanwhile. */
static bool snapshot(int64_t *total)
{
	uint64_t seq[2][LOCKS];
	bool same = true;

	*total = 0;
	for (unsigned i = 0; i < 2 * LOCKS; i++)
		if (twz_txlock_read(&bank_object[i % 2], &bank[i % 2]->lock[i / 2], &seq[i % 2][i / 2]) < 0)
			return false;
	for (unsigned i = 0; i < 2 * LOCKS; i++)
		*total += *(volatile int64_t *)&bank[i % 2]->account[i / 2];
	for (unsigned i = 0; i < 2 * LOCKS; i++)
		same = same && twz_txlock_unchanged(&bank[i % 2]->lock[i / 2], seq[i % 2][i / 2]);
	return same;
}

static void money_moves(void)
{
	static struct worker w[THREADS];
	struct thread thread[THREADS];
	unsigned seen = 0, again = 0;
	int64_t total;

	NEED(fresh());
	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .random = 1234567 + i };
		NEED(new_object(&w[i].home) == 0);
		twz_lane_init(twz_object_base(&w[i].home), LOG);
		NEED(run_thread(&thread[i], work, &w[i]) == 0);
	}
	for (unsigned i = 0; i < 200; i++) {
		if (snapshot(&total)) {
			seen++;
			CHECK_EQ(total, 2 * LOCKS * START);
		}
	}
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_EQ(finish_thread(&thread[i]), 0);
		CHECK_EQ(w[i].moved, ROUNDS);
		again += w[i].again;
		drop_object(&w[i].home);
	}
	CHECK(snapshot(&total));
	CHECK_EQ(total, 2 * LOCKS * START);
	ktap_note("%u snapshots, %u tries again", seen, again);
	done();
}

static uint64_t noise_state = 88172645463325252ull;

/* Locks and logs of noise: errors, or nothing; the other objects stay as they are. */
static void noise(void)
{
	uint64_t seq;

	NEED(fresh());
	for (unsigned round = 0; round < 200; round++) {
		struct twz_txlock *l = bank[0]->lock;
		uint64_t *log = (uint64_t *)(void *)home->log;

		for (unsigned i = 0; i < LOG / 8; i++)
			log[i] = next_random(&noise_state) >> next_random(&noise_state) % 64;
		home->lane.tx.end = (uint32_t)next_random(&noise_state) % (LOG + 64);
		home->lane.tx.gen = (uint32_t)next_random(&noise_state) | 1;
		names(l, round % 3 ? twz_object_guid(&home_object) : next_random(&noise_state),
		    round % 4 ? 0x1000 : next_random(&noise_state) >> round % 64, home->lane.tx.gen);
		if (round % 5 == 0)
			l->word = next_random(&noise_state);
		CHECK(twz_txlock_read(&bank_object[0], l, &seq) <= 0);
		CHECK_EQ(bank[1]->account[0], START);
	}
	home->lane.tx.end = 0;
	done();
}

static const struct ktap_case cases[] = {
	{ "commit and abort", commit_and_abort },
	{ "what is refused", refusals },
	{ "a thread that ends in the middle", holder_ends },
	{ "a log that is gone", log_is_gone },
	{ "a log that an object does not name", strangers_log },
	{ "money moves between four threads", money_moves },
	{ "noise in locks and logs", noise },
};

int main(void)
{
	return KTAP_RUN(cases);
}
