// SPDX-License-Identifier: BSD-3-Clause
/* Stands for kernel/include/spinlock.h where the explorer decides who gets a lock. */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <arch/cpu.h>

#include "explore.h"

struct spinlock {
	uint32_t held;
};

#define SPINLOCK_INIT { 0 }

static inline void spin_lock(struct spinlock *lock)
{
	if (!explore_mutated(MUTATE_LOCKS)) {
		explore_lock(&lock->held);
	} else {
		explore_point(&lock->held, true);
		if (lock->held)
			explore_shared();
	}
	lock->held = 1;
}

static inline void spin_unlock(struct spinlock *lock)
{
	/* Whoever waits for it becomes able to go on: no stop is needed before that. */
	lock->held = 0;
}

static inline void spin_await(_Atomic int *word, int value)
{
	if (!explore_mutated(MUTATE_OVER))
		explore_wait_for((const volatile uint32_t *)word, (uint32_t)value);
}

#endif
