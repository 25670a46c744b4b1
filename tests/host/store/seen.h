// SPDX-License-Identifier: BSD-3-Clause
/*
 * The runtime of the instrumented explorer: the compiler (-fsanitize=thread) calls it before every
 * store, and the linker (--wrap) for memcpy(), memmove() and memset(). What goes to persistent
 * memory that way has passed pm.h by: it is handed to trace_seen_store().
 */
#ifndef TESTS_STORE_SEEN_H
#define TESTS_STORE_SEEN_H

/* Hand over the last store: the callback comes before a store, its value is there at the next. */
void seen_settle(void);

/* Stores of any kind that the compiler reported since the start; 0: nothing is instrumented. */
unsigned long seen_stores(void);

#endif
