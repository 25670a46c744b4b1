// SPDX-License-Identifier: BSD-3-Clause
/*
 * What streams of bytes and of messages share: a lock, an event word with one bit for readers and
 * one for writers, and how they sleep and wake.
 *
 * Everything is judged and changed under the lock. A bit that is clear means that somebody may
 * sleep until it is set; it is cleared by whoever found nothing to do, set by whoever changes that,
 * both under the lock, so that a bit that is set needs no system call. See stream.c for why no wake
 * is lost.
 */
#ifndef TWZ_STREAM_H
#define TWZ_STREAM_H

#include "runtime.h"

#include <twz/obj/bstream.h>

#define STREAM_READ ((uint64_t)TWZIO_EVENT_READ)
#define STREAM_WRITE ((uint64_t)TWZIO_EVENT_WRITE)
#define STREAM_BOTH (STREAM_READ | STREAM_WRITE)

/* The same flags in every stream. */
#define STREAM_WCLOSED 1u
#define STREAM_RCLOSED 2u
#define STREAM_CLOSED 3u

/* Not for the quick way, which is small and stands in every caller. */
#define SLOW __attribute__((noinline, cold))
#define QUICK static inline __attribute__((always_inline))

/* What a handle knows of its object, in its flags: that it is volatile, as of __twz_kinds in the
 * upper half. */
#define H_VOLATILE 0x200u
#define H_KINDS_SHIFT 32

/* In the upper half of the event word: the wake that belongs to a bit is still to be done. */
#define STREAM_DUE_SHIFT 32

/* The mutex was taken after a holder that ended: everybody who sleeps looks again. */
void __stream_taken_over(struct evhdr *ev);

/* Set bits, give the lock back, and wake those who wait. */
void __stream_unlock_and_wake(struct evhdr *ev, struct mutex *m, uint64_t bits);

/* Wake one of those who wait for the mutex, which was given back. */
void __stream_mutex_wake(struct mutex *m);

/* Ask the kernel, once for a handle, or for as long as a thread uses one object through borrowed
 * handles, whether it is persistent. */
bool __stream_learn_kind(twzobj *o);

void __stream_touch_pages(const void *p, size_t len);
void __stream_touch_pages_writable(void *p, size_t len);

/* Copy many bytes, arch/. */
void __twz_copy(void *to, const void *from, size_t len);

/* mutex_acquire_r and mutex_release while nobody else is there. */
QUICK int __stream_mutex_take(struct mutex *m)
{
	uint64_t boot = __twz_rt.sysinfo.boot_code << MUTEX_BOOT_SHIFT;
	uint64_t low = ID_LO(__twz_self.tid);
	uint64_t free = MUTEX_FREE;

	if (__builtin_expect(low && __atomic_compare_exchange_n(&m->sleep, &free,
				 (low ^ boot) & THREAD_SYNC_OWNER_MASK, false, __ATOMIC_ACQUIRE,
				 __ATOMIC_RELAXED), 1))
		return 0;
	return mutex_acquire_r(m);
}

QUICK void __stream_mutex_give(struct mutex *m)
{
	uint64_t old = __atomic_exchange_n(&m->sleep, MUTEX_FREE, __ATOMIC_RELEASE);

	if (__builtin_expect(old & MUTEX_CONTENDED, 0))
		__stream_mutex_wake(m);
}

/*
 * Take the lock. True: after a holder that ended with it. Everybody who sleeps looks again then,
 * and the caller flushes what that holder may have published and not flushed.
 */
QUICK bool __stream_lock(struct evhdr *ev, struct mutex *m)
{
	if (__builtin_expect(__stream_mutex_take(m) == 0, 1))
		return false;
	__stream_taken_over(ev);
	return true;
}

/* Give the lock back; first set bits, then wake those who wait for one that was clear. */
QUICK void __stream_unlock(struct evhdr *ev, struct mutex *m, uint64_t bits)
{
	uint64_t point = atomic_load_explicit(&ev->point, memory_order_relaxed);

	bits &= ~point | point >> STREAM_DUE_SHIFT;
	if (__builtin_expect(bits != 0, 0))
		__stream_unlock_and_wake(ev, m, bits);
	else
		__stream_mutex_give(m);
}

/*
 * There is nothing to do: clear bit, give the lock back, and sleep until bit is set, or for no
 * reason. 0, and the caller locks and looks again, or an error: -EINTR, -ENOENT …
 */
int __stream_wait(struct evhdr *ev, struct mutex *m, uint64_t bit);

/* Whether what is written to o must be flushed. */
QUICK bool __stream_durable(twzobj *o)
{
	uint64_t flags = __atomic_load_n(&o->flags, __ATOMIC_RELAXED);

	if (!(__twz_rt.sysinfo.features & TWZ_FEATURE_STORE))
		return false;
	if (flags >> H_KINDS_SHIFT == __atomic_load_n(&__twz_kinds, __ATOMIC_RELAXED))
		return !(flags & H_VOLATILE);
	return __stream_learn_kind(o);
}

/* Touch a buffer as it will be used, before the lock is taken. */
QUICK void __stream_touch(const void *p, size_t len)
{
	if (len > TWZ_PAGE_SIZE)
		__stream_touch_pages(p, len);
	if (len) {
		(void)*(const volatile char *)p;
		(void)((const volatile char *)p)[len - 1];
	}
}

QUICK void __stream_touch_writable(void *p, size_t len)
{
	volatile char *c = p;

	if (len > TWZ_PAGE_SIZE)
		__stream_touch_pages_writable(p, len);
	if (len) {
		c[0] = c[0];
		c[len - 1] = c[len - 1];
	}
}

/* Copying a few bytes is not worth a call, copying many is worth the best there is. */
QUICK void __stream_copy(void *to, const void *from, size_t len)
{
	if (len > 256) {
		__twz_copy(to, from, len);
	} else if (len > 8) {
		memcpy(to, from, len);
	} else {
		for (size_t i = 0; i < len; i++)
			((volatile char *)to)[i] = ((const char *)from)[i];
	}
}

/* Whether size bytes at p, aligned to 8, are all in the data of one object. */
static inline bool __stream_fits(const void *p, uint64_t size)
{
	uint64_t at = (uintptr_t)p & (OBJ_MAXSIZE - 1);

	return at >= OBJ_NULLPAGE_SIZE && at % 8 == 0 && at + size <= OBJ_TOPDATA;
}

/* twz_object_base, which throws where o is not open. */
QUICK void *__stream_base(twzobj *o)
{
	return __builtin_expect(o->base != NULL, 1) ? o->base : twz_object_base(o);
}

/* Whether p is in the object of o, which is open. */
static inline bool __stream_in(const twzobj *o, const void *p)
{
	return VADDR_TO_SLOT(p) == VADDR_TO_SLOT(o->base);
}

/* Register p under tag unless something is: 1 registered, 0 not, or an error. */
int __stream_register(twzobj *o, uint64_t tag, void *p);

/* The same for a structure and its io header; 0 or an error, and then nothing is registered. */
int __stream_register_two(twzobj *o, uint64_t tag, void *p, struct twzio_hdr *io);

/*
 * Finish an end of a channel: a pointer at loc to what chan has under tag, and the io header
 * registered. As bstreamd_end_init.
 */
int __stream_end(twzobj *endobj, void *loc, struct twzio_hdr *io, twzobj *chan, uint64_t tag);

/* The extension with that tag, if size bytes of it are in o's data; else NULL. */
void *__stream_ext(twzobj *o, uint64_t tag, uint64_t size);

/* --- bstream.c: an empty stream at hdr, without any registration; durable after the next fence */
void __bstream_make(twzobj *o, struct bstream_hdr *hdr, uint32_t nbits);

#endif
