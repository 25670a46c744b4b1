// SPDX-License-Identifier: BSD-3-Clause
/*
 * Byte streams. head and tail are positions in the data; head is where writing goes on, tail where
 * reading does. On a persistent object the bytes are durable before head moves, and head and tail are
 * before a call returns, with the lock held: nobody overwrites bytes whose reading a crash would undo.
 *
 * What stands in the header may be noise: nbits, head and tail are read once for every look and
 * checked before they are used, so that no access leaves the data.
 */
#include "stream.h"

/* A stream as it was judged; all but head and tail for a whole call. */
struct look {
	struct bstream_hdr *hdr;
	twzobj *o;
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

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* What can be judged without the lock. */
static int begin(struct look *l, twzobj *o, struct bstream_hdr *hdr)
{
	uint32_t nbits;

	if (!__stream_fits(hdr, sizeof(*hdr)))
		return -EINVLOBJ;
	nbits = __atomic_load_n(&hdr->nbits, __ATOMIC_RELAXED);
	if (!nbits_ok(nbits) || !__stream_fits(hdr, bstream_hdr_size(nbits)))
		return -EINVLOBJ;
	l->hdr = hdr;
	l->o = o;
	l->mask = (1u << nbits) - 1;
	return 0;
}

/* Read the positions: they are in the data, or -EINVLOBJ. */
static int look(struct look *l)
{
	l->flags = __atomic_load_n(&l->hdr->flags, __ATOMIC_RELAXED);
	l->head = atomic_load_explicit(&l->hdr->head, memory_order_acquire);
	l->tail = atomic_load_explicit(&l->hdr->tail, memory_order_acquire);
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
static ssize_t readable(struct look *l)
{
	int r = look(l);

	if (r < 0)
		return r;
	return used(l) || l->flags & STREAM_CLOSED ? (ssize_t)used(l) : -EAGAIN;
}

/* How many bytes can be written: -EAGAIN none yet, -EPIPE closed, -EINVLOBJ. */
static ssize_t writable(struct look *l)
{
	int r = look(l);

	if (r < 0)
		return r;
	if (l->flags & STREAM_CLOSED)
		return -EPIPE;
	return space(l) ? (ssize_t)space(l) : -EAGAIN;
}

/* Positions that follow must not be durable before those that a holder left when it ended. */
static void lock(struct look *l)
{
	struct bstream_hdr *hdr = l->hdr;

	if (!__stream_lock(&hdr->ev, &hdr->mutex))
		return;
	__stream_flush(l->o, l->durable, hdr, offsetof(struct bstream_hdr, io));
	__stream_fence(l->o, l->durable);
}

/*
 * Take the lock and wait until there is something to do. Then with the lock: the bytes that can be
 * had, or an error; else without it an error, and *locked is false.
 */
static ssize_t wait_for(struct look *l, uint64_t bit, unsigned flags, bool *locked)
{
	ssize_t n;

	for (;;) {
		lock(l);
		n = bit == STREAM_READ ? readable(l) : writable(l);
		*locked = n != -EAGAIN || flags & TWZIO_NONBLOCK;
		if (*locked)
			return n;
		n = __stream_wait(&l->hdr->ev, &l->hdr->mutex, bit);
		if (n < 0)
			return n;
	}
}

static void take(struct look *l, void *buf, size_t n)
{
	size_t first = least(n, (size_t)l->mask + 1 - l->tail);

	memcpy(buf, l->hdr->data + l->tail, first);
	memcpy((char *)buf + first, l->hdr->data, n - first);
	atomic_store_explicit(&l->hdr->tail, (l->tail + (uint32_t)n) & l->mask, memory_order_release);
	__stream_flush(l->o, l->durable, &l->hdr->tail, sizeof(l->hdr->tail));
	__stream_fence(l->o, l->durable);
}

static void put(struct look *l, const void *buf, size_t n)
{
	size_t first = least(n, (size_t)l->mask + 1 - l->head);

	memcpy(l->hdr->data + l->head, buf, first);
	memcpy(l->hdr->data, (const char *)buf + first, n - first);
	__stream_flush(l->o, l->durable, l->hdr->data + l->head, first);
	__stream_flush(l->o, l->durable, l->hdr->data, n - first);
	__stream_fence(l->o, l->durable);
	atomic_store_explicit(&l->hdr->head, (l->head + (uint32_t)n) & l->mask, memory_order_release);
	__stream_flush(l->o, l->durable, &l->hdr->head, sizeof(l->hdr->head));
	__stream_fence(l->o, l->durable);
}

ssize_t bstream_hdr_read(twzobj *o, struct bstream_hdr *hdr, void *buf, size_t len, unsigned flags)
{
	struct look l;
	bool locked;
	ssize_t n;
	int r = flags & ~TWZIO_NONBLOCK ? -EINVAL : begin(&l, o, hdr);

	if (r < 0 || len == 0)
		return r;
	__stream_touch_writable(buf, least(len, l.mask));
	l.durable = __stream_durable(o);
	n = wait_for(&l, STREAM_READ, flags, &locked);
	if (n > 0) {
		n = (ssize_t)least((size_t)n, len);
		take(&l, buf, (size_t)n);
	}
	if (locked)
		__stream_unlock(&hdr->ev, &hdr->mutex, n > 0 ? STREAM_WRITE : 0);
	return n;
}

ssize_t bstream_hdr_write(twzobj *o, struct bstream_hdr *hdr, const void *buf, size_t len,
    unsigned flags)
{
	struct look l;
	bool locked;
	ssize_t n;
	int r = flags & ~TWZIO_NONBLOCK ? -EINVAL : begin(&l, o, hdr);

	if (r < 0 || len == 0)
		return r;
	__stream_touch(buf, least(len, l.mask));
	l.durable = __stream_durable(o);
	n = wait_for(&l, STREAM_WRITE, flags, &locked);
	if (n > 0) {
		n = (ssize_t)least((size_t)n, len);
		put(&l, buf, (size_t)n);
	}
	if (locked)
		__stream_unlock(&hdr->ev, &hdr->mutex, n > 0 ? STREAM_READ : 0);
	return n;
}

ssize_t bstream_read(twzobj *o, void *buf, size_t len, unsigned flags)
{
	return bstream_hdr_read(o, twz_object_base(o), buf, len, flags);
}

ssize_t bstream_write(twzobj *o, const void *buf, size_t len, unsigned flags)
{
	return bstream_hdr_write(o, twz_object_base(o), buf, len, flags);
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
static int ready(struct look *l, uint64_t type)
{
	ssize_t n = type == STREAM_READ ? readable(l) : writable(l);

	return n == -EINVLOBJ ? -EINVLOBJ : n != -EAGAIN;
}

/* A bit that is set makes event_wait return at once; one that is clear will be set. */
static int ready_or_watched(struct look *l, uint64_t type)
{
	struct bstream_hdr *hdr = l->hdr;
	int r;

	lock(l);
	r = ready(l, type);
	if (r == 0)
		event_clear(&hdr->ev, type);
	__stream_unlock(&hdr->ev, &hdr->mutex, r > 0 ? type : 0);
	return r;
}

int bstream_hdr_poll(twzobj *o, struct bstream_hdr *hdr, uint64_t type, struct event *event)
{
	struct look l;
	int r = type == STREAM_READ || type == STREAM_WRITE ? begin(&l, o, hdr) : -ENOTSUP;

	if (r < 0)
		return r;
	if (!event)
		return ready(&l, type);
	event_init(event, &hdr->ev, type);
	l.durable = __stream_durable(o);
	return ready_or_watched(&l, type);
}

int bstream_poll(twzobj *o, uint64_t type, struct event *event)
{
	return bstream_hdr_poll(o, twz_object_base(o), type, event);
}

int bstream_close(twzobj *o, struct bstream_hdr *hdr, int which)
{
	struct look l;
	int r = which < 1 || which > (int)STREAM_CLOSED ? -EINVAL : 0;

	hdr = hdr ? hdr : twz_object_base(o);
	r = r < 0 ? r : begin(&l, o, hdr);
	if (r < 0)
		return r;
	l.durable = __stream_durable(o);
	lock(&l);
	__atomic_fetch_or(&hdr->flags, (uint32_t)which, __ATOMIC_RELEASE);
	__stream_flush(o, l.durable, &hdr->flags, sizeof(hdr->flags));
	__stream_fence(o, l.durable);
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
