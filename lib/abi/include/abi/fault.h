// SPDX-License-Identifier: BSD-3-Clause
/*
 * Faults: numbers, and the information that goes with each.
 */
#ifndef ABI_FAULT_H
#define ABI_FAULT_H

#include <abi/types.h>

#define FAULT_OBJECT 0
#define FAULT_NULL 1
#define FAULT_EXCEPTION 2
#define FAULT_SCTX 3
#define FAULT_FAULT 4
#define FAULT_PAGE 5
#define FAULT_PPTR 6
#define FAULT_SIGNAL 7
#define FAULT_RESUME 8
#define NUM_FAULTS 9

struct fault_object_info {
	objid_t objid;
	uint64_t ip;
	uint64_t addr;
	uint64_t flags; /* FAULT_OBJECT_* */
	uint64_t pad;
};

#define FAULT_OBJECT_READ 1u
#define FAULT_OBJECT_WRITE 2u
#define FAULT_OBJECT_EXEC 4u
#define FAULT_OBJECT_NOMAP 8u
#define FAULT_OBJECT_EXIST 16u
#define FAULT_OBJECT_INVALID 32u
#define FAULT_OBJECT_UNKNOWN 64u
#define FAULT_OBJECT_UNSIZED 128u

/* Access to the first page of a slot. */
struct fault_null_info {
	uint64_t ip;
	uint64_t addr;
};

struct fault_exception_info {
	uint64_t ip;
	uint64_t code; /* FAULT_EXCEPTION_* */
	uint64_t arg0; /* raw cause, address or system-call number */
	uint64_t flags; /* FEI_* */
};

#define FAULT_EXCEPTION_ILLEGAL 1u
#define FAULT_EXCEPTION_BREAKPOINT 2u
#define FAULT_EXCEPTION_MISALIGNED 3u
#define FAULT_EXCEPTION_FLOAT 4u
#define FAULT_EXCEPTION_MACHINE 5u
#define FAULT_EXCEPTION_STEP 6u
#define FAULT_EXCEPTION_OTHER 7u
#define FAULT_EXCEPTION_SOFTWARE (1ull << 63)
#define FAULT_EXCEPTION_PAGEFAULT (FAULT_EXCEPTION_SOFTWARE | 1u) /* outside all slots */
#define FAULT_EXCEPTION_SYSCALL (FAULT_EXCEPTION_SOFTWARE | 2u)   /* unknown system call */

#define FEI_READ 1u
#define FEI_WRITE 2u
#define FEI_EXEC 4u

struct fault_sctx_info {
	objid_t target;
	uint64_t ip;
	uint64_t addr;
	uint32_t pneed; /* SCP_* */
	uint32_t pad[3];
};

/* A fault that could not be delivered; the original's information follows. */
struct fault_fault_info {
	uint32_t fault_nr;
	uint32_t info; /* FAULT_FAULT_* */
	uint32_t len;
	uint32_t pad;
	uint8_t data[];
};

#define FAULT_FAULT_NO_HANDLER 1u
#define FAULT_FAULT_STACK 2u
#define FAULT_FAULT_HANDLER_EXEC 3u

struct fault_page_info {
	objid_t objid;
	uint64_t vaddr;
	uint64_t pgnr;
	uint64_t info; /* FAULT_PAGE_* */
	uint64_t ip;
};

#define FAULT_PAGE_PAGER 1u
#define FAULT_PAGE_MEDIA 2u
#define FAULT_PAGE_HASH 3u
#define FAULT_PAGE_NOMEM 4u

/* A persistent pointer that does not lead anywhere; raised by libtwz. */
struct fault_pptr_info {
	objid_t objid;
	uint64_t fote;
	uint64_t ip;
	uint32_t info; /* FAULT_PPTR_* */
	uint32_t retval;
	uint64_t flags;
	uint64_t name;
	uint64_t ptr;
};

#define FAULT_PPTR_UNKNOWN 0u
#define FAULT_PPTR_INVALID 1u
#define FAULT_PPTR_RESOLVE 2u
#define FAULT_PPTR_RESOURCES 3u
#define FAULT_PPTR_DERIVE 4u

struct fault_signal_info {
	int64_t args[4];
};

struct fault_resume_info {
	objid_t view;
	objid_t sctx;
	uint64_t boots;
	uint64_t flags;
	uint64_t reserved[2];
};

_Static_assert(sizeof(struct fault_object_info) == 48, "fault_object_info");
_Static_assert(sizeof(struct fault_null_info) == 16, "fault_null_info");
_Static_assert(sizeof(struct fault_exception_info) == 32, "fault_exception_info");
_Static_assert(offsetof(struct fault_sctx_info, pneed) == 32, "fault_sctx_info pneed");
_Static_assert(sizeof(struct fault_sctx_info) == 48, "fault_sctx_info");
_Static_assert(sizeof(struct fault_fault_info) == 16, "fault_fault_info");
_Static_assert(sizeof(struct fault_page_info) == 48, "fault_page_info");
_Static_assert(offsetof(struct fault_pptr_info, ptr) == 56, "fault_pptr_info ptr");
_Static_assert(sizeof(struct fault_pptr_info) == 64, "fault_pptr_info");
_Static_assert(sizeof(struct fault_signal_info) == 32, "fault_signal_info");
_Static_assert(sizeof(struct fault_resume_info) == 64, "fault_resume_info");

#endif
