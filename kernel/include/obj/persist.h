// SPDX-License-Identifier: BSD-3-Clause
/*
 * The machine's stores. Each region of persistent memory is a store of its own, named by its UUID;
 * here they are found, mounted, and asked as if they were one.
 *
 * Everywhere the stores come in the order of their UUIDs, so that nothing depends on where a region
 * is plugged in. The set of stores is fixed after persist_init(). Context: any; the store's own
 * lock is taken.
 */
#ifndef OBJ_PERSIST_H
#define OBJ_PERSIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/types.h>
#include <arch/persist.h>
#include <obj/object.h>
#include <store/store.h>

/* Find, check and mount the machine's persistent memory. Says what it did. Boot CPU, once. */
void persist_init(void);

/* What the machine needs to make stores durable, for sysinfo; valid after persist_init(). */
const struct arch_pm *persist_hardware(void);

void persist_flush(const void *address, size_t length); /* start writing back */
void persist_fence(void); /* wait for what this CPU started */

/* Mounted stores, and one of them. */
unsigned int persist_store_count(void);
struct store *persist_store_at(unsigned int index);

/* Whether nothing is written to this store. */
bool persist_readonly(const struct store *store);

/*
 * Find an object: 0 and its store and handle, else -ENOENT, or -EUCLEAN if damage leaves open
 * whether it exists. If several stores have it the first counts, and the others are reported.
 */
int persist_find(objid_t id, struct store **store, struct store_handle *handle);

/*
 * Where a new object may go, the best first: of the stores that can be written `first` (NULL:
 * none), those of which an eighth is free in their order, the others by free space. Returns their
 * number, or -ENODEV (no store) or -EROFS (none can be written).
 */
int persist_candidates(struct store *first, struct store *out[PERSIST_MAX_STORES]);

bool persist_writable(void); /* whether any store can be written */

struct persist_totals {
	uint64_t total_pages, free_pages; /* of all stores */
	bool present;
	bool readonly; /* no store can be written */
};
void persist_totals(struct persist_totals *totals);

/*
 * The root of names: that of the first store which records one that can be found; 0 if there is
 * none. Setting it records it in the first store that can be written, in one step, durably; setting
 * 0 clears all. -ENODEV, -EROFS (also: a read-only store before that one has a root), -EUCLEAN.
 */
objid_t persist_nameroot(void);
int persist_set_nameroot(objid_t id);

/*
 * The system's own object (STORE_CREATE_SYSTEM): that of the first store which records one that can
 * be found; 0: none.
 */
objid_t persist_system_object(void);

/*
 * The latest clock mark of all stores. Setting it sets those of all that can be written; the first
 * error is returned.
 */
uint64_t persist_clock_mark(void);
int persist_set_clock_mark(uint64_t ms);

#endif
