// SPDX-License-Identifier: BSD-3-Clause
/*
 * Frames of protected calls: what SYS_BECOME keeps of a caller until the callee returns, ends, or
 * faults with nobody to take it. Docs: docs/faults.md.
 */
#ifndef FAULT_BECOME_H
#define FAULT_BECOME_H

#include <stdbool.h>

#include <abi/become.h>
#include <sched/thread.h>

struct addrspace;
struct seccontext;

#define BECOME_MAX_DEPTH SYS_BECOME_MAX_DEPTH

/* Whether the thread runs for a caller: signals, suspension and ends wait until it returns. */
static inline bool become_in_call(const struct thread *thread)
{
	return thread->become_top != NULL;
}

/* The active context of the innermost frame's caller, referenced by the frame; NULL: no frame. */
struct seccontext *become_caller(const struct thread *thread);

/* Forget all frames of a thread that ends or resumes. No lock held. */
void become_drop_all(struct thread *thread);

/*
 * A call by the current thread, in two steps, so that nothing fails after the first: make a frame
 * (-EOVERFLOW, -ENOMEM); push it with the registers as they are and go on in `space`, whose
 * reference the thread takes over.
 */
int become_prepare(struct thread *thread, struct become_frame **frame);
void become_call(struct thread *thread, struct become_frame *frame, struct addrspace *space);

/* Instead of the second step; NULL is ignored. */
void become_cancel(struct thread *thread, struct become_frame *frame);

/* Go on in `space` for good. The thread takes its reference over. */
void become_move(struct thread *thread, struct addrspace *space);

/*
 * Back to the innermost caller: registers, view and active context as they were. False: no frame.
 */
bool become_return(struct thread *thread);

/*
 * The innermost callee of the current thread failed: back to its caller, whose call returns
 * -EREMOTEIO.
 * False: no frame is pushed.
 */
bool become_abandon(struct thread *thread);

#endif
