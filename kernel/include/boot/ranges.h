// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sets of address ranges: arrays kept sorted and disjoint, neighbours merged. Pure functions.
 * A set is an array, its length and its capacity.
 */
#ifndef BOOT_RANGES_H
#define BOOT_RANGES_H

#include <stdbool.h>

#include <boot/machine.h>

/* The union with r. False: no room, and r is not in the set. An empty r changes nothing. */
bool ranges_add(struct range *set, unsigned int *count, unsigned int max, struct range r);

/*
 * The set without r. False: r split a range in two and there was room for one; the larger part
 * stays. What is left never touches r.
 */
bool ranges_subtract(struct range *set, unsigned int *count, unsigned int max, struct range r);

/* Whether all of r lies in one range of the set; an empty r does not. */
bool ranges_contain(const struct range *set, unsigned int count, struct range r);

/*
 * The whole pages inside r, and the whole pages that r touches (cut at the top of the address
 * space).
 */
struct range range_inner_pages(struct range r);
struct range range_outer_pages(struct range r);

#endif
