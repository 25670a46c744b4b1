// SPDX-License-Identifier: BSD-3-Clause
/*
 * Protected calls and exec: registers, view and active context change together.
 */
#include <abi/become.h>
#include <abi/errno.h>
#include <arch/upcall.h>
#include <fault/become.h>
#include <mm/space.h>
#include <mm/usercopy.h>
#include <obj/object.h>
#include <sec/attach.h>
#include <sec/check.h>
#include <sec/context.h>
#include <sys/calls.h>

/*
 * The context that will be active. Into another one only a capability leads, and none is taken as
 * one yet.
 */
static int target_context(struct thread *thread, objid_t hint, struct seccontext **out)
{
	struct seccontext *active = thread->space->context;

	*out = active;
	if (hint == 0 || (active->object && active->object->id == hint))
		return 0;
	struct seccontext *attached = sec_attached_by_id(thread, hint);
	if (!attached)
		return -ENOENT;
	seccontext_put(attached);
	return -EACCES;
}

static int target_space(struct thread *thread, const struct sys_become_args *args,
			struct addrspace **out)
{
	struct object *current = thread->space->view;
	struct seccontext *context;
	int error = target_context(thread, args->sctx_hint, &context);

	if (error)
		return error;
	if (args->target_view == 0 && context == thread->space->context) {
		*out = space_ref(thread->space);
		return 0;
	}
	if (args->target_view == 0)
		return space_get(current, context, out);
	struct object *view = object_get(args->target_view);
	if (!view)
		return -ENOENT;
	error = sec_allows(thread, view, SEC_OP_ENTER_VIEW);
	if (!error && !sec_may_act(context, view))
		error = -EACCES;
	if (!error)
		error = space_get(view, context, out);
	object_put(view);
	return error;
}

static int check_args(const struct sys_become_args *args, unsigned long how)
{
	if (args->flags || (how & ~(unsigned long)(SYS_BECOME_INPLACE | SYS_BECOME_NOFRAME)))
		return -EINVAL;
	if (how & SYS_BECOME_INPLACE)
		return 0;
	if (!user_range_ok(args->target_ip, 1))
		return -EFAULT;
	return arch_pc_aligned(args->target_ip) ? 0 : -EINVAL;
}

/* Nothing of the caller's reaches the callee but the arguments. */
static void set_registers(struct thread *thread, const struct sys_become_args *args, bool entering)
{
	uintptr_t sp = entering ? 0 : args->target_sp;
	uintptr_t tp = entering ? 0 : args->target_tp;

	arch_regs_init(&thread->regs, args->target_ip, sp, args->args, tp);
	for (unsigned int i = 3; i < 8; i++)
		arch_regs_set_argument(&thread->regs, i, args->args[i]);
	arch_fp_reset(thread);
}

static long call(struct thread *thread, const struct sys_become_args *args, unsigned long how)
{
	struct seccontext *before = thread->space->context;
	struct become_frame *frame = NULL;
	struct addrspace *space;
	int error = how & SYS_BECOME_NOFRAME ? 0 : become_prepare(thread, &frame);

	if (error)
		return error;
	error = target_space(thread, args, &space);
	if (error) {
		become_cancel(thread, frame);
		return error;
	}
	if (frame)
		become_call(thread, frame, space);
	else
		become_move(thread, space);
	if (how & SYS_BECOME_INPLACE)
		return 0;
	set_registers(thread, args, space->context != before);
	return SYSCALL_PARKED;
}

/* args*, a0, a1; or 0, result, v1 … v4 */
long sys_become(SYS_ARGS)
{
	struct thread *thread = current_thread();
	struct sys_become_args args;

	if (a0 == 0) {
		const unsigned long values[] = { a1, a2, a3, a4, a5 };
		if (!become_return(thread))
			return -EINVAL;
		for (unsigned int i = 0; i < 5; i++)
			arch_regs_set_argument(&thread->regs, i, values[i]);
		return SYSCALL_PARKED;
	}
	int error = copy_from_user(&args, a0, sizeof(args));
	if (!error)
		error = check_args(&args, a2);
	return error ? error : call(thread, &args, a2);
}
