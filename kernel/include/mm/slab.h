// SPDX-License-Identifier: BSD-3-Clause
/*
 * Caches of equally sized kernel structures. A slab is one page (or 2^order for larger ones) with
 * its header at the start; free objects are chained inside the slab. One lock a cache.
 *
 *   static struct slab_cache thread_cache = SLAB_CACHE("thread", struct thread);
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/list.h>
#include <spinlock.h>

struct slab_cache {
	const char *name;
	uint32_t size; /* bytes an object, rounded up to align */
	uint32_t align; /* power of two, 8 … 64 */
	struct spinlock lock;
	/* Guarded by lock. Lists are initialised on first use. */
	struct list partial;
	unsigned int empty; /* wholly free slabs kept */
	uint64_t used;      /* objects handed out */
	uint64_t pages;     /* pages held */
	unsigned int order; /* pages a slab, set on first use */
	bool ready;
};

#define SLAB_CACHE(name_, type_) \
	{ .name = name_, .size = sizeof(type_),                           \
	  .align = _Alignof(type_) < 8 ? 8 : _Alignof(type_),             \
	  .lock = SPINLOCK_INIT }

void *slab_alloc(struct slab_cache *cache);      /* contents undefined; NULL when out of memory */
void *slab_alloc_zero(struct slab_cache *cache);
void slab_free(struct slab_cache *cache, void *object); /* debug builds detect double frees */

#endif
