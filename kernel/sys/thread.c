// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls on threads and views.
 */
#include <abi/errno.h>
#include <abi/thread.h>
#include <arch/time.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <base/string.h>
#include <fault/become.h>
#include <fault/frame.h>
#include <kso/resume.h>
#include <mm/space.h>
#include <mm/usercopy.h>
#include <sched/control.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sched/time.h>
#include <fault/become.h>
#include <sec/attach.h>
#include <sec/check.h>
#include <sec/context.h>
#include <sys/access.h>
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
	int error = sec_allows(thread, repr, SEC_OP_SPAWN_THREAD);

	if (!error)
		error = sec_allows(thread, view, SEC_OP_SPAWN_VIEW);
	return error ? error : thread_spawn(repr, view, thread->space->context, args);
}

/* lo hi args* flags ctrl* */
long sys_thrd_spawn(SYS_ARGS)
{
	struct thrd_spawn_args args;
	objid_t before, id = MKID(a1, a0);

	SYS_UNUSED();
	if (a3)
		return -EINVAL;
	int error = copy_from_user(&args, a2, sizeof(args));
	if (!error)
		error = check_spawn_args(&args);
	if (!error && a4)
		error = copy_from_user(&before, a4, sizeof(before));
	/*
	 * A word that cannot be written stops the call; a call that fails puts back what it held.
	 */
	if (!error && a4)
		error = copy_to_user(a4, &id, sizeof(id));
	if (error)
		return error;

	struct object *repr = object_get(id);
	struct object *view = object_get(args.target_view ? args.target_view
							  : current_thread()->space->view->id);
	error = repr && view ? spawn_checked(repr, view, &args) : -ENOENT;
	if (error && a4)
		(void)copy_to_user(a4, &before, sizeof(before));
	object_put(repr);
	object_put(view);
	return error;
}

static long ctl_exit(uintptr_t wake_at)
{
	struct object *object;
	uint64_t offset;

	/*
	 * The word to wake is looked up while there is still an address space; a bad one is
	 * ignored.
	 */
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

/* ---- What threads do to themselves or to others ---- */

/*
 * Whether the caller may use the machine's special services: without a root object nobody says no.
 */
static bool may_raise(void)
{
	struct object *root = object_get(KSO_ROOT_ID);
	bool may = !root || sec_allows(current_thread(), root, SEC_OP_SYSTEM_SERVICE) == 0;

	object_put(root);
	return may;
}

static long ctl_set_sched(struct object *repr, uintptr_t at)
{
	struct twz_sched sched;
	struct sched_values values;
	int error = copy_from_user(&sched, at, sizeof(sched));

	if (!error)
		error = sched_values_check(&sched, &values);
	if (error)
		return error;
	long result = control_set_sched(repr, &values, may_raise());
	if (result == 0 || result == SYSCALL_PARKED)
		resume_changed(repr);
	return result;
}

static long ctl_get_sched(struct object *repr, uintptr_t out)
{
	struct sched_values values;
	int error = control_get_sched(repr, &values);

	if (error)
		return error;
	struct twz_sched sched;
	sched_values_tell(&values, &sched);
	return copy_to_user(out, &sched, sizeof(sched));
}

static long tell_context(const struct seccontext *context, uintptr_t out)
{
	objid_t id = context && context->object ? context->object->id : 0;

	return copy_to_user(out, &id, sizeof(id));
}

static long ctl_set_active(uintptr_t at)
{
	objid_t id;
	int error = copy_from_user(&id, at, sizeof(id));

	return error ? error : sec_set_active(current_thread(), id);
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
	case THRD_CTL_SET_SCHED:
		return ctl_set_sched(current_thread()->repr, a1);
	case THRD_CTL_GET_SCHED:
		return ctl_get_sched(current_thread()->repr, a1);
	case THRD_CTL_GET_CALLER:
		return tell_context(become_caller(current_thread()), a1);
	case THRD_CTL_GET_ACTIVE:
		return tell_context(current_thread()->space->context, a1);
	case THRD_CTL_SET_ACTIVE:
		return ctl_set_active(a1);
	case THRD_CTL_GET_STATS:
		return ctl_get_stats(a1);
	default:
		return -EINVAL;
	}
}

/*
 * The registers of a thread that acts as we do, and not on behalf of somebody. Its object's lock
 * held.
 */
static int check_inspectable(const struct thread *thread)
{
	return thread->space->context == current_thread()->space->context && !become_in_call(thread) ? 0 : -EACCES;
}

static int capture(struct thread *thread, void *frame)
{
	int error = check_inspectable(thread);

	if (!error)
		frame_capture(thread, frame);
	return error;
}

static int load(struct thread *thread, void *frame)
{
	int error = check_inspectable(thread);

	if (!error)
		frame_load(thread, frame);
	return error;
}

static long ctl_read_regs(struct object *repr, uintptr_t out)
{
	struct twz_fault_frame frame;
	int error = sec_allows(current_thread(), repr, SEC_OP_THREAD_REGISTERS);

	if (!error)
		error = control_with_stopped(repr, capture, &frame);
	if (error)
		return error;
	memset((char *)&frame + frame_bytes(&frame), 0, sizeof(frame) - frame_bytes(&frame));
	return copy_to_user(out, &frame, sizeof(frame));
}

static long ctl_write_regs(struct object *repr, uintptr_t from)
{
	struct twz_fault_frame frame;
	int error = sec_allows(current_thread(), repr, SEC_OP_THREAD_REGISTERS);

	if (!error)
		error = frame_copy_in(&frame, from);
	return error ? error : control_with_stopped(repr, load, &frame);
}

/* What one thread asks of another, permitted. */
static long ctl_other(struct object *repr, unsigned long op, unsigned long arg)
{
	switch (op) {
	case THRD_CTL_SET_SCHED:
		return ctl_set_sched(repr, arg);
	case THRD_CTL_GET_SCHED:
		return ctl_get_sched(repr, arg);
	case THRD_CTL_SUSPEND:
		return arg ? -EINVAL : control_suspend(repr);
	case THRD_CTL_RESUME:
		return arg ? -EINVAL : control_resume(repr);
	case THRD_CTL_READ_REGS:
		return ctl_read_regs(repr, arg);
	case THRD_CTL_WRITE_REGS:
		return ctl_write_regs(repr, arg);
	case THRD_CTL_KILL:
		return control_kill(repr, arg);
	default:
		return -EINVAL;
	}
}

static bool for_others(unsigned long op)
{
	return op >= THRD_CTL_SET_SCHED && op <= THRD_CTL_KILL;
}

/* lo hi op arg */
long sys_thrd_ctl2(SYS_ARGS)
{
	struct thread *thread = current_thread();
	objid_t id = MKID(a1, a0);

	SYS_UNUSED();
	if (!for_others(a2))
		return -EINVAL;
	if (id == 0 || id == thread->id)
		return a2 == THRD_CTL_SET_SCHED ? ctl_set_sched(thread->repr, a3) :
		       a2 == THRD_CTL_GET_SCHED ? ctl_get_sched(thread->repr, a3) : -EINVAL;
	struct object *repr = object_get(id);
	if (!repr)
		return -ENOENT;
	long result = sys_may_control(repr);
	if (!result)
		result = ctl_other(repr, a2, a3);
	object_put(repr);
	return result;
}

/* lo hi a0 a1 a2 a3 */
long sys_signal(SYS_ARGS)
{
	const long args[4] = { (long)a2, (long)a3, (long)a4, (long)a5 };
	objid_t id = MKID(a1, a0);
	struct object *repr = object_get(id ? id : current_thread()->id);

	if (!repr)
		return -ENOENT;
	long result = sys_may_control(repr);
	if (!result)
		result = control_signal(repr, args);
	object_put(repr);
	return result;
}

/* count ops* timeout* flags */
long sys_thrd_sync(SYS_ARGS)
{
	SYS_UNUSED();
	return sync_call(a0, a1, a2, a3);
}
