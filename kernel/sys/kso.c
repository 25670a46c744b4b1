// SPDX-License-Identifier: BSD-3-Clause
/*
 * Attaching kernel state objects to each other, and detaching them. docs/kso.md has the table of
 * pairs.
 */
#include <abi/errno.h>
#include <abi/kso.h>
#include <abi/syscall.h>
#include <kso/resume.h>
#include <arch/upcall.h>
#include <mm/space.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/attach.h>
#include <sec/check.h>
#include <sec/context.h>
#include <sec/late.h>
#include <sys/access.h>
#include <sys/calls.h>

/* One call, decoded. */
struct request {
	objid_t parent; /* 0 = the calling thread */
	objid_t child;
	uint32_t type;  /* KSO_*, of the child */
	uint32_t flags; /* TWZ_DETACH_* */
	uint32_t call;  /* number of the system call that a late detach waits for */
};

/* plo phi clo chi type|call<<16|flags<<32 */
static int decode(struct request *request, const unsigned long args[5])
{
	struct thread *thread = current_thread();

	request->parent = MKID(args[1], args[0]);
	request->child = MKID(args[3], args[2]);
	request->type = args[4] & 0xffff;
	request->call = args[4] >> 16 & 0xffff;
	request->flags = args[4] >> 32;
	if (request->parent == thread->id)
		request->parent = 0;
	return request->type < KSO_MAX ? 0 : -EINVAL;
}

static uint32_t type_of(struct object *object)
{
	spin_lock(&object->lock);
	uint32_t type = object->kso_type;
	spin_unlock(&object->lock);
	return type;
}

/* ---- Contexts of threads ---- */

static int attach_to_self(struct seccontext *context)
{
	struct thread *thread = current_thread();
	struct seccontext *active = thread->space->context;

	if (active != context && sec_sticky(active))
		return -EACCES;
	int added = sec_add(thread, context);
	if (added < 0)
		return added;
	int error = sec_settle(thread);
	if (error && added == 0)
		sec_shed(thread, context->object->id);
	return error;
}

static int attach_to_thread(struct object *repr, struct seccontext *context)
{
	int result = -ENOENT;

	spin_lock(&repr->lock);
	if (repr->thread) {
		result = sec_add(repr->thread, context);
		if (result >= 0)
			sec_settle_soon(repr->thread);
	}
	spin_unlock(&repr->lock);
	return result < 0 ? result : 0;
}

/* The context that an object is to be used as, if the caller may attach it. */
static int take_context(objid_t id, struct seccontext **context)
{
	struct object *object;
	int error = sys_take_object(id, SEC_OP_ATTACH_CONTEXT, &object);

	if (error)
		return error;
	error = seccontext_get(object, context);
	object_put(object);
	return error;
}

/* No device stands behind an IOMMU that the kernel drives, so none takes an address space. */
static int attach_to_device(struct object *device, const struct request *request)
{
	struct object *child;
	int error = sec_allows(current_thread(), device, SEC_OP_ATTACH_TO_DEVICE);

	if (!error)
		error = sys_take_object(request->child, SEC_OP_GIVE_TO_DEVICE, &child);
	if (error)
		return error;
	object_put(child);
	return -EINVAL;
}

static int attach_context_to(struct object *parent, const struct request *request)
{
	struct seccontext *context;

	if (type_of(parent) == KSO_DEVICE)
		return attach_to_device(parent, request);
	if (type_of(parent) != KSO_THREAD)
		return -EINVAL;
	int error = sec_allows(current_thread(), parent, SEC_OP_ATTACH_TO_THREAD);
	if (!error)
		error = take_context(request->child, &context);
	if (error)
		return error;
	error = attach_to_thread(parent, context);
	seccontext_put(context);
	return error;
}

static int attach_own_context(const struct request *request)
{
	struct seccontext *context;
	int error = take_context(request->child, &context);

	if (error)
		return error;
	error = attach_to_self(context);
	seccontext_put(context);
	return error;
}

/* ---- Views ---- */

/* Execution continues at the same address of the new view. */
static int attach_own_view(const struct request *request)
{
	struct thread *thread = current_thread();
	struct object *view;
	int error = sys_take_object(request->child, SEC_OP_ENTER_VIEW, &view);

	if (error)
		return error;
	/* The old space may be the last to hold its context. */
	struct seccontext *context = seccontext_ref(thread->space->context);
	error = sec_may_act(context, view) ? sec_enter(thread, view, context) : -EACCES;
	seccontext_put(context);
	object_put(view);
	return error;
}

/* ---- Threads that outlive a reset ---- */

/* The thread object that is to be attached to the root, or detached, if the caller may. */
static int take_thread(struct object *root, objid_t id, struct object **repr)
{
	int error = sec_allows(current_thread(), root, SEC_OP_ATTACH_TO_ROOT);

	return error ? error : sys_take_object(id, SEC_OP_START_THREAD, repr);
}

static int attach_thread(struct object *root, const struct request *request)
{
	struct object *repr;
	int error = take_thread(root, request->child, &repr);

	if (error)
		return error;
	error = resume_attach(repr);
	object_put(repr);
	return error;
}

static int detach_thread(struct object *root, const struct request *request)
{
	struct object *repr;
	int error = take_thread(root, request->child, &repr);

	if (error)
		return error;
	error = resume_detach(repr);
	object_put(repr);
	return error;
}

static int attach_to(struct object *parent, const struct request *request)
{
	if (request->type == KSO_THREAD && type_of(parent) == KSO_ROOT)
		return attach_thread(parent, request);
	if (request->type == KSO_SECCTX)
		return attach_context_to(parent, request);
	if (request->type == KSO_VIEW && type_of(parent) == KSO_DEVICE)
		return attach_to_device(parent, request);
	return -EINVAL;
}

static int attach(const struct request *request)
{
	if (request->parent == 0 && request->type == KSO_SECCTX)
		return attach_own_context(request);
	if (request->parent == 0 && request->type == KSO_VIEW)
		return attach_own_view(request);
	struct object *parent = object_get(request->parent);
	if (!parent)
		return request->parent ? -ENOENT : -EINVAL;
	int error = attach_to(parent, request);
	object_put(parent);
	return error;
}

/* plo phi clo chi type|flags<<32 */
long sys_attach(SYS_ARGS)
{
	const unsigned long args[5] = { a0, a1, a2, a3, a4 };
	struct request request;

	SYS_UNUSED();
	int error = decode(&request, args);
	if (error || request.flags || request.call)
		return -EINVAL;
	return attach(&request);
}

/* ---- Detaching ---- */

/* A context that keeps its thread to itself is shed only by who may write it. */
static int may_shed(struct thread *thread, objid_t id)
{
	struct seccontext *active = thread->space->context;

	if (!active->object || (id && active->object->id != id) || !sec_sticky(active))
		return 0;
	return sec_allows(thread, active->object, SEC_OP_WRITE);
}

/* Now, or when the thread makes the call that the request names. */
static bool is_late(const struct request *request)
{
	return request->call != 0;
}

static int detach_own_late(const struct request *request)
{
	struct thread *thread = current_thread();

	if (!sec_late_request(thread, request->child, request->flags, request->call - SYSCALL_BASE))
		return -ENOENT;
	/* Its calls go another way from now on. */
	atomic_store(&this_cpu()->resched, 1);
	return 0;
}

static int detach_own_context(const struct request *request)
{
	struct thread *thread = current_thread();
	int error = may_shed(thread, request->child);

	if (error)
		return error;
	if (is_late(request))
		return detach_own_late(request);
	if (!sec_shed(thread, request->child))
		return -ENOENT;
	sec_settle_surely(thread);
	return 0;
}

/*
 * Nobody but itself knows what is active in another thread: a sticky context is protected wherever
 * it is.
 */
static int may_take_from(struct thread *thread, struct object *repr, objid_t id)
{
	struct object *object;

	int error = sec_allows(thread, repr, SEC_OP_ATTACH_TO_THREAD);
	if (error)
		return error;
	object = object_get(id);
	if (!object)
		return -ENOENT;
	struct seccontext *context = seccontext_known(object);
	if (context) {
		if (sec_sticky(context))
			error = sec_allows(thread, object, SEC_OP_WRITE);
		seccontext_put(context);
	}
	object_put(object);
	return error;
}

/* Lock of the thread object held. How many were detached, or will be. */
static unsigned int take_from(struct thread *target, objid_t id, const struct request *request,
			      struct seccontext *removed[], unsigned int *removed_count)
{
	if (is_late(request))
		return sec_late_request(target, id, request->flags, request->call - SYSCALL_BASE);
	*removed_count = sec_remove(target, id, removed);
	return *removed_count;
}

static int detach_one(struct object *repr, objid_t id, const struct request *request)
{
	struct seccontext *removed[TWZ_THRD_MAX_SCS];
	struct thread *thread = current_thread();
	unsigned int removed_count = 0;
	unsigned int count = 0;

	int error = may_take_from(thread, repr, id);
	if (error)
		return error;
	spin_lock(&repr->lock);
	if (!repr->thread)
		error = -ENOENT;
	else if (!sec_covers(thread, repr->thread))
		error = -EACCES;
	else
		count = take_from(repr->thread, id, request, removed, &removed_count);
	if (count)
		sec_settle_soon(repr->thread);
	spin_unlock(&repr->lock);
	for (unsigned int i = 0; i < removed_count; i++)
		seccontext_put(removed[i]);
	return error ? error : count ? 0 : -ENOENT;
}

/* The ID of what is attached in a place of another thread, 0: nothing. */
static objid_t attached_id(struct object *repr, unsigned int place)
{
	spin_lock(&repr->lock);
	struct seccontext *context = repr->thread ? sec_attached_at(repr->thread, place) : NULL;
	objid_t id = context ? context->object->id : 0;
	spin_unlock(&repr->lock);
	if (context)
		seccontext_put(context);
	return id;
}

/* Each by itself, as permission is needed for each; the first that is refused ends it. */
static int detach_all(struct object *repr, const struct request *request)
{
	int result = -ENOENT;

	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS; i++) {
		objid_t id = attached_id(repr, i);
		if (!id)
			continue;
		result = detach_one(repr, id, request);
		if (result)
			break;
	}
	return result;
}

static int detach_from(struct object *parent, const struct request *request)
{
	if (request->type == KSO_THREAD && type_of(parent) == KSO_ROOT)
		return detach_thread(parent, request);
	if (request->type == KSO_SECCTX && type_of(parent) == KSO_THREAD)
		return request->child ? detach_one(parent, request->child, request) : detach_all(parent, request);
	return -EINVAL;
}

static int detach(const struct request *request)
{
	if (request->parent == 0)
		return request->type == KSO_SECCTX ? detach_own_context(request) : -EINVAL;
	struct object *parent = object_get(request->parent);
	if (!parent)
		return -ENOENT;
	int error = detach_from(parent, request);
	object_put(parent);
	return error;
}

static int check_detach(const struct request *request)
{
	if (request->flags & ~(TWZ_DETACH_ONENTRY | TWZ_DETACH_ONEXIT))
		return -EINVAL;
	if (request->call == 0)
		return request->flags ? 0 : -EINVAL;
	/* Only contexts wait, and for calls that there are. */
	bool known = request->call >= SYSCALL_BASE && request->call < SYSCALL_BASE + NUM_SYSCALLS;
	return known && request->type == KSO_SECCTX ? 0 : -EINVAL;
}

/* plo phi clo chi type|call<<16|flags<<32 */
long sys_detach(SYS_ARGS)
{
	const unsigned long args[5] = { a0, a1, a2, a3, a4 };
	struct request request;

	SYS_UNUSED();
	int error = decode(&request, args);
	if (!error)
		error = check_detach(&request);
	return error ? error : detach(&request);
}
