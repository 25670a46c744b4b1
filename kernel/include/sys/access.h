// SPDX-License-Identifier: BSD-3-Clause
/*
 * Objects as arguments of system calls.
 */
#ifndef SYS_ACCESS_H
#define SYS_ACCESS_H

#include <abi/types.h>
#include <sec/operation.h>
#include <stdint.h>

struct object;

/*
 * The object `id`, with a new reference, to which the current thread may do the operation
 * (sec/check.h). -ENOENT, -EINVLOBJ, -EACCES.
 */
int sys_take_object(objid_t id, enum sec_operation operation, struct object **out);

/* The same, also of what was deleted immediately, to take away what keeps it. */
int sys_take_kept(objid_t id, enum sec_operation operation, struct object **out);

/*
 * Whether the current thread may act on the thread that runs `repr`: itself, or with the right to
 * its object and every context attached that is attached there. 0, -EINVLOBJ, -EACCES.
 */
int sys_may_control(struct object *repr);

#endif
