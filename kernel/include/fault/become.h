// SPDX-License-Identifier: BSD-3-Clause
/*
 * Frames of protected calls: what SYS_BECOME keeps of a caller until the callee returns, ends, or
 * faults with nobody to take it. Docs: docs/faults.md.
 */
#ifndef FAULT_BECOME_H
#define FAULT_BECOME_H

#include <stdbool.h>

#include <sched/thread.h>

struct seccontext;

#define BECOME_MAX_DEPTH 64u

/* Whether the thread runs on behalf of a caller: signals, suspension and ends wait until it returns. */
static inline bool become_in_call(const struct thread *thread)
{
	return thread->become_top != NULL;
}

/* The active context of the innermost frame's caller, referenced by the frame; NULL: no frame. */
struct seccontext *become_caller(const struct thread *thread);

/* Forget all frames of a thread that ends or resumes. No lock held. */
void become_drop_all(struct thread *thread);

/*
 * The innermost callee of the current thread failed: back to its caller, whose call returns -EREMOTEIO.
 * False: no frame is pushed.
 */
bool become_abandon(struct thread *thread);

#endif
