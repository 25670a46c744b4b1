// SPDX-License-Identifier: BSD-3-Clause
/*
 * Put in front of userspace/libtwz/src/queue.c: each atomic access asks the explorer
 * (tests/host/sync/explore.h) whose turn it is before it is made, and some can be broken.
 */
#ifndef QUEUE_POINTS_H
#define QUEUE_POINTS_H

#include "../sync/explore.h"

/* What is broken on purpose. */
enum queue_mutation {
	BREAK_NOTHING,
	BREAK_MARKS, /* sleepers do not say that they will sleep */
	BREAK_BELL,  /* the bell does not change */
	BREAK_SWAPS, /* compare-and-swap does not compare */
	BREAK_COUNT,
};
extern enum queue_mutation queue_mutation;

/* Whether anybody changes what stands there (the test says). */
bool queue_changes(const volatile void *at);

/* What is relaxed is ordered by other accesses, and made together with the one before it. */
static inline void explore_ordered(const volatile void *at, bool writes, int order)
{
	if (order != __ATOMIC_RELAXED && queue_changes(at))
		explore_point(at, writes);
}

#define __atomic_load_n(p, order) (explore_ordered(p, false, order), *(volatile __typeof__(*(p)) *)(p))
#define __atomic_store_n(p, v, order) (explore_ordered(p, true, order), (void)(*(volatile __typeof__(*(p)) *)(p) = (v)))

#define __atomic_fetch_or(p, v, order)                                                    \
	({                                                                                \
		explore_point((p), true);                                                 \
		__typeof__(*(p)) was_ = *(p);                                             \
		if (queue_mutation != BREAK_MARKS)                                        \
			*(p) |= (v);                                                      \
		was_;                                                                     \
	})

#define __atomic_fetch_and(p, v, order)                                                   \
	({                                                                                \
		explore_point((p), true);                                                 \
		__typeof__(*(p)) was_ = *(p);                                             \
		*(p) &= (v);                                                              \
		was_;                                                                     \
	})

#define __atomic_fetch_add(p, v, order)                                                   \
	({                                                                                \
		explore_point((p), true);                                                 \
		__typeof__(*(p)) was_ = *(p);                                             \
		if (queue_mutation != BREAK_BELL)                                         \
			*(p) += (v);                                                      \
		was_;                                                                     \
	})

#define __atomic_compare_exchange_n(p, expected, v, weak, success, failure)               \
	({                                                                                \
		explore_point((p), true);                                                 \
		bool same_ = *(p) == *(expected) || queue_mutation == BREAK_SWAPS;        \
		if (same_)                                                                \
			*(p) = (v);                                                       \
		else                                                                      \
			*(expected) = *(p);                                               \
		same_;                                                                    \
	})

#endif
