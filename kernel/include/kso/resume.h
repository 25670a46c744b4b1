// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads that go on after a reset: attached to the root, a thread begins at its FAULT_RESUME
 * handler, now and at every boot until it ends or is detached. docs/threads.md, "Resume".
 *
 * What is recorded of a thread is its own view and active context, not those of a protected call it
 * is in.
 */
#ifndef KSO_RESUME_H
#define KSO_RESUME_H

struct object;
struct thread;

/* Open the store's list, and start every thread in it. Boot CPU, once, when threads can be made. */
void resume_boot(void);

/*
 * Attach a thread object to the root: an idle one is started, in the view that it names and with
 * the caller's contexts; one that is persistent and so is its view is also marked to be resumed,
 * durably on return. The caller has checked the rights on both but that on the view. -EINVAL no
 * FAULT_RESUME handler or no fault stack, or a running thread that cannot be marked; -ENOENT,
 * -EACCES the view; -EBUSY; -ENOSPC, -ENOMEM, -EROFS, -EUCLEAN. No lock held.
 */
int resume_attach(struct object *repr);

/*
 * Take the mark away, durable on return. -ENOENT it has none; errors of the store: it has it still.
 */
int resume_detach(struct object *repr);

/*
 * The current thread has settled in a view, with an active context and attached ones: remember it,
 * and if the thread is marked, record it. No lock held.
 */
void resume_note(struct thread *thread);

/* Something else that is recorded has changed in the thread of this object. No lock held. */
void resume_changed(struct object *repr);

/* The current thread ends: it is not resumed. From now on it cannot be marked. No lock held. */
void resume_end(struct thread *thread);

#endif
