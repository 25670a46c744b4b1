// SPDX-License-Identifier: BSD-3-Clause
/* Spinlock owner checks of debug builds, and how long locks are held: see spinlock.h. */
#include <arch/time.h>
#include <cpu.h>
#include <panic.h>
#include <spinlock.h>

static const char *caller_name(const void *address)
{
	uintptr_t offset;

	return symbol_name((uintptr_t)address, &offset);
}

static struct cpu *owner_of(struct spinlock *lock)
{
	return atomic_load_explicit(&lock->owner, memory_order_relaxed);
}

void lockcheck_acquire(struct spinlock *lock)
{
	if (owner_of(lock) == this_cpu() && !panic_active())
		panic("%s takes the lock at %p, which this CPU already holds",
		      caller_name(__builtin_return_address(0)), (void *)lock);
}

void (*lock_observer)(struct lock_site *site, uint64_t ticks);

void lockcheck_acquired(struct spinlock *lock, struct lock_site *site)
{
	atomic_store_explicit(&lock->owner, this_cpu(), memory_order_relaxed);
	lock->site = site;
	lock->since = arch_counter();
}

void lockcheck_release(struct spinlock *lock)
{
	struct cpu *owner = owner_of(lock);

	if (owner != this_cpu() && !panic_active())
		panic("%s releases the lock at %p, which %s holds",
		      caller_name(__builtin_return_address(0)), (void *)lock,
		      owner == NULL ? "nobody" : "another CPU");
	atomic_store_explicit(&lock->owner, NULL, memory_order_relaxed);
	if (lock_observer)
		lock_observer(lock->site, arch_counter() - lock->since);
}
