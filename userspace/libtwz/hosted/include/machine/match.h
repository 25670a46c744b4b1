// SPDX-License-Identifier: BSD-3-Clause
/* Eight words compared, one after the other. */
#ifndef MACHINE_MATCH_H
#define MACHINE_MATCH_H

#include <base/bits.h>

static inline unsigned machine_match(const uint64_t *words, uint64_t like)
{
	return bits_match(words, like);
}

#endif
