// SPDX-License-Identifier: BSD-3-Clause
/* The slow path of spinlocks: see spinlock.h. */
#include <panic.h>
#include <spinlock.h>

void spin_wait(struct spinlock *lock, uint32_t ticket)
{
	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket) {
		/* The holder may have panicked, or be parked by the one who did. */
		if (panic_active())
			panic_park();
		arch_pause();
	}
}
