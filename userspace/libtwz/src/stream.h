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

/*
 * Take the lock. True: after a holder that ended with it. Everybody who sleeps looks again then, and
 * the caller flushes what that holder may have published and not flushed.
 */
bool __stream_lock(struct evhdr *ev, struct mutex *m);

/* Give the lock back; first set bits, then wake those who wait for one that was clear. */
void __stream_unlock(struct evhdr *ev, struct mutex *m, uint64_t bits);

/*
 * There is nothing to do: clear bit, give the lock back, and sleep until bit is set, or for no
 * reason. 0, and the caller locks and looks again, or an error: -EINTR, -ENOENT …
 */
int __stream_wait(struct evhdr *ev, struct mutex *m, uint64_t bit);

/* Whether what is written to o must be flushed. */
bool __stream_durable(twzobj *o);

/* Touch a buffer as it will be used, before the lock is taken. */
void __stream_touch(const void *p, size_t len);
void __stream_touch_writable(void *p, size_t len);

/* Whether size bytes at p, aligned to 8, are all in the data of one object. */
static inline bool __stream_fits(const void *p, uint64_t size)
{
	uint64_t at = (uintptr_t)p & (OBJ_MAXSIZE - 1);

	return at >= OBJ_NULLPAGE_SIZE && at % 8 == 0 && at + size <= OBJ_TOPDATA;
}

/* Whether p is in the object of o, which is open. */
static inline bool __stream_in(const twzobj *o, const void *p)
{
	return VADDR_TO_SLOT(p) == VADDR_TO_SLOT(o->base);
}

static inline void __stream_flush(twzobj *o, bool durable, const void *p, size_t len)
{
	if (durable && len)
		__twz_obj_flush(o, p, len);
}

static inline void __stream_fence(twzobj *o, bool durable)
{
	if (durable)
		__twz_obj_fence(o);
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
