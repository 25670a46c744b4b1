// SPDX-License-Identifier: BSD-3-Clause
/* The slow path of spinlocks: see spinlock.h. */
#include <panic.h>
#include <spinlock.h>

/* Waiters read: only when the lock looks free does its cache line move for the next try. */
void spin_wait(struct spinlock *lock)
{
	while (spin_is_locked(lock)) {
		/* The holder may have panicked, or be parked by the one who did. */
		if (panic_active())
			panic_park();
		arch_pause();
	}
}

void spin_await(_Atomic int *word, int value)
{
	while (atomic_load(word) != value) {
		if (panic_active())
			panic_park();
		arch_pause();
	}
}
