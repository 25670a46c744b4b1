// SPDX-License-Identifier: BSD-3-Clause
/* The slot table: what the rest of libtwz needs of it beyond twz/sys/view.h. */
#ifndef TWZ_SLOTS_H
#define TWZ_SLOTS_H

#include "runtime.h"

struct __twz_fotmap;

/* What becomes of a slot that nobody refers to any more. */
enum slot_life {
	SLOT_KEPT,     /* stays mapped for the next who wants it, until the slot is needed */
	SLOT_TRANSIENT /* is unmapped at once, so that what stands there can go */
};

/* As twz_view_allocate_slot in the current view. TRANSIENT stays with the slot. */
ssize_t __twz_slot_get(objid_t id, uint32_t flags, enum slot_life life);

/* Drop a reference that __twz_slot_get gave; nothing if the view says otherwise of the slot. */
void __twz_slot_release(objid_t id, uint32_t flags, size_t slot);

/* Drop one reference to the slot, whatever stands there. */
void __twz_slot_put(size_t slot);

/* One more reference to a slot that has some: whether it has. */
bool __twz_slot_ref(size_t slot);

/* The object is to go: no slot keeps it longer than somebody refers to the slot. */
void __twz_slot_forget(objid_t id);

/* How many slots are mapped that nobody refers to. */
size_t __twz_slots_kept(void);

#endif
