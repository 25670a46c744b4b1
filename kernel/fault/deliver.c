// SPDX-License-Identifier: BSD-3-Clause
/*
 * Delivery of faults.
 */
#include <abi/thread.h>
#include <arch/upcall.h>
#include <base/string.h>
#include <fault/fault.h>
#include <mm/space.h>
#include <sched/thread.h>

void fault_raise(struct thread *thread, int number, const void *info, size_t length)
{
	(void)length;
	fault_report_print(thread, number, info);
	thread_exit((uint64_t)number + 1, true, THRD_EXIT_FAULT((uint64_t)number));
}

static void raise_object(struct thread *thread, const struct fault_report *report)
{
	const struct fault_object_info info = {
		.objid = report->object,
		.ip = arch_regs_pc(&thread->regs),
		.addr = report->address,
		.flags = report->detail,
	};

	fault_raise(thread, FAULT_OBJECT, &info, sizeof(info));
}

static void raise_null(struct thread *thread, const struct fault_report *report)
{
	const struct fault_null_info info = {
		.ip = arch_regs_pc(&thread->regs),
		.addr = report->address,
	};

	fault_raise(thread, FAULT_NULL, &info, sizeof(info));
}

/* FEI_* are ACCESS_*. */
_Static_assert(FEI_READ == ACCESS_READ && FEI_WRITE == ACCESS_WRITE && FEI_EXEC == ACCESS_EXEC, "access");

static void raise_outside(struct thread *thread, const struct fault_report *report)
{
	const struct fault_exception_info info = {
		.ip = arch_regs_pc(&thread->regs),
		.code = report->detail,
		.arg0 = report->address,
		.flags = report->access,
	};

	fault_raise(thread, FAULT_EXCEPTION, &info, sizeof(info));
}

static void raise_security(struct thread *thread, const struct fault_report *report)
{
	const struct fault_sctx_info info = {
		.target = report->object,
		.ip = arch_regs_pc(&thread->regs),
		.addr = report->address,
		.pneed = (uint32_t)report->detail,
	};

	fault_raise(thread, FAULT_SCTX, &info, sizeof(info));
}

static void raise_page(struct thread *thread, const struct fault_report *report)
{
	const struct fault_page_info info = {
		.objid = report->object,
		.vaddr = report->address,
		.pgnr = report->offset / PAGE_SIZE,
		.info = report->detail,
		.ip = arch_regs_pc(&thread->regs),
	};

	fault_raise(thread, FAULT_PAGE, &info, sizeof(info));
}

void fault_raise_access(struct thread *thread, const struct fault_report *report)
{
	switch (report->fault) {
	case FAULT_OBJECT:
		raise_object(thread, report);
		break;
	case FAULT_NULL:
		raise_null(thread, report);
		break;
	case FAULT_SCTX:
		raise_security(thread, report);
		break;
	case FAULT_PAGE:
		raise_page(thread, report);
		break;
	default:
		raise_outside(thread, report);
	}
}

void fault_signal(struct thread *thread, const long args[4])
{
	struct fault_signal_info info;

	for (unsigned int i = 0; i < 4; i++)
		info.args[i] = args[i];
	fault_raise(thread, FAULT_SIGNAL, &info, sizeof(info));
}

void fault_resume(struct thread *thread, const struct fault_resume_info *info)
{
	fault_raise(thread, FAULT_RESUME, info, sizeof(*info));
}

void upcall_user_fault(uintptr_t va, unsigned int access)
{
	struct thread *thread = current_thread();
	struct fault_report report;

	if (space_fault(thread, va, access, &report) == 0)
		arch_tlb_fresh(va);
	else
		fault_raise_access(thread, &report);
}

void upcall_user_exception(unsigned int code, unsigned long raw, uintptr_t va)
{
	struct thread *thread = current_thread();
	const struct fault_exception_info info = {
		.ip = arch_regs_pc(&thread->regs),
		.code = code,
		.arg0 = raw,
	};

	(void)va;
	fault_raise(thread, FAULT_EXCEPTION, &info, sizeof(info));
}
