// SPDX-License-Identifier: BSD-3-Clause
/*
 * Delivery of faults: who takes one, and how it gets there (docs/faults.md).
 *
 * The kernel writes a block below a stack pointer, the register frame and the fault's information
 * above it, and lets the thread go on in the handler. It keeps no memory of having done so: a fault
 * in the handler is delivered like any other.
 */
#include <abi/errno.h>
#include <abi/thread.h>
#include <abi/view.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <base/string.h>
#include <fault/become.h>
#include <fault/fault.h>
#include <fault/frame.h>
#include <mm/space.h>
#include <mm/usercopy.h>
#include <sched/thread.h>
#include <trace.h>

/* A fault on its way. */
struct fault {
	int number;
	uint32_t length;      /* of info, a multiple of 16 */
	uint64_t frame_flags; /* TWZ_FRAME_SYSCALL or 0 */
	const void *info;
	uint32_t failure;     /* FAULT_FAULT_*: why it has not been delivered yet */
};

struct handler {
	uintptr_t pc;
	uint64_t flags; /* FAULT_ON_STACK */
};

/* What the kernel puts on the stack. */
struct block {
	struct twz_fault_frame frame;
	uint8_t info[sizeof(struct fault_fault_info) + FAULT_INFO_MAX];
};

_Static_assert(offsetof(struct block, info) == sizeof(struct twz_fault_frame), "block");

/* ---- Where the block goes ---- */

/* The thread's fault stack. False: it has none. */
static bool fault_stack(struct thread *thread, uintptr_t *base, uintptr_t *top)
{
	uint64_t range[2]; /* fault_stack, fault_stack_size */
	uint64_t offset = OBJ_NULLPAGE_SIZE + offsetof(struct twzthread_repr, fault_stack);

	if (object_read(thread->repr, offset, range, sizeof(range)) != 0 || range[0] == 0)
		return false;
	*base = range[0];
	return !add_overflow(range[0], range[1], top);
}

/* Where the block of `length` bytes begins; 0: it has no place. */
static uintptr_t block_place(struct thread *thread, uint64_t flags, size_t length)
{
	uintptr_t sp = arch_regs_sp(&thread->regs);
	uintptr_t base = 0;
	uintptr_t top;

	if ((flags & FAULT_ON_STACK) && fault_stack(thread, &base, &top) && (sp <= base || sp > top))
		sp = top;
	sp = align_down(sp, 16);
	return sp >= length && sp - length >= base ? sp - length : 0;
}

static int write_block(struct thread *thread, uintptr_t place, const struct fault *fault)
{
	uintptr_t info_at = place + sizeof(struct twz_fault_frame);
	struct block block;
	int error;

	frame_capture(thread, &block.frame);
	block.frame.flags |= fault->frame_flags;
	block.frame.fault = (uint32_t)fault->number;
	block.frame.info_len = fault->length;
	block.frame.info = info_at;
	if (frame_bytes(&block.frame) < sizeof(block.frame)) {
		error = copy_to_user(place, &block.frame, frame_bytes(&block.frame));
		return error ? error : copy_to_user(info_at, fault->info, fault->length);
	}
	memcpy(block.info, fault->info, fault->length);
	return copy_to_user(place, &block, sizeof(block.frame) + fault->length);
}

/* ---- Who takes it ---- */

/* The thread object's own handler. Its caller's does not reach into a protected call. */
static bool thread_handler(struct thread *thread, int number, struct handler *handler)
{
	uint64_t offset = OBJ_NULLPAGE_SIZE + offsetof(struct twzthread_repr, faults) +
			  (uint64_t)number * sizeof(struct faultinfo);
	struct faultinfo info;

	if (become_in_call(thread) ||
	    object_read(thread->repr, offset, &info, sizeof(info)) != 0 || info.addr == 0)
		return false;
	if (info.view != 0 && info.view != thread->space->view->id)
		return false;
	*handler = (struct handler){ .pc = info.addr, .flags = info.flags };
	return true;
}

/* What a view says of faults, as it lies in the object. */
struct view_faults {
	uint64_t handler;
	uint64_t double_handler;
	uint64_t mask;
	uint64_t flags;
};

_Static_assert(__VE_FAULT_FLAGS_OFFSET - __VE_FAULT_HANDLER_OFFSET ==
		       offsetof(struct view_faults, flags), "view");

/* The view's handler of this fault: FAULT_FAULT has one of its own. */
static bool view_handler(struct thread *thread, int number, struct handler *handler)
{
	struct view_faults view;

	if (object_read(thread->space->view, OBJ_NULLPAGE_SIZE + __VE_FAULT_HANDLER_OFFSET, &view,
			sizeof(view)) != 0 ||
	    (view.mask & FAULT_MASK(number)))
		return false;
	handler->pc = number == FAULT_FAULT ? view.double_handler : view.handler;
	handler->flags = view.flags;
	return handler->pc != 0;
}

/* ---- Delivery ---- */

/* The handler runs in the active context, or not at all: its stack must be writable there. */
static bool put_block(struct thread *thread, uintptr_t place, const struct fault *fault)
{
	thread->context_fixed = true;
	int error = write_block(thread, place, fault);
	thread->context_fixed = false;
	return error == 0;
}

/* The thread pointer of its handlers, which may be of another program than the thread's; 0: the same. */
static uint64_t handler_tp(struct thread *thread)
{
	uint64_t offset = OBJ_NULLPAGE_SIZE + offsetof(struct twzthread_repr, fault_tp);
	uint64_t tp;

	return object_read(thread->repr, offset, &tp, sizeof(tp)) == 0 ? tp : 0;
}

static bool enter_handler(struct thread *thread, const struct handler *handler, struct fault *fault)
{
	size_t length = sizeof(struct twz_fault_frame) + fault->length;

	if (!arch_pc_aligned(handler->pc) || !space_allows(thread, handler->pc, ACCESS_EXEC)) {
		fault->failure = FAULT_FAULT_HANDLER_EXEC;
		return false;
	}
	uintptr_t place = block_place(thread, handler->flags, length);
	if (!place || !put_block(thread, place, fault)) {
		fault->failure = FAULT_FAULT_STACK;
		return false;
	}
	const unsigned long args[3] = {
		(unsigned long)fault->number, place + sizeof(struct twz_fault_frame), place,
	};
	arch_regs_enter(&thread->regs, handler->pc, place, args);
	uint64_t tp = handler_tp(thread);
	if (tp)
		arch_regs_set_tls(thread, tp);
	return true;
}

/* The original fault becomes the information of a FAULT_FAULT. */
static bool deliver_double(struct thread *thread, struct fault *fault)
{
	uint8_t bytes[sizeof(struct fault_fault_info) + FAULT_INFO_MAX];
	struct fault_fault_info *info = (void *)bytes;
	struct fault twice = {
		.number = FAULT_FAULT,
		.length = (uint32_t)sizeof(*info) + fault->length,
		.frame_flags = fault->frame_flags,
		.info = bytes,
	};
	struct handler handler;

	if (!view_handler(thread, FAULT_FAULT, &handler))
		return false;
	*info = (struct fault_fault_info){
		.fault_nr = (uint32_t)fault->number, .info = fault->failure, .len = fault->length,
	};
	memcpy(info->data, fault->info, fault->length);
	bool delivered = enter_handler(thread, &handler, &twice);
	if (!delivered)
		fault->failure = twice.failure;
	return delivered;
}

/* False: nobody takes it, fault->failure says why, and nothing has changed. */
static bool deliver(struct thread *thread, struct fault *fault)
{
	struct handler handler;

	fault->failure = FAULT_FAULT_NO_HANDLER;
	if (thread_handler(thread, fault->number, &handler) &&
	    enter_handler(thread, &handler, fault))
		return true;
	if (view_handler(thread, fault->number, &handler) &&
	    enter_handler(thread, &handler, fault))
		return true;
	return deliver_double(thread, fault);
}

static void unhandled(struct thread *thread, int number, const void *info)
{
	if (become_abandon(thread))
		return;
	fault_report_print(thread, number, info);
	thread_exit((uint64_t)number + 1, true, THRD_EXIT_FAULT((uint64_t)number));
}

void fault_raise(struct thread *thread, int number, const void *info, size_t length)
{
	struct fault fault = { .number = number, .length = (uint32_t)length, .info = info };

	if (!deliver(thread, &fault))
		unhandled(thread, number, info);
}

/* ---- The faults there are ---- */

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
_Static_assert(FEI_READ == ACCESS_READ, "access bits");
_Static_assert(FEI_WRITE == ACCESS_WRITE && FEI_EXEC == ACCESS_EXEC, "access bits");

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
	const struct fault_signal_info info = { .args = { args[0], args[1], args[2], args[3] } };
	struct fault fault = {
		.number = FAULT_SIGNAL,
		.length = sizeof(info),
		.frame_flags = thread->call_interrupted ? TWZ_FRAME_SYSCALL : 0,
		.info = &info,
	};

	thread->call_interrupted = false;
	if (!deliver(thread, &fault))
		unhandled(thread, FAULT_SIGNAL, &info);
}

void fault_resume(struct thread *thread, const struct fault_resume_info *info)
{
	static const unsigned long none[3];
	uintptr_t base;
	uintptr_t top = 0;

	become_drop_all(thread);
	if (!fault_stack(thread, &base, &top))
		top = 0;
	arch_regs_init(&thread->regs, 0, top, none, 0);
	arch_fp_reset(thread);
	fault_raise(thread, FAULT_RESUME, info, sizeof(*info));
}

void upcall_user_fault(uintptr_t va, unsigned int access)
{
	struct thread *thread = current_thread();
	struct fault_report report;

	TRACE(TWZ_TRACE_FAULTS, TWZ_EVENT_FAULT, access, va);
	bool stuck = access == ACCESS_WRITE && space_is_own_page(thread, va, arch_regs_pc(&thread->regs), &report);
	if (!stuck && space_fault(thread, va, access, &report) == 0)
		arch_tlb_fresh(va);
	else
		fault_raise_access(thread, &report);
}

void upcall_user_exception(unsigned int code, unsigned long raw, unsigned int access)
{
	struct thread *thread = current_thread();
	const struct fault_exception_info info = {
		.ip = arch_regs_pc(&thread->regs),
		.code = code,
		.arg0 = raw,
		.flags = access,
	};

	TRACE(TWZ_TRACE_FAULTS, TWZ_EVENT_EXCEPTION, code, raw);
	fault_raise(thread, FAULT_EXCEPTION, &info, sizeof(info));
}

/*
 * A number that is no call of ours, maybe of another system's: a handler may give it a meaning.
 * Where there is none the caller learns that it has none here either.
 */
long upcall_bad_syscall(unsigned long number)
{
	struct thread *thread = current_thread();
	const struct fault_exception_info info = {
		.ip = arch_regs_syscall_pc(&thread->regs),
		.code = FAULT_EXCEPTION_SYSCALL,
		.arg0 = number,
	};
	struct fault fault = {
		.number = FAULT_EXCEPTION,
		.length = sizeof(info),
		.frame_flags = TWZ_FRAME_SYSCALL,
		.info = &info,
	};

	if (deliver(thread, &fault))
		return SYSCALL_PARKED;
	if (fault.failure != FAULT_FAULT_STACK)
		return -ENOSYS;
	unhandled(thread, FAULT_EXCEPTION, &info);
	return SYSCALL_PARKED;
}
