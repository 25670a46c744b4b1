// SPDX-License-Identifier: BSD-3-Clause
/*
 * The crash explorer: random operations on a small store, the power cut at every fence of each in
 * every way the model (store/trace.h) allows, or a seeded sample where too many; recovery on
 * each; then the checker, and a model of what had been acknowledged. Recovery itself is cut, too.
 *
 * Then every flush and fence of the store is left out in turn: each must be noticed.
 *
 * Environment: STORE_CRASH_SEED (1), STORE_CRASH_OPS (a run's operations; 200),
 * STORE_CRASH_SITE (only this site of the second part).
 */
#include "unit.h"

#include <abi/errno.h>

#include "../../kernel/store/layout.h"
#include "store/hosted.h"
#include "store/trace.h"

#define REGION (4ul << 20)
#define STORE_BYTES (REGION - STORE_TAIL_RESERVE)
#define OBJECTS 12u
#define PLACES 9u
#define EFFORT 24u
#define NESTED_EFFORT 4u
#define NESTED_SHARE 32u /* one in so many recoveries is cut */
#define BULK_FIRST 2000u
#define MAX_SEED 4096u
#define MARK 5u /* the word of a page that programs write */

static const uint8_t uuid[16] = "crash explorer!";
static const uint64_t places[PLACES] = { 1, 2, 63, 64, 700, 100000, 262080, 262142, 262143 };

/* ---- The model: what must be there ---- */

enum life { NONE, LIVE, DELETED, HIDDEN };

struct model_page {
	bool present;
	uint32_t seed;  /* content(seed); 0: all zero */
	uint64_t mark;  /* word MARK, if not 0: stored by the object's user */
};

struct model {
	uint64_t boots;
	objid_t root;
	uint64_t clock;
	struct model_object {
		objid_t id;
		enum life life;
		struct store_handle h;
		struct model_page page[PLACES];
		unsigned bulk; /* zero pages from BULK_FIRST on */
	} object[OBJECTS];
};

static struct run {
	struct store st;
	struct model now, next; /* before the operation under way, and after it */
	bool acknowledged;      /* only `next` will do */
	bool formatting;
	bool nested;            /* cut recovery as well */
	unsigned long bad, op;
	uint64_t random, next_id;
	const char *first;      /* what was wrong with the first bad state */
} run;

static uint64_t random64(void)
{
	run.random ^= run.random << 13;
	run.random ^= run.random >> 7;
	run.random ^= run.random << 17;
	return run.random;
}

/* What a page of that seed holds; kept, because it is compared with a million times. */
static const uint64_t *content(uint32_t seed)
{
	static uint64_t *pages[MAX_SEED];

	if (!pages[seed]) {
		pages[seed] = calloc(PAGE_WORDS, 8);
		if (!pages[seed])
			abort();
		for (unsigned i = 0; i < PAGE_WORDS && seed; i++)
			pages[seed][i] = (uint64_t)seed << 32 | i * 2654435761u;
	}
	return pages[seed];
}

static const char *compare_page(const uint64_t *page, const struct model_page *m)
{
	const uint64_t *expected = content(m->seed);

	if (!page)
		return m->present ? "page is missing" : NULL;
	if (!m->present)
		return "page appeared";
	if (page[MARK] != (m->mark ? m->mark : expected[MARK]) ||
	    memcmp(page, expected, MARK * 8) ||
	    memcmp(page + MARK + 1, expected + MARK + 1, STORE_PAGE_SIZE - 8 * (MARK + 1)))
		return "page has wrong content";
	return NULL;
}

static const char *compare_bulk(struct store *st, const struct store_handle *h, unsigned bulk)
{
	void *page;

	for (unsigned i = 0; i <= bulk; i++) {
		if (store_page_get(st, h, BULK_FIRST + i, &page))
			return "page word is damaged";
		if ((page != NULL) != (i < bulk))
			return "bulk pages differ";
	}
	return NULL;
}

static const char *compare_object(struct store *st, const struct model_object *m)
{
	struct store_handle h;
	int error = store_lookup(st, m->id, &h);
	const char *why = NULL;
	void *page;

	if (m->life != LIVE)
		return error == -ENOENT ? NULL : "object should be gone";
	if (error)
		return "object is missing";
	for (unsigned i = 0; i < PLACES && !why; i++) {
		if (store_page_get(st, &h, places[i], &page))
			return "page word is damaged";
		why = compare_page(page, &m->page[i]);
	}
	return why ? why : compare_bulk(st, &h, m->bulk);
}

static unsigned live_objects(const struct model *m)
{
	unsigned count = 0;

	for (unsigned i = 0; i < OBJECTS; i++)
		count += m->object[i].life == LIVE;
	return count;
}

/* NULL, or how the recovered store differs from the model. */
static const char *compare(struct store *st, const struct model *m)
{
	struct store_stats stats;
	objid_t root;

	store_stats(st, &stats);
	if (!stats.rdonly && stats.objects != live_objects(m))
		return "wrong number of objects";
	if (!stats.rdonly && stats.boots <= m->boots)
		return "boot count went back";
	if (store_nameroot(st, &root) || root != m->root)
		return "wrong name root";
	if (store_clock_mark(st) != m->clock)
		return "wrong clock mark";
	for (unsigned i = 0; i < OBJECTS; i++) {
		const char *why = m->object[i].id ? compare_object(st, &m->object[i]) : NULL;

		if (why)
			return why;
	}
	return NULL;
}

/* ---- Judging a crash state ---- */

static void bad(unsigned world, const char *why)
{
	if (!run.bad++)
		run.first = why;
	if (getenv("STORE_CRASH_VERBOSE"))
		fprintf(stderr, "op %lu, world %u: %s\n", run.op, world, why);
}

static const char *judge_store(struct store *st)
{
	if (hosted_check(st))
		return "checker finds faults";
	const char *why = compare(st, &run.next);

	if (why && !run.acknowledged && !compare(st, &run.now))
		why = NULL;
	return why;
}

static const char *judge_rdonly(unsigned world)
{
	struct store st;

	if (store_mount(&st, trace_memory(world), REGION, STORE_RDONLY, NULL))
		return "cannot be mounted read-only";
	return judge_store(&st);
}

static void judge_state(unsigned below);

/* Cut recovery now and then; always when the mount left something unflushed. */
static const char *judge_mount(unsigned world)
{
	bool deeper = run.nested && world + 1 < TRACE_WORLDS && random64() % NESTED_SHARE == 0;
	struct store st;

	trace_explore(world, deeper ? judge_state : NULL, NESTED_EFFORT);
	if (store_mount(&st, trace_memory(world), REGION, 0, trace_ops(world)))
		return "cannot be mounted";
	if (run.nested && world + 1 < TRACE_WORLDS && trace_volatile_words(world)) {
		trace_explore(world, judge_state, NESTED_EFFORT);
		trace_cut(world);
	}
	trace_explore(world, NULL, 0);
	return judge_store(&st);
}

static const char *judge_format(unsigned world)
{
	enum store_content content = store_probe(trace_memory(world), REGION);

	if (content == STORE_OURS)
		return judge_mount(world);
	if (run.acknowledged || (content != STORE_BLANK && content != STORE_UNFINISHED))
		return "interrupted format is not recognised";
	bool deeper = run.nested && world + 1 < TRACE_WORLDS && random64() % NESTED_SHARE == 0;

	trace_explore(world, deeper ? judge_state : NULL, NESTED_EFFORT);
	int error = store_format(trace_memory(world), REGION, uuid, trace_ops(world));

	trace_explore(world, NULL, 0);
	return error ? "cannot be formatted again" : judge_mount(world);
}

/* A crash state of world `below` stands in the world above it. */
static void judge_state(unsigned below)
{
	unsigned world = below + 1;
	const char *why = NULL;

	hosted_log_clear();
	if (run.formatting)
		why = judge_format(world);
	else if (random64() % 8 == 0)
		why = judge_rdonly(world);
	if (!why && !run.formatting)
		why = judge_mount(world);
	if (why)
		bad(world, why);
}

/* ---- Operations, each with what the model says it does ---- */

static struct model_object *random_object(enum life life)
{
	unsigned start = random64() % OBJECTS;

	for (unsigned i = 0; i < OBJECTS; i++) {
		struct model_object *o = &run.next.object[(start + i) % OBJECTS];

		if (o->life == life)
			return o;
	}
	return NULL;
}

static int op_create(unsigned flags)
{
	struct model_object *o = random_object(NONE);

	if (!o)
		return 0;
	memset(o, 0, sizeof(*o));
	run.next_id++;
	o->id = MKID(run.next_id * 0x9e3779b97f4a7c15ull, run.next_id);
	o->life = flags & STORE_CREATE_HIDDEN ? HIDDEN : flags ? DELETED : LIVE;
	o->page[PLACES - 1].present = true;
	o->page[PLACES - 1].seed = run.next_id % MAX_SEED;
	return store_create(&run.st, o->id, content(run.next_id % MAX_SEED), flags, &o->h);
}

static int op_create_live(void)
{
	return op_create(0);
}

static int op_create_other(void)
{
	return op_create(random64() % 2 ? STORE_CREATE_DELETED : STORE_CREATE_HIDDEN);
}

static struct model_object *any_object(void)
{
	static const enum life lives[] = { LIVE, LIVE, LIVE, HIDDEN, DELETED };

	return random_object(lives[random64() % 5]);
}

static int op_alloc(void)
{
	struct model_object *o = any_object();
	unsigned place = random64() % PLACES;
	void *got;

	if (!o)
		return 0;
	uint32_t seed = random64() % 3 ? 1 + random64() % 1000 : 0;

	if (!o->page[place].present)
		o->page[place] = (struct model_page){ .present = true, .seed = seed };
	return store_page_alloc(&run.st, &o->h, places[place], seed ? content(seed) : NULL, &got);
}

/* What a program does with its pages: store, flush, fence. */
static int op_write(void)
{
	struct model_object *o = any_object();
	unsigned place = random64() % PLACES;
	void *page;

	if (!o || !o->page[place].present)
		return 0;
	int error = store_page_get(&run.st, &o->h, places[place], &page);

	if (error || !page)
		return error;
	o->page[place].mark = random64() | 1;
	pm_store64((uint64_t *)page + MARK, o->page[place].mark);
	pm_flush(trace_ops(0), (uint64_t *)page + MARK, 8, PM_SITES);
	pm_fence(trace_ops(0), PM_SITES);
	return 0;
}

static int op_bulk(void)
{
	struct model_object *o = any_object();
	unsigned end = (unsigned)(random64() % 150);
	int error = 0;
	void *page;

	if (!o)
		return 0;
	trace_explore(0, NULL, 0);
	while (!error && o->bulk < end) {
		error = store_page_alloc(&run.st, &o->h, BULK_FIRST + o->bulk, NULL, &page);
		o->bulk += !error;
	}
	run.now = run.next; /* several operations in one, each acknowledged */
	return 0;
}

static int op_delete(void)
{
	struct model_object *o = random_object(LIVE);

	if (!o)
		return 0;
	o->life = DELETED;
	return store_mark_deleted(&run.st, &o->h);
}

static int op_free(void)
{
	struct model_object *o = random_object(random64() % 2 ? DELETED : HIDDEN);

	if (!o)
		return 0;
	o->life = NONE;
	return store_free(&run.st, &o->h);
}

static int op_publish(void)
{
	struct model_object *o = random_object(HIDDEN);
	unsigned flags = random64() % 4 ? 0 : STORE_CREATE_DELETED;

	if (!o)
		return 0;
	o->life = flags ? DELETED : LIVE;
	return store_publish(&run.st, &o->h, flags);
}

static int op_words(void)
{
	if (random64() % 2) {
		run.next.root = MKID(random64(), random64());
		return store_set_nameroot(&run.st, run.next.root);
	}
	run.next.clock += 1 + random64() % 100000;
	return store_set_clock_mark(&run.st, run.next.clock);
}

static int op_remount(void)
{
	for (unsigned i = 0; i < OBJECTS; i++) {
		struct model_object *o = &run.next.object[i];

		if (o->life != LIVE)
			o->life = NONE;
	}
	run.next.boots++;
	store_unmount(&run.st);
	return store_mount(&run.st, trace_memory(0), REGION, 0, trace_ops(0));
}

static const struct operation {
	int (*run)(void);
	unsigned weight;
} operations[] = {
	{ op_create_live, 16 }, { op_create_other, 8 }, { op_alloc, 24 }, { op_write, 8 },
	{ op_bulk, 3 },         { op_delete, 8 },       { op_free, 8 },   { op_publish, 5 },
	{ op_words, 8 },        { op_remount, 3 },
};

static const struct operation *random_operation(void)
{
	unsigned roll = random64() % 91;
	unsigned i = 0;

	while (roll >= operations[i].weight)
		roll -= operations[i++].weight;
	return &operations[i];
}

/* Everything was acknowledged: a cut now may lose nothing. */
static void acknowledge(bool accepted)
{
	if (accepted)
		run.now = run.next;
	else
		run.next = run.now;
	run.acknowledged = true;
	trace_judgement(2 * run.op + 1);
	trace_explore(0, judge_state, EFFORT);
	trace_cut(0);
	run.acknowledged = false;
	if (!trace_complete(0))
		bad(0, "memory was written behind the trace's back");
}

static void do_operation(const struct operation *operation)
{
	run.op++;
	run.next = run.now;
	trace_judgement(2 * run.op);
	trace_explore(0, judge_state, EFFORT);
	int error = operation->run();

	if (error && error != -ENOSPC)
		bad(0, "operation failed");
	acknowledge(!error);
}

static void start(uint64_t seed)
{
	trace_reset(STORE_BYTES + STORE_TAIL_RESERVE, seed);
	memset(&run, 0, sizeof(run));
	run.random = seed * 0x9e3779b97f4a7c15ull | 1;
	run.nested = true;
	run.formatting = true;
	trace_judgement(0);
	trace_explore(0, judge_state, 4 * EFFORT);
	if (store_format(trace_memory(0), REGION, uuid, trace_ops(0)))
		bad(0, "format failed");
	acknowledge(true);
	run.formatting = false;
	trace_explore(0, judge_state, EFFORT);
	run.next.boots = 1;
	if (store_mount(&run.st, trace_memory(0), REGION, 0, trace_ops(0)))
		bad(0, "mount failed");
	acknowledge(true);
}

/* Up to `ops` operations; with `stop`, only to the first bad state. */
static void explore(uint64_t seed, unsigned long ops, bool stop)
{
	start(seed);
	while (run.op < ops && !(stop && run.bad))
		do_operation(random_operation());
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void test_every_crash_state_recovers(void **state)
{
	unsigned long seed = setting("STORE_CRASH_SEED", 1);

	(void)state;
	explore(seed, setting("STORE_CRASH_OPS", 200), false);
	print_message("# seed %lu: %lu operations, %lu fences, %lu states (%lu distinct), "
		      "in recovery %lu (%lu distinct), %lu bad%s%s\n", seed, run.op,
		      trace_counts[0].fences, trace_counts[0].states, trace_counts[0].distinct,
		      trace_counts[1].states, trace_counts[1].distinct, run.bad,
		      run.first ? ": " : "", run.first ? run.first : "");
	assert_int_equal(run.bad, 0);
	assert_true(trace_counts[0].distinct > 50 * run.op / 4);
	for (unsigned site = 0; site < PM_SITES; site++) {
		if (site == PM_REPLAY_FLUSH || site == PM_REPLAY_FENCE)
			assert_true(trace_counts[1].site[site] > 0);
		else
			assert_true(trace_counts[0].site[site] > 0);
	}
	trace_end();
}

static bool site_is_noticed(unsigned site)
{
	bool noticed = false;

	trace_drop((int)site);
	for (uint64_t seed = 1; seed <= 5 && !noticed; seed++) {
		explore(seed, 200, true);
		noticed = run.bad != 0;
		print_message("# without %s: %s after %lu states (operation %lu)\n",
			      pm_site_name(site), noticed ? run.first : "not noticed",
			      trace_counts[0].states + trace_counts[1].states, run.op);
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
