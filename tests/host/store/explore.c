// SPDX-License-Identifier: BSD-3-Clause
/*
 * The explorer's operations and judgement. See explore.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

#include "unseen.h"

#include "explore.h"
#include "hosted.h"
#include "model.h"

#define REGION (8ul << 20)
#define EFFORT 24u
#define NESTED_EFFORT 4u
#define NOTHING 1 /* an operation's result: there was nothing to do it to */
#define ATTEMPTS 40u
#define WALK_SHARE 8u /* one state in so many is listed, too */

static const uint8_t uuid[16] = "crash explorer!";

struct explore_result explore_result;

static struct run {
	struct store st;
	struct model now, next; /* before the operation under way, and after it */
	bool acknowledged;      /* only `next` will do */
	bool formatting;
	bool explored;
	unsigned nested;
	uint64_t random, next_id, step;
} run;

UNSEEN_BEGIN

static uint64_t random64(void)
{
	run.random ^= run.random << 13;
	run.random ^= run.random >> 7;
	run.random ^= run.random << 17;
	return run.random;
}

/* ---- Judging a crash state ---- */

static void bad(unsigned world, const char *why)
{
	if (!explore_result.bad++) {
		explore_result.first = why;
		explore_result.first_operation = explore_result.operations;
	}
	if (getenv("STORE_CRASH_VERBOSE"))
		fprintf(stderr, "operation %lu, world %u: %s\n", explore_result.operations, world,
			why);
}

static const char *judge_store(struct store *st)
{
	if (hosted_check(st))
		return "checker finds faults";
	const struct model *is = &run.next;
	const char *why = model_compare(st, is);

	if (why && !run.acknowledged && !model_compare(st, &run.now)) {
		is = &run.now;
		why = NULL;
	}
	if (!why && !st->rdonly && random64() % WALK_SHARE == 0)
		why = model_walk(st, is);
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

static bool cut_recovery(unsigned world)
{
	return run.nested && world + 1 < TRACE_WORLDS && random64() % run.nested == 0;
}

/* Cut recovery now and then; always when the mount left something unflushed. */
static const char *judge_mount(unsigned world)
{
	struct store st;

	trace_explore(world, cut_recovery(world) ? judge_state : NULL, NESTED_EFFORT);
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
	trace_explore(world, cut_recovery(world) ? judge_state : NULL, NESTED_EFFORT);
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

/* ---- What operations are done to ---- */

static struct model_object *random_object(enum life life)
{
	unsigned start = random64() % MODEL_OBJECTS;

	for (unsigned i = 0; i < MODEL_OBJECTS; i++) {
		struct model_object *o = &run.next.object[(start + i) % MODEL_OBJECTS];

		if (o->life == life)
			return o;
	}
	return NULL;
}

static struct model_object *any_object(void)
{
	static const enum life lives[] = { LIVE, LIVE, LIVE, HIDDEN, DELETED };

	return random_object(lives[random64() % 5]);
}

/* Not hidden. */
static struct model_object *found_object(void)
{
	return random_object(random64() % 4 ? LIVE : DELETED);
}

static unsigned number(const struct model_object *o)
{
	return (unsigned)(o - run.next.object);
}

/* An object that has a page at one of the places below `end`. */
static struct model_object *object_with_page(unsigned end, unsigned *place)
{
	unsigned start = random64() % (MODEL_OBJECTS * end);

	for (unsigned i = 0; i < MODEL_OBJECTS * end; i++) {
		unsigned at = (start + i) % (MODEL_OBJECTS * end);
		struct model_object *o = &run.next.object[at / end];

		*place = at % end;
		if (o->life != NONE && o->page[*place].present)
			return o;
	}
	return NULL;
}

static uint32_t random_seed(void)
{
	return random64() % 3 ? 1 + random64() % (MODEL_SEEDS - 1) : 0;
}

/* ---- Operations: 0, NOTHING, or the store's error ---- */

static int create(unsigned flags)
{
	struct model_object *o = random_object(NONE);

	if (!o)
		return NOTHING;
	model_forget(&run.next, number(o));
	run.next_id++;
	o->id = MKID(run.next_id * 0x9e3779b97f4a7c15ull, run.next_id);
	o->life = flags & STORE_CREATE_HIDDEN ? HIDDEN : flags ? DELETED : LIVE;
	o->page[MODEL_META] = (struct model_page){ true, run.next_id % MODEL_SEEDS, 0 };
	return store_create(&run.st, o->id, model_content(run.next_id % MODEL_SEEDS), flags, &o->h);
}

static int op_create(void)
{
	return create(0);
}

static int op_create_deleted(void)
{
	return create(STORE_CREATE_DELETED);
}

static int op_create_hidden(void)
{
	return create(STORE_CREATE_HIDDEN);
}

static int alloc(unsigned first, unsigned end)
{
	struct model_object *o = any_object();
	unsigned place = first + random64() % (end - first);
	uint64_t pgnr = model_places[place];
	uint32_t seed = random_seed();
	const void *content = seed ? model_content(seed) : NULL;
	void *got;

	if (!o || o->page[place].present)
		return NOTHING;
	o->page[place] = (struct model_page){ .present = true, .seed = seed };
	o->no_run |= place == MODEL_IN_RUN;
	return pgnr < SIDE_FIRST
		? store_page_alloc(&run.st, &o->h, pgnr, content, &got)
		: store_side_alloc(&run.st, &o->h, pgnr - SIDE_FIRST, content, &got);
}

static int op_alloc(void)
{
	return alloc(0, MODEL_SIDE);
}

static int op_side(void)
{
	return alloc(MODEL_SIDE, MODEL_PLACES);
}

/* What a program does with its pages: store, flush, fence. Not while others own the page, too. */
static int op_write(void)
{
	unsigned place;
	struct model_object *o = object_with_page(MODEL_PLACES, &place);
	void *page;

	if (!o)
		return NOTHING;
	int error = place < MODEL_SIDE
		? store_page_unshare(&run.st, &o->h, model_places[place], &page)
		: model_get(&run.st, &o->h, place, &page);

	if (error || !page)
		return error;
	o->page[place].mark = random64() | 1;
	pm_store64((uint64_t *)page + MODEL_MARK, o->page[place].mark);
	pm_flush(trace_ops(0), (uint64_t *)page + MODEL_MARK, 8, PM_SITES);
	pm_fence(trace_ops(0), PM_SITES);
	return 0;
}

static int op_bulk(void)
{
	struct model_object *o = any_object();
	unsigned end = (unsigned)(random64() % 150);
	int error = 0;
	void *page;

	if (!o || o->bulk >= end)
		return NOTHING;
	trace_explore(0, NULL, 0);
	while (!error && o->bulk < end) {
		error = store_page_alloc(&run.st, &o->h, MODEL_BULK + o->bulk, NULL, &page);
		o->bulk += !error;
	}
	run.now = run.next; /* several operations in one, each acknowledged */
	return 0;
}

static int op_replace(void)
{
	struct model_object *o = any_object();
	unsigned place = random64() % MODEL_SIDE;
	uint32_t seed = random_seed();
	void *page;

	if (!o)
		return NOTHING;
	o->page[place] = (struct model_page){ .present = true, .seed = seed };
	o->no_run |= place == MODEL_IN_RUN;
	return store_page_replace(&run.st, &o->h, model_places[place], model_content(seed), &page);
}

static int op_hole(void)
{
	unsigned place;
	struct model_object *o = object_with_page(MODEL_META, &place);
	void *page;

	if (!o)
		return NOTHING;
	o->page[place] = (struct model_page){ .present = false };
	return store_page_replace(&run.st, &o->h, model_places[place], NULL, &page);
}

static int op_share(void)
{
	unsigned a = random64() % MODEL_SIDE, b;
	struct model_object *to = any_object(), *from = object_with_page(MODEL_SIDE, &b);
	void *page;

	if (!to || !from)
		return NOTHING;
	to->page[a] = from->page[b];
	to->no_run |= a == MODEL_IN_RUN;
	return store_page_share(&run.st, &to->h, model_places[a], &from->h, model_places[b], &page);
}

static int op_unshare(void)
{
	unsigned place;
	struct model_object *o = object_with_page(MODEL_SIDE, &place);
	void *page;

	if (!o || store_page_shared(&run.st, &o->h, model_places[place]) != 1)
		return NOTHING;
	return store_page_unshare(&run.st, &o->h, model_places[place], &page);
}

static int op_run(void)
{
	struct model_object *o = any_object();
	void *page;

	if (!o || o->run || o->no_run)
		return NOTHING;
	o->run = true;
	o->page[MODEL_IN_RUN] = (struct model_page){ .present = true };
	return store_run_alloc(&run.st, &o->h, MODEL_RUN, &page);
}

static int op_delete(void)
{
	struct model_object *o = random_object(LIVE);

	if (!o)
		return NOTHING;
	o->life = DELETED;
	return store_mark_deleted(&run.st, &o->h);
}

static int op_free(void)
{
	struct model_object *o = random_object(random64() % 2 ? DELETED : HIDDEN);
	struct store_handle h;

	if (!o)
		return NOTHING;
	h = o->h;
	if (model_parents(&run.next, number(o)))
		return store_free(&run.st, &h) == -EBUSY ? NOTHING : -EIO;
	model_forget(&run.next, number(o));
	return store_free(&run.st, &h);
}

/* Gone at once, whatever keeps it. */
static int op_withdraw(void)
{
	struct model_object *o = found_object();
	struct store_freeing at;
	struct store_handle h;

	if (!o)
		return NOTHING;
	h = o->h;
	model_forget(&run.next, number(o));
	int error = store_withdraw_begin(&run.st, &h, &at);

	while (!error && (error = store_free_more(&run.st, &h, &at)) == 1)
		error = 0;
	return error;
}

static int op_publish(void)
{
	struct model_object *o = random_object(HIDDEN);
	unsigned flags = random64() % 4 ? 0 : STORE_CREATE_DELETED;

	if (!o)
		return NOTHING;
	o->life = flags ? DELETED : LIVE;
	return store_publish(&run.st, &o->h, flags);
}

static int op_publish_tied(void)
{
	struct model_object *o = random_object(HIDDEN);
	unsigned flags = random64() % 2 ? 0 : STORE_CREATE_DELETED;
	unsigned count = 1 + random64() % 3;
	struct store_handle parent[3], child[2];
	struct store_relatives ties = { .parents = parent, .children = child };

	if (!o)
		return NOTHING;
	for (unsigned i = random64() % 3; i > 0; i--) {
		struct model_object *c = found_object();

		if (!c)
			continue;
		child[ties.child_count++] = c->h;
		run.next.ties[number(o)][number(c)]++;
	}
	for (unsigned i = 0; i < count; i++) {
		struct model_object *p = found_object();

		if (!p)
			continue;
		parent[ties.parent_count++] = p->h;
		run.next.ties[number(p)][number(o)]++;
	}
	o->life = flags ? DELETED : LIVE;
	return store_publish_tied(&run.st, &o->h, flags, &ties);
}

static int op_tie(void)
{
	struct model_object *p = found_object(), *c = found_object();

	if (!p || !c || p == c || run.next.ties[number(p)][number(c)] > 3)
		return NOTHING;
	run.next.ties[number(p)][number(c)]++;
	return store_tie(&run.st, &p->h, &c->h);
}

static int op_untie(void)
{
	unsigned start = random64() % (MODEL_OBJECTS * MODEL_OBJECTS);

	for (unsigned i = 0; i < MODEL_OBJECTS * MODEL_OBJECTS; i++) {
		unsigned at = (start + i) % (MODEL_OBJECTS * MODEL_OBJECTS);
		unsigned p = at / MODEL_OBJECTS, c = at % MODEL_OBJECTS;

		if (!run.next.ties[p][c])
			continue;
		run.next.ties[p][c]--;
		return store_untie(&run.st, &run.next.object[p].h, &run.next.object[c].h);
	}
	return NOTHING;
}

static int op_root(void)
{
	run.next.root = MKID(random64(), random64());
	return store_set_nameroot(&run.st, run.next.root);
}

static int op_clock(void)
{
	run.next.clock += 1 + random64() % 100000;
	return store_set_clock_mark(&run.st, run.next.clock);
}

static int op_remount(void)
{
	model_remount(&run.next);
	run.next.boots++;
	store_unmount(&run.st);
	return store_mount(&run.st, trace_memory(0), REGION, 0, trace_ops(0));
}

static const struct operation {
	const char *name;
	int (*run)(void);
	unsigned weight;
} operations[] = {
	{ "create", op_create, 14 },
	{ "create deleted", op_create_deleted, 5 },
	{ "create hidden", op_create_hidden, 5 },
	{ "allocate a page", op_alloc, 14 },
	{ "allocate a side page", op_side, 5 },
	{ "write", op_write, 8 },
	{ "replace a page", op_replace, 8 },
	{ "make a hole", op_hole, 5 },
	{ "share a page", op_share, 10 },
	{ "unshare a page", op_unshare, 5 },
	{ "allocate a run", op_run, 1 },
	{ "mark deleted", op_delete, 6 },
	{ "free", op_free, 6 },
	{ "withdraw", op_withdraw, 3 },
	{ "publish", op_publish, 3 },
	{ "publish tied", op_publish_tied, 3 },
	{ "tie", op_tie, 9 },
	{ "untie", op_untie, 5 },
	{ "name root", op_root, 2 },
	{ "clock mark", op_clock, 2 },
	{ "mount", op_remount, 3 },
	{ "allocate many pages", op_bulk, 1 },
};

#define KINDS (sizeof(operations) / sizeof(operations[0]))

unsigned explore_kinds(void)
{
	return KINDS;
}

const char *explore_name(unsigned kind)
{
	return operations[kind].name;
}

static void watch(void)
{
	trace_explore(0, run.explored ? judge_state : NULL, EFFORT);
}

/* Everything was acknowledged: a cut now may lose nothing. */
static void acknowledge(bool accepted)
{
	if (accepted)
		run.now = run.next;
	else
		run.next = run.now;
	run.acknowledged = true;
	trace_judgement(2 * run.step + 1);
	watch();
	if (run.explored)
		trace_cut(0);
	run.acknowledged = false;
	if (!trace_complete(0))
		bad(0, "memory was written behind the trace's back");
}

/* Whether it did something. */
static bool attempt(unsigned kind)
{
	run.step++;
	run.next = run.now;
	trace_judgement(2 * run.step);
	watch();
	int error = operations[kind].run();

	if (error == NOTHING) {
		run.next = run.now;
		return false;
	}
	explore_result.operations++;
	explore_result.done[kind]++;
	if (error && error != -ENOSPC)
		bad(0, operations[kind].name);
	acknowledge(!error);
	return true;
}

bool explore_operation(unsigned kind)
{
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		if (attempt(kind))
			return true;
	}
	return false;
}

void explore_nested(unsigned share)
{
	run.nested = share;
}

/* Objects of every sort, with pages, ties and common pages. */
static void furnish(void)
{
	static const uint8_t kinds[] = { 0, 0, 0, 0, 1, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 10, 8, 8, 8, 15,
					 15, 15, 15, 14, 2, 5, 11 };

	for (unsigned i = 0; i < sizeof(kinds); i++)
		explore_operation(kinds[i]);
}

void explore_start(uint64_t seed, bool explored, bool furnished)
{
	unsigned nested = run.nested;

	trace_reset(REGION, seed);
	memset(&run, 0, sizeof(run));
	memset(&explore_result, 0, sizeof(explore_result));
	run.nested = nested;
	run.random = seed * 0x9e3779b97f4a7c15ull | 1;
	run.formatting = true;
	run.explored = explored;
	trace_judgement(0);
	watch();
	if (store_format(trace_memory(0), REGION, uuid, trace_ops(0)))
		bad(0, "format failed");
	acknowledge(true);
	run.formatting = false;
	watch();
	run.next.boots = 1;
	if (store_mount(&run.st, trace_memory(0), REGION, 0, trace_ops(0)))
		bad(0, "mount failed");
	acknowledge(true);
	run.explored = false;
	if (furnished)
		furnish();
	run.explored = true;
}

static unsigned random_kind(void)
{
	unsigned total = 0, kind = 0;

	for (unsigned i = 0; i < KINDS; i++)
		total += operations[i].weight;
	unsigned roll = random64() % total;

	while (roll >= operations[kind].weight)
		roll -= operations[kind++].weight;
	return kind;
}

void explore_random(unsigned long count, bool stop)
{
	unsigned long end = explore_result.operations + count;

	while (explore_result.operations < end && !(stop && explore_result.bad))
		attempt(random_kind());
}

UNSEEN_END
