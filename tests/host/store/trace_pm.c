// SPDX-License-Identifier: BSD-3-Clause
/*
 * The functions of store/pm.h on memory that can lose power. See trace_pm.h.
 */
#include <stdlib.h>

#include "unseen.h"

#include "hosted.h"
#include "trace_pm.h"

UNSEEN_BEGIN

_Static_assert(PM_SITES < TRACE_SITES, "sites");

static void never_flush(const void *addr, size_t len)
{
	(void)addr;
	(void)len;
	abort(); /* the store must go through pm_flush() */
}

/* One table a world: pm_fence() is told apart by it. */
static const struct pm_ops ops[TRACE_WORLDS] = {
	{ never_flush, abort }, { never_flush, abort }, { never_flush, abort },
};

const struct pm_ops *trace_ops(unsigned world)
{
	return &ops[world];
}

void *trace_region(unsigned world, size_t bytes)
{
	(void)world;
	return hosted_region(bytes);
}

void trace_region_free(unsigned world, void *region, size_t bytes)
{
	(void)world;
	hosted_region_free(region, bytes);
}

void pm_store64(uint64_t *to, uint64_t value)
{
	trace_store64(to, value);
}

void pm_copy(void *to, const void *from, size_t len)
{
	for (size_t i = 0; i < len / 8; i++)
		trace_store64((uint64_t *)to + i, ((const uint64_t *)from)[i]);
}

void pm_zero(void *to, size_t len)
{
	for (size_t i = 0; i < len / 8; i++)
		trace_store64((uint64_t *)to + i, 0);
}

void pm_flush(const struct pm_ops *o, const void *addr, size_t len, enum pm_site site)
{
	unsigned world = trace_world_of(addr);

	if (o != &ops[world])
		abort();
	trace_flush(world, addr, len, site);
}

void pm_fence(const struct pm_ops *o, enum pm_site site)
{
	trace_fence((unsigned)(o - ops), site);
}

UNSEEN_END
