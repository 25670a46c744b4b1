// SPDX-License-Identifier: BSD-3-Clause
/*
 * Messages in both directions between the ends A and B: reliable, in order, with their boundaries.
 * Any number of senders and receivers at each end, in any views; each message goes whole to
 * exactly one of them. In a persistent object a message is there whole or not at all after a crash
 * (docs/dgram.md). The object of the channel is end A to io functions; an end object makes either
 * end usable through io. Functions without hdr mean the header at the base of the object.
 *
 * The caller's buffers are touched before the channel is locked, so that a bad one faults with
 * nothing held. Flags: TWZIO_NONBLOCK; others give -EINVAL. Every call: -EINVAL an end other than
 * the two, -EINVLOBJ where there is no sound channel.
 */
#ifndef TWZ_OBJ_DGRAM_H
#define TWZ_OBJ_DGRAM_H

#include <abi/mutex.h>
#include <twz/_types.h>
#include <twz/obj/event.h>
#include <twz/obj/io.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_A 0
#define DGRAM_B 1

#define DGRAM_NBITS_MIN 6u
#define DGRAM_NBITS_MAX 28u

/* What dgram_shutdown ends, from where the caller stands. */
#define DGRAM_SHUT_READ 1
#define DGRAM_SHUT_WRITE 2
#define DGRAM_SHUT_BOTH 3

/* dgram_ring.flags */
#define DGRAM_WCLOSED 1u
#define DGRAM_RCLOSED 2u

/* One direction. */
struct dgram_ring {
	struct evhdr ev;    /* TWZIO_EVENT_READ, TWZIO_EVENT_WRITE */
	struct mutex mutex; /* all below */
	uint32_t flags;
	uint32_t nbits;             /* never changes */
	atomic_uint_least64_t head; /* bytes of records ever written; a multiple of 8 */
	atomic_uint_least64_t tail; /* bytes of records ever read */
	uint64_t reserved;
	uint8_t *data; /* local p-ptr: 2^nbits bytes, aligned to 8; never changes */
};

/* In the data, at head modulo 2^nbits, aligned to 8. It never wraps. */
struct dgram_record {
	uint32_t len;   /* of the payload, which follows and is padded to 8 */
	uint32_t flags; /* DGRAM_FILLER: no message, and the last record before the end of the data */
};

#define DGRAM_FILLER 1u

struct dgram_hdr {
	uint32_t nbits;
	uint32_t maxmsg;
	uint32_t flags; /* 0 */
	uint32_t reserved;
	struct dgram_ring ring[2]; /* A to B, B to A */
	struct twzio_hdr io;
	uint64_t reserved1;
};

/* In an object of its own, or wherever there is room: one end of a channel. */
struct dgram_end_hdr {
	struct dgram_hdr *chan; /* p-ptr */
	uint32_t end;           /* DGRAM_A, DGRAM_B */
	uint32_t reserved;
	struct twzio_hdr io;
	uint64_t reserved1;
};

_Static_assert(sizeof(struct dgram_ring) == 64, "dgram ring");
_Static_assert(offsetof(struct dgram_ring, mutex) == 8, "dgram mutex");
_Static_assert(offsetof(struct dgram_ring, flags) == 24, "dgram ring flags");
_Static_assert(offsetof(struct dgram_ring, nbits) == 28, "dgram ring nbits");
_Static_assert(offsetof(struct dgram_ring, head) == 32, "dgram head");
_Static_assert(offsetof(struct dgram_ring, tail) == 40, "dgram tail");
_Static_assert(offsetof(struct dgram_ring, data) == 56, "dgram data");
_Static_assert(sizeof(struct dgram_record) == 8, "dgram record");
_Static_assert(sizeof(struct dgram_hdr) == 192, "dgram header");
_Static_assert(offsetof(struct dgram_hdr, maxmsg) == 4, "dgram maxmsg");
_Static_assert(offsetof(struct dgram_hdr, flags) == 8, "dgram flags");
_Static_assert(offsetof(struct dgram_hdr, ring) == 16, "dgram rings");
_Static_assert(offsetof(struct dgram_hdr, io) == 144, "dgram io");
_Static_assert(sizeof(struct dgram_end_hdr) == 64, "dgram end");
_Static_assert(offsetof(struct dgram_end_hdr, end) == 8, "dgram end number");
_Static_assert(offsetof(struct dgram_end_hdr, io) == 16, "dgram end io");

/* Bytes of a channel with all that belongs to it. nbits in range. */
size_t dgram_hdr_size(uint32_t nbits);

/* The greatest maxmsg of a ring of 2^nbits bytes. */
#define DGRAM_MAXMSG(nbits) ((1u << (nbits)) / 2 - 8)

/*
 * Make an empty channel with 2^nbits bytes for each direction, behind the header at hdr (NULL: at
 * the base), and register it and its io header as the object's, where those are not registered
 * yet. Durable on return. -EINVAL nbits, maxmsg over DGRAM_MAXMSG(nbits), or hdr is not in o, not
 * aligned to 8, or leaves no room; -ENOMEM no free extension.
 */
int dgram_obj_init(twzobj *o, struct dgram_hdr *hdr, uint32_t nbits, uint32_t maxmsg);

/*
 * Send one message of len bytes, 0 too, to the other end, sleeping while it does not fit. len, or
 * -EMSGSIZE over maxmsg, -EPIPE the direction was shut down at either side, -EAGAIN, -EINTR a
 * signal came first, -ENOENT the object was deleted; then nothing was sent.
 */
ssize_t dgram_send(twzobj *o, int end, const void *buf, size_t len, unsigned flags);
ssize_t dgram_hdr_send(twzobj *o, struct dgram_hdr *hdr, int end, const void *buf, size_t len,
    unsigned flags);

/*
 * Receive one message, sleeping while there is none: the bytes copied, at most len; the rest of the
 * message is dropped. *full, if full is not NULL, becomes its length. -ESHUTDOWN there is none and
 * the direction was shut down; -EAGAIN, -EINTR, -ENOENT as for sending. *full is then untouched.
 */
ssize_t dgram_recv(twzobj *o, int end, void *buf, size_t len, unsigned flags, size_t *full);
ssize_t dgram_hdr_recv(twzobj *o, struct dgram_hdr *hdr, int end, void *buf, size_t len,
    unsigned flags, size_t *full);

/* As twzio_poll. Writable: a message of maxmsg bytes fits. What was shut down is ready. */
int dgram_poll(twzobj *o, int end, uint64_t type, struct event *event);
int dgram_hdr_poll(twzobj *o, struct dgram_hdr *hdr, int end, uint64_t type, struct event *event);

/*
 * End receiving (DGRAM_SHUT_READ: the peer's sends give -EPIPE), sending (_WRITE: the peer receives
 * what there is, then -ESHUTDOWN), or both, for good. Durable on return. -EINVAL how.
 */
int dgram_shutdown(twzobj *o, int end, int how);
int dgram_hdr_shutdown(twzobj *o, struct dgram_hdr *hdr, int end, int how);

/*
 * Make an end of chan at hdr in endobj (NULL: at its base), and register its io header as that
 * object's, where none is registered yet. Durable on return. -EINVAL end, or hdr as above;
 * -EINVLOBJ chan has no channel; -ENOSPC the FOT of endobj is full; -ENOMEM no free extension.
 */
int dgram_end_init(twzobj *endobj, struct dgram_end_hdr *hdr, twzobj *chan, int end);

#ifdef __cplusplus
}
#endif

#endif
