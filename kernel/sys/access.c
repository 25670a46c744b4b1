// SPDX-License-Identifier: BSD-3-Clause
/*
 * Objects as arguments of system calls: found, checked, referenced.
 */
#include <abi/errno.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/check.h>
#include <sys/access.h>

/* Hand the object over, or drop it. */
static int deliver(struct object *object, int error, struct object **out)
{
	if (error)
		object_put(object);
	else
		*out = object;
	return error;
}

int sys_take_object(objid_t id, enum sec_operation operation, struct object **out)
{
	struct object *object = object_get(id);

	if (!object)
		return -ENOENT;
	return deliver(object, sec_allows(current_thread(), object, operation), out);
}

int sys_get_object(objid_t id, uint32_t need, struct object **out)
{
	struct object *object = object_get(id);

	if (!object)
		return -ENOENT;
	return deliver(object, sec_check(current_thread(), object, need), out);
}
