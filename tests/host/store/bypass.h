// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the store must never do, each in the way a careless change would: stores to persistent
 * memory that are not pm.h's. Compiled like the store.
 */
#ifndef TESTS_STORE_BYPASS_H
#define TESTS_STORE_BYPASS_H

#include <stdint.h>

enum bypass {
	BYPASS_WORD,
	BYPASS_BYTE,
	BYPASS_STRUCT,
	BYPASS_MEMCPY,
	BYPASS_MEMSET,
	BYPASS_ATOMIC,
	BYPASS_ADD,
	BYPASS_KINDS,
};

/* Change what is at `at` (64 bytes). */
void bypass(enum bypass kind, uint64_t *at);

#endif
