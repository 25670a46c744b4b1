// SPDX-License-Identifier: BSD-3-Clause
/*
 * The crash explorer for libtwz: runs an operation on objects with every store seen, cuts the power
 * at every fence in every way the model (store/trace.h) allows, or a seeded sample where too many,
 * and has what is left recovered and judged; recovery is cut as well. Then every flush and every
 * fence that the code made is left out in turn: each must be noticed.
 *
 * How to use it:
 *
 *	static void setup(void)        { init(explore_object(0)); }
 *	static void operation(void)    { explore_step_begin(); next = 1; change(explore_object(0));
 *	                                 now = 1; explore_step_end(); }
 *	static void recover(void)      { repair(explore_object(0)); }
 *	static const char *judge(void) { return value(explore_object(0)) == now ||
 *	                                 value(explore_object(0)) == next ? NULL : "half done"; }
 *
 *	EXPLORE_SEEN_ONLY_LIBTWZ   (below the includes: the test's own code is not instrumented)
 *	static const struct explore_test test = { .objects = 1, .data_pages = 8, ... };
 *	static void crash(void **state) { (void)state; explore_check(&test); }
 *
 * and in libtwz/build.mk: $(eval $(call explore-test,test_twz_NAME,sources of libtwz it needs)).
 *
 * Objects. explore_object(i) is a handle of the world that runs: in each world, as after each cut,
 * the same IDs stand in other slots. Data pages from the null page on, and the last
 * EXPLORE_LAST_PAGES of the object, exist; anything else faults. There is metadata with an empty
 * FOT and no extensions. What the test itself stores into objects while it is explored has to be
 * seen: put such functions (constructors, say) above EXPLORE_SEEN_ONLY_LIBTWZ.
 *
 * What may be there. `recover` and `judge` run for thousands of states and must leave the test's
 * own variables as they are. Say explore_step_begin() before what they accept changes and
 * explore_step_end() when what was done is acknowledged: states are judged once for each step.
 *
 * Faults in recover and judge, endless loops and faults thrown by libtwz are noticed (unless
 * explore_may_throw()); so is a mutex nobody can give back. A cut is a reset: mutexes, boot code
 * and thread are new, with the thread's own variables; `reboot` forgets what else the program had.
 */
#ifndef TESTS_LIBTWZ_EXPLORE_H
#define TESTS_LIBTWZ_EXPLORE_H

#include <stdbool.h>
#include <twz/obj.h>

#include "../store/unseen.h"

/* The rest of the test's file is not instrumented: the last line after the includes, and after the
 * functions that store into objects themselves. */
#define EXPLORE_SEEN_ONLY_LIBTWZ UNSEEN_BEGIN
/* The last line of the file. */
#define EXPLORE_SEEN_END UNSEEN_END

/* How the explorer tells the test's code from libtwz's. */
#ifdef __clang__
#pragma clang section text = "explore_test"
#endif

#define EXPLORE_OBJECTS 8u
#define EXPLORE_LAST_PAGES 2u

struct explore_test {
	unsigned objects;    /* up to EXPLORE_OBJECTS */
	unsigned data_pages; /* of each; holes cost nothing */
	void (*setup)(void); /* not cut; what it leaves is durable. NULL: nothing */
	void (*operation)(void);
	void (*recover)(void);       /* cut as well. NULL: nothing */
	const char *(*judge)(void);  /* NULL, or what is wrong */
	void (*reboot)(void);        /* NULL: nothing */
	/* Whether the word at this object offset is one that nobody flushes and nothing relies
	 * on after a cut: those would drown the others. NULL: none. With an allocator:
	 * explore_alloc_is_volatile. */
	bool (*is_volatile)(unsigned object, uint64_t offset);
	unsigned effort; /* random states at each fence, from 16 on systematic ones, too; 0: 24 */
	unsigned nested;             /* one recovery in so many is cut, too; 0: 16 */
	unsigned seed;
	/* What tells two flushes apart: the place of the call, and of depth - 1 calls that led
	 * there; up to 4. 0: 3, as __twz_obj_flush() is one of them. */
	unsigned depth;
	/* "function", "flush function", "fence function" where one may be missing unnoticed;
	 * ends with NULL */
	const char *const *unneeded;
};

struct explore_result {
	unsigned long states, nested; /* judged: after cuts of the operation, and of recovery */
	unsigned long fences;
	unsigned long bad;
	const char *first; /* what was wrong with the first */
};

/* The handle of object i in the world that runs now, its ID in all of them. */
twzobj *explore_object(unsigned i);
objid_t explore_id(unsigned i);

/* See above. */
void explore_step_begin(void);
void explore_step_end(void);

/* Whether this is a state after a cut. */
bool explore_is_cut(void);

/* Faults thrown by libtwz from now to the end of this operation or state; and their number. */
void explore_may_throw(void);
unsigned long explore_thrown(void);

struct explore_result explore_run(const struct explore_test *t);

/* Leave out each flush and fence in turn; those that nobody noticed are printed and counted. */
unsigned explore_each_site(const struct explore_test *tests, size_t count);

/* Both, printed and asserted. */
void explore_check(const struct explore_test *t);

/* The same for several: a flush or fence must be noticed by one that makes it. */
void explore_check_all(const struct explore_test *tests, size_t count);

/* Of an allocator in the object (twz/alloc.h); for tests that link it and
 * libtwz/explore_alloc.c. */
bool explore_alloc_is_volatile(unsigned object, uint64_t offset);
/* All lanes but one are busy. */
void explore_alloc_use_lane(unsigned object, unsigned lane);

/* --- for explore_runtime.c */

/* The boot code that counts from now on. */
void explore_set_boot(uint64_t code);
/* Write-back and fence as libtwz asks for them. */
void explore_flush(const void *p, size_t len, const void *caller);
void explore_fence(const void *caller);
/* The object at an address in the world that runs now, or with an ID; -1: none. */
int explore_at(const void *p);
int explore_find(objid_t id);
/* Something happened that must not; ends the state. */
_Noreturn void explore_fail(const char *what);
void explore_throw(const char *what);

#endif
