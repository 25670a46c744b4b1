// SPDX-License-Identifier: BSD-3-Clause
/*
 * Random bytes: BLAKE2b in counter mode over a pool that is seeded from the device tree's
 * rng-seed and stirred with the counter. Forward secure: the key moves on after every request.
 */
#ifndef SEC_RANDOM_H
#define SEC_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

void random_init(void); /* consumes and wipes machine.rng_seed */
void random_bytes(void *to, size_t length);
bool random_seeded(void); /* whether the machine gave real entropy */

#endif
