// SPDX-License-Identifier: BSD-3-Clause
/*
 * The one place that decides who may do what to which object.
 *
 * A thread's rights are those of its active context; if they do not suffice, attached contexts are
 * searched (docs/security.md). Metadata that does not match its ID grants nothing to anybody,
 * nobody writes hash-data objects, and nobody executes or deletes kernel-owned ones. WRITE on a
 * kernel-owned object is the right to have the kernel change it; mappings of one are always
 * read-only (mm/fault.c).
 *
 * All functions: no lock is held.
 */
#ifndef SEC_CHECK_H
#define SEC_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include <sec/operation.h>

struct object;
struct seccontext;
struct thread;

/*
 * The rights that the current thread's active context has on `object`, after verifying its
 * identity: what a mapping made for it may allow. 0 or more rights in *rights; -EINVLOBJ; -ENOMEM;
 * OBJECT_AGAIN: not known yet, ask again, but let others run before.
 */
int sec_rights(struct thread *thread, struct object *object, uint32_t *rights);

/*
 * A data access of the current thread needs a right that its active context lacks: make the first
 * attached context active that has it. True: done, the access is to be tried again in the new
 * address space.
 */
bool sec_switch_for(struct thread *thread, struct object *object, uint32_t need);

/*
 * For system calls: whether the current thread may do this to `object`: 0; -EACCES or -EINVLOBJ,
 * logged at debug level with who, what and which; -ENOMEM; SYSCALL_PARKED, to be returned at once:
 * the call is made again, so nothing may have been changed. Nothing is switched.
 */
int sec_allows(struct thread *thread, struct object *object, enum sec_operation operation);

/* The object that the current thread executes, with a reference, or NULL. */
struct object *sec_executing(struct thread *thread);

/* Whether code in `executed` (NULL: none) may run in the context without passing a gate. */
bool sec_executable(struct seccontext *context, struct object *executed);

/* Whether the context can be active in a view. */
bool sec_may_act(struct seccontext *context, struct object *view);

/* Whether the context, while active, keeps its thread from all others. */
bool sec_sticky(struct seccontext *context);

#endif
