// SPDX-License-Identifier: BSD-3-Clause
/*
 * The allocator inside objects under load: a million operations of more threads than it has lanes,
 * processes that are killed in the middle of calls, and noise in its words by the thousand.
 */
#include "hosted.h"

#include <signal.h>
#include <time.h>
#include <twz/alloc.h>
#include <twz/name.h>

#define THREADS 20u
#define EACH 50u /* owners of a thread */
#define OPERATIONS 50000u
#define KILLS 12u
#define NOISE_ROUNDS 1500u
#define START 65536u
#define RUNS 454656u /* base offset of the first run: see the layout in docs/alloc.md */

struct root {
	uint64_t len[THREADS][EACH];
	void *slot[THREADS][EACH];
};

static struct root *root(twzobj *o)
{
	return twz_object_base(o);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

static void tell(const char *what, uint64_t offset, void *data)
{
	(void)data;
	ktap_note("%s at %lx", what, offset);
}

static int count_region(void *p, size_t len, void *data)
{
	(void)p, (void)len;
	++*(uint64_t *)data;
	return 0;
}

static uint64_t regions(twzobj *o)
{
	uint64_t count = 0;

	CHECK_EQ(twz_alloc_walk(o, count_region, &count), 0);
	return count;
}

static uint64_t owned(twzobj *o)
{
	uint64_t n = 0;

	for (unsigned t = 0; t < THREADS; t++)
		for (unsigned i = 0; i < EACH; i++)
			n += root(o)->slot[t][i] != NULL;
	return n;
}

/* --- contents: every word says whose it is */

struct filling {
	uint64_t tag, len;
};

static void fill(void *p, void *data)
{
	const struct filling *f = data;

	for (uint64_t i = 0; i < f->len / 8; i++)
		((uint64_t *)p)[i] = f->tag;
}

static bool is_filled(twzobj *o, const void *slot, uint64_t tag, uint64_t len)
{
	const uint64_t *p = twz_object_lea(o, slot);

	for (uint64_t i = 0; i < len / 8; i++)
		if (p[i] != tag)
			return false;
	return twz_alloc_usable(o, slot) >= len;
}

static uint64_t some_length(uint64_t *random)
{
	uint64_t kind = next_random(random) % 64;

	return next_random(random) % (kind == 0 ? 60000 : kind < 8 ? 9000 : 400);
}

/* --- what a thread does to its owners */

static unsigned bad_operations;

static void expect(bool ok)
{
	if (!ok)
		__atomic_fetch_add(&bad_operations, 1, __ATOMIC_RELAXED);
}

/* A region in place of another, and its length: one step. */
static void batch(twzobj *o, unsigned t, unsigned s, uint64_t tag)
{
	void **slot = root(o)->slot[t], *p = twz_alloc_reserve(o, 64, 0, NULL);
	struct twz_alloc_action a[] = {
		{ TWZ_ALLOC_KEEP, 0, p, 64 },
		{ TWZ_ALLOC_SET, 0, &slot[s], (uintptr_t)twz_ptr_local(p) },
		{ TWZ_ALLOC_SET, 0, &root(o)->len[t][s], 64 },
		{ TWZ_ALLOC_DROP, 0, slot[s], 0 },
	};

	expect(p != NULL);
	if (!p)
		return;
	fill(p, &(struct filling){ tag, 64 });
	expect(twz_alloc_publish(o, a, 4) == 0);
}

static void change_live(twzobj *o, unsigned t, unsigned s, uint64_t *random)
{
	void **slot = &root(o)->slot[t][s];
	uint64_t *len = &root(o)->len[t][s], tag = t * 1000 + s, newlen = some_length(random);
	struct filling f = { tag, 0 };

	expect(is_filled(o, *slot, tag, *len));
	switch (next_random(random) % 6) {
	case 0:
		*len = *len < newlen ? *len : newlen;
		expect(twz_realloc(o, *slot, slot, newlen, 0) == 0);
		break;
	case 1:
		*len = 0;
		f.len = newlen;
		expect(twz_alloc_replace(o, slot, newlen, 0, fill, &f) == 0);
		*len = newlen;
		break;
	case 2:
		*len = 0;
		batch(o, t, s, tag);
		break;
	default:
		twz_free(o, *slot, slot, 0);
	}
}

static void churn(twzobj *o, unsigned t, uint64_t seed, uint64_t count)
{
	uint64_t random = seed;

	while (count--) {
		unsigned s = (unsigned)next_random(&random) % EACH;
		struct filling f = { t * 1000 + s, some_length(&random) };

		if (root(o)->slot[t][s]) {
			change_live(o, t, s, &random);
			continue;
		}
		root(o)->len[t][s] = 0;
		expect(twz_alloc(o, f.len, &root(o)->slot[t][s], 0, fill, &f) == 0);
		root(o)->len[t][s] = f.len;
	}
}

/* --- threads */

struct worker {
	struct thread thread;
	twzobj *o;
	unsigned t;
};

static void work(void *arg)
{
	struct worker *w = arg;

	churn(w->o, w->t, w->t + 1, OPERATIONS);
}

static void settle(twzobj *o)
{
	CHECK_EQ(twz_alloc_check(o, tell, NULL), 0);
	CHECK_EQ(regions(o), owned(o));
	CHECK_EQ(bad_operations, 0);
}

static void a_million(void)
{
	static struct worker w[THREADS];
	struct twz_alloc_stats st;
	twzobj o;

	NEED(new_object(&o) == 0 && twz_object_init_alloc(&o, START) == 0);
	for (unsigned t = 0; t < THREADS; t++) {
		w[t] = (struct worker){ .o = &o, .t = t };
		NEED(run_thread(&w[t].thread, work, &w[t]) == 0);
	}
	for (unsigned t = 0; t < THREADS; t++)
		CHECK_EQ(finish_thread(&w[t].thread), 0);
	settle(&o);
	twz_alloc_stats(&o, &st);
	CHECK(st.used_bytes < 160ul << 20);
	for (unsigned t = 0; t < THREADS; t++)
		for (unsigned i = 0; i < EACH; i++)
			twz_free(&o, root(&o)->slot[t][i], &root(&o)->slot[t][i], 0);
	CHECK_EQ(regions(&o), 0);
	drop_object(&o);
}

/* --- processes that are killed */

static int churn_for_ever(void)
{
	twzobj o;

	if (twz_object_init_name(&o, "arena", FE_READ | FE_WRITE) < 0)
		return 1;
	for (uint64_t seed = (uint64_t)getpid();; seed++)
		churn(&o, 0, seed, 1000);
}

static int kill_one(unsigned n)
{
	struct timespec wait = { 0, 20000000 + n * 3111111 };
	pid_t pid = start_role("churn", "", NULL);
	int status;

	if (pid <= 0)
		return -1;
	nanosleep(&wait, NULL);
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? 0 : -1;
}

/* What the dead had begun is finished: no region is lost, none is owned and free. */
static void killed(void)
{
	twzobj o;

	if (!have_store())
		return;
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	NEED(twz_object_init_alloc(&o, START) == 0);
	NEED(twz_name_assign(twz_object_guid(&o), "arena") == 0);
	for (unsigned n = 0; n < KILLS; n++) {
		NEED(kill_one(n) == 0);
		CHECK_EQ(twz_alloc_recover(&o), 0);
		settle(&o);
		for (unsigned i = 0; i < EACH; i++)
			CHECK(!root(&o)->slot[0][i] || twz_alloc_usable(&o, root(&o)->slot[0][i]));
		churn(&o, 1, n + 1, 2000);
		settle(&o);
	}
	drop_object(&o);
}

/* --- noise */

static void use_noise(void *arg)
{
	twzobj *o = arg;
	struct twz_alloc_stats st;
	void **slot = root(o)->slot[0];
	struct filling f = { 5, 100 };
	uint64_t count = 0;

	twz_alloc_check(o, NULL, NULL);
	twz_alloc_recover(o);
	twz_alloc_walk(o, count_region, &count);
	twz_alloc_stats(o, &st);
	for (unsigned i = 0; i < 6; i++)
		twz_alloc(o, 10ul << i * 3, &slot[10 + i], i & 1, fill, &f);
	for (unsigned i = 0; i < 6; i++)
		twz_alloc_usable(o, slot[i]);
	twz_realloc(o, slot[1], &slot[1], 20000, 0);
	twz_alloc_replace(o, &slot[2], 200, 0, fill, &f);
}

static void free_noise(void *arg)
{
	twzobj *o = arg;
	void **slot = root(o)->slot[0];

	for (unsigned i = 0; i < 16; i++)
		twz_free(o, slot[i], &slot[i], i & 1);
}

/* Words at random in [from, from + len) of the base. */
static void scatter(twzobj *o, uint64_t *random, uint64_t from, uint64_t len, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t at = from + next_random(random) % (len / 8) * 8;
		uint64_t *word = (void *)((char *)twz_object_base(o) + at);
		uint64_t r = next_random(random) << 32 ^ next_random(random);

		*word = r % 4 == 0 ? *word ^ 1ull << r % 64 :
		    r % 4 == 1 ? 0x2020202020202020ull >> r % 8 : r;
	}
}

static void one_noise(unsigned round, uint64_t *random)
{
	static const struct { uint64_t from, len; unsigned count; } where[] = {
		{ START, 64, 1 }, { START + 64, 448, 20 }, { START + 512, 3584, 200 },
		{ START + 4096, 4096, 8 },
		{ START + 4096, 64, 4 }, { START + 4096 + 253952, 32768, 800 }, { RUNS, 1600, 100 },
		{ RUNS + 65536, 1600, 100 },
	};
	unsigned n = round % (sizeof(where) / sizeof(where[0]));
	twzobj o;

	NEED(new_object(&o) == 0 && twz_object_init_alloc(&o, START) == 0);
	for (unsigned i = 0; i < 6; i++)
		twz_alloc(&o, 40 + i * 3000, &root(&o)->slot[0][i], 0, NULL, NULL);
	for (unsigned i = 0; i <= round % 3; i++)
		scatter(&o, random, where[n].from, where[n].len, where[n].count);
	thrown_by(use_noise, &o);
	thrown_by(free_noise, &o);
	drop_object(&o);
}

static void noise(void)
{
	uint64_t random = 77;

	for (unsigned round = 0; round < NOISE_ROUNDS; round++)
		one_noise(round, &random);
}

static const struct ktap_case cases[] = {
	{ "a million operations of twenty threads", a_million },
	{ "processes that are killed", killed },
	{ "noise", noise },
};

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "churn") == 0)
		return churn_for_ever();
	return KTAP_RUN(cases);
}
