// SPDX-License-Identifier: BSD-3-Clause
/* Sleeping on words and waking sleepers, between threads and views. */
#ifndef TWZ_SYS_SYNC_H
#define TWZ_SYS_SYNC_H

#include <abi/thread.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One operation on a 64-bit word. to NULL: no timeout. -ETIMEDOUT, -EINTR, or 0 (also when the
 * word differed, and now and then for no reason). */
int twz_thread_sync(int op, atomic_ulong *w, uint64_t val, struct timespec *to);
int twz_thread_sync32(int op, atomic_uint_least32_t *w, uint32_t val, struct timespec *to);

/* Build operations and submit them together. */
void twz_thread_sync_init(struct sys_thread_sync_args *a, int op, atomic_ulong *w,
    unsigned long val);
int twz_thread_sync_multiple(size_t n, struct sys_thread_sync_args *a, struct timespec *to);

/* Hand a value through a word: store and wake all; sleep while it equals reset, then swap reset
 * in and return the value. */
void twz_thread_cword_wake(atomic_uint_least64_t *w, uint64_t v);
uint64_t twz_thread_cword_consume(atomic_uint_least64_t *w, uint64_t reset);

/*
 * For a C library: where libtwz sleeps for as long as a reader, a writer or an event lets it wait, and
 * could as well stop. until: of the monotonic clock, NULL: never. ops has room for one more. As
 * sys_thread_sync_abs(); -EINTR ends the call that sleeps. Set before there are other threads.
 */
extern long (*__twz_sleep)(size_t n, struct sys_thread_sync_args *ops, struct timespec *until);

#ifdef __cplusplus
}
#endif

#endif
