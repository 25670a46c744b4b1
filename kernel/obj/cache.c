// SPDX-License-Identifier: BSD-3-Clause
/*
 * Cache modes of volatile memory: ranges of an object whose translations are not cached write-back.
 *
 * The kernel's own view of all memory, the direct map, stays cached. Pages in such a range are
 * therefore owned by their object alone, and flushed whenever one side follows the other: before
 * they are translated for users, before the kernel reads them, after it has written them.
 */
#include <abi/errno.h>
#include <arch/mmu.h>
#include <base/bits.h>
#include <mm/slab.h>
#include <obj/private.h>

#define RANGES 16u

struct cache_ranges {
	unsigned int count;
	struct {
		uint64_t first, end; /* pages; sorted, disjoint */
		unsigned int mode;   /* OC_CM_*, not OC_CM_WB */
	} range[RANGES];
};

static struct slab_cache ranges_cache = SLAB_CACHE("cache ranges", struct cache_ranges);

static const unsigned int mode_bits[] = {
	[OC_CM_WB] = 0, [OC_CM_UC] = PTE_UC, [OC_CM_WT] = PTE_WT, [OC_CM_WC] = PTE_WC,
};

unsigned int object_cache_mode(const struct object *object, uint64_t pgnr)
{
	const struct cache_ranges *ranges = object->cache_ranges;

	for (unsigned int i = 0; ranges && i < ranges->count; i++)
		if (pgnr >= ranges->range[i].first && pgnr < ranges->range[i].end)
			return ranges->range[i].mode;
	return OC_CM_WB;
}

unsigned int object_memory_type(const struct object *object, uint64_t pgnr, bool executed)
{
	unsigned int bits = mode_bits[object_cache_mode(object, pgnr)];

	/* Instructions are fetched speculatively, which strictly ordered memory does not bear. */
	return executed && bits == PTE_UC ? PTE_WC : bits;
}

void object_cache_settle(const struct object *object, uint64_t pgnr, const void *page)
{
	if (object_cache_mode(object, pgnr) != OC_CM_WB)
		arch_cache_flush(page, PAGE_SIZE);
}

/* ---- Changing ---- */

static int add(struct cache_ranges *to, uint64_t first, uint64_t end, unsigned int mode)
{
	if (first >= end || mode == OC_CM_WB)
		return 0;
	if (to->count && to->range[to->count - 1].end == first && to->range[to->count - 1].mode == mode) {
		to->range[to->count - 1].end = end;
		return 0;
	}
	if (to->count == RANGES)
		return -ENOSPC;
	to->range[to->count].first = first;
	to->range[to->count].end = end;
	to->range[to->count++].mode = mode;
	return 0;
}

/* What was, with [first, end) changed: what lies before it, itself, what lies behind. */
static int merge(struct cache_ranges *to, const struct cache_ranges *from, uint64_t first, uint64_t end,
		 unsigned int mode)
{
	int error = 0;

	to->count = 0;
	for (unsigned int i = 0; from && !error && i < from->count; i++)
		error = add(to, from->range[i].first, MIN(from->range[i].end, first), from->range[i].mode);
	if (!error)
		error = add(to, first, end, mode);
	for (unsigned int i = 0; from && !error && i < from->count; i++)
		error = add(to, MAX(from->range[i].first, end), from->range[i].end, from->range[i].mode);
	return error;
}

static int make_own(void *arg, uint64_t pgnr, void *page)
{
	return object_page_shared(arg, pgnr, page) ? object_page_write(arg, pgnr, &page) : 0;
}

static int flush_one(void *arg, uint64_t pgnr, void *page)
{
	(void)arg;
	(void)pgnr;
	arch_cache_flush(page, PAGE_SIZE);
	return 0;
}

/* Nothing translates to the pages while they change. Lock held. */
static int change(struct object *object, uint64_t first, uint64_t end, unsigned int mode,
		  struct cache_ranges **fresh)
{
	int error = merge(*fresh, object->cache_ranges, first, end, mode);

	if (!error)
		error = object_pages_walk(object, first, end, make_own, object);
	if (error)
		return error;
	object_unmap_all(object);
	object_pages_walk(object, first, end, flush_one, NULL);
	struct cache_ranges *old = object->cache_ranges;
	object->cache_ranges = *fresh;
	*fresh = old;
	return 0;
}

int object_set_cache_mode(struct object *object, uint64_t first, uint64_t end, unsigned int mode)
{
	struct cache_ranges *fresh;
	int error = 0;

	if (mode != OC_CM_WB && object->persistent)
		return -EINVAL;
	if (mode != OC_CM_WB && !(arch_mmu_uncached() & mode_bits[mode]))
		return -ENOTSUP;
	if (mode == OC_CM_WB && !object->cache_ranges)
		return 0;
	fresh = slab_alloc(&ranges_cache);
	if (!fresh)
		return -ENOMEM;
	spin_lock(&object->lock);
	/* It may have moved since. */
	if (object->persistent)
		error = mode == OC_CM_WB ? 0 : -EINVAL;
	else
		error = change(object, first, end, mode, &fresh);
	spin_unlock(&object->lock);
	if (fresh)
		slab_free(&ranges_cache, fresh);
	return error;
}

void object_cache_forget(struct object *object)
{
	if (!object->cache_ranges)
		return;
	object_pages_walk(object, 1, OBJ_MAXPAGES, flush_one, NULL);
	slab_free(&ranges_cache, object->cache_ranges);
	object->cache_ranges = NULL;
}
