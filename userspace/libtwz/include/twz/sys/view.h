// SPDX-License-Identifier: BSD-3-Clause
/* Views. v NULL is the current view; any other v is open for reading and writing. */
#ifndef TWZ_SYS_VIEW_H
#define TWZ_SYS_VIEW_H

#include <abi/view.h>
#include <stdbool.h>
#include <twz/_types.h>
#include <twz/sys/slots.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A borrowed handle to the current view. */
void twz_view_object_init(twzobj *o);

/* Write an entry (id 0 clears it) and invalidate what was there. EXEC is dropped with WRITE.
 * A bad slot throws FAULT_PPTR/INVALID. */
void twz_view_set(twzobj *v, size_t slot, objid_t id, uint32_t flags);

/* Read an entry; either output may be NULL. Flags are VE_*; 0 with a bad slot. */
void twz_view_get(twzobj *v, size_t slot, objid_t *id, uint32_t *flags);

/* Which object the d-ptr p is in, as the current view says: 0 or -ENOENT. */
int twz_vaddr_to_obj(const void *p, objid_t *id, uint32_t *flags);

/* A slot for (id, flags), shared and counted. -ENOSPC, -EINVAL. */
ssize_t twz_view_allocate_slot(twzobj *v, objid_t id, uint32_t flags);

/* Drop one reference; at zero the entry is cleared and invalidated before it is used again. */
void twz_view_release_slot(twzobj *v, objid_t id, uint32_t flags, size_t slot);

#define VIEW_CLONE_ENTRIES 1
#define VIEW_CLONE_BITMAP 2
#define VIEW_CLONE_LOCKED 4 /* the caller holds all locks (twz/sys/locks.h); old is NULL */

/*
 * Copy entries and slot table of old (NULL: current) to nv, a fresh view object. fn (may be
 * NULL) sees each valid entry and may replace it, or drop it by returning false. The entry in
 * TWZSLOT_CVIEW becomes nv itself. -EINVAL.
 */
int twz_view_clone(twzobj *old, twzobj *nv, int flags,
    bool (*fn)(twzobj *v, size_t slot, objid_t id, uint32_t flags, objid_t *nid, uint32_t *nflags));

#ifdef __cplusplus
}
#endif

#endif
