// SPDX-License-Identifier: BSD-3-Clause
/* Sets of IDs, see idset.h: open addressing, never more than half full. */
#include "idset.h"

#include <stdlib.h>

#include "report.h"

static objid_t *slot_for(struct idset *set, objid_t id)
{
	uint64_t i = (ID_LO(id) ^ ID_HI(id)) * 0x9e3779b97f4a7c15ull >> 20;

	for (;; i++) {
		objid_t *slot = &set->slots[i % set->size];

		if (*slot == 0 || *slot == id)
			return slot;
	}
}

static void enlarge(struct idset *set)
{
	struct idset bigger = { .size = set->size ? 2 * set->size : 64, .count = set->count };

	bigger.slots = grow(NULL, bigger.size, sizeof(*bigger.slots));
	for (size_t i = 0; i < bigger.size; i++)
		bigger.slots[i] = 0;
	for (size_t i = 0; i < set->size; i++) {
		if (set->slots[i] != 0)
			*slot_for(&bigger, set->slots[i]) = set->slots[i];
	}
	free(set->slots);
	*set = bigger;
}

bool idset_add(struct idset *set, objid_t id)
{
	objid_t *slot;

	if (2 * (set->count + 1) > set->size)
		enlarge(set);
	slot = slot_for(set, id);
	if (*slot == id)
		return false;
	*slot = id;
	set->count++;
	return true;
}

void idset_free(struct idset *set)
{
	free(set->slots);
	*set = (struct idset){ .slots = NULL };
}
