// SPDX-License-Identifier: BSD-3-Clause
/*
 * Put in front of the code that is explored: each atomic access asks the explorer whose turn it is
 * before it is made. The _explicit forms are left alone: the code uses them for statistics.
 */
#ifndef SYNC_POINTS_H
#define SYNC_POINTS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "explore.h"

#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_compare_exchange_strong
#undef atomic_fetch_or

#define atomic_load(p) \
	(explore_point((p), false), explore_stale(p) ? 0 : atomic_load_explicit((p), memory_order_seq_cst))
#define atomic_store(p, v) (explore_point((p), true), atomic_store_explicit((p), (v), memory_order_seq_cst))
#define atomic_exchange(p, v) (explore_point((p), true), atomic_exchange_explicit((p), (v), memory_order_seq_cst))
#define atomic_fetch_or(p, v) (explore_point((p), true), atomic_fetch_or_explicit((p), (v), memory_order_seq_cst))
#define atomic_compare_exchange_strong(p, e, v)                                            \
	(explore_point((p), true),                                                         \
	 atomic_compare_exchange_strong_explicit((p), (e), (v), memory_order_seq_cst,      \
						 memory_order_seq_cst) || explore_mutated(MUTATE_DECIDE))

#endif
