// SPDX-License-Identifier: BSD-3-Clause
/*
 * Faults: numbers, the information that goes with each, and the head of the register frame. The
 * rest of the frame is the machine's: abi/frame.h.
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

#define FAULT_RESUME_RESET 1u /* the machine was reset since the thread last ran */

struct fault_resume_info {
	objid_t view;
	objid_t sctx;
	uint64_t boots;
	uint64_t flags;
	uint64_t reserved[2];
};

/*
 * What struct twz_fault_frame begins with, 64 bytes, before the machine's registers. The kernel
 * writes it below the stack pointer; SYS_FAULT_RETURN loads size, arch, version and flags again,
 * and the registers.
 */
#define TWZ_FAULT_FRAME_HEAD                                                      \
	uint32_t size;     /* of the frame, bytes */                              \
	uint16_t arch;     /* of the registers: TWZ_FRAME_ARCH */                 \
	uint16_t version;  /* TWZ_FRAME_VERSION */                                \
	uint64_t flags;    /* TWZ_FRAME_* */                                      \
	uint32_t fault;    /* number */                                           \
	uint32_t info_len; /* bytes of information, a multiple of 16 */           \
	uint64_t info;     /* its address */                                      \
	objid_t sctx;      /* active security context, 0 = none */                \
	uint64_t zero[2]

#define TWZ_FRAME_VERSION 1u
#define TWZ_FRAME_FP 1ull      /* the floating-point registers are valid; else they are initial */
#define TWZ_FRAME_SYSCALL 2ull /* raised at the return of a system call: pc is past it */
#define TWZ_FRAME_HEAD_SIZE 64u

/* fault_mask and flags of handlers. */
#define FAULT_MASK(f) (1ull << (f))
#define FAULT_ON_STACK 1ull /* run the handler on the thread's fault stack */

_Static_assert(offsetof(struct fault_object_info, ip) == 16, "fault_object_info ip");
_Static_assert(offsetof(struct fault_object_info, addr) == 24, "fault_object_info addr");
_Static_assert(offsetof(struct fault_object_info, flags) == 32, "fault_object_info flags");
_Static_assert(offsetof(struct fault_null_info, addr) == 8, "fault_null_info addr");
_Static_assert(offsetof(struct fault_exception_info, code) == 8, "fault_exception_info code");
_Static_assert(offsetof(struct fault_exception_info, arg0) == 16, "fault_exception_info arg0");
_Static_assert(offsetof(struct fault_exception_info, flags) == 24, "fault_exception_info flags");
_Static_assert(offsetof(struct fault_sctx_info, ip) == 16, "fault_sctx_info ip");
_Static_assert(offsetof(struct fault_sctx_info, addr) == 24, "fault_sctx_info addr");
_Static_assert(offsetof(struct fault_fault_info, info) == 4, "fault_fault_info info");
_Static_assert(offsetof(struct fault_fault_info, len) == 8, "fault_fault_info len");
_Static_assert(offsetof(struct fault_fault_info, data) == 16, "fault_fault_info data");
_Static_assert(offsetof(struct fault_page_info, vaddr) == 16, "fault_page_info vaddr");
_Static_assert(offsetof(struct fault_page_info, pgnr) == 24, "fault_page_info pgnr");
_Static_assert(offsetof(struct fault_page_info, info) == 32, "fault_page_info info");
_Static_assert(offsetof(struct fault_page_info, ip) == 40, "fault_page_info ip");
_Static_assert(offsetof(struct fault_pptr_info, fote) == 16, "fault_pptr_info fote");
_Static_assert(offsetof(struct fault_pptr_info, info) == 32, "fault_pptr_info info");
_Static_assert(offsetof(struct fault_pptr_info, retval) == 36, "fault_pptr_info retval");
_Static_assert(offsetof(struct fault_pptr_info, flags) == 40, "fault_pptr_info flags");
_Static_assert(offsetof(struct fault_resume_info, sctx) == 16, "fault_resume_info sctx");
_Static_assert(offsetof(struct fault_resume_info, boots) == 32, "fault_resume_info boots");
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
