// SPDX-License-Identifier: BSD-3-Clause
/*
 * The decision. Callers name the operation's need; nothing else in the kernel weighs rights.
 */
#define LOG_PREFIX "security"

#include <abi/errno.h>
#include <arch/thread.h>
#include <arch/upcall.h>
#include <log.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/check.h>

_Static_assert(SEC_READ == MIP_DFL_READ && SEC_WRITE == MIP_DFL_WRITE && SEC_EXEC == MIP_DFL_EXEC &&
	       SEC_USE == MIP_DFL_USE && SEC_DEL == MIP_DFL_DEL, "rights are permission bits");

_Static_assert(OBJECT_AGAIN == SYSCALL_PARKED, "what a call returns that is made again");

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
	/* Every thread descends from the bootstrap thread, and no context can be attached. */
	spin_lock(&object->lock);
	int error = object_verify(object);
	uint16_t p_flags = object->p_flags;
	spin_unlock(&object->lock);
	hold_while_verified(thread, object, error == OBJECT_AGAIN);
	if (error)
		return error;
	*rights = SEC_ALL;
	if (p_flags & MIP_HASHDATA)
		*rights &= ~SEC_WRITE;
	if (object->kernel_owned)
		*rights &= ~(SEC_EXEC | SEC_DEL);
	return 0;
}

/* sec_rights() for a call of the current thread, which is made again if there is more to verify. */
static int call_rights(struct thread *thread, struct object *object, uint32_t *rights)
{
	int error = sec_rights(thread, object, rights);

	if (error == OBJECT_AGAIN)
		arch_regs_restart(&thread->regs);
	return error;
}

static int refuse(struct thread *thread, struct object *object, uint32_t need, uint32_t rights)
{
	log_debug("thread " IDFMT " lacks 0x%x on " IDFMT, IDPR(thread->id), need & ~rights,
		  IDPR(object->id));
	return -EACCES;
}

int sec_check(struct thread *thread, struct object *object, uint32_t need)
{
	uint32_t rights;
	int error = call_rights(thread, object, &rights);

	if (error)
		return error;
	return (rights & need) == need ? 0 : refuse(thread, object, need, rights);
}

int sec_check_any(struct thread *thread, struct object *object, uint32_t any)
{
	uint32_t rights;
	int error = call_rights(thread, object, &rights);

	if (error)
		return error;
	return (rights & any) ? 0 : refuse(thread, object, any, rights);
}
