// SPDX-License-Identifier: BSD-3-Clause
/*
 * Operations on a small store, each with what the model says it does; the power is cut at every
 * fence of each, and recovery judged.
 */
#ifndef TESTS_STORE_EXPLORE_H
#define TESTS_STORE_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace_pm.h"

/* Kinds of operations, in the order of explore_name(). */
unsigned explore_kinds(void);
const char *explore_name(unsigned kind);

struct explore_result {
	unsigned long operations; /* that did something */
	unsigned long bad;        /* states that were judged wrong, and other faults */
	const char *first;        /* what was wrong with the first */
	unsigned long first_operation;
	unsigned long done[32];   /* operations, by kind */
};

extern struct explore_result explore_result; /* since explore_start() */

/*
 * A formatted and mounted store, everything about its making explored if `explored`; then, with
 * `furnished`, objects of every sort in it, unexplored.
 */
void explore_start(uint64_t seed, bool explored, bool furnished);

/* One operation; random choices decide on what. False: there was nothing it could be done to. */
bool explore_operation(unsigned kind);

/* Operations of random kinds; with `stop`, only to the first bad state. */
void explore_random(unsigned long count, bool stop);

/* Which share of recoveries is cut as well: one in so many; 0: none. */
void explore_nested(unsigned share);

#endif
