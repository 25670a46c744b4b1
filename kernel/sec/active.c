// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which of a thread's contexts is active, and changing that.
 */
#include <abi/errno.h>
#include <kso/resume.h>
#include <mm/space.h>
#include <obj/object.h>
#include <sched/sched.h>
#include <sec/attach.h>
#include <sec/check.h>
#include <sec/context.h>
#include <sec/late.h>

#define REPR(member) (OBJ_NULLPAGE_SIZE + offsetof(struct twzthread_repr, member))

static objid_t context_id(const struct seccontext *context)
{
	return context && context->object ? context->object->id : 0;
}

/* What cannot be told for want of a page is not worth more than that. */
static void tell_where(struct thread *thread)
{
	objid_t view = thread->space->view->id;
	objid_t active = context_id(thread->space->context);

	(void)object_write(thread->repr, REPR(view), &view, sizeof(view));
	(void)object_write(thread->repr, REPR(active), &active, sizeof(active));
	resume_note(thread);
}

void sec_tell(struct thread *thread)
{
	struct kso_attachment attached[TWZ_THRD_MAX_SCS] = { 0 };

	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS; i++) {
		struct seccontext *context = sec_attached_at(thread, i);
		if (!context)
			continue;
		attached[i].id = context_id(context);
		attached[i].type = KSO_SECCTX;
		seccontext_put(context);
	}
	(void)object_write(thread->repr, REPR(attached), attached, sizeof(attached));
	tell_where(thread);
}

int sec_enter(struct thread *thread, struct object *view, struct seccontext *context)
{
	struct addrspace *old = thread->space;
	struct addrspace *space;
	int error = space_get(view, context, &space);

	if (error)
		return error;
	if (context != old->context)
		atomic_fetch_add_explicit(&context->switches, 1, memory_order_relaxed);
	thread->space = space;
	space_install(space);
	space_put(old);
	tell_where(thread);
	return 0;
}

/* ---- What follows from a change of the set ---- */

/* Whether the context could act now, if none did. */
static bool can_begin(struct thread *thread, struct seccontext *context, struct object *executed)
{
	return sec_may_act(context, thread->space->view) && sec_executable(context, executed);
}

/*
 * The first attached context among `places` (a bit each) that can act, with a reference, or NULL.
 */
static struct seccontext *first_of(struct thread *thread, uint32_t places)
{
	struct object *executed = sec_executing(thread);
	struct seccontext *found = NULL;

	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS && !found; i++) {
		struct seccontext *context = places & 1u << i ? sec_attached_at(thread, i) : NULL;
		if (context && can_begin(thread, context, executed))
			found = context;
		else if (context)
			seccontext_put(context);
	}
	object_put(executed);
	return found;
}

static bool still_attached(struct thread *thread, struct seccontext *context)
{
	struct seccontext *found = sec_attached_by_id(thread, context->object->id);

	if (found)
		seccontext_put(found);
	return found == context;
}

/*
 * The active context has gone, or there was none: go on with the first of `places` that can act, if
 * any.
 */
static int succeed(struct thread *thread, uint32_t places)
{
	struct seccontext *next = first_of(thread, places);
	int error = sec_enter(thread, thread->space->view, next ? next : &sec_none);

	if (next)
		seccontext_put(next);
	return error;
}

/* The active context stays. One that is sticky lets nothing be attached beside it. */
static void keep_active(struct thread *thread, struct seccontext *active, uint32_t fresh)
{
	for (unsigned int i = 0; fresh && sec_sticky(active) && i < TWZ_THRD_MAX_SCS; i++) {
		struct seccontext *context = fresh & 1u << i ? sec_attached_at(thread, i) : NULL;
		if (!context)
			continue;
		if (context != active)
			sec_shed(thread, context->object->id);
		seccontext_put(context);
	}
}

int sec_settle(struct thread *thread)
{
	struct seccontext *active = thread->space->context;
	int error = 0;

	if (!sec_has_attached(thread))
		return 0;
	uint32_t fresh = sec_fresh(thread);
	if (active->object && still_attached(thread, active))
		keep_active(thread, active, fresh);
	else
		error = succeed(thread, active->object ? UINT32_MAX : fresh);
	if (error)
		return error;
	sec_fresh_settled(thread, fresh);
	sec_tell(thread);
	return 0;
}

void sec_settle_soon(struct thread *thread)
{
	struct cpu *cpu = atomic_load(&thread->cpu);

	atomic_store(&thread->unsettled, 1);
	if (cpu)
		sched_kick(cpu);
}

/*
 * Without memory the thread waits for some, rather than run on with rights that were taken from it.
 */
void sec_settle_surely(struct thread *thread)
{
	if (sec_settle(thread) == 0)
		return;
	atomic_store(&thread->unsettled, 1);
	sched_yield();
}

void sec_recheck(struct thread *thread)
{
	struct seccontext *active = thread->space->context;

	if (sec_has_attached(thread) && active != &sec_none &&
	    !(active->object && still_attached(thread, active)))
		sec_settle_surely(thread);
}

void sec_settle_now(struct thread *thread)
{
	if (!atomic_exchange(&thread->unsettled, 0))
		return;
	sec_late_returned(thread);
	sec_settle_surely(thread);
}

int sec_set_active(struct thread *thread, objid_t id)
{
	struct seccontext *active = thread->space->context;
	struct seccontext *context = sec_attached_by_id(thread, id);
	int error = -EACCES;

	if (!context)
		return -ENOENT;
	struct object *executed = sec_executing(thread);
	if (context == active)
		error = 0;
	else if (!sec_sticky(active) && sec_executable(active, executed) &&
		 can_begin(thread, context, executed))
		error = sec_enter(thread, thread->space->view, context);
	object_put(executed);
	seccontext_put(context);
	return error;
}
