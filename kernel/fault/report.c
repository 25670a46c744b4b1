// SPDX-License-Identifier: BSD-3-Clause
/*
 * The report of a fault that nobody handles: who, what, where, and the registers.
 */
#define LOG_PREFIX "fault"

#include <abi/fault.h>
#include <abi/object.h>
#include <arch/thread.h>
#include <arch/upcall.h>
#include <fault/fault.h>
#include <log.h>
#include <mm/space.h>
#include <sched/thread.h>

#define NAME_MAX 48

/* The parts of a fault's information that a report tells. */
struct finding {
	const char *reason;
	const char *access; /* what was tried at the address; NULL = there is no address */
	uintptr_t address;
	objid_t object;
};

static const char *fault_name(int number)
{
	static const char *const names[NUM_FAULTS] = {
		"object", "null", "exception", "security", "fault",
		"page", "pointer", "signal", "resume",
	};
	return names[number];
}

static const char *access_name(uint64_t access)
{
	if (access & ACCESS_EXEC)
		return "executing";
	return access & ACCESS_WRITE ? "writing" : "reading";
}

static struct finding object_finding(const struct fault_object_info *info)
{
	struct finding found = {
		.access = access_name(info->flags), .address = info->addr, .object = info->objid,
	};

	if (info->flags & FAULT_OBJECT_NOMAP)
		found.reason = "nothing is mapped there";
	else if (info->flags & FAULT_OBJECT_EXIST)
		found.reason = "the object does not exist";
	else if (info->flags & FAULT_OBJECT_INVALID)
		found.reason = "the metadata does not match the ID";
	else
		found.reason = "the view does not allow it";
	return found;
}

static struct finding exception_finding(const struct fault_exception_info *info)
{
	static const char *const reasons[] = {
		[FAULT_EXCEPTION_ILLEGAL] = "illegal instruction",
		[FAULT_EXCEPTION_BREAKPOINT] = "breakpoint",
		[FAULT_EXCEPTION_MISALIGNED] = "misaligned access",
		[FAULT_EXCEPTION_FLOAT] = "floating point",
		[FAULT_EXCEPTION_MACHINE] = "machine access error",
		[FAULT_EXCEPTION_STEP] = "single step",
	};

	if (info->code == FAULT_EXCEPTION_PAGEFAULT)
		return (struct finding){ .reason = "address outside all slots",
					 .access = access_name(info->flags), .address = info->arg0 };
	if (info->code == FAULT_EXCEPTION_SYSCALL)
		return (struct finding){ .reason = "unknown system call" };
	if (info->code < sizeof(reasons) / sizeof(*reasons) && reasons[info->code])
		return (struct finding){ .reason = reasons[info->code] };
	return (struct finding){ .reason = "unknown exception" };
}

static struct finding security_finding(const struct fault_sctx_info *info)
{
	/* Rights and accesses are bits in the same order. */
	return (struct finding){ .reason = "no permission", .access = access_name(info->pneed >> 2),
				 .address = info->addr, .object = info->target };
}

static const char *page_reason(uint64_t info)
{
	switch (info) {
	case FAULT_PAGE_PAGER: return "the pager has no page";
	case FAULT_PAGE_MEDIA: return "damaged storage";
	case FAULT_PAGE_HASH: return "the content does not match the ID";
	default: return "out of memory";
	}
}

static struct finding find(int number, const void *info)
{
	const struct fault_null_info *null = info;
	const struct fault_page_info *page = info;

	switch (number) {
	case FAULT_OBJECT:
		return object_finding(info);
	case FAULT_NULL:
		return (struct finding){ .reason = "the first page of a slot is never mapped",
					 .access = "accessing", .address = null->addr };
	case FAULT_EXCEPTION:
		return exception_finding(info);
	case FAULT_SCTX:
		return security_finding(info);
	case FAULT_PAGE:
		return (struct finding){ .reason = page_reason(page->info), .access = "accessing",
					 .address = page->vaddr, .object = page->objid };
	default:
		return (struct finding){ .reason = "no handler takes it" };
	}
}

/* The name of a kernel state object is user data: only what prints, and not much of it. */
static void copy_name(struct object *object, char to[NAME_MAX])
{
	size_t i;

	if (object_read(object, OBJ_NULLPAGE_SIZE, to, NAME_MAX) != 0)
		to[0] = 0;
	for (i = 0; i + 1 < NAME_MAX && to[i]; i++)
		if (to[i] < ' ' || to[i] > '~')
			to[i] = '?';
	to[i] = 0;
}

static void print_pc(struct thread *thread)
{
	uintptr_t pc = arch_regs_pc(&thread->regs);
	struct object *object;
	uint64_t offset;

	if (space_resolve(thread, pc, ACCESS_EXEC, &object, &offset) != 0) {
		log_error("  at 0x%lx", pc);
		return;
	}
	log_error("  at 0x%lx (object " IDFMT " offset 0x%lx)", pc, IDPR(object->id),
		  (unsigned long)offset);
	object_put(object);
}

void fault_report_print(struct thread *thread, int number, const void *info)
{
	struct finding found = find(number, info);
	char name[NAME_MAX];

	copy_name(thread->repr, name);
	log_error("%s (" IDFMT ") ended by %s fault: %s", name[0] ? name : "unnamed",
		  IDPR(thread->id), fault_name(number), found.reason);
	if (found.access && found.object)
		log_error("  %s 0x%lx (object " IDFMT " offset 0x%lx)", found.access, found.address,
			  IDPR(found.object), (unsigned long)(found.address & (OBJ_MAXSIZE - 1)));
	else if (found.access)
		log_error("  %s 0x%lx", found.access, found.address);
	print_pc(thread);
	arch_regs_print(&thread->regs);
}
