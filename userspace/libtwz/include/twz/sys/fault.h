// SPDX-License-Identifier: BSD-3-Clause
/* Faults: handlers, the frame a handler may edit, faults raised in software. */
#ifndef TWZ_SYS_FAULT_H
#define TWZ_SYS_FAULT_H

#include <abi/fault.h>
#include <abi/frame.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Install fn for a fault of every thread of this program (NULL removes). It runs in the thread that
 * faulted, on its fault stack if it has one; returning from it does the instruction again.
 * Replacing is atomic: a fault meets the old pair of fn and userdata, or the new. -EINVAL bad
 * number or FAULT_FAULT. Not to be called from a handler of FAULT_SIGNAL.
 */
int twz_fault_set(int fault, void (*fn)(int fault, void *info, void *userdata), void *userdata);

/* The userdata given with the handler. */
void *twz_fault_get_userdata(int fault);

/*
 * Do in software what a fault does: the installed function, else the innermost twztry
 * (twz/twztry.h), else print it and end the thread with 256 + fault. raise_data: with other
 * userdata.
 */
void twz_fault_raise(int fault, void *info);
void twz_fault_raise_data(int fault, void *info, void *userdata);

/* --- the frame: the registers that the thread goes on with when the handler returns */

/* Of the fault whose handler this is; NULL outside handlers and for faults raised in software. */
struct twz_fault_frame *twz_fault_frame(void);

uintptr_t twz_frame_pc(const struct twz_fault_frame *f);
uintptr_t twz_frame_sp(const struct twz_fault_frame *f);
uintptr_t twz_frame_tp(const struct twz_fault_frame *f);
/* Argument register n, 0 … 7; the first is the result register too. */
uint64_t twz_frame_arg(const struct twz_fault_frame *f, unsigned int n);
void twz_frame_set_pc(struct twz_fault_frame *f, uintptr_t pc);
void twz_frame_set_sp(struct twz_fault_frame *f, uintptr_t sp);
void twz_frame_set_tp(struct twz_fault_frame *f, uintptr_t tp);
void twz_frame_set_arg(struct twz_fault_frame *f, unsigned int n, uint64_t value);

/*
 * Past the faulting instruction, which must be readable. After a system call pc is there already.
 */
void twz_frame_skip(struct twz_fault_frame *f);

/* --- the information of each fault, filled from its fields in order */

struct fault_object_info twz_fault_build_object_info(objid_t id, void *ip, void *addr,
    uint64_t flags);
struct fault_null_info twz_fault_build_null_info(void *ip, void *addr);
struct fault_exception_info twz_fault_build_exception_info(void *ip, uint64_t code, uint64_t arg0,
    uint64_t flags);
struct fault_sctx_info twz_fault_build_sctx_info(objid_t target, void *ip, void *addr,
    uint32_t pneed);
/* The head; the original's len bytes follow it where it is used. */
struct fault_fault_info twz_fault_build_fault_info(uint32_t fault, uint32_t info, uint32_t len);
struct fault_page_info twz_fault_build_page_info(objid_t id, void *vaddr, uint64_t pgnr,
    uint64_t info, void *ip);
struct fault_pptr_info twz_fault_build_pptr_info(objid_t id, uint64_t fote, void *ip,
    uint32_t info, uint32_t retval, uint64_t flags, const char *name, const void *ptr);

#ifdef __cplusplus
}
#endif

#endif
