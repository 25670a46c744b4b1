// SPDX-License-Identifier: BSD-3-Clause
/*
 * The system call that has the kernel look again at kernel state objects that were changed.
 */
#include <abi/errno.h>
#include <abi/kso.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <mm/space.h>
#include <mm/usercopy.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/attach.h>
#include <sec/check.h>
#include <sec/context.h>
#include <sys/access.h>
#include <sys/calls.h>

/* Slots first … last of an operation on addresses. -EINVAL: they wrap. */
static int slots_of(const struct sys_invalidate_op *op, uint64_t *first, uint64_t *last)
{
	uint64_t end = UINT64_MAX;

	if (op->length && add_overflow(op->offset, op->length - 1, &end))
		return -EINVAL;
	*first = op->length ? op->offset >> OBJ_SHIFT : 0;
	*last = MIN(end >> OBJ_SHIFT, (uint64_t)UINT32_MAX);
	return 0;
}

static int invalidate_view(struct object *view, const struct sys_invalidate_op *op)
{
	uint64_t first, last;
	int error = slots_of(op, &first, &last);

	if (!error)
		view_invalidate(view, first, last);
	return error;
}

/* All of it, whatever the range: what depends on which bytes is not kept. */
static int invalidate_context(struct object *object, const struct sys_invalidate_op *op)
{
	uint64_t end;

	if (op->length && add_overflow(op->offset, op->length - 1, &end))
		return -EINVAL;
	struct seccontext *context = seccontext_known(object);
	if (!context)
		return 0;
	seccontext_invalidate(context);
	seccontext_put(context);
	return 0;
}

/* An object without a type is a view or context to be: nothing of it is cached. */
static int invalidate_object(struct object *object, const struct sys_invalidate_op *op)
{
	spin_lock(&object->lock);
	uint32_t type = object->kso_type;
	spin_unlock(&object->lock);
	switch (type) {
	case KSO_NONE:
	case KSO_VIEW:
		return invalidate_view(object, op);
	case KSO_SECCTX:
		return invalidate_context(object, op);
	case KSO_THREAD:
		return 0; /* nothing is cached */
	default:
		return -EINVAL;
	}
}

static int invalidate_named(const struct sys_invalidate_op *op)
{
	struct object *object;
	int error = sys_take_object(op->id, SEC_OP_INVALIDATE, &object);

	if (error)
		return error;
	error = invalidate_object(object, op);
	object_put(object);
	return error;
}

static int invalidate_active(const struct sys_invalidate_op *op)
{
	struct seccontext *active = current_thread()->space->context;

	return active->object ? invalidate_context(active->object, op) : -ENOENT;
}

static int invalidate_attached(const struct sys_invalidate_op *op)
{
	int result = -ENOENT;

	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS; i++) {
		struct seccontext *context = sec_attached_at(current_thread(), i);
		if (!context)
			continue;
		result = invalidate_context(context->object, op);
		seccontext_put(context);
	}
	return result;
}

static int invalidate_current(const struct sys_invalidate_op *op)
{
	switch (op->id) {
	case KSO_CURRENT_VIEW:
		return invalidate_view(current_thread()->space->view, op);
	case KSO_CURRENT_THREAD:
		return 0;
	case KSO_CURRENT_ACTIVE_SECCTX:
		return invalidate_active(op);
	case KSO_CURRENT_ATTACHED_SECCTXS:
		return invalidate_attached(op);
	default:
		return -EINVAL;
	}
}

static int invalidate_one(const struct sys_invalidate_op *op)
{
	if ((op->flags & ~(KSOI_VALID | KSOI_CURRENT)) || !(op->flags & KSOI_VALID))
		return -EINVAL;
	return op->flags & KSOI_CURRENT ? invalidate_current(op) : invalidate_named(op);
}

/* ops* count */
long sys_invl_kso(SYS_ARGS)
{
	struct sys_invalidate_op op;
	long done = 0;

	SYS_UNUSED();
	if (a1 > SYS_INVALIDATE_MAX_OPS)
		return -EINVAL;
	if (!user_range_ok(a0, a1 * sizeof(op)))
		return -EFAULT;
	for (unsigned long i = 0; i < a1; i++) {
		uintptr_t at = a0 + i * sizeof(op);
		int error = copy_from_user(&op, at, sizeof(op));
		if (error)
			return done ? done : error;
		error = invalidate_one(&op);
		if (error == SYSCALL_PARKED)
			return error; /* again from the start: what was done may be done twice */
		uint16_t result = (uint16_t)error;
		if (copy_to_user(at + offsetof(struct sys_invalidate_op, result), &result,
				 sizeof(result)) != 0)
			return done ? done : -EFAULT;
		done += error == 0;
	}
	return done;
}
