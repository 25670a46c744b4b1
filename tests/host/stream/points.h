// SPDX-License-Identifier: BSD-3-Clause
/*
 * Put in front of userspace/libtwz/src/stream.c and bstream.c: before each atomic access to what
 * several threads change, the explorer (tests/host/sync/explore.h) is asked whose turn it is.
 */
#ifndef STREAM_POINTS_H
#define STREAM_POINTS_H

#include <stdatomic.h>

#include "../sync/explore.h"

/* Whether anybody changes what stands there (the test says). */
bool stream_changes(const volatile void *at);

static inline void stream_point(const volatile void *at, bool writes)
{
	if (stream_changes(at))
		explore_point(at, writes);
}

#define PLAIN(p) (*(volatile __typeof__(*(p)) *)(p))
#define CHANGED(p, value)                                       \
	({                                                      \
		stream_point((p), true);                        \
		__typeof__(*(p) | 0) was_ = *(p);               \
		__typeof__(was_) now_ = (value);                \
		*(p) = now_;                                    \
		was_;                                           \
	})

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit

#define atomic_load_explicit(p, order) (stream_point((p), false), PLAIN(p))
#define atomic_store_explicit(p, v, order) ((void)CHANGED(p, v))
#define atomic_fetch_or_explicit(p, v, order) CHANGED(p, was_ | (v))
#define atomic_fetch_and_explicit(p, v, order) CHANGED(p, was_ & (v))
#define __atomic_load_n(p, order) (stream_point((p), false), PLAIN(p))
#define __atomic_exchange_n(p, v, order) CHANGED(p, v)
#define __atomic_fetch_or(p, v, order) CHANGED(p, was_ | (v))

#endif
