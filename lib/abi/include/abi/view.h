// SPDX-License-Identifier: BSD-3-Clause
/*
 * The view: an object that says which object stands in which 1 GiB slot. All offsets here are
 * base offsets. Kernel rules: flags (acquire), id, flags are read in that order and retried if
 * flags changed; an entry with WRITE and EXEC is mapped without EXEC, unless it has EITHER, too: then
 * each of its pages is at any time either one that can be written or one that can be executed, as the
 * last access that needed one of the two would have it; slots at or above the
 * number of slots do not exist; an entry is a wish: the object's permission is needed as well.
 */
#ifndef ABI_VIEW_H
#define ABI_VIEW_H

#include <abi/kso.h>
#include <abi/object.h>
#include <abi/types.h>

struct viewentry {
	objid_t id;
	uint64_t res0;  /* 0 */
	uint32_t flags; /* atomic; VE_* */
	uint32_t lock;  /* 0 */
};

#define VE_READ 4u
#define VE_WRITE 8u
#define VE_EXEC 0x10u
#define VE_VALID 0x1000u
#define VE_FIXED 0x2000u /* never set */
#define VE_EITHER 0x4000u /* with VE_WRITE and VE_EXEC */
#define VE_ACCESS (VE_READ | VE_WRITE | VE_EXEC)

struct twzview_repr {
	struct kso_hdr hdr;
	uint64_t fault_handler;     /* address, 0 = none */
	uint64_t dbl_fault_handler; /* address, 0 = none */
	uint64_t fault_mask;        /* bit f: fault f is not delivered to this view's handlers */
	uint64_t fault_flags;       /* bit 0: handlers run on the thread's fault stack */
	struct viewentry ves[];
};

#define __VE_FAULT_HANDLER_OFFSET 1040u
#define __VE_DBL_FAULT_HANDLER_OFFSET 1048u
#define __VE_FAULT_MASK_OFFSET 1056u
#define __VE_FAULT_FLAGS_OFFSET 1064u
#define __VE_OFFSET 1072u
/* libtwz's slot table; the kernel never reads it. Object offset 0x1000000. */
#define VIEW_SLOT_TABLE_OFFSET 0xfff000u
#define VIEW_MAX_SLOTS 262144u

#define SLOT_SHIFT OBJ_SHIFT
#define SLOT_TO_VADDR(s) ((uintptr_t)(s) << SLOT_SHIFT)
#define VADDR_TO_SLOT(p) ((size_t)((uintptr_t)(p) >> SLOT_SHIFT))

_Static_assert(sizeof(struct viewentry) == 32, "viewentry");
_Static_assert(offsetof(struct viewentry, flags) == 24, "viewentry flags");
_Static_assert(offsetof(struct twzview_repr, fault_handler) == __VE_FAULT_HANDLER_OFFSET, "view");
_Static_assert(offsetof(struct twzview_repr, fault_mask) == __VE_FAULT_MASK_OFFSET, "view mask");
_Static_assert(offsetof(struct twzview_repr, ves) == __VE_OFFSET, "view entries");
_Static_assert(__VE_OFFSET + 32ul * VIEW_MAX_SLOTS <= VIEW_SLOT_TABLE_OFFSET, "ves below table");

#endif
