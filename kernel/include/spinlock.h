// SPDX-License-Identifier: BSD-3-Clause
/*
 * Spinlocks: fair (ticket) locks, acquire on taking, release on letting go.
 *
 * Rules. The kernel runs with interrupts masked, so a lock is never taken by an interrupt over its own
 * holder. A holder never sleeps, copies from or to user memory, or calls out to user-supplied
 * anything. Locks are taken in this order, and two of one kind only where said:
 *
 *   space lock → object lock → store lock → page and slab locks
 *   space lock or object lock → sync bucket → timer lock → run-queue lock
 *   log lock: innermost, anywhere
 *
 * Debug builds check that a lock is not taken twice by one CPU and is released by its owner.
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <arch/cpu.h>

struct spinlock {
	_Atomic uint32_t next;    /* next ticket to hand out */
	_Atomic uint32_t serving; /* ticket that holds the lock */
#ifdef CONFIG_DEBUG
	_Atomic(struct cpu *) owner;
#endif
};

#define SPINLOCK_INIT { 0 }

/* Debug checks, in debug/lockcheck.c; empty in other builds. */
#ifdef CONFIG_DEBUG
void lockcheck_acquire(struct spinlock *lock);
void lockcheck_acquired(struct spinlock *lock);
void lockcheck_release(struct spinlock *lock);
#else
static inline void lockcheck_acquire(struct spinlock *lock) { (void)lock; }
static inline void lockcheck_acquired(struct spinlock *lock) { (void)lock; }
static inline void lockcheck_release(struct spinlock *lock) { (void)lock; }
#endif

/* Wait for a ticket; parks the CPU for good when another CPU has panicked. */
void spin_wait(struct spinlock *lock, uint32_t ticket);

static inline void spin_lock(struct spinlock *lock)
{
	lockcheck_acquire(lock);
	uint32_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
	if (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
		spin_wait(lock, ticket);
	lockcheck_acquired(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
	lockcheck_release(lock);
	uint32_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);
	atomic_store_explicit(&lock->serving, serving + 1, memory_order_release);
}

static inline bool spin_trylock(struct spinlock *lock)
{
	uint32_t serving = atomic_load_explicit(&lock->serving, memory_order_acquire);
	uint32_t expected = serving;
	if (!atomic_compare_exchange_strong_explicit(&lock->next, &expected, serving + 1,
						     memory_order_acquire, memory_order_relaxed))
		return false;
	lockcheck_acquired(lock);
	return true;
}

static inline bool spin_is_locked(const struct spinlock *lock)
{
	return atomic_load_explicit(&lock->next, memory_order_relaxed) !=
	       atomic_load_explicit(&lock->serving, memory_order_relaxed);
}

#endif
