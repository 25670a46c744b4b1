// SPDX-License-Identifier: BSD-3-Clause
/* Memory of libtwz itself that comes and goes. */
#ifndef TWZ_POOL_H
#define TWZ_POOL_H

#include <stddef.h>

/* Zeroed memory for that many bytes, aligned to 64; NULL when there is none. */
void *__twz_pool_get(size_t bytes);

/* Give back what was got for as many bytes. NULL is nothing. */
void __twz_pool_put(void *p, size_t bytes);

/* Bytes that a request for so many really gets. */
size_t __twz_pool_size(size_t bytes);

#endif
