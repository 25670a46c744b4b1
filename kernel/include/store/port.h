// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the store needs from the program it is built into: a log and a lock.
 *
 * The kernel supplies it in store/port.c; hosted builds (unit tests, the crash explorer, the store
 * tool) supply their own. Nothing else outside of lib/ is called by the store, except the
 * persistence operations handed to it (store/pm.h).
 */
#ifndef STORE_PORT_H
#define STORE_PORT_H

#include <stdint.h>

enum store_log_level { STORE_LOG_ERROR, STORE_LOG_WARN, STORE_LOG_INFO };

/*
 * One line for the log, without a newline. Formats used: %s %u %x %lu %lx %llu %llx.
 * Called with the store lock held or not; must not call back into the store.
 */
void store_log(enum store_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Storage for the program's lock; opaque to the store. The program asserts at compile time
 * that its lock fits.
 */
struct store_lock {
	_Alignas(8) unsigned char opaque[64];
};

/*
 * The lock orders as usual: what a holder did is seen by the next holder. Never taken twice by one
 * holder, never held over anything but store work (bounded; see docs/store.md).
 */
void store_lock_init(struct store_lock *lock);
void store_lock_acquire(struct store_lock *lock);
void store_lock_release(struct store_lock *lock);

#endif
