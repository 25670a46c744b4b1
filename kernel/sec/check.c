// SPDX-License-Identifier: BSD-3-Clause
/*
 * The decision. Callers name the operation; nothing else in the kernel weighs rights.
 */
#define LOG_PREFIX "security"

#include <abi/errno.h>
#include <arch/thread.h>
#include <arch/upcall.h>
#include <log.h>
#include <mm/space.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/attach.h>
#include <sec/check.h>
#include <sec/context.h>

_Static_assert(SEC_READ == MIP_DFL_READ && SEC_WRITE == MIP_DFL_WRITE && SEC_EXEC == MIP_DFL_EXEC &&
	       SEC_USE == MIP_DFL_USE && SEC_DEL == MIP_DFL_DEL, "rights are permission bits");
_Static_assert(OBJECT_AGAIN == SYSCALL_PARKED, "what a call returns that is made again");
_Static_assert(SEC_READ == SCP_READ && SEC_WRITE == SCP_WRITE && SEC_EXEC == SCP_EXEC &&
	       SEC_USE == SCP_USE && SEC_DEL == SCP_DEL, "and those of capabilities");

/* ---- One context, one object ---- */

/* Default permissions, as the context's masks leave them. */
static uint32_t masked_defaults(struct seccontext *context, objid_t target, uint32_t defaults)
{
	struct sec_header header = seccontext_header(context);
	struct sec_masks masks;

	if (!header.sound || !seccontext_masks(context, &header, target, &masks))
		return 0;
	return ((defaults & ~header.gmask) | (defaults & masks.regrant)) & ~masks.withhold;
}

/* The effective permission of a context on a verified object with these p_flags. */
static uint32_t effective(struct seccontext *context, struct object *object, uint32_t p_flags)
{
	uint32_t rights = p_flags & SEC_ALL;

	if (context == &sec_bootstrap)
		rights = object->kernel_owned ? SEC_ALL & ~(SEC_EXEC | SEC_DEL) : SEC_ALL;
	else if (context != &sec_none)
		rights = masked_defaults(context, object->id, rights);
	return p_flags & MIP_HASHDATA ? rights & ~SEC_WRITE : rights;
}

/* The default permissions of an object, believed only after verification. */
static int trusted_flags(struct object *object, uint32_t *p_flags)
{
	spin_lock(&object->lock);
	int error = object_verify(object);
	*p_flags = object->p_flags;
	spin_unlock(&object->lock);
	return error;
}

static uint32_t flags_of(struct seccontext *context)
{
	return context->object ? seccontext_header(context).flags : 0;
}

bool sec_sticky(struct seccontext *context)
{
	return flags_of(context) & SECCTX_STICKY;
}

/* Only a capability or delegation names a view as a context's own, and none is taken as one yet. */
bool sec_may_act(struct seccontext *context, struct object *view)
{
	(void)view;
	return !(flags_of(context) & SECCTX_OWN_VIEW);
}

bool sec_executable(struct seccontext *context, struct object *executed)
{
	uint32_t p_flags;

	if (!executed || trusted_flags(executed, &p_flags) != 0)
		return false;
	return effective(context, executed, p_flags) & SEC_EXEC;
}

struct object *sec_executing(struct thread *thread)
{
	return space_object_at(thread, arch_regs_pc(&thread->regs));
}

/* ---- One thread, one object ---- */

/* What is verified in steps is kept in memory meanwhile, with what is known of it already. */
static void hold_while_verified(struct thread *thread, struct object *object, bool again)
{
	struct object *held = thread->verifying;

	if (again == (held == object))
		return;
	if (again)
		object_ref(object);
	thread->verifying = again ? object : NULL;
	object_put(held);
}

int sec_rights(struct thread *thread, struct object *object, uint32_t *rights)
{
	uint32_t p_flags;
	int error = trusted_flags(object, &p_flags);

	hold_while_verified(thread, object, error == OBJECT_AGAIN);
	if (!error)
		*rights = effective(thread->space->context, object, p_flags);
	return error;
}

/* The search through attached contexts: see docs/security.md, "Which context acts". */
struct search {
	struct thread *thread;
	struct object *object;
	uint32_t p_flags;
	struct object *executed;
};

/* False: the active context must do. */
static bool search_begin(struct search *search, struct thread *thread, struct object *object)
{
	struct seccontext *active = thread->space->context;

	*search = (struct search){ .thread = thread, .object = object };
	if (!sec_has_attached(thread) || sec_sticky(active) || trusted_flags(object, &search->p_flags) != 0)
		return false;
	search->executed = sec_executing(thread);
	if (sec_executable(active, search->executed))
		return true;
	object_put(search->executed);
	return false;
}

/* The rights of the attached context in a place of the set, which is returned with a reference. */
static struct seccontext *search_at(struct search *search, unsigned int place, uint32_t *rights)
{
	struct seccontext *context = sec_attached_at(search->thread, place);

	*rights = 0;
	if (context && sec_may_act(context, search->thread->space->view) &&
	    sec_executable(context, search->executed))
		*rights = effective(context, search->object, search->p_flags);
	return context;
}

bool sec_switch_for(struct thread *thread, struct object *object, uint32_t need)
{
	struct search search;
	bool found = false;

	/* Into an object that may not be executed only a gate leads. */
	if ((need & SEC_EXEC) || thread->context_fixed || !search_begin(&search, thread, object))
		return false;
	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS && !found; i++) {
		uint32_t rights;
		struct seccontext *context = search_at(&search, i, &rights);
		found = (rights & need) == need && sec_enter(thread, thread->space->view, context) == 0;
		if (context)
			seccontext_put(context);
	}
	object_put(search.executed);
	return found;
}

static bool satisfies(uint32_t rights, const struct sec_need *need)
{
	return (rights & need->all) == need->all && (!need->any || (rights & need->any));
}

/* Each right may come from another context. */
static uint32_t search_rights(struct thread *thread, struct object *object, const struct sec_need *need,
			      uint32_t rights)
{
	struct search search;

	if (!search_begin(&search, thread, object))
		return rights;
	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS && !satisfies(rights, need); i++) {
		uint32_t more;
		struct seccontext *context = search_at(&search, i, &more);
		rights |= more;
		if (context)
			seccontext_put(context);
	}
	object_put(search.executed);
	return rights;
}

int sec_allows(struct thread *thread, struct object *object, enum sec_operation operation)
{
	const struct sec_need *need = &sec_needs[operation];
	uint32_t rights;
	int error = sec_rights(thread, object, &rights);

	/* More to verify: the call is made again. */
	if (error == OBJECT_AGAIN)
		arch_regs_restart(&thread->regs);
	if (error)
		return error;
	if (!satisfies(rights, need))
		rights = search_rights(thread, object, need, rights);
	if (satisfies(rights, need))
		return 0;
	log_debug("thread " IDFMT " may not %s " IDFMT ": has 0x%x", IDPR(thread->id), need->name,
		  IDPR(object->id), rights);
	return -EACCES;
}
