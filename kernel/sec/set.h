// SPDX-License-Identifier: BSD-3-Clause
/*
 * The set of contexts attached to a thread, for the files that keep it.
 */
#ifndef SEC_SET_H
#define SEC_SET_H

#include <sec/attach.h>
#include <sec/context.h>
#include <spinlock.h>

/* What is to happen to a context at system calls: bit per call, by its place in the table. */
struct sec_late {
	uint32_t entry; /* detach before */
	uint32_t exit;  /* detach after */
	uint32_t back;  /* detach before, attach again after */
};

struct sec_set {
	struct spinlock lock; /* innermost */
	/* Guarded by lock. */
	struct seccontext *contexts[TWZ_THRD_MAX_SCS]; /* hold references */
	struct seccontext *away[TWZ_THRD_MAX_SCS];     /* come back to their places after the present call */
	struct sec_late late[TWZ_THRD_MAX_SCS];
	uint32_t fresh; /* bit per place: added since the thread last settled */
};

#endif
