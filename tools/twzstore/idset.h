// SPDX-License-Identifier: BSD-3-Clause
/* A set of object IDs. */
#ifndef TWZSTORE_IDSET_H
#define TWZSTORE_IDSET_H

#include <abi/types.h>

struct idset {
	objid_t *slots; /* a hash table; 0 = free */
	size_t size, count;
};

/* Add an ID that is not 0 to a set that began zeroed. False: it was there already. */
bool idset_add(struct idset *set, objid_t id);
void idset_free(struct idset *set);

#endif
