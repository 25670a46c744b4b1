// SPDX-License-Identifier: BSD-3-Clause
/* Durable changes of storm's directory: a slot counts from the store to its last word on. */
#include "storm.h"

#include <twz/persist.h>

void persist(const void *p, size_t length)
{
	_clwb_len(p, length);
	_pfence();
}

bool slot_is_used(const struct slot *s)
{
	return __atomic_load_n(&s->used, __ATOMIC_ACQUIRE) == 1;
}

void slot_enter(struct slot *s, objid_t id)
{
	s->id = id;
	s->partner = 0;
	persist(s, sizeof(*s));
	__atomic_store_n(&s->used, 1, __ATOMIC_RELEASE);
	persist(&s->used, sizeof(s->used));
}

void slot_clear(struct slot *s)
{
	__atomic_store_n(&s->used, 0, __ATOMIC_RELEASE);
	persist(&s->used, sizeof(s->used));
}

bool id_in_slots(objid_t id)
{
	for (unsigned t = 0; t < MAX_THREADS; t++)
		for (unsigned i = 0; i < SLOTS; i++)
			if (slot_is_used(&directory->areas[t].slots[i]) &&
			    directory->areas[t].slots[i].id == id)
				return true;
	return false;
}
