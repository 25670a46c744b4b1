// SPDX-License-Identifier: BSD-3-Clause
/* The explorer of explore.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "explore.h"

#define STACK_SIZE (256u << 10)
#define DEPTH_MAX 512u

enum kind { OP_ACCESS, OP_LOCK, OP_WAIT, OP_WAIT_FOR, OP_ENDED };

struct op {
	enum kind kind;
	const volatile void *at;
	bool writes;
	uint32_t value; /* waited for */
};

static struct coroutine {
	ucontext_t context;
	struct op next; /* what it stopped before */
	char stack[STACK_SIZE] __attribute__((aligned(64)));
} coroutines[EXPLORE_MAX];

/* A state on the way from the beginning to where the run is. */
struct state {
	struct op ops[EXPLORE_MAX];
	uint32_t open;   /* who can go on */
	uint32_t asleep; /* need not be tried here: what follows was seen from a state above */
	unsigned int chosen;
};

static struct state path[DEPTH_MAX];
static ucontext_t explorer;
static unsigned int self, count;
static const struct explore_scenario *scenario;
enum mutation explore_mutation;

unsigned int explore_self(void)
{
	return self;
}

static void stop_before(struct op op)
{
	struct coroutine *me = &coroutines[self];

	me->next = op;
	swapcontext(&me->context, &explorer);
}

void explore_point(const volatile void *at, bool writes)
{
	stop_before((struct op){ OP_ACCESS, at, writes, 0 });
}

void explore_lock(const volatile uint32_t *at)
{
	stop_before((struct op){ OP_LOCK, at, true, 0 });
}

void explore_wait(const volatile uint32_t *at)
{
	stop_before((struct op){ OP_WAIT, at, false, 0 });
}

void explore_wait_for(const volatile uint32_t *at, uint32_t value)
{
	stop_before((struct op){ OP_WAIT_FOR, at, false, value });
}

static void body(void)
{
	unsigned int me = self;

	/* The first stop is before anything is done. */
	stop_before((struct op){ OP_ACCESS, &coroutines[me], false, 0 });
	scenario->run(me);
	for (;;)
		stop_before((struct op){ OP_ENDED, NULL, false, 0 });
}

static void step(unsigned int n)
{
	self = n;
	swapcontext(&explorer, &coroutines[n].context);
}

static void begin_run(void)
{
	scenario->begin();
	for (unsigned int i = 0; i < count; i++) {
		struct coroutine *c = &coroutines[i];
		getcontext(&c->context);
		c->context.uc_stack.ss_sp = c->stack;
		c->context.uc_stack.ss_size = STACK_SIZE;
		c->context.uc_link = NULL;
		makecontext(&c->context, body, 0);
		step(i);
	}
}

static bool enabled(const struct op *op)
{
	switch (op->kind) {
	case OP_LOCK: return *(const volatile uint32_t *)op->at == 0;
	case OP_WAIT: return *(const volatile uint32_t *)op->at != 0;
	case OP_WAIT_FOR: return *(const volatile uint32_t *)op->at == op->value;
	case OP_ACCESS: return true;
	default: return false;
	}
}

static bool dependent(const struct op *a, const struct op *b)
{
	return a->at == b->at && (a->writes || b->writes);
}

static bool all_ended(const struct state *state)
{
	for (unsigned int i = 0; i < count; i++)
		if (state->ops[i].kind != OP_ENDED)
			return false;
	return true;
}

static uint32_t enabled_mask(const struct state *state)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < count; i++)
		mask |= (uint32_t)enabled(&state->ops[i]) << i;
	return mask;
}

static void look(struct state *state)
{
	for (unsigned int i = 0; i < count; i++)
		state->ops[i] = coroutines[i].next;
}

/* Make the step of the state's choice; the next state begins with who stays asleep. */
static void advance(struct state *state, struct state *next)
{
	const struct op *op = &state->ops[state->chosen];

	next->asleep = 0;
	for (unsigned int i = 0; i < count; i++)
		if ((state->asleep >> i & 1) && !dependent(op, &state->ops[i]))
			next->asleep |= 1u << i;
	step(state->chosen);
	look(next);
}

static uint64_t dice; /* 0: none are thrown */

/* One of those in the mask: the first, or any. */
static unsigned int choose(uint32_t mask)
{
	unsigned int skip;

	if (dice == 0)
		return (unsigned int)__builtin_ctz(mask);
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	for (skip = (unsigned int)(dice >> 32) % (unsigned int)__builtin_popcount(mask); skip > 0; skip--)
		mask &= mask - 1;
	return (unsigned int)__builtin_ctz(mask);
}

/*
 * Run to an end from the choices of path[0 … prefix-1], then always the first that is to be tried.
 */
static unsigned int run(unsigned int prefix, struct explore_result *result)
{
	unsigned int depth = 0;
	uint32_t asleep = path[0].asleep;

	begin_run();
	look(&path[0]);
	path[0].asleep = asleep;
	for (;; depth++) {
		struct state *state = &path[depth];
		if (depth >= prefix) {
			uint32_t open = state->open = enabled_mask(state);
			if (open == 0) {
				result->runs++;
				result->failure = all_ended(state) ? scenario->end() : "somebody sleeps for ever";
				return depth;
			}
			if ((open & ~state->asleep) == 0) {
				result->cut++;
				return depth;
			}
			state->chosen = choose(open & ~state->asleep);
		}
		if (depth + 1 == DEPTH_MAX) {
			result->failure = "a run does not end";
			return depth;
		}
		/* The sleep set of a state on the prefix is already what it grew to. */
		uint32_t kept = path[depth + 1].asleep;
		advance(state, &path[depth + 1]);
		if (depth + 1 < prefix)
			path[depth + 1].asleep = kept;
		result->steps++;
	}
}

/*
 * The deepest state from which something is still to be tried becomes the last of the prefix; 0:
 * none.
 */
static unsigned int backtrack(unsigned int depth)
{
	while (depth-- > 0) {
		struct state *state = &path[depth];
		state->asleep |= 1u << state->chosen;
		uint32_t left = state->open & ~state->asleep;
		if (left) {
			state->chosen = (unsigned int)__builtin_ctz(left);
			return depth + 1;
		}
	}
	return 0;
}

static void begin_exploring(const struct explore_scenario *what, struct explore_result *result)
{
	*result = (struct explore_result){ 0 };
	scenario = what;
	count = what->count;
	memset(path, 0, sizeof(path));
}

static void note_order(unsigned int depth, struct explore_result *result)
{
	for (unsigned int i = 0; i < depth && i < DEPTH_MAX; i++)
		result->order[i] = path[i].chosen;
	result->order_count = depth;
}

void explore(const struct explore_scenario *what, struct explore_result *result)
{
	unsigned int prefix = 0, depth;

	begin_exploring(what, result);
	do {
		depth = run(prefix, result);
		if (result->failure) {
			note_order(depth, result);
			return;
		}
		prefix = backtrack(depth);
	} while (prefix > 0);
}

void explore_some(const struct explore_scenario *what, uint64_t runs, uint64_t seed, struct explore_result *result)
{
	unsigned int depth = 0;

	begin_exploring(what, result);
	dice = seed | 1;
	while (runs-- > 0 && !result->failure)
		depth = run(0, result);
	dice = 0;
	if (result->failure)
		note_order(depth, result);
}

bool explore_plans(const struct explore_plan *plans, unsigned int count, uint64_t runs, bool say)
{
	static struct explore_result result;

	for (unsigned int i = 0; i < count; i++) {
		if (plans[i].whole)
			explore(&plans[i].scenario, &result);
		else
			explore_some(&plans[i].scenario, runs, 7 + i, &result);
		if (say)
			printf("# %s: %lu interleavings, %lu steps, %s\n", plans[i].scenario.name, (unsigned long)result.runs,
			       (unsigned long)result.steps, result.failure ? result.failure : "all good");
		if (result.failure)
			return false;
	}
	return true;
}
