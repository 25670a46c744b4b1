// SPDX-License-Identifier: BSD-3-Clause
/* Which words of the allocator inside objects are not durable; for the crash explorer. */
#include "../unit.h"

#include "../../../userspace/libtwz/src/alloc/alloc.h"

#include "explore.h"

UNSEEN_BEGIN

/* Of the header: what follows the durable part, and of each lane all but its records. */
static bool of_header(uint64_t in)
{
	uint64_t lanes = offsetof(struct alloc_header, lane);

	if (in < lanes)
		return in >= offsetof(struct alloc_header, stamp);
	if (in >= offsetof(struct alloc_header, put_away))
		return false;
	return (in - lanes) % sizeof(struct lane) < offsetof(struct lane, record);
}

/* Of a run: all before its regions but the map of what is live. */
static bool of_run(const struct arena *a, uint64_t offset)
{
	uint32_t chunk = (uint32_t)((offset - a->first) / TWZ_ALLOC_RUN_SIZE);
	uint64_t in = (offset - a->first) % TWZ_ALLOC_RUN_SIZE;
	unsigned state = chunk < CHUNKS_MAX ? a->states[chunk * CHUNK_PAGES] : PAGE_FREE;
	const struct size_class *c = &__twz_alloc_class[state - PAGE_RUN];

	if (state < PAGE_RUN || state >= PAGE_RUN + CLASSES || in >= c->first)
		return false;
	return in < sizeof(struct run) || in >= sizeof(struct run) + c->words * 8u;
}

bool explore_alloc_is_volatile(unsigned object, uint64_t offset)
{
	twzobj *o = explore_object(object);
	struct arena a;
	uint64_t h;

	if (__twz_alloc_find(&a, o) < 0)
		return false;
	h = (uint64_t)((char *)a.h - a.zero);
	if (offset < h)
		return false;
	if (offset < h + STATES_OFFSET)
		return of_header(offset - h);
	return offset >= a.first ? of_run(&a, offset) : offset >= h + FINDER_OFFSET;
}

/* As if threads kept the others. */
void explore_alloc_use_lane(unsigned object, unsigned lane)
{
	struct arena a;

	if (__twz_alloc_open(&a, explore_object(object)) < 0)
		abort();
	for (unsigned l = 0; l < LANES; l++)
		a.h->lane[l].lock.sleep = l == lane ? MUTEX_FREE : 0x7770;
}

UNSEEN_END
