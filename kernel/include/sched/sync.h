// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sleeping on words of objects. Wait queues are keyed by (object, offset), so they work between
 * address spaces. A wake never gets lost: joining the queue and comparing the word are atomic
 * against wakes of that word, because both hold the word's bucket lock. Sleepers are woken highest
 * level first, as it was when they went to sleep; equals in the order in which they came.
 */
#ifndef SCHED_SYNC_H
#define SCHED_SYNC_H

#include <stdint.h>

struct object;
struct thread;
struct cpu;

void sync_init(void);

/*
 * Wake up to `count` sleepers on a word (all if negative). Returns how many. Any context but with a
 * bucket, timer or run-queue lock held. No reference is needed: nothing is dereferenced.
 */
long sync_wake(struct object *object, uint64_t offset, long count);

/*
 * Wake a thread that sleeps on words or a timeout, with -EINTR; one that does not sleep is left
 * alone, but one that is on its way to sleep sees thread->pending. Its object's lock is held.
 */
void sync_interrupt(struct thread *thread);

/*
 * A sleeper's level has changed: it is woken for nothing, to queue up again where it now belongs.
 * Its object's lock is held.
 */
void sync_requeue(struct thread *thread);

/* Wake everyone who sleeps on any word of a dying object, with -ENOENT. */
void sync_object_deleted(struct object *object);

/* The timeouts of this CPU that are due. From the timer upcall. */
void sync_expire(struct cpu *cpu, uint64_t now);

/* System call: see sys_thread_sync in docs/system-calls.md. */
long sync_call(unsigned long count, uintptr_t ops, uintptr_t timeout, unsigned long flags);

#endif
