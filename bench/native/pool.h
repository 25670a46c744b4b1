// SPDX-License-Identifier: BSD-3-Clause
/* Pools of libpmemobj. */
#ifndef BENCH_POOL_H
#define BENCH_POOL_H

#include <libpmemobj.h>

PMEMobjpool *pool_make(const char *name, size_t size);
void pool_drop(PMEMobjpool *pool, const char *name);

#endif
