// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which function serves an object, by its io header. Of a known type only the type counts: the
 * header is a part of the structure that it belongs to, and no pointer in it is followed.
 */
#include "stream.h"

/* The structure of the given type around an io header; NULL if it is not all in the data. */
#define HOLDER(io, type, member) \
	((type *)holder_of((io), offsetof(type, member), sizeof(type)))

static void *holder_of(struct twzio_hdr *io, size_t offset, size_t size)
{
	char *at = (char *)io - offset;

	return ((uintptr_t)io & (OBJ_MAXSIZE - 1)) >= OBJ_NULLPAGE_SIZE + offset &&
		       __stream_fits(at, size)
		   ? at
		   : NULL;
}

/* The io header and its type, which is read once. */
static int find(twzobj *o, struct twzio_hdr **io, uint32_t *type)
{
	if (!twz_object_getext(o, TWZIO_METAEXT_TAG))
		return -ENOTSUP;
	*io = __stream_ext(o, TWZIO_METAEXT_TAG, sizeof(**io));
	if (!*io)
		return -EINVLOBJ;
	*type = __atomic_load_n(&(*io)->type, __ATOMIC_RELAXED);
	return 0;
}

/* The function behind a p-ptr of the header; the lea throws if there is none. */
#define FUNCTION(o, slot) \
	((__typeof__(slot))__twz_object_lea((o), __atomic_load_n((void **)&(slot), __ATOMIC_RELAXED), ~0u))

ssize_t twzio_read(twzobj *o, void *buf, size_t len, size_t off, unsigned flags)
{
	struct twzio_hdr *io;
	struct bstream_hdr *b;
	uint32_t type;
	int r = find(o, &io, &type);

	if (r < 0)
		return r;
	switch (type) {
	case TWZIO_TYPE_BSTREAM:
		b = HOLDER(io, struct bstream_hdr, io);
		return b ? bstream_hdr_read(o, b, buf, len, flags) : -EINVLOBJ;
	default: {
		__typeof__(io->read) read = FUNCTION(o, io->read);
		return read ? read(o, buf, len, off, flags) : -ENOTSUP;
	}
	}
}

ssize_t twzio_write(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags)
{
	struct twzio_hdr *io;
	struct bstream_hdr *b;
	uint32_t type;
	int r = find(o, &io, &type);

	if (r < 0)
		return r;
	switch (type) {
	case TWZIO_TYPE_BSTREAM:
		b = HOLDER(io, struct bstream_hdr, io);
		return b ? bstream_hdr_write(o, b, buf, len, flags) : -EINVLOBJ;
	default: {
		__typeof__(io->write) write = FUNCTION(o, io->write);
		return write ? write(o, buf, len, off, flags) : -ENOTSUP;
	}
	}
}

ssize_t(twzio_ioctl)(twzobj *o, int req, long arg)
{
	__typeof__(((struct twzio_hdr *)0)->ioctl) ioctl;
	struct twzio_hdr *io;
	uint32_t type;
	int r = find(o, &io, &type);

	if (r < 0)
		return r;
	if (type == TWZIO_TYPE_BSTREAM)
		return -ENOTSUP;
	ioctl = FUNCTION(o, io->ioctl);
	return ioctl ? ioctl(o, req, arg) : -ENOTSUP;
}

int twzio_poll(twzobj *o, uint64_t type, struct event *event)
{
	__typeof__(((struct twzio_hdr *)0)->poll) poll;
	struct twzio_hdr *io;
	struct bstream_hdr *b;
	uint32_t kind;
	int r = find(o, &io, &kind);

	if (r < 0)
		return r;
	if (type != TWZIO_EVENT_READ && type != TWZIO_EVENT_WRITE && type != TWZIO_EVENT_IOCTL)
		return -ENOTSUP;
	if (kind == TWZIO_TYPE_BSTREAM) {
		b = HOLDER(io, struct bstream_hdr, io);
		return b ? bstream_hdr_poll(o, b, type, event) : -EINVLOBJ;
	}
	poll = FUNCTION(o, io->poll);
	return poll ? poll(o, type, event) : -ENOTSUP;
}
