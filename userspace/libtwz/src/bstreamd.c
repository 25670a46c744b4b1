// SPDX-License-Identifier: BSD-3-Clause
/*
 * Byte streams in both directions. The two streams stand in the channel's own object: a pointer to
 * them that leads elsewhere is noise, and is not followed.
 */
#include "stream.h"

#include <twz/obj/bstreamd.h>

#define STREAMS_OFFSET 128u
#define LINE 64u

static size_t stream_size(uint32_t nbits)
{
	return (bstream_hdr_size(nbits) + LINE - 1) & ~(size_t)(LINE - 1);
}

size_t bstreamd_hdr_size(uint32_t nbits)
{
	return STREAMS_OFFSET + 2 * stream_size(nbits);
}

static bool is_end(int end)
{
	return end == BSTREAMD_A || end == BSTREAMD_B;
}

/* The stream that an end reads or writes; NULL where there can be none. */
QUICK struct bstream_hdr *stream_of(struct bstreamd_hdr *hdr, int end, bool reads)
{
	uint64_t p;

	if (!__stream_fits(hdr, sizeof(*hdr)))
		return NULL;
	p = __atomic_load_n((uint64_t *)&hdr->dir[end ^ reads], __ATOMIC_RELAXED);
	if (p < OBJ_NULLPAGE_SIZE || p >= OBJ_MAXSIZE)
		return NULL;
	return (void *)(((uintptr_t)hdr & ~(OBJ_MAXSIZE - 1)) + p);
}

ssize_t bstreamd_hdr_read(twzobj *o, struct bstreamd_hdr *hdr, int end, void *buf, size_t len,
    unsigned flags)
{
	struct bstream_hdr *s;

	if (!is_end(end))
		return -EINVAL;
	s = stream_of(hdr, end, true);
	return s ? bstream_hdr_read(o, s, buf, len, flags) : -EINVLOBJ;
}

ssize_t bstreamd_hdr_write(twzobj *o, struct bstreamd_hdr *hdr, int end, const void *buf,
    size_t len, unsigned flags)
{
	struct bstream_hdr *s;

	if (!is_end(end))
		return -EINVAL;
	s = stream_of(hdr, end, false);
	return s ? bstream_hdr_write(o, s, buf, len, flags) : -EINVLOBJ;
}

int bstreamd_hdr_poll(twzobj *o, struct bstreamd_hdr *hdr, int end, uint64_t type,
    struct event *event)
{
	struct bstream_hdr *s;

	if (!is_end(end))
		return -EINVAL;
	s = stream_of(hdr, end, type == TWZIO_EVENT_READ);
	return s ? bstream_hdr_poll(o, s, type, event) : -EINVLOBJ;
}

int bstreamd_hdr_shutdown(twzobj *o, struct bstreamd_hdr *hdr, int end, int how)
{
	struct bstream_hdr *in, *out;
	int r = 0;

	if (!is_end(end) || how < BSTREAMD_SHUT_READ || how > BSTREAMD_SHUT_BOTH)
		return -EINVAL;
	in = stream_of(hdr, end, true);
	out = stream_of(hdr, end, false);
	if (!in || !out)
		return -EINVLOBJ;
	if (how & BSTREAMD_SHUT_READ)
		r = bstream_close(o, in, BSTREAM_RCLOSED);
	if (r == 0 && how & BSTREAMD_SHUT_WRITE)
		r = bstream_close(o, out, BSTREAM_WCLOSED);
	return r;
}

ssize_t bstreamd_read(twzobj *o, int end, void *buf, size_t len, unsigned flags)
{
	return bstreamd_hdr_read(o, __stream_base(o), end, buf, len, flags);
}

ssize_t bstreamd_write(twzobj *o, int end, const void *buf, size_t len, unsigned flags)
{
	return bstreamd_hdr_write(o, __stream_base(o), end, buf, len, flags);
}

int bstreamd_poll(twzobj *o, int end, uint64_t type, struct event *event)
{
	return bstreamd_hdr_poll(o, __stream_base(o), end, type, event);
}

int bstreamd_shutdown(twzobj *o, int end, int how)
{
	return bstreamd_hdr_shutdown(o, __stream_base(o), end, how);
}

static void make(twzobj *o, struct bstreamd_hdr *hdr, uint32_t nbits)
{
	char *streams = (char *)hdr + STREAMS_OFFSET;

	memset(hdr, 0, sizeof(*hdr));
	for (unsigned i = 0; i < 2; i++) {
		struct bstream_hdr *s = (void *)(streams + i * stream_size(nbits));
		__bstream_make(o, s, nbits);
		hdr->dir[i] = twz_ptr_local(s);
	}
	hdr->nbits = nbits;
	hdr->io.type = TWZIO_TYPE_BSTREAMD;
	__twz_obj_flush(o, hdr, sizeof(*hdr));
	__twz_obj_fence(o);
}

int bstreamd_obj_init(twzobj *o, struct bstreamd_hdr *hdr, uint32_t nbits)
{
	hdr = hdr ? hdr : twz_object_base(o);
	if (nbits < BSTREAM_NBITS_MIN || nbits > BSTREAM_NBITS_MAX || !__stream_in(o, hdr) ||
	    !__stream_fits(hdr, bstreamd_hdr_size(nbits)))
		return -EINVAL;
	make(o, hdr, nbits);
	return __stream_register_two(o, BSTREAMD_METAEXT_TAG, hdr, &hdr->io);
}

int bstreamd_end_init(twzobj *endobj, struct bstreamd_end_hdr *hdr, twzobj *chan, int end)
{
	hdr = hdr ? hdr : twz_object_base(endobj);
	if ((end != BSTREAMD_A && end != BSTREAMD_B) || !__stream_in(endobj, hdr) ||
	    !__stream_fits(hdr, sizeof(*hdr)))
		return -EINVAL;
	hdr->end = (uint32_t)end;
	hdr->io = (struct twzio_hdr){ .type = TWZIO_TYPE_BSTREAMD_END };
	return __stream_end(endobj, &hdr->chan, &hdr->io, chan, BSTREAMD_METAEXT_TAG);
}
