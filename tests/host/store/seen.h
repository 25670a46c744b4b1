// SPDX-License-Identifier: BSD-3-Clause
/*
 * The runtime of the instrumented explorer: the compiler (-fsanitize=thread) calls it before every
 * store, and the linker (--wrap) for memcpy(), memmove() and memset(). What goes to persistent
 * memory that way has passed pm.h by: it is handed to trace_seen_store().
 */
#ifndef TESTS_STORE_SEEN_H
#define TESTS_STORE_SEEN_H

#include <stdint.h>

/* Hand over the last store: the callback comes before a store, its value is there at the next. */
void seen_settle(void);

/* Stores of any kind that the compiler reported since the start; 0: nothing is instrumented. */
unsigned long seen_stores(void);

/*
 * Where the program's memory also stands elsewhere: the address that trace.h knows for one that is
 * stored to. NULL, as at the start: the same.
 */
extern void *(*seen_translate)(void *at);

/* Return addresses of the instrumented functions that run now, outermost first. Entries are kept up
 * to SEEN_DEPTH; whoever leaves functions other than by returning puts the depth back. */
#define SEEN_DEPTH 256u
extern uintptr_t seen_stack[SEEN_DEPTH];
extern unsigned seen_depth;

#endif
