// SPDX-License-Identifier: BSD-3-Clause
/*
 * Byte streams. head and tail are positions in the data; head is where writing goes on, tail where
 * reading does. On a persistent object the bytes are durable before head moves, and head and tail
 * are before a call returns, with the lock held: nobody overwrites bytes whose reading a crash
 * would undo.
 *
 * What stands in the header may be noise: nbits, head and tail are read once for every look and
 * checked before they are used, so that no access leaves the data.
 */
#include "stream.h"

#include <twz/persist.h>

/* A stream as it was judged; all but head and tail for a whole call. */
struct look {
	struct bstream_hdr *hdr;
	uint32_t mask;
	bool durable;
	uint32_t flags, head, tail; /* under the lock */
};

size_t bstream_hdr_size(uint32_t nbits)
{
	return sizeof(struct bstream_hdr) + ((size_t)1 << nbits);
}

static bool nbits_ok(uint32_t nbits)
{
	return nbits >= BSTREAM_NBITS_MIN && nbits <= BSTREAM_NBITS_MAX;
}

QUICK size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* What can be judged without the lock. */
QUICK int begin(struct look *l, struct bstream_hdr *hdr)
{
	uint32_t nbits;

	if (!__stream_fits(hdr, sizeof(*hdr)))
		return -EINVLOBJ;
	nbits = __atomic_load_n(&hdr->nbits, __ATOMIC_RELAXED);
	if (!nbits_ok(nbits) || !__stream_fits(hdr, bstream_hdr_size(nbits)))
		return -EINVLOBJ;
	l->hdr = hdr;
	l->mask = (1u << nbits) - 1;
	return 0;
}

/* Read the positions, with the lock: they are in the data, or -EINVLOBJ. */
QUICK int look(struct look *l)
{
	l->flags = __atomic_load_n(&l->hdr->flags, __ATOMIC_RELAXED);
	l->head = atomic_load_explicit(&l->hdr->head, memory_order_relaxed);
	l->tail = atomic_load_explicit(&l->hdr->tail, memory_order_relaxed);
	return l->head <= l->mask && l->tail <= l->mask ? 0 : -EINVLOBJ;
}

static uint32_t used(const struct look *l)
{
	return (l->head - l->tail) & l->mask;
}

static uint32_t space(const struct look *l)
{
	return l->mask - used(l);
}

/* How many bytes can be read: 0 at the end, -EAGAIN none yet, -EINVLOBJ. */
QUICK ssize_t readable(struct look *l)
{
	int r = look(l);

	if (r < 0)
		return r;
	return used(l) || l->flags & STREAM_CLOSED ? (ssize_t)used(l) : -EAGAIN;
}

/* How many bytes can be written: -EAGAIN fewer than room yet, -EPIPE closed, -EINVLOBJ. */
QUICK ssize_t writable(struct look *l, size_t room)
{
	int r = look(l);

	if (r < 0)
		return r;
	if (l->flags & STREAM_CLOSED)
		return -EPIPE;
	return space(l) >= room ? (ssize_t)space(l) : -EAGAIN;
}

/* The same for a call that moves bytes. */
QUICK int begin_io(struct look *l, twzobj *o, struct bstream_hdr *hdr, unsigned flags)
{
	if (flags & ~TWZIO_NONBLOCK)
		return -EINVAL;
	l->durable = __stream_durable(o);
	return begin(l, hdr);
}

/* Positions that follow must not be durable before those that a holder left when it ended. */
static SLOW void settle_header(struct bstream_hdr *hdr)
{
	_clwb_len(hdr, offsetof(struct bstream_hdr, io));
	_pfence();
}

QUICK void lock(struct look *l)
{
	if (__stream_lock(&l->hdr->ev, &l->hdr->mutex) && l->durable)
		settle_header(l->hdr);
}

/* What wraps, or must be flushed: apart, the rest is small. */

static __attribute__((noinline)) void take_bytes(const struct bstream_hdr *hdr, uint32_t tail,
    size_t most, void *buf, size_t n)
{
	size_t first = least(n, most - tail);

	__stream_copy(buf, hdr->data + tail, first);
	__stream_copy((char *)buf + first, hdr->data, n - first);
}

static __attribute__((noinline)) void put_bytes(struct bstream_hdr *hdr, uint32_t head, size_t most,
    const void *buf, size_t n)
{
	size_t first = least(n, most - head);

	__stream_copy(hdr->data + head, buf, first);
	__stream_copy(hdr->data, (const char *)buf + first, n - first);
}

static __attribute__((noinline)) void settle_bytes(struct bstream_hdr *hdr, uint32_t head,
    size_t most, size_t n)
{
	size_t first = least(n, most - head);

	_clwb_len(hdr->data + head, first);
	if (n > first)
		_clwb_len(hdr->data, n - first);
	_pfence();
}

static __attribute__((noinline)) void settle_position(atomic_uint_least32_t *position)
{
	_clwb(position);
	_pfence();
}

QUICK void take(struct look *l, void *buf, size_t n)
{
	if (n <= 8 && l->tail + n <= l->mask)
		__stream_copy(buf, l->hdr->data + l->tail, n);
	else
		take_bytes(l->hdr, l->tail, (size_t)l->mask + 1, buf, n);
	atomic_store_explicit(&l->hdr->tail, (l->tail + (uint32_t)n) & l->mask, memory_order_release);
	if (l->durable)
		settle_position(&l->hdr->tail);
}

QUICK void put(struct look *l, const void *buf, size_t n)
{
	if (n <= 8 && l->head + n <= l->mask)
		__stream_copy(l->hdr->data + l->head, buf, n);
	else
		put_bytes(l->hdr, l->head, (size_t)l->mask + 1, buf, n);
	if (l->durable)
		settle_bytes(l->hdr, l->head, (size_t)l->mask + 1, n);
	atomic_store_explicit(&l->hdr->head, (l->head + (uint32_t)n) & l->mask, memory_order_release);
	if (l->durable)
		settle_position(&l->hdr->head);
}

ssize_t bstream_hdr_read(twzobj *o, struct bstream_hdr *hdr, void *buf, size_t len, unsigned flags)
{
	struct look l;
	ssize_t n;
	int r = begin_io(&l, o, hdr, flags);

	if (r < 0 || len == 0)
		return r;
	__stream_touch_writable(buf, least(len, l.mask));
	for (;;) {
		lock(&l);
		n = readable(&l);
		if (n != -EAGAIN || flags & TWZIO_NONBLOCK)
			break;
		r = __stream_wait(&hdr->ev, &hdr->mutex, STREAM_READ);
		if (r < 0)
			return r;
	}
	if (n > 0) {
		n = (ssize_t)least((size_t)n, len);
		take(&l, buf, (size_t)n);
	}
	__stream_unlock(&hdr->ev, &hdr->mutex, n > 0 ? STREAM_WRITE : 0);
	return n;
}

/* As soon as there is room for so many bytes. */
QUICK ssize_t write_with_room(twzobj *o, struct bstream_hdr *hdr, const void *buf, size_t len,
    unsigned flags, size_t room)
{
	struct look l;
	ssize_t n;
	int r = begin_io(&l, o, hdr, flags);

	if (r < 0 || len == 0)
		return r;
	if (room > l.mask)
		return -EMSGSIZE;
	__stream_touch(buf, least(len, l.mask));
	for (;;) {
		lock(&l);
		n = writable(&l, room);
		if (n != -EAGAIN || flags & TWZIO_NONBLOCK)
			break;
		r = __stream_wait(&hdr->ev, &hdr->mutex, STREAM_WRITE);
		if (r < 0)
			return r;
	}
	if (n > 0) {
		n = (ssize_t)least((size_t)n, len);
		put(&l, buf, (size_t)n);
	}
	__stream_unlock(&hdr->ev, &hdr->mutex, n > 0 ? STREAM_READ : 0);
	return n;
}

ssize_t bstream_hdr_write(twzobj *o, struct bstream_hdr *hdr, const void *buf, size_t len,
    unsigned flags)
{
	return write_with_room(o, hdr, buf, len, flags, 1);
}

ssize_t bstream_write_whole(twzobj *o, const void *buf, size_t len, size_t spare, unsigned flags)
{
	size_t room = len + spare < len ? SIZE_MAX : len + spare;

	return write_with_room(o, __stream_base(o), buf, len, flags, room);
}

ssize_t bstream_read(twzobj *o, void *buf, size_t len, unsigned flags)
{
	return bstream_hdr_read(o, __stream_base(o), buf, len, flags);
}

ssize_t bstream_write(twzobj *o, const void *buf, size_t len, unsigned flags)
{
	return bstream_hdr_write(o, __stream_base(o), buf, len, flags);
}

ssize_t bstream_ioread(twzobj *o, void *buf, size_t len, size_t off, unsigned flags)
{
	(void)off;
	return bstream_read(o, buf, len, flags);
}

ssize_t bstream_iowrite(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags)
{
	(void)off;
	return bstream_write(o, buf, len, flags);
}

/* 1 ready, 0 not, or an error. */
static int ready(struct look *l, uint64_t type, size_t room)
{
	ssize_t n = type == STREAM_READ ? readable(l) : writable(l, room);

	return n == -EINVLOBJ ? -EINVLOBJ : n != -EAGAIN;
}

/* Who waits will be told: a bit that is set makes event_wait return at once, one that is clear will
 * be set. */
static int ready_or_watched(struct look *l, uint64_t type, size_t room, bool waits)
{
	struct bstream_hdr *hdr = l->hdr;
	int r;

	lock(l);
	r = ready(l, type, room);
	if (r == 0 && waits)
		event_clear(&hdr->ev, type);
	__stream_unlock(&hdr->ev, &hdr->mutex, r > 0 && waits ? type : 0);
	return r;
}

static int poll_for(twzobj *o, struct bstream_hdr *hdr, uint64_t type, size_t room, struct event *event)
{
	struct look l;
	int r = type == STREAM_READ || type == STREAM_WRITE ? begin(&l, hdr) : -ENOTSUP;

	if (r < 0)
		return r;
	if (event)
		event_init(event, &hdr->ev, type);
	l.durable = __stream_durable(o);
	return ready_or_watched(&l, type, room, event != NULL);
}

int bstream_hdr_poll(twzobj *o, struct bstream_hdr *hdr, uint64_t type, struct event *event)
{
	return poll_for(o, hdr, type, 1, event);
}

int bstream_poll_room(twzobj *o, size_t room, struct event *event)
{
	return poll_for(o, __stream_base(o), STREAM_WRITE, room, event);
}

int bstream_poll(twzobj *o, uint64_t type, struct event *event)
{
	return bstream_hdr_poll(o, __stream_base(o), type, event);
}

int bstream_close(twzobj *o, struct bstream_hdr *hdr, int which)
{
	struct look l;
	int r = which < 1 || which > (int)STREAM_CLOSED ? -EINVAL : 0;

	hdr = hdr ? hdr : twz_object_base(o);
	r = r < 0 ? r : begin(&l, hdr);
	if (r < 0)
		return r;
	l.durable = __stream_durable(o);
	lock(&l);
	__atomic_fetch_or(&hdr->flags, (uint32_t)which, __ATOMIC_RELEASE);
	if (l.durable)
		settle_header(hdr);
	__stream_unlock(&hdr->ev, &hdr->mutex, STREAM_BOTH);
	return 0;
}

void __bstream_make(twzobj *o, struct bstream_hdr *hdr, uint32_t nbits)
{
	memset(hdr, 0, sizeof(*hdr));
	atomic_store_explicit(&hdr->ev.point, STREAM_WRITE, memory_order_relaxed);
	mutex_init(&hdr->mutex);
	hdr->io.type = TWZIO_TYPE_BSTREAM;
	__atomic_store_n(&hdr->nbits, nbits, __ATOMIC_RELEASE);
	__twz_obj_flush(o, hdr, sizeof(*hdr));
}

int bstream_obj_init(twzobj *o, struct bstream_hdr *hdr, uint32_t nbits)
{
	int io, event, stream;

	hdr = hdr ? hdr : twz_object_base(o);
	if (!nbits_ok(nbits) || !__stream_in(o, hdr) || !__stream_fits(hdr, bstream_hdr_size(nbits)))
		return -EINVAL;
	__bstream_make(o, hdr, nbits);
	__twz_obj_fence(o);
	stream = __stream_register(o, BSTREAM_METAEXT_TAG, hdr);
	io = stream < 0 ? stream : __stream_register(o, TWZIO_METAEXT_TAG, &hdr->io);
	event = io < 0 ? io : __stream_register(o, EVENT_METAEXT_TAG, &hdr->ev);
	if (event < 0 && io > 0)
		twz_object_delext(o, TWZIO_METAEXT_TAG);
	if (event < 0 && stream > 0)
		twz_object_delext(o, BSTREAM_METAEXT_TAG);
	return event < 0 ? event : 0;
}
