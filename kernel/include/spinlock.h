// SPDX-License-Identifier: BSD-3-Clause
/*
 * Spinlocks: test-and-set locks, acquire on taking, release on letting go. They are not fair on
 * purpose: tickets make every waiter wait for the one whose turn it is, and on a machine whose CPUs
 * are virtual that one may not be running at all. Holds are short, so nobody waits long.
 *
 * Rules. The kernel runs with interrupts masked, so a lock is never taken by an interrupt over its
 * own holder. A holder never sleeps, copies from or to user memory, or calls out to user-supplied
 * anything. Locks are taken in this order, and two of one kind only where said:
 *
 *   space lock → object lock → store lock → page and slab locks
 *   space lock or object lock → sync bucket → timer lock → run-queue lock
 *   object lock → lock of all stops, of all lending → run-queue lock
 *   log lock: innermost, anywhere
 *
 * Debug builds check that a lock is not taken twice by one CPU and is released by its owner, and
 * measure how long it is held, for each place that takes one (abi/times.h).
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arch/cpu.h>
#include <debug/delays.h>

struct spinlock {
	_Atomic uint32_t held;
#ifdef CONFIG_DEBUG
	_Atomic(struct cpu *) owner;
	/* Guarded by the lock itself: who took it, and when. */
	struct lock_site *site;
	uint64_t since;
#endif
};

#define SPINLOCK_INIT { 0 }

/* Debug checks, in debug/lockcheck.c; empty in other builds. */
struct lock_site;
#ifdef CONFIG_DEBUG
void lockcheck_acquire(struct spinlock *lock);
void lockcheck_acquired(struct spinlock *lock, struct lock_site *site);
void lockcheck_release(struct spinlock *lock);

/* A place that takes a lock. */
struct lock_site {
	const char *function, *lock;
	struct twz_hold *_Atomic record; /* the observer's */
};
#define LOCK_SITE(lock)                                              \
	({                                                           \
		static struct lock_site site_ = { __func__, #lock, NULL }; \
		&site_;                                              \
	})

/*
 * Called when a lock has been let go that was taken at `site`, with the ticks it was held. NULL:
 * nobody.
 */
extern void (*lock_observer)(struct lock_site *site, uint64_t ticks);
#else
#define LOCK_SITE(lock) NULL
static inline void lockcheck_acquire(struct spinlock *lock) { (void)lock; }
static inline void lockcheck_acquired(struct spinlock *lock, struct lock_site *site) { (void)lock, (void)site; }
static inline void lockcheck_release(struct spinlock *lock) { (void)lock; }
#endif

#define spin_lock(lock) spin_lock_at((lock), LOCK_SITE(lock))
#define spin_trylock(lock) spin_trylock_at((lock), LOCK_SITE(lock))

/*
 * Wait until the lock looks free, for another try; parks the CPU for good when another CPU has
 * panicked.
 */
void spin_wait(struct spinlock *lock);

/*
 * Wait until a word has the value that another CPU is about to give it, one that waits for nothing
 * before it does; parks the CPU for good as spin_wait().
 */
void spin_await(_Atomic int *word, int value);

static inline bool spin_try(struct spinlock *lock)
{
	return atomic_exchange_explicit(&lock->held, 1, memory_order_acquire) == 0;
}

static inline void spin_lock_at(struct spinlock *lock, struct lock_site *site)
{
	lockcheck_acquire(lock);
	delay_here();
	while (!spin_try(lock))
		spin_wait(lock);
	lockcheck_acquired(lock, site);
	delay_here();
}

static inline void spin_unlock(struct spinlock *lock)
{
	lockcheck_release(lock);
	atomic_store_explicit(&lock->held, 0, memory_order_release);
	delay_here();
}

static inline bool spin_trylock_at(struct spinlock *lock, struct lock_site *site)
{
	if (!spin_try(lock))
		return false;
	lockcheck_acquired(lock, site);
	return true;
}

static inline bool spin_is_locked(const struct spinlock *lock)
{
	return atomic_load_explicit(&lock->held, memory_order_relaxed) != 0;
}

#endif
