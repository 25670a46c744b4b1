// SPDX-License-Identifier: BSD-3-Clause
/*
 * Objects as arguments of system calls.
 */
#ifndef SYS_ACCESS_H
#define SYS_ACCESS_H

#include <abi/types.h>
#include <stdint.h>

struct object;

/*
 * The object `id`, with a new reference, on which the current thread has all rights in `need`
 * (sec/check.h). -ENOENT, -EINVLOBJ, -EACCES.
 */
int sys_get_object(objid_t id, uint32_t need, struct object **out);

#endif
