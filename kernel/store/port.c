// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel's side of store/port.h: its log and its spinlock.
 */
#include <log.h>
#include <spinlock.h>
#include <store/port.h>

_Static_assert(sizeof(struct spinlock) <= sizeof(struct store_lock), "a spinlock fits");

static struct spinlock *spin(struct store_lock *lock)
{
	return (struct spinlock *)(void *)lock->opaque;
}

void store_log(enum store_log_level level, const char *format, ...)
{
	static const enum log_level levels[] = { LOG_ERROR, LOG_WARN, LOG_INFO };
	va_list args;

	va_start(args, format);
	log_vprint(levels[level], "store", format, args);
	va_end(args);
}

void store_lock_init(struct store_lock *lock)
{
	*spin(lock) = (struct spinlock)SPINLOCK_INIT;
}

void store_lock_acquire(struct store_lock *lock)
{
	spin_lock(spin(lock));
}

void store_lock_release(struct store_lock *lock)
{
	spin_unlock(spin(lock));
}
