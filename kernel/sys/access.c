// SPDX-License-Identifier: BSD-3-Clause
/*
 * Objects as arguments of system calls: found, checked, referenced.
 */
#include <abi/errno.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/check.h>
#include <sys/access.h>

int sys_get_object(objid_t id, uint32_t need, struct object **out)
{
	struct object *object = object_get(id);

	if (!object)
		return -ENOENT;
	int error = sec_check(current_thread(), object, need);
	if (error) {
		object_put(object);
		return error;
	}
	*out = object;
	return 0;
}
