// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls on threads and views.
 */
#include <abi/errno.h>
#include <abi/kso.h>
#include <abi/thread.h>
#include <arch/time.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <mm/space.h>
#include <mm/usercopy.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sched/time.h>
#include <sec/check.h>
#include <sys/calls.h>

static int check_spawn_args(const struct thrd_spawn_args *args)
{
	uintptr_t top;

	if (!user_range_ok(args->start_func, 1) || !user_range_ok(args->tls_base, 0) ||
	    add_overflow(args->stack_base, args->stack_size, &top) || !user_range_ok(top, 0))
		return -EFAULT;
	return 0;
}

static int spawn_checked(struct object *repr, struct object *view, const struct thrd_spawn_args *args)
{
	struct thread *thread = current_thread();
	int error = sec_check(thread, repr, SEC_WRITE);

	if (!error)
		error = sec_check_any(thread, view, SEC_WRITE | SEC_USE);
	return error ? error : thread_spawn(repr, view, thread->space->context, args);
}

/* lo hi args* flags ctrl* */
long sys_thrd_spawn(SYS_ARGS)
{
	struct thrd_spawn_args args;
	objid_t id = MKID(a1, a0);

	SYS_UNUSED();
	if (a3)
		return -EINVAL;
	int error = copy_from_user(&args, a2, sizeof(args));
	if (!error)
		error = check_spawn_args(&args);
	/* The word that is to hold the ID is written first: a bad one stops the call. */
	if (!error && a4)
		error = copy_to_user(a4, &id, sizeof(id));
	if (error)
		return error;

	struct object *repr = object_get(id);
	struct object *view = object_get(args.target_view ? args.target_view
							  : current_thread()->space->view->id);
	error = repr && view ? spawn_checked(repr, view, &args) : -ENOENT;
	object_put(repr);
	object_put(view);
	return error;
}

static long ctl_exit(uintptr_t wake_at)
{
	struct object *object;
	uint64_t offset;

	/* The word to wake is looked up while there is still an address space; a bad one is ignored. */
	if (wake_at % 8 || space_resolve(current_thread(), wake_at, ACCESS_READ, &object, &offset) != 0)
		object = NULL;
	thread_exit(0, false, 0);
	if (object)
		sync_wake(object, offset, -1);
	object_put(object);
	return SYSCALL_PARKED;
}

static long ctl_get_stats(uintptr_t out)
{
	struct thread *thread = current_thread();
	uint64_t running = arch_counter() - thread->started_at;
	const struct twz_thread_stats stats = {
		.faults = thread->faults,
		.switches = thread->switches,
		.cpu_ns = time_ns_from_ticks(thread->cpu_ticks + running),
	};

	return copy_to_user(out, &stats, sizeof(stats));
}

static long ctl_yield(void)
{
	sched_yield();
	return 0;
}

static long ctl_set_tls(uintptr_t tls)
{
	if (!user_range_ok(tls, 0))
		return -EFAULT;
	arch_regs_set_tls(current_thread(), tls);
	return 0;
}

/* op arg */
long sys_thrd_ctl(SYS_ARGS)
{
	SYS_UNUSED();
	switch (a0) {
	case THRD_CTL_SET_TLS:
		return ctl_set_tls(a1);
	case THRD_CTL_SET_GS:
	case THRD_CTL_SET_IOPL:
		return -ENOTSUP;
	case THRD_CTL_EXIT:
		return ctl_exit(a1);
	case THRD_CTL_YIELD:
		return a1 ? -EINVAL : ctl_yield();
	case THRD_CTL_GET_ID:
		return copy_to_user(a1, &current_thread()->id, sizeof(objid_t));
	case THRD_CTL_GET_STATS:
		return ctl_get_stats(a1);
	default:
		return -EINVAL;
	}
}

/* count ops* timeout* flags */
long sys_thrd_sync(SYS_ARGS)
{
	SYS_UNUSED();
	return sync_call(a0, a1, a2, a3);
}

/* ---- Invalidation ---- */

static int invalidate_view(struct object *view, const struct sys_invalidate_op *op)
{
	uint64_t end = UINT64_MAX;

	if (op->length && add_overflow(op->offset, op->length - 1, &end))
		return -EINVAL;
	spin_lock(&view->lock);
	bool view_like = view->kso_type == KSO_VIEW || view->kso_type == KSO_NONE;
	spin_unlock(&view->lock);
	if (!view_like)
		return -EINVAL;
	view_invalidate(view, op->length ? op->offset >> OBJ_SHIFT : 0, MIN(end >> OBJ_SHIFT, (uint64_t)UINT32_MAX));
	return 0;
}

static int invalidate_named(const struct sys_invalidate_op *op)
{
	struct object *object = object_get(op->id);

	if (!object)
		return -ENOENT;
	int error = sec_check_any(current_thread(), object, SEC_WRITE | SEC_USE);
	if (!error && object->kso_type == KSO_THREAD)
		error = 0; /* nothing is cached for a thread */
	else if (!error)
		error = invalidate_view(object, op);
	object_put(object);
	return error;
}

static int invalidate_current(const struct sys_invalidate_op *op)
{
	switch (op->id) {
	case KSO_CURRENT_VIEW:
		return invalidate_view(current_thread()->space->view, op);
	case KSO_CURRENT_THREAD:
		return 0;
	case KSO_CURRENT_ACTIVE_SECCTX:
	case KSO_CURRENT_ATTACHED_SECCTXS:
		return -ENOENT; /* none is attached */
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
		uint16_t result = (uint16_t)error;
		if (copy_to_user(at + offsetof(struct sys_invalidate_op, result), &result,
				 sizeof(result)) != 0)
			return done ? done : -EFAULT;
		done += error == 0;
	}
	return done;
}
