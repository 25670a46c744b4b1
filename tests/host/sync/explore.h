// SPDX-License-Identifier: BSD-3-Clause
/*
 * An explorer of all interleavings of a few threads of control that share memory.
 *
 * Each is a coroutine that stops before every access that others can notice and says which. From
 * every state each of them is tried in turn; runs that differ only in the order of accesses that do
 * not concern each other are made once (sleep sets). A run that cannot go on although not all have
 * ended is a failure, as is one whose end the test does not like. Memory is sequentially consistent
 * here: what orders accesses on weaker machines is not explored, only that their order is right.
 */
#ifndef SYNC_EXPLORE_H
#define SYNC_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#define EXPLORE_MAX 4u /* threads of control */

/* What is broken on purpose, to see that the explorer notices. */
enum mutation {
	MUTATE_NOTHING,
	MUTATE_COMPARE_FIRST, /* words are compared before their queues are joined */
	MUTATE_LOCKS,         /* bucket locks do not lock */
	MUTATE_DECIDE,        /* whoever wants to decide why a thread wakes, may */
	MUTATE_PENDING_FIRST, /* what is pending is looked at before the thread is said to arm */
	MUTATE_OVER,          /* a sleep ends without waiting for who has decided about it */
	MUTATE_COUNT,
};
extern enum mutation explore_mutation;

static inline bool explore_mutated(enum mutation mutation)
{
	return explore_mutation == mutation;
}

/* For MUTATE_PENDING_FIRST, by the test: this load finds 0, as it would have earlier. */
bool explore_stale(const volatile void *at);

/* For MUTATE_LOCKS, by the test: somebody has taken a lock that another holds. */
void explore_shared(void);

/* Called before an access that others can notice: to `at`, which it changes or not. */
void explore_point(const volatile void *at, bool writes);

/* Stop until *at is 0, then go on in one step that changes it. */
void explore_lock(const volatile uint32_t *at);

/* Stop until *at is not 0. */
void explore_wait(const volatile uint32_t *at);

/* Stop until *at is the value. */
void explore_wait_for(const volatile uint32_t *at, uint32_t value);

/* Which of the threads of control runs. */
unsigned int explore_self(void);

/* One scenario: `count` of run(0), run(1) … after begin(); end() says what is wrong, or NULL. */
struct explore_scenario {
	const char *name;
	unsigned int count;
	void (*begin)(void);
	void (*run)(unsigned int n);
	const char *(*end)(void);
};

struct explore_result {
	const char *failure; /* NULL: none */
	uint64_t runs;       /* complete ones, no two of them equivalent */
	uint64_t cut;        /* given up because they would have been */
	uint64_t steps;
	unsigned int order[512]; /* whose turns led to the failure */
	unsigned int order_count;
};

/* Explore all of it, or up to the first failure. */
void explore(const struct explore_scenario *scenario, struct explore_result *result);

/* The same for so many runs in which chance decides: for what is too large to be explored whole. */
void explore_some(const struct explore_scenario *scenario, uint64_t runs, uint64_t seed, struct explore_result *result);

struct explore_plan {
	struct explore_scenario scenario;
	bool whole; /* else explore_some() */
};

/* Explore one after the other, those that are not explored whole in so many runs. False: one failed. With say, tell. */
bool explore_plans(const struct explore_plan *plans, unsigned int count, uint64_t runs, bool say);

#endif
