// SPDX-License-Identifier: BSD-3-Clause
/*
 * Stores that pass pm.h by. See bypass.h.
 */
#include <string.h>

#include "bypass.h"

struct line {
	uint64_t word[8];
};

static const struct line ones = { { 1, 1, 1, 1, 1, 1, 1, 1 } };

void bypass(enum bypass kind, uint64_t *at)
{
	switch (kind) {
	case BYPASS_WORD:
		*at ^= 1;
		break;
	case BYPASS_BYTE:
		((unsigned char *)at)[3] ^= 1;
		break;
	case BYPASS_STRUCT:
		*(struct line *)at = ones;
		break;
	case BYPASS_MEMCPY:
		memcpy(at, &ones, sizeof(ones));
		break;
	case BYPASS_MEMSET:
		memset(at, 0x55, sizeof(ones));
		break;
	case BYPASS_ATOMIC:
		__atomic_store_n(at, *at + 1, __ATOMIC_RELEASE);
		break;
	default:
		__atomic_fetch_add(at, 1, __ATOMIC_RELAXED);
	}
}
