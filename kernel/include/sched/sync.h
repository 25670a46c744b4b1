// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sleeping on words of objects. Wait queues are keyed by (object, offset), so they work between
 * address spaces. A wake never gets lost: joining the queue and comparing the word are atomic
 * against wakes of that word, because both hold the word's bucket lock.
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

/* Wake everyone who sleeps on any word of a dying object, with -ENOENT. */
void sync_object_deleted(struct object *object);

/* The timeouts of this CPU that are due. From the timer upcall. */
void sync_expire(struct cpu *cpu, uint64_t now);

/* System call: see sys_thread_sync in docs/system-calls.md. */
long sync_call(unsigned long count, uintptr_t ops, uintptr_t timeout, unsigned long flags);

#endif
