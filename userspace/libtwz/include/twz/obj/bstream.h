// SPDX-License-Identifier: BSD-3-Clause
/*
 * A byte stream in one direction, for any number of readers and writers in any views: each call
 * takes or adds one contiguous piece. In a persistent object what was written is there after a
 * crash (docs/bstream.md). Functions without hdr mean the header at the base of the object; hdr is
 * a d-ptr into o.
 *
 * The caller's buffers are touched before the stream is locked, so that a bad one faults with
 * nothing held. Flags: TWZIO_NONBLOCK; others give -EINVAL. Every call: -EINVLOBJ where there is
 * no sound stream.
 */
#ifndef TWZ_OBJ_BSTREAM_H
#define TWZ_OBJ_BSTREAM_H

#include <abi/mutex.h>
#include <twz/_types.h>
#include <twz/obj/event.h>
#include <twz/obj/io.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BSTREAM_NBITS_MIN 4u
#define BSTREAM_NBITS_MAX 28u

/* bstream_hdr.flags, and what bstream_close takes */
#define BSTREAM_WCLOSED 1u /* nothing more will be written */
#define BSTREAM_RCLOSED 2u /* nothing more will be read */

struct bstream_hdr {
	struct evhdr ev;    /* TWZIO_EVENT_READ, TWZIO_EVENT_WRITE */
	struct mutex mutex; /* all below */
	uint32_t flags;
	atomic_uint_least32_t head; /* where the next byte is written; < 2^nbits */
	atomic_uint_least32_t tail; /* where the next byte is read; head = tail: empty */
	uint32_t nbits;             /* never changes */
	struct twzio_hdr io;
	uint8_t data[]; /* 2^nbits bytes, one of them always free */
};

_Static_assert(sizeof(struct bstream_hdr) == 80, "bstream header");
_Static_assert(offsetof(struct bstream_hdr, mutex) == 8, "bstream mutex");
_Static_assert(offsetof(struct bstream_hdr, flags) == 24, "bstream flags");
_Static_assert(offsetof(struct bstream_hdr, head) == 28, "bstream head");
_Static_assert(offsetof(struct bstream_hdr, tail) == 32, "bstream tail");
_Static_assert(offsetof(struct bstream_hdr, nbits) == 36, "bstream nbits");
_Static_assert(offsetof(struct bstream_hdr, io) == 40, "bstream io");
_Static_assert(offsetof(struct bstream_hdr, data) == 80, "bstream data");

/* Bytes of a header and its data. nbits in range. */
size_t bstream_hdr_size(uint32_t nbits);

/*
 * Make an empty stream of 2^nbits - 1 bytes at hdr (NULL: at the base), and register it and its io
 * and event headers as the object's, where those are not registered yet. Durable on return.
 * -EINVAL nbits, or hdr is not in o, not aligned to 8, or leaves no room; -ENOMEM no free
 * extension.
 */
int bstream_obj_init(twzobj *o, struct bstream_hdr *hdr, uint32_t nbits);

/*
 * Take 1 … len bytes, sleeping while there are none. 0: len is 0, or the stream is closed and
 * empty. -EAGAIN, -EINTR a signal came first, -ENOENT the object was deleted.
 */
ssize_t bstream_read(twzobj *o, void *buf, size_t len, unsigned flags);
ssize_t bstream_hdr_read(twzobj *o, struct bstream_hdr *hdr, void *buf, size_t len, unsigned flags);

/*
 * Add 1 … len bytes, as many as fit, sleeping while none does; 0 if len is 0. -EPIPE the stream is
 * closed, at either side; else as for reading.
 */
ssize_t bstream_write(twzobj *o, const void *buf, size_t len, unsigned flags);
ssize_t bstream_hdr_write(twzobj *o, struct bstream_hdr *hdr, const void *buf, size_t len,
    unsigned flags);

/*
 * Add all of it in one piece, sleeping until there is room for that and spare bytes more; len if
 * nothing is wrong. -EMSGSIZE there never will be; else as for writing.
 */
ssize_t bstream_write_whole(twzobj *o, const void *buf, size_t len, size_t spare, unsigned flags);

/* As twzio_poll. A closed stream is ready: it needs no waiting to be told so. */
int bstream_poll(twzobj *o, uint64_t type, struct event *event);
int bstream_hdr_poll(twzobj *o, struct bstream_hdr *hdr, uint64_t type, struct event *event);
/* The same for writing, with room for so many bytes. */
int bstream_poll_room(twzobj *o, size_t room, struct event *event);

/* Close the sides in which (BSTREAM_*CLOSED), for good, and wake all. Durable on return. hdr NULL:
 * at the base. -EINVAL which. */
int bstream_close(twzobj *o, struct bstream_hdr *hdr, int which);

/* The forms of io functions. */
ssize_t bstream_ioread(twzobj *o, void *buf, size_t len, size_t off, unsigned flags);
ssize_t bstream_iowrite(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags);

#ifdef __cplusplus
}
#endif

#endif
