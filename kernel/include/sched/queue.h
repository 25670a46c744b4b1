// SPDX-License-Identifier: BSD-3-Clause
/*
 * The run queue of a CPU: the threads that could run there and are waiting for their turn.
 *
 * A thread waits at a level, and higher levels run first:
 *
 *   LEVEL_STOP     a thread that is to stop or end: for the little it has left to do
 *   LEVEL_RT(p)    real time, priority p, first in, first out
 *   LEVEL_NORMAL   time-shared, by virtual time: the thread that had least for its weight comes first
 *   LEVEL_IDLE     only when nothing else wants to run, in turn
 *
 * Finding the first takes constant time (a bitmap over the lists, the root of a heap); putting in
 * is constant, taking out logarithmic. NORMAL threads that may not run everywhere stand in a heap
 * of their own, so that a CPU that looks for work elsewhere finds what it may take without a
 * search.
 */
#ifndef SCHED_QUEUE_H
#define SCHED_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <base/heap.h>
#include <base/list.h>
#include <spinlock.h>

struct thread;

#define LEVEL_NONE 0u /* nobody */
#define LEVEL_IDLE 1u
#define LEVEL_NORMAL 2u
#define LEVEL_RT(prio) (LEVEL_NORMAL + (prio)) /* prio 1 … 99 */
#define LEVEL_STOP LEVEL_RT(100u)
#define LEVEL_COUNT (LEVEL_STOP + 1)

struct run_queue {
	struct spinlock lock;
	/* Guarded by lock. */
	uint64_t map[2];               /* a bit for each level whose list is not empty */
	struct list lists[LEVEL_COUNT]; /* struct thread.run_link; not LEVEL_NORMAL */
	struct heap anywhere;          /* LEVEL_NORMAL, struct thread.fair_link: those without affinity */
	struct heap bound;             /* and those with */
	uint64_t virtual_time;         /* never goes back: about what those have had who had least */

	/* Changed with the lock held, read by anyone. */
	_Atomic uint32_t count;        /* threads in the queue */
	_Atomic uint32_t top;          /* the highest level among them */
};

void queue_init(struct run_queue *queue);

/*
 * Put a thread in at `level`, behind its equals or (front) before them; NORMAL threads go by
 * thread->virtual_time. The thread is in no queue. Lock held, here and below.
 */
void queue_insert(struct run_queue *queue, struct thread *thread, uint32_t level, bool front);

/* Take a thread out that is in this queue. */
void queue_remove(struct run_queue *queue, struct thread *thread);

/* The thread whose turn it is; NULL when the queue is empty. It stays in. */
struct thread *queue_first(const struct run_queue *queue);

/*
 * The first thread above level `above` whose affinity has one of the CPUs of `cpus`; it stays in.
 * Of threads that are bound to CPUs, only the first few of a level are looked at.
 */
struct thread *queue_find(const struct run_queue *queue, uint32_t above, uint64_t cpus);

/* The smallest virtual time among the NORMAL threads; UINT64_MAX when there is none. */
uint64_t queue_least(const struct run_queue *queue);

#endif
