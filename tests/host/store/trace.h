// SPDX-License-Identifier: BSD-3-Clause
/*
 * Persistent memory that can lose power: told of every store, flush and fence, it makes at every
 * fence the memory as a power cut could leave it. store/trace_pm.c puts it under the store,
 * libtwz/explore.c under libtwz.
 *
 * The model. Each aligned 8-byte word is durable as of the last flush-and-fence that covered it;
 * a power cut leaves in it that value or any that was stored since, independently of every other
 * word. That is more than real machines do (they lose whole lines, mostly in order) and less than
 * nothing they do. Whatever a cut between two fences can leave is a subset of what a cut at the
 * later one can, so states are made at fences only.
 *
 * Worlds. World 0 is the machine that runs. A crash state of world n is set up as the memory of
 * world n+1, where the test runs recovery, which may crash in turn. Afterwards world n+1 is put
 * back.
 */
#ifndef TESTS_STORE_TRACE_H
#define TESTS_STORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_WORLDS 3u
#define TRACE_SITES 1024u /* of flushes and fences: numbers below this */

/* Zeroed memory for all worlds; forgets everything from before. */
void trace_reset(size_t bytes, uint64_t seed);
void trace_end(void);

unsigned char *trace_memory(unsigned world);

/* The program's: where a world's memory stands, zeroed and aligned to a page. */
void *trace_region(unsigned world, size_t bytes);
void trace_region_free(unsigned world, void *region, size_t bytes);

/* The world that holds an address; aborts if none does. */
unsigned trace_world_of(const void *addr);

/* What the machine does. Sites tell places in the program apart. */
void trace_store64(uint64_t *to, uint64_t value);
void trace_flush(unsigned world, const void *addr, size_t len, unsigned site);
void trace_fence(unsigned world, unsigned site);

/* Leave out one site from now on; -1 for none. */
void trace_drop(int site);

/*
 * Call `fn(world)` for crash states of `world` at each of its fences, NULL for none. The state
 * stands in world+1's memory. `effort`: random states tried for each fence.
 */
void trace_explore(unsigned world, void (*fn)(unsigned world), unsigned effort);

/*
 * The callback judges by another rule from now on: states are handed out again that were judged
 * before. Without it no state is handed out twice.
 */
void trace_judgement(uint64_t number);

/* Crash states at this moment, without a fence. */
void trace_cut(unsigned world);

/* What world 0's memory holds now is durable, however it came there. */
void trace_adopt(void);

/*
 * Words that nothing relies on after a cut and nobody ever flushes: a cut varies them until the
 * next fence and no longer, so that they do not drown the others. NULL, as at the start: none.
 */
extern bool (*trace_is_volatile)(size_t word);

/* Words of `world` that a cut could lose now. */
unsigned trace_volatile_words(unsigned world);

/* Whether memory and model agree: false if something was stored that nobody told of. */
bool trace_complete(unsigned world);

/*
 * For instrumented programs (store/seen.c), where every store the compiler makes is seen: a word of
 * persistent memory was stored to other than by trace_store64(), and held `old` before. It is made
 * part of the crash states like any other.
 */
bool trace_is_memory(const void *addr);
void trace_seen_store(uint64_t *word, uint64_t old);
unsigned long trace_bypassed(void); /* such stores since the reset */

struct trace_counts {
	unsigned long fences;   /* at which states were made */
	unsigned long states;   /* handed to the callback */
	unsigned long distinct; /* of those, never handed out by any process that shares the set */
	unsigned long repeated; /* not handed out: seen before, under the same judgement */
	unsigned long site[TRACE_SITES];
};

extern struct trace_counts trace_counts[TRACE_WORLDS];

#endif
