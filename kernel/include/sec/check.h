// SPDX-License-Identifier: BSD-3-Clause
/*
 * The one place that decides who may do what to which object.
 *
 * Today's rules: a thread is unrestricted until it attaches a security context (none can be attached
 * yet), except that nobody writes hash-data objects, executes or deletes kernel-owned ones, and
 * metadata that does not match its ID grants nothing to anybody. WRITE on a kernel-owned object is
 * the right to have the kernel change it; mappings of one are always read-only (mm/fault.c).
 */
#ifndef SEC_CHECK_H
#define SEC_CHECK_H

#include <stdint.h>

struct object;
struct thread;

/* Rights, with the values of the default-permission bits (abi/object.h). */
#define SEC_READ 4u
#define SEC_WRITE 8u
#define SEC_EXEC 0x10u
#define SEC_USE 0x20u
#define SEC_DEL 0x40u
#define SEC_ALL 0x7cu

/*
 * The rights `thread` has on `object`, after verifying its identity. 0 or more rights in *rights;
 * -EINVLOBJ; -ENOMEM; OBJECT_AGAIN: not known yet, ask again, but let others run before. object->lock must not be held.
 */
int sec_rights(struct thread *thread, struct object *object, uint32_t *rights);

/*
 * For system calls of the current thread. All of `need`: 0; -EACCES or -EINVLOBJ, logged at debug level with who,
 * what and which; -ENOMEM; SYSCALL_PARKED, to be returned at once: the call is made again, so nothing may
 * have been changed.
 */
int sec_check(struct thread *thread, struct object *object, uint32_t need);

/* At least one of `any`. */
int sec_check_any(struct thread *thread, struct object *object, uint32_t any);

#endif
