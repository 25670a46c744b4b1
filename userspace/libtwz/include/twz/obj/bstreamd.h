// SPDX-License-Identifier: BSD-3-Clause
/*
 * A byte stream in both directions: two byte streams (twz/obj/bstream.h) between the ends A and B.
 * The object of the channel is end A to io functions; an end object makes either end usable through
 * io. Functions without hdr mean the header at the base of the object.
 *
 * Every call: -EINVAL an end other than the two, -EINVLOBJ where there is no sound channel.
 */
#ifndef TWZ_OBJ_BSTREAMD_H
#define TWZ_OBJ_BSTREAMD_H

#include <twz/obj/bstream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BSTREAMD_A 0
#define BSTREAMD_B 1

/* What bstreamd_shutdown ends, from where the caller stands. */
#define BSTREAMD_SHUT_READ 1
#define BSTREAMD_SHUT_WRITE 2
#define BSTREAMD_SHUT_BOTH 3

struct bstreamd_hdr {
	struct bstream_hdr *dir[2]; /* local p-ptrs: A to B, B to A */
	uint32_t nbits;
	uint32_t flags; /* 0 */
	uint64_t reserved;
	struct twzio_hdr io;
	uint64_t reserved1;
};

/* In an object of its own, or wherever there is room: one end of a channel. */
struct bstreamd_end_hdr {
	struct bstreamd_hdr *chan; /* p-ptr */
	uint32_t end;              /* BSTREAMD_A, BSTREAMD_B */
	uint32_t reserved;
	struct twzio_hdr io;
	uint64_t reserved1;
};

_Static_assert(sizeof(struct bstreamd_hdr) == 80, "bstreamd header");
_Static_assert(offsetof(struct bstreamd_hdr, nbits) == 16, "bstreamd nbits");
_Static_assert(offsetof(struct bstreamd_hdr, flags) == 20, "bstreamd flags");
_Static_assert(offsetof(struct bstreamd_hdr, io) == 32, "bstreamd io");
_Static_assert(sizeof(struct bstreamd_end_hdr) == 64, "bstreamd end");
_Static_assert(offsetof(struct bstreamd_end_hdr, end) == 8, "bstreamd end number");
_Static_assert(offsetof(struct bstreamd_end_hdr, io) == 16, "bstreamd end io");

/* Bytes of a channel with all that belongs to it. nbits in range. */
size_t bstreamd_hdr_size(uint32_t nbits);

/*
 * Make a channel of two empty streams of 2^nbits - 1 bytes each, behind the header at hdr (NULL: at
 * the base); register it and its io header as the object's, where those are not registered yet.
 * Durable on return. -EINVAL nbits, or hdr is not in o, not aligned to 8, or leaves no room;
 * -ENOMEM no free extension.
 */
int bstreamd_obj_init(twzobj *o, struct bstreamd_hdr *hdr, uint32_t nbits);

/* As bstream_read and bstream_write: what the other end wrote; to the other end. */
ssize_t bstreamd_read(twzobj *o, int end, void *buf, size_t len, unsigned flags);
ssize_t bstreamd_hdr_read(twzobj *o, struct bstreamd_hdr *hdr, int end, void *buf, size_t len,
    unsigned flags);
ssize_t bstreamd_write(twzobj *o, int end, const void *buf, size_t len, unsigned flags);
ssize_t bstreamd_hdr_write(twzobj *o, struct bstreamd_hdr *hdr, int end, const void *buf,
    size_t len, unsigned flags);

/* As bstream_poll. */
int bstreamd_poll(twzobj *o, int end, uint64_t type, struct event *event);
int bstreamd_hdr_poll(twzobj *o, struct bstreamd_hdr *hdr, int end, uint64_t type,
    struct event *event);

/*
 * End reading (BSTREAMD_SHUT_READ: the peer's writes give -EPIPE), writing (_WRITE: the peer reads
 * what there is, then 0), or both, for good. Durable on return. -EINVAL how.
 */
int bstreamd_shutdown(twzobj *o, int end, int how);
int bstreamd_hdr_shutdown(twzobj *o, struct bstreamd_hdr *hdr, int end, int how);

/*
 * Make an end of chan at hdr in endobj (NULL: at its base), and register its io header as that
 * object's, where none is registered yet. Durable on return. -EINVAL end, or hdr as above;
 * -EINVLOBJ chan has no channel; -ENOSPC the FOT of endobj is full; -ENOMEM no free extension.
 */
int bstreamd_end_init(twzobj *endobj, struct bstreamd_end_hdr *hdr, twzobj *chan, int end);

#ifdef __cplusplus
}
#endif

#endif
