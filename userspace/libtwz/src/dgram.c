// SPDX-License-Identifier: BSD-3-Clause
/*
 * Messages. head and tail count bytes of records and only grow; a record stands at its count modulo
 * the size of the data, and where it would wrap, a filler takes the rest. On a persistent object a
 * record is durable before head moves, and head and tail are before a call returns, with the lock
 * held: nobody overwrites a record whose receipt a crash would undo.
 *
 * What stands in the header and the records may be noise: each value is read once and checked
 * before it is used, so that no access leaves the data, which are in the channel's own object.
 */
#include "stream.h"

#include <twz/obj/dgram.h>
#include <twz/persist.h>

#define DATA_OFFSET sizeof(struct dgram_hdr)
#define PAYLOAD sizeof(struct dgram_record)

/* A direction as it was judged; all but flags, head and tail for a whole call. */
struct look {
	struct dgram_ring *ring;
	twzobj *o;
	char *data;
	uint64_t size;
	uint32_t maxmsg;
	bool durable;
	uint32_t flags; /* from here on: under the lock */
	uint64_t head, tail;
};

size_t dgram_hdr_size(uint32_t nbits)
{
	return DATA_OFFSET + ((size_t)2 << nbits);
}

QUICK uint64_t record_size(uint64_t len)
{
	return PAYLOAD + ((len + 7) & ~7ull);
}

/* What can be judged without the lock. */
QUICK int begin(struct look *l, twzobj *o, struct dgram_hdr *hdr, int end, bool reads)
{
	uint32_t nbits;
	uint64_t data;

	if (end != DGRAM_A && end != DGRAM_B)
		return -EINVAL;
	if (!__stream_fits(hdr, sizeof(*hdr)))
		return -EINVLOBJ;
	l->ring = &hdr->ring[end ^ reads];
	nbits = __atomic_load_n(&l->ring->nbits, __ATOMIC_RELAXED);
	data = __atomic_load_n((uint64_t *)&l->ring->data, __ATOMIC_RELAXED);
	l->maxmsg = __atomic_load_n(&hdr->maxmsg, __ATOMIC_RELAXED);
	if (nbits < DGRAM_NBITS_MIN || nbits > DGRAM_NBITS_MAX || l->maxmsg > DGRAM_MAXMSG(nbits))
		return -EINVLOBJ;
	l->o = o;
	l->size = 1ull << nbits;
	l->data = (char *)((uintptr_t)hdr & ~(OBJ_MAXSIZE - 1)) + data;
	return twz_ptr_islocal(data) && __stream_fits(l->data, l->size) ? 0 : -EINVLOBJ;
}

/* Read the positions, with the lock: what is between them fits into the data, or -EINVLOBJ. */
QUICK int look(struct look *l)
{
	l->flags = __atomic_load_n(&l->ring->flags, __ATOMIC_RELAXED);
	l->head = atomic_load_explicit(&l->ring->head, memory_order_relaxed);
	l->tail = atomic_load_explicit(&l->ring->tail, memory_order_relaxed);
	return l->head - l->tail <= l->size && (l->head | l->tail) % 8 == 0 ? 0 : -EINVLOBJ;
}

/* Bytes from a position to the end of the data. */
QUICK uint64_t to_end(const struct look *l, uint64_t position)
{
	return l->size - (position & (l->size - 1));
}

/* What a message takes where head stands, with the filler before it. */
QUICK uint64_t taken_by(const struct look *l, uint64_t len)
{
	uint64_t rest = to_end(l, l->head);

	return record_size(len) + (record_size(len) > rest ? rest : 0);
}

/* 0: it fits now; -EAGAIN, -EPIPE, -EINVLOBJ. */
QUICK int sendable(struct look *l, uint64_t len)
{
	int r = look(l);

	if (r < 0)
		return r;
	if (l->flags & STREAM_CLOSED)
		return -EPIPE;
	return taken_by(l, len) <= l->size - (l->head - l->tail) ? 0 : -EAGAIN;
}

/* 0: there is something to receive; -EAGAIN, -ESHUTDOWN, -EINVLOBJ. */
QUICK int receivable(struct look *l)
{
	int r = look(l);

	if (r < 0 || l->head != l->tail)
		return r;
	return l->flags & STREAM_CLOSED ? -ESHUTDOWN : -EAGAIN;
}

static __attribute__((noinline)) void flush_and_fence(const void *p, size_t len)
{
	_clwb_len(p, len);
	_pfence();
}

QUICK void settle(const struct look *l, const void *p, size_t len)
{
	if (l->durable)
		flush_and_fence(p, len);
}

/* Positions that follow must not be durable before those that a holder left when it ended. */
QUICK void lock(struct look *l)
{
	if (__stream_lock(&l->ring->ev, &l->ring->mutex))
		settle(l, l->ring, sizeof(*l->ring));
}

/* A record's header at a position, read or written in one piece. */
QUICK struct dgram_record record_at(const struct look *l, uint64_t position)
{
	uint64_t word = __atomic_load_n((uint64_t *)(l->data + (position & (l->size - 1))),
	    __ATOMIC_RELAXED);

	return (struct dgram_record){ (uint32_t)word, (uint32_t)(word >> 32) };
}

QUICK char *begin_record(struct look *l, uint64_t position, uint64_t len, uint32_t flags)
{
	char *at = l->data + (position & (l->size - 1));

	__atomic_store_n((uint64_t *)at, len | (uint64_t)flags << 32, __ATOMIC_RELAXED);
	return at;
}

/* It fits. */
QUICK void put(struct look *l, const void *buf, size_t len)
{
	uint64_t head = l->head;
	uint64_t rest = to_end(l, head);
	char *record;

	if (record_size(len) > rest) {
		record = begin_record(l, head, rest - PAYLOAD, DGRAM_FILLER);
		if (l->durable)
			_clwb_len(record, PAYLOAD);
		head += rest;
	}
	record = begin_record(l, head, len, 0);
	if (len % 8) /* the padding is zero */
		__atomic_store_n((uint64_t *)(record + PAYLOAD + (len & ~7ul)), 0, __ATOMIC_RELAXED);
	__stream_copy(record + PAYLOAD, buf, len);
	settle(l, record, record_size(len));
	atomic_store_explicit(&l->ring->head, head + record_size(len), memory_order_release);
	settle(l, &l->ring->head, sizeof(l->ring->head));
}

/* The length of the next message, tail standing before it; -EINVLOBJ where there is none. */
QUICK ssize_t next_message(struct look *l)
{
	struct dgram_record rec = record_at(l, l->tail);

	if (rec.flags == DGRAM_FILLER) {
		if (to_end(l, l->tail) >= l->head - l->tail)
			return -EINVLOBJ;
		l->tail += to_end(l, l->tail);
		rec = record_at(l, l->tail);
	}
	if (rec.flags != 0 || record_size(rec.len) > l->head - l->tail ||
	    record_size(rec.len) > to_end(l, l->tail))
		return -EINVLOBJ;
	return rec.len;
}

/* There is something: the length of the message, of which at most len bytes are copied. */
QUICK ssize_t take(struct look *l, void *buf, size_t len)
{
	ssize_t full = next_message(l);
	size_t n = full < (ssize_t)len ? (size_t)full : len;

	if (full < 0)
		return full;
	__stream_copy(buf, l->data + (l->tail & (l->size - 1)) + PAYLOAD, n);
	atomic_store_explicit(&l->ring->tail, l->tail + record_size((uint64_t)full),
	    memory_order_release);
	settle(l, &l->ring->tail, sizeof(l->ring->tail));
	return full;
}

ssize_t dgram_hdr_send(twzobj *o, struct dgram_hdr *hdr, int end, const void *buf, size_t len,
    unsigned flags)
{
	struct look l;
	int r = flags & ~TWZIO_NONBLOCK ? -EINVAL : begin(&l, o, hdr, end, false);

	if (r < 0)
		return r;
	if (len > l.maxmsg)
		return -EMSGSIZE;
	__stream_touch(buf, len);
	l.durable = __stream_durable(o);
	for (;;) {
		lock(&l);
		r = sendable(&l, len);
		if (r != -EAGAIN || flags & TWZIO_NONBLOCK)
			break;
		r = __stream_wait(&l.ring->ev, &l.ring->mutex, STREAM_WRITE);
		if (r < 0)
			return r;
	}
	if (r == 0)
		put(&l, buf, len);
	__stream_unlock(&l.ring->ev, &l.ring->mutex, r == 0 ? STREAM_READ : 0);
	return r < 0 ? r : (ssize_t)len;
}

ssize_t dgram_hdr_recv(twzobj *o, struct dgram_hdr *hdr, int end, void *buf, size_t len,
    unsigned flags, size_t *full)
{
	struct look l;
	ssize_t n = flags & ~TWZIO_NONBLOCK ? -EINVAL : begin(&l, o, hdr, end, true);

	if (n < 0)
		return n;
	__stream_touch_writable(buf, len < l.maxmsg ? len : l.maxmsg);
	l.durable = __stream_durable(o);
	for (;;) {
		lock(&l);
		n = receivable(&l);
		if (n != -EAGAIN || flags & TWZIO_NONBLOCK)
			break;
		n = __stream_wait(&l.ring->ev, &l.ring->mutex, STREAM_READ);
		if (n < 0)
			return n;
	}
	if (n == 0)
		n = take(&l, buf, len);
	__stream_unlock(&l.ring->ev, &l.ring->mutex, n >= 0 ? STREAM_WRITE : 0);
	if (n >= 0 && full)
		*full = (size_t)n;
	return n < (ssize_t)len ? n : (ssize_t)len;
}

ssize_t dgram_send(twzobj *o, int end, const void *buf, size_t len, unsigned flags)
{
	return dgram_hdr_send(o, __stream_base(o), end, buf, len, flags);
}

ssize_t dgram_recv(twzobj *o, int end, void *buf, size_t len, unsigned flags, size_t *full)
{
	return dgram_hdr_recv(o, __stream_base(o), end, buf, len, flags, full);
}

/* 1 ready, 0 not, or -EINVLOBJ. */
static int ready(struct look *l, uint64_t type)
{
	int r = type == STREAM_READ ? receivable(l) : sendable(l, l->maxmsg);

	return r == -EINVLOBJ ? r : r != -EAGAIN;
}

int dgram_hdr_poll(twzobj *o, struct dgram_hdr *hdr, int end, uint64_t type, struct event *event)
{
	struct look l;
	int r = type == STREAM_READ || type == STREAM_WRITE
		    ? begin(&l, o, hdr, end, type == STREAM_READ)
		    : -ENOTSUP;

	if (r < 0)
		return r;
	if (event)
		event_init(event, &l.ring->ev, type);
	l.durable = __stream_durable(o);
	lock(&l);
	r = ready(&l, type);
	if (r == 0 && event)
		event_clear(&l.ring->ev, type);
	__stream_unlock(&l.ring->ev, &l.ring->mutex, r > 0 && event ? type : 0);
	return r;
}

int dgram_poll(twzobj *o, int end, uint64_t type, struct event *event)
{
	return dgram_hdr_poll(o, __stream_base(o), end, type, event);
}

static void close_side(struct look *l, uint32_t which)
{
	l->durable = __stream_durable(l->o);
	lock(l);
	__atomic_fetch_or(&l->ring->flags, which, __ATOMIC_RELEASE);
	settle(l, &l->ring->flags, sizeof(l->ring->flags));
	__stream_unlock(&l->ring->ev, &l->ring->mutex, STREAM_BOTH);
}

int dgram_hdr_shutdown(twzobj *o, struct dgram_hdr *hdr, int end, int how)
{
	struct look in, out;
	int r = how < DGRAM_SHUT_READ || how > DGRAM_SHUT_BOTH ? -EINVAL : 0;

	r = r < 0 ? r : begin(&in, o, hdr, end, true);
	r = r < 0 ? r : begin(&out, o, hdr, end, false);
	if (r < 0)
		return r;
	if (how & DGRAM_SHUT_READ)
		close_side(&in, DGRAM_RCLOSED);
	if (how & DGRAM_SHUT_WRITE)
		close_side(&out, DGRAM_WCLOSED);
	return 0;
}

int dgram_shutdown(twzobj *o, int end, int how)
{
	return dgram_hdr_shutdown(o, __stream_base(o), end, how);
}

static void make(twzobj *o, struct dgram_hdr *hdr, uint32_t nbits, uint32_t maxmsg)
{
	char *data = (char *)hdr + DATA_OFFSET;

	memset(hdr, 0, sizeof(*hdr));
	hdr->nbits = nbits;
	hdr->maxmsg = maxmsg;
	for (unsigned i = 0; i < 2; i++) {
		struct dgram_ring *ring = &hdr->ring[i];
		atomic_store_explicit(&ring->ev.point, STREAM_WRITE, memory_order_relaxed);
		mutex_init(&ring->mutex);
		ring->nbits = nbits;
		ring->data = (void *)twz_ptr_local(data + ((size_t)i << nbits));
	}
	hdr->io.type = TWZIO_TYPE_DGRAM;
	__twz_obj_flush(o, hdr, sizeof(*hdr));
	__twz_obj_fence(o);
}

int dgram_obj_init(twzobj *o, struct dgram_hdr *hdr, uint32_t nbits, uint32_t maxmsg)
{
	hdr = hdr ? hdr : twz_object_base(o);
	if (nbits < DGRAM_NBITS_MIN || nbits > DGRAM_NBITS_MAX || maxmsg > DGRAM_MAXMSG(nbits) ||
	    !__stream_in(o, hdr) || !__stream_fits(hdr, dgram_hdr_size(nbits)))
		return -EINVAL;
	make(o, hdr, nbits, maxmsg);
	return __stream_register_two(o, DGRAM_METAEXT_TAG, hdr, &hdr->io);
}

int dgram_end_init(twzobj *endobj, struct dgram_end_hdr *hdr, twzobj *chan, int end)
{
	hdr = hdr ? hdr : twz_object_base(endobj);
	if ((end != DGRAM_A && end != DGRAM_B) || !__stream_in(endobj, hdr) ||
	    !__stream_fits(hdr, sizeof(*hdr)))
		return -EINVAL;
	hdr->end = (uint32_t)end;
	hdr->io = (struct twzio_hdr){ .type = TWZIO_TYPE_DGRAM_END };
	return __stream_end(endobj, &hdr->chan, &hdr->io, chan, DGRAM_METAEXT_TAG);
}
