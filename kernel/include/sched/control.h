// SPDX-License-Identifier: BSD-3-Clause
/*
 * What threads do to each other: signals, suspension, ending, scheduling parameters.
 *
 * Whoever wants something of a thread notes it in thread->pending under the lock of the thread's
 * object and sees to it that the thread looks: a sleeper is woken with -EINTR, one that runs
 * elsewhere is interrupted. The thread itself then does it, before it next returns to user mode.
 * While it runs on behalf of a caller (fault/become.h) everything stays pending.
 *
 * All take the thread object; permission has been checked; no lock is held. -ESRCH: no thread runs
 * there.
 */
#ifndef SCHED_CONTROL_H
#define SCHED_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct arch_regs;
struct object;
struct sched_values;
struct thread;

#define SIGNALS_MAX 32u
#define SUSPENDS_MAX 255u

/* Queue a signal. -EAGAIN: SIGNALS_MAX are queued; -ENOMEM. */
int control_signal(struct object *repr, const long args[4]);

/*
 * System call: stop a thread other than the caller, which is parked until it has. Counted:
 * -EOVERFLOW after SUSPENDS_MAX; -EINVAL the caller itself.
 */
long control_suspend(struct object *repr);

/* Undo one suspension. -EINVAL: it has none. */
int control_resume(struct object *repr);

/* End a thread as if it had exited with `code`. It may take until it is next allowed to run. */
int control_kill(struct object *repr, uint64_t code);

/*
 * System call: set parameters; they are in force when it returns. `may_raise`: the caller may go
 * beyond what the thread was given (-EACCES else).
 */
long control_set_sched(struct object *repr, const struct sched_values *values, bool may_raise);
int control_get_sched(struct object *repr, struct sched_values *values);

/*
 * Call fn with a suspended thread, whose user state is complete and stays as it is meanwhile.
 * -EBUSY: it is not suspended; else what fn returns. fn runs with the object's lock held.
 */
int control_with_stopped(struct object *repr, int (*fn)(struct thread *thread, void *arg), void *arg);

/* ---- For the scheduler and for thread_exit() ---- */

/*
 * Do what is pending for the current thread: it may be off its CPU afterwards. At most one signal,
 * and that only with `signals`. True: one was delivered.
 *
 * The kernel does not know when a handler is done: it may return, or jump out. The next signal
 * waits while the stack pointer is on the handler's stack, below where it began, but for
 * SIGNAL_HOLD_NS of the thread's CPU time at most, and SIGNAL_HOLD_LOOKS returns to user mode (a
 * timer sees to those). So handlers run one after the other in the order of the signals, unless
 * they take long; then the next begins inside.
 */
#define SIGNAL_HOLD_NS 10000000ull
#define SIGNAL_HOLD_LOOKS 8u
bool control_deliver(struct thread *thread, bool signals);

/* A thread is made; a thread has ended and its object has let go of it. */
void control_begin(struct thread *thread);
void control_end(struct thread *thread);

#endif
