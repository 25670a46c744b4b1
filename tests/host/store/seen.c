// SPDX-License-Identifier: BSD-3-Clause
/*
 * The instrumented explorer's runtime. See seen.h. It is not instrumented itself.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seen.h"
#include "trace.h"
#include "unseen.h"

UNSEEN_BEGIN

#define MOST 4096u /* words of one store, be it a memset() */

static struct {
	uint64_t *word;
	size_t count;
	uint64_t old[MOST];
} pending;

static unsigned long stores;

void *(*seen_translate)(void *at);
uintptr_t seen_stack[SEEN_DEPTH];
unsigned seen_depth;

void seen_settle(void)
{
	size_t count = pending.count;

	pending.count = 0;
	for (size_t i = 0; i < count; i++)
		trace_seen_store(&pending.word[i], pending.old[i]);
}

unsigned long seen_stores(void)
{
	return stores;
}

static void before_store(void *at, size_t len)
{
	uint64_t *first;
	size_t count;

	seen_settle();
	stores++;
	if (seen_translate)
		at = seen_translate(at);
	if (!len || !trace_is_memory(at))
		return;
	first = (uint64_t *)((uintptr_t)at & ~7ul);
	count = ((uintptr_t)at + len + 7 - (uintptr_t)first) / 8;
	pending.word = first;
	pending.count = count < MOST ? count : MOST;
	for (size_t i = 0; i < pending.count; i++)
		pending.old[i] = first[i];
}

#define ACCESS(bytes)                                                                      \
	void __tsan_read##bytes(void *at);                                                 \
	void __tsan_unaligned_read##bytes(void *at);                                       \
	void __tsan_write##bytes(void *at);                                                \
	void __tsan_unaligned_write##bytes(void *at);                                      \
	void __tsan_read_write##bytes(void *at);                                           \
	void __tsan_unaligned_read_write##bytes(void *at);                                 \
	void __tsan_read##bytes(void *at) { (void)at; }                                    \
	void __tsan_unaligned_read##bytes(void *at) { (void)at; }                          \
	void __tsan_write##bytes(void *at) { before_store(at, bytes); }                    \
	void __tsan_unaligned_write##bytes(void *at) { before_store(at, bytes); }          \
	void __tsan_read_write##bytes(void *at) { before_store(at, bytes); }               \
	void __tsan_unaligned_read_write##bytes(void *at) { before_store(at, bytes); }

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

/* Atomic operations are replaced by these calls, not accompanied. */
#define CHANGE(bits, type, name, operation)                                                \
	type __tsan_atomic##bits##_##name(type *at, type value, int order);                \
	type __tsan_atomic##bits##_##name(type *at, type value, int order)                 \
	{                                                                                  \
		(void)order;                                                               \
		before_store(at, sizeof(type));                                            \
		return operation(at, value, __ATOMIC_SEQ_CST);                             \
	}

#define COMPARE(bits, type, name)                                                          \
	int __tsan_atomic##bits##_##name(type *at, type *old, type value, int o, int f);   \
	int __tsan_atomic##bits##_##name(type *at, type *old, type value, int o, int f)    \
	{                                                                                  \
		(void)o, (void)f;                                                          \
		before_store(at, sizeof(type));                                            \
		return __atomic_compare_exchange_n(at, old, value, false,                  \
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);    \
	}

#define ATOMIC(bits, type)                                                                 \
	type __tsan_atomic##bits##_load(const type *at, int order);                        \
	void __tsan_atomic##bits##_store(type *at, type value, int order);                 \
	type __tsan_atomic##bits##_compare_exchange_val(type *at, type old, type value,    \
							int o, int f);                     \
	type __tsan_atomic##bits##_load(const type *at, int order)                         \
	{                                                                                  \
		(void)order;                                                               \
		return __atomic_load_n(at, __ATOMIC_SEQ_CST);                              \
	}                                                                                  \
	void __tsan_atomic##bits##_store(type *at, type value, int order)                  \
	{                                                                                  \
		(void)order;                                                               \
		before_store(at, sizeof(type));                                            \
		__atomic_store_n(at, value, __ATOMIC_SEQ_CST);                             \
	}                                                                                  \
	CHANGE(bits, type, exchange, __atomic_exchange_n)                                  \
	CHANGE(bits, type, fetch_add, __atomic_fetch_add)                                  \
	CHANGE(bits, type, fetch_sub, __atomic_fetch_sub)                                  \
	CHANGE(bits, type, fetch_and, __atomic_fetch_and)                                  \
	CHANGE(bits, type, fetch_or, __atomic_fetch_or)                                    \
	CHANGE(bits, type, fetch_xor, __atomic_fetch_xor)                                  \
	COMPARE(bits, type, compare_exchange_strong)                                       \
	COMPARE(bits, type, compare_exchange_weak)                                         \
	type __tsan_atomic##bits##_compare_exchange_val(type *at, type old, type value,    \
							int o, int f)                      \
	{                                                                                  \
		__tsan_atomic##bits##_compare_exchange_strong(at, &old, value, o, f);      \
		return old;                                                                \
	}

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_thread_fence(int order) { (void)order; }
void __tsan_atomic_signal_fence(int order) { (void)order; }

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_init(void) {}

void __tsan_func_entry(void *caller)
{
	if (seen_depth < SEEN_DEPTH)
		seen_stack[seen_depth] = (uintptr_t)caller;
	seen_depth++;
}

void __tsan_func_exit(void)
{
	seen_depth -= seen_depth != 0;
}

/* The C library's, as instrumented and other code calls them. */
void *__real_memcpy(void *to, const void *from, size_t len);
void *__real_memmove(void *to, const void *from, size_t len);
void *__real_memset(void *to, int value, size_t len);
void *__wrap_memcpy(void *to, const void *from, size_t len);
void *__wrap_memmove(void *to, const void *from, size_t len);
void *__wrap_memset(void *to, int value, size_t len);

void *__wrap_memcpy(void *to, const void *from, size_t len)
{
	before_store(to, len);
	return __real_memcpy(to, from, len);
}

void *__wrap_memmove(void *to, const void *from, size_t len)
{
	before_store(to, len);
	return __real_memmove(to, from, len);
}

void *__wrap_memset(void *to, int value, size_t len)
{
	before_store(to, len);
	return __real_memset(to, value, len);
}

UNSEEN_END
