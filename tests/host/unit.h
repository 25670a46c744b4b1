// SPDX-License-Identifier: BSD-3-Clause
/* What every host test includes: cmocka with the headers that it needs before itself. */
#ifndef TESTS_HOST_UNIT_H
#define TESTS_HOST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A heap block of exactly size bytes (1 if 0), so that ASan sees a step beyond it. */
static inline void *block(size_t size)
{
	void *p = malloc(size != 0 ? size : 1);

	assert_non_null(p);
	return p;
}

/* Small, repeatable pseudo-random numbers. */
static inline uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

#endif
