// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reading and writing whatever an object is: an object with an io header says how. Known types are
 * served by libtwz; of others the functions are called that the header points at.
 */
#ifndef TWZ_OBJ_IO_H
#define TWZ_OBJ_IO_H

#include <twz/_types.h>
#include <twz/obj/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of read and write: -EAGAIN instead of sleeping. */
#define TWZIO_NONBLOCK 1u

/* What to poll for; one of these. */
#define TWZIO_EVENT_READ 1u
#define TWZIO_EVENT_WRITE 2u
#define TWZIO_EVENT_IOCTL 4u

/* twzio_hdr.type */
#define TWZIO_TYPE_UNKNOWN 0u
#define TWZIO_TYPE_BSTREAM 1u
#define TWZIO_TYPE_PTY_CLIENT 2u
#define TWZIO_TYPE_PTY_SERVER 3u
#define TWZIO_TYPE_BSTREAMD 4u
#define TWZIO_TYPE_BSTREAMD_END 5u
#define TWZIO_TYPE_DGRAM 6u
#define TWZIO_TYPE_DGRAM_END 7u

/* The p-ptrs are followed for types other than those above, and for TWZIO_TYPE_UNKNOWN. */
struct twzio_hdr {
	uint32_t reserved; /* 0 */
	uint32_t type;
	ssize_t (*read)(twzobj *, void *, size_t len, size_t off, unsigned flags);        /* p-ptr */
	ssize_t (*write)(twzobj *, const void *, size_t len, size_t off, unsigned flags); /* p-ptr */
	int (*ioctl)(twzobj *, int req, long arg);                                        /* p-ptr */
	int (*poll)(twzobj *, uint64_t type, struct event *event);                        /* p-ptr */
};

_Static_assert(sizeof(struct twzio_hdr) == 40, "io header");
_Static_assert(offsetof(struct twzio_hdr, type) == 4, "io type");
_Static_assert(offsetof(struct twzio_hdr, read) == 8, "io read");
_Static_assert(offsetof(struct twzio_hdr, write) == 16, "io write");
_Static_assert(offsetof(struct twzio_hdr, ioctl) == 24, "io ioctl");
_Static_assert(offsetof(struct twzio_hdr, poll) == 32, "io poll");

/*
 * Read or write up to len bytes; streams ignore off. The bytes done, or an error: of the object's
 * own function; -ENOTSUP there is no io header, or no function; -EINVLOBJ the header is damaged.
 */
ssize_t twzio_read(twzobj *o, void *buf, size_t len, size_t off, unsigned flags);
ssize_t twzio_write(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags);

/* Up to one more argument of any integer or pointer type, 0 if left out. Errors as above. */
ssize_t(twzio_ioctl)(twzobj *o, int req, long arg);
#define __TWZIO_IOCTL(o, req, arg, ...) (twzio_ioctl)(o, req, (long)(arg))
#define twzio_ioctl(o, ...) __TWZIO_IOCTL(o, __VA_ARGS__, 0, 0)

/*
 * Whether one of TWZIO_EVENT_* would find something to do: 1 or 0. *event, if event is not NULL,
 * is made ready for event_wait; after a wait poll again. -ENOTSUP another type, or one that the
 * object does not have; -EINVLOBJ.
 */
int twzio_poll(twzobj *o, uint64_t type, struct event *event);

#ifdef __cplusplus
}
#endif

#endif
