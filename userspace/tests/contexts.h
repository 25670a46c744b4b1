// SPDX-License-Identifier: BSD-3-Clause
/* Security contexts for guest tests: threads that may do less than all. */
#ifndef TESTS_CONTEXTS_H
#define TESTS_CONTEXTS_H

#include <twz/obj.h>
#include <twz/sys/sctx.h>
#include <twz/sys/thread.h>

#define ALL_RIGHTS (SCP_READ | SCP_WRITE | SCP_EXEC | SCP_USE | SCP_DEL)
#define ALL_DEFAULTS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_EXEC | TWZ_OC_DFL_USE | TWZ_OC_DFL_DEL)

/* A new volatile context, open, that takes nothing away. 0 or a negative error. */
int new_context(twzobj *o);

/* A new volatile object with all default permissions, open for reading and writing. */
int new_open_object(twzobj *o);

/* Something a thread does, and what came of it. */
struct limited {
	long (*run)(void *arg);
	void *arg;
	objid_t context; /* attached first */
	long attached;   /* out: result of that */
	long result;     /* out */
};

/*
 * Do it in a thread of its own, with the context. The thread's exit code: 0, or 256 + the fault
 * that ended it.
 */
uint64_t run_limited(struct limited *l);

/*
 * The same, with a context in which `target` has only the rights `allowed`. Its result; ~0 no
 * result.
 */
long with_rights(objid_t target, uint32_t allowed, long (*run)(void *), void *arg);

#endif
