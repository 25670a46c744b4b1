// SPDX-License-Identifier: BSD-3-Clause
/* The information of each fault, filled from its fields in order. */
#include <twz/sys/fault.h>

struct fault_object_info twz_fault_build_object_info(objid_t id, void *ip, void *addr,
    uint64_t flags)
{
	return (struct fault_object_info){
		.objid = id, .ip = (uintptr_t)ip, .addr = (uintptr_t)addr, .flags = flags,
	};
}

struct fault_null_info twz_fault_build_null_info(void *ip, void *addr)
{
	return (struct fault_null_info){ .ip = (uintptr_t)ip, .addr = (uintptr_t)addr };
}

struct fault_exception_info twz_fault_build_exception_info(void *ip, uint64_t code, uint64_t arg0,
    uint64_t flags)
{
	return (struct fault_exception_info){
		.ip = (uintptr_t)ip, .code = code, .arg0 = arg0, .flags = flags,
	};
}

struct fault_sctx_info twz_fault_build_sctx_info(objid_t target, void *ip, void *addr,
    uint32_t pneed)
{
	return (struct fault_sctx_info){
		.target = target, .ip = (uintptr_t)ip, .addr = (uintptr_t)addr, .pneed = pneed,
	};
}

struct fault_fault_info twz_fault_build_fault_info(uint32_t fault, uint32_t info, uint32_t len)
{
	return (struct fault_fault_info){ .fault_nr = fault, .info = info, .len = len };
}

struct fault_page_info twz_fault_build_page_info(objid_t id, void *vaddr, uint64_t pgnr,
    uint64_t info, void *ip)
{
	return (struct fault_page_info){
		.objid = id,
		.vaddr = (uintptr_t)vaddr,
		.pgnr = pgnr,
		.info = info,
		.ip = (uintptr_t)ip,
	};
}

struct fault_pptr_info twz_fault_build_pptr_info(objid_t id, uint64_t fote, void *ip,
    uint32_t info, uint32_t retval, uint64_t flags, const char *name, const void *ptr)
{
	return (struct fault_pptr_info){
		.objid = id,
		.fote = fote,
		.ip = (uintptr_t)ip,
		.info = info,
		.retval = retval,
		.flags = flags,
		.name = (uintptr_t)name,
		.ptr = (uintptr_t)ptr,
	};
}
