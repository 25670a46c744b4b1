// SPDX-License-Identifier: BSD-3-Clause
/*
 * Objects as arguments of system calls: found, checked, referenced.
 */
#include <abi/errno.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/attach.h>
#include <sec/check.h>
#include <sys/access.h>

static int take(struct object *object, enum sec_operation operation, struct object **out)
{
	if (!object)
		return -ENOENT;
	int error = sec_allows(current_thread(), object, operation);
	if (error)
		object_put(object);
	else
		*out = object;
	return error;
}

int sys_take_object(objid_t id, enum sec_operation operation, struct object **out)
{
	return take(object_get(id), operation, out);
}

int sys_take_kept(objid_t id, enum sec_operation operation, struct object **out)
{
	return take(object_get_kept(id), operation, out);
}

int sys_may_control(struct object *repr)
{
	struct thread *thread = current_thread();

	if (repr == thread->repr)
		return 0;
	int error = sec_allows(thread, repr, SEC_OP_CONTROL_THREAD);
	if (error)
		return error;
	spin_lock(&repr->lock);
	bool covers = !repr->thread || sec_covers(thread, repr->thread);
	spin_unlock(&repr->lock);
	return covers ? 0 : -EACCES;
}
