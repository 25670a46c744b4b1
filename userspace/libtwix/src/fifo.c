// SPDX-License-Identifier: BSD-3-Clause
/*
 * Pipes with names: objects whose mode says so, with a byte stream at the base. Who has one open is
 * counted in what all programs share; the first to open it makes the stream anew, so that nothing is
 * left in it from before. A side of the stream is closed while nobody has that side open.
 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/obj/bstream.h>
#include <twz/sys/sync.h>

/* Where a file keeps which place of the table it has, and how often somebody had opened the writing
 * side when it was opened. */
static struct twix_fifo *place_of(const struct twix_file *f)
{
	return &twix_shared->fifos.all[(uint64_t)f->offset % TWIX_FIFOS];
}

static uint64_t writers_seen(const struct twix_file *f)
{
	return (uint64_t)f->offset / TWIX_FIFOS;
}

static bool reads(const struct twix_file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(const struct twix_file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY;
}

static struct bstream_hdr *stream_of(struct twix_file *f)
{
	twzobj *o = twix_file_object(f);

	return o ? twz_object_base(o) : NULL;
}

/* --- the table. Its lock is held in all of these */

static struct twix_fifo *find(objid_t id)
{
	struct twix_fifo *all = twix_shared->fifos.all;

	for (unsigned i = 0; i < TWIX_FIFOS; i++)
		if (all[i].readers + all[i].writers && all[i].id == id)
			return &all[i];
	for (unsigned i = 0; i < TWIX_FIFOS; i++)
		if (all[i].readers + all[i].writers == 0)
			return &all[i];
	return NULL;
}

static void changed(struct twix_fifo *p)
{
	__atomic_fetch_add(&p->changes, 1, __ATOMIC_SEQ_CST);
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&p->changes, (uint64_t)-1, NULL);
}

static void enter(struct twix_fifo *p, struct twix_file *f, struct bstream_hdr *hdr)
{
	uint32_t open = (reads(f) ? BSTREAM_RCLOSED : 0) | (writes(f) ? BSTREAM_WCLOSED : 0);

	f->offset = (int64_t)((p->writer_opens + writes(f)) * TWIX_FIFOS + (uint64_t)(p - twix_shared->fifos.all));
	p->readers += reads(f);
	p->writers += writes(f);
	__atomic_fetch_add(&p->reader_opens, reads(f), __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&p->writer_opens, writes(f), __ATOMIC_SEQ_CST);
	__atomic_fetch_and(&hdr->flags, ~open, __ATOMIC_SEQ_CST);
	changed(p);
}

/* The first: whatever stands in the object is from before. */
static int make_stream(struct twix_fifo *p, struct twix_file *f)
{
	twzobj *o = twix_file_object(f);
	int r = bstream_obj_init(o, NULL, TWIX_PIPE_BITS);

	if (r < 0)
		return r;
	p->id = f->id;
	stream_of(f)->flags = BSTREAM_RCLOSED | BSTREAM_WCLOSED;
	return 0;
}

static void leave(struct twix_file *f)
{
	struct twix_fifo *p = place_of(f);
	twzobj *o = twix_file_object(f);
	int closed = 0;

	mutex_acquire(&twix_shared->fifos.lock);
	p->readers -= reads(f);
	p->writers -= writes(f);
	closed |= reads(f) && !p->readers ? (int)BSTREAM_RCLOSED : 0;
	closed |= writes(f) && !p->writers ? (int)BSTREAM_WCLOSED : 0;
	if (closed && o)
		bstream_close(o, NULL, closed);
	changed(p);
	mutex_release(&twix_shared->fifos.lock);
}

/* --- opening: one side waits for the other */

static int begin(struct twix_file *f, struct twix_fifo **place)
{
	struct bstream_hdr *hdr = stream_of(f);
	struct twix_fifo *p;
	int r = 0;

	if (!hdr)
		return -EIO;
	mutex_acquire(&twix_shared->fifos.lock);
	p = find(f->id);
	if (!p)
		r = -ENFILE;
	else if ((f->flags & (O_NONBLOCK | O_ACCMODE)) == (O_NONBLOCK | O_WRONLY) && !p->readers)
		r = -ENXIO;
	else if (p->readers + p->writers == 0)
		r = make_stream(p, f);
	if (r == 0)
		enter(p, f, hdr);
	mutex_release(&twix_shared->fifos.lock);
	*place = p;
	return r;
}

static int wait_for_other(struct twix_file *f, struct twix_fifo *p)
{
	const uint32_t *there = reads(f) ? &p->writers : &p->readers;
	const uint64_t *opens = reads(f) ? &p->writer_opens : &p->reader_opens;
	uint64_t opened = __atomic_load_n(opens, __ATOMIC_SEQ_CST), seen;

	for (;;) {
		seen = __atomic_load_n(&p->changes, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(there, __ATOMIC_SEQ_CST) || __atomic_load_n(opens, __ATOMIC_SEQ_CST) != opened)
			return 0;
		if (twix_sleep_on(&p->changes, seen, UINT64_MAX) == -EINTR)
			return -EINTR;
	}
}

int twix_fifo_open(struct twix_file *f)
{
	struct twix_fifo *p;
	int r;

	f->kind = TWIX_FIFO;
	r = begin(f, &p);
	if (r == 0 && !(f->flags & O_NONBLOCK) && !(reads(f) && writes(f))) {
		r = wait_for_other(f, p);
		if (r < 0)
			leave(f);
	}
	if (r < 0)
		f->kind = TWIX_REGULAR;
	return r;
}

/* --- using it */

/* Who has opened it before any writer waits for the first; after the last there is the end. */
static bool is_at_end(struct twix_file *f, const struct bstream_hdr *hdr)
{
	return __atomic_load_n(&hdr->flags, __ATOMIC_ACQUIRE) & BSTREAM_WCLOSED &&
	       __atomic_load_n(&place_of(f)->writer_opens, __ATOMIC_ACQUIRE) != writers_seen(f);
}

static bool is_empty(const struct bstream_hdr *hdr)
{
	return atomic_load(&hdr->head) == atomic_load(&hdr->tail);
}

/* A stream without a writer is ready, which it is not for one who waits for the first: that one clears
 * the bit that says so, and is woken by whoever writes. */
static bool look_to_read(struct twix_file *f, struct bstream_hdr *hdr, struct event *ev)
{
	event_init(ev, &hdr->ev, TWZIO_EVENT_READ);
	if (bstream_poll(twix_file_object(f), TWZIO_EVENT_READ, ev) <= 0)
		return false;
	if (is_empty(hdr))
		event_clear(&hdr->ev, TWZIO_EVENT_READ);
	return !is_empty(hdr);
}

static short look(struct twix_file *f, short events, struct event *evs, size_t *n)
{
	struct bstream_hdr *hdr = stream_of(f);
	short ready = 0;
	struct event ev;
	int r;

	if (!hdr)
		return POLLERR;
	if (reads(f)) {
		ready |= look_to_read(f, hdr, &ev) ? POLLIN | POLLRDNORM : 0;
		ready |= is_at_end(f, hdr) ? POLLHUP : 0;
		if (!ready)
			evs[(*n)++] = ev;
	}
	if (writes(f)) {
		r = bstream_poll_room(twix_file_object(f), TWIX_PIPE_ROOM, &ev);
		ready |= r ? POLLOUT | POLLWRNORM : 0;
		ready |= __atomic_load_n(&hdr->flags, __ATOMIC_ACQUIRE) & BSTREAM_RCLOSED ? POLLERR : 0;
		if (!r)
			evs[(*n)++] = ev;
	}
	return ready & (short)(events | POLLERR | POLLHUP);
}

const struct twix_ops twix_fifo_ops = {
	.read = twix_pipe_read,
	.write = twix_pipe_write,
	.ioctl = twix_pipe_ioctl,
	.last = leave,
	.look = look,
	.mode = S_IFIFO,
};
