// SPDX-License-Identifier: BSD-3-Clause
/* Memory for libtwz itself, from the host. */
#include "hosted.h"

#include <sys/mman.h>

void *__twz_pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}
