// SPDX-License-Identifier: BSD-3-Clause
/*
 * Pairs of connected sockets: two byte streams, or a channel for messages, in an object that both
 * ends stand for. There are no addresses: nothing can be bound, and nothing connected to.
 */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct twix_pair *twix_pair_of(struct twix_file *f)
{
	twzobj *o = twix_file_object(f);

	return o ? twz_object_base(o) : NULL;
}

static struct bstream_hdr *stream(struct twix_pair *p, unsigned n)
{
	return (void *)((char *)p + (n ? SECOND_STREAM : FIRST_STREAM));
}

struct bstream_hdr *twix_socket_in(struct twix_pair *p, const struct twix_file *f)
{
	return stream(p, !f->offset);
}

struct bstream_hdr *twix_socket_out(struct twix_pair *p, const struct twix_file *f)
{
	return stream(p, f->offset != 0);
}

struct dgram_hdr *twix_socket_channel(struct twix_pair *p)
{
	return (void *)((char *)p + FIRST_STREAM);
}

/* --- closing and shutting down */

/* What is closed of a direction, as flags of a stream: those of a channel are the same. */
static uint32_t closed(struct twix_pair *p, const struct twix_file *f, bool in)
{
	unsigned n = in ? !f->offset : f->offset != 0;

	if (p->type == SOCK_STREAM)
		return __atomic_load_n(&stream(p, n)->flags, __ATOMIC_ACQUIRE);
	return __atomic_load_n(&twix_socket_channel(p)->ring[n].flags, __ATOMIC_ACQUIRE);
}

static void close_stream(twzobj *o, struct twix_pair *p, const struct twix_file *f, int how)
{
	if (how & DGRAM_SHUT_READ)
		bstream_close(o, twix_socket_in(p, f), BSTREAM_RCLOSED);
	if (how & DGRAM_SHUT_WRITE)
		bstream_close(o, twix_socket_out(p, f), BSTREAM_WCLOSED);
}

static void close_ways(struct twix_file *f, struct twix_pair *p, int how)
{
	twzobj *o = twix_file_object(f);

	if (p->type == SOCK_STREAM)
		close_stream(o, p, f, how);
	else
		dgram_hdr_shutdown(o, twix_socket_channel(p), (int)f->offset, how);
}

bool twix_socket_has(struct twix_pair *p, const struct twix_file *f)
{
	const struct bstream_hdr *in = twix_socket_in(p, f);
	const struct dgram_ring *ring = &twix_socket_channel(p)->ring[!f->offset];

	if (p->type == SOCK_STREAM)
		return atomic_load(&in->head) != atomic_load(&in->tail);
	return atomic_load(&ring->head) != atomic_load(&ring->tail);
}

/* Who sends messages without a connection is not told that nobody receives any more by their end. */
static void last(struct twix_file *f)
{
	struct twix_pair *p = twix_pair_of(f);

	if (!p)
		return;
	if (p->type != SOCK_DGRAM && twix_socket_has(p, f))
		__atomic_store_n(&p->reset[!f->offset], 1, __ATOMIC_RELEASE);
	close_ways(f, p, p->type == SOCK_DGRAM ? DGRAM_SHUT_READ : DGRAM_SHUT_BOTH);
	if (__atomic_or_fetch(&p->gone, 1u << f->offset, __ATOMIC_ACQ_REL) == 3)
		twz_object_tie_guid(twix_shared_id(), f->id, TIE_UNTIE);
}

int twix_socket_shut(struct twix_file *f, int how)
{
	struct twix_pair *p = twix_pair_of(f);
	int ways = how == SHUT_RD ? DGRAM_SHUT_READ : how == SHUT_WR ? DGRAM_SHUT_WRITE : DGRAM_SHUT_BOTH;

	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (!p)
		return -EIO;
	if (p->type == SOCK_DGRAM && ways & DGRAM_SHUT_WRITE) {
		/* The other goes on waiting for messages that will not come. */
		__atomic_fetch_or(&p->silent, 1u << f->offset, __ATOMIC_ACQ_REL);
		ways &= ~DGRAM_SHUT_WRITE;
	}
	if (ways)
		close_ways(f, p, ways);
	return 0;
}

/* --- moving bytes */

/* An error of the connection is told once. */
static ssize_t take_reset(struct twix_pair *p, const struct twix_file *f)
{
	return __atomic_exchange_n(&p->reset[f->offset != 0], 0, __ATOMIC_ACQ_REL) ? -ECONNRESET : 0;
}

ssize_t twix_socket_send(struct twix_file *f, const void *buf, size_t n, unsigned flags)
{
	struct twix_pair *p = twix_pair_of(f);
	twzobj *o = twix_file_object(f);
	size_t done = 0;
	ssize_t r;

	if (!p)
		return -EIO;
	if (__atomic_load_n(&p->silent, __ATOMIC_ACQUIRE) >> f->offset & 1)
		return -EPIPE;
	r = take_reset(p, f);
	if (r == 0 && p->type != SOCK_STREAM) {
		r = dgram_hdr_send(o, twix_socket_channel(p), (int)f->offset, buf, n, flags);
		return r == -EPIPE && p->type == SOCK_DGRAM ? -ECONNREFUSED : r;
	}
	while (r >= 0 && done < n) {
		r = bstream_hdr_write(o, twix_socket_out(p, f), (const char *)buf + done, n - done, flags);
		done += r > 0 ? (size_t)r : 0;
	}
	return done ? (ssize_t)done : r;
}

ssize_t twix_socket_receive(struct twix_file *f, void *buf, size_t n, unsigned flags, size_t *full)
{
	struct twix_pair *p = twix_pair_of(f);
	twzobj *o = twix_file_object(f);
	ssize_t r;

	if (!p)
		return -EIO;
	*full = 0;
	if (!twix_socket_has(p, f) && __atomic_load_n(&p->reset[f->offset != 0], __ATOMIC_ACQUIRE))
		return take_reset(p, f);
	if (p->type != SOCK_STREAM) {
		r = dgram_hdr_recv(o, twix_socket_channel(p), (int)f->offset, buf, n, flags, full);
		return r == -ESHUTDOWN ? take_reset(p, f) : r;
	}
	r = bstream_hdr_read(o, twix_socket_in(p, f), buf, n, flags);
	*full = r > 0 ? (size_t)r : 0;
	return r == 0 && n ? take_reset(p, f) : r;
}

static unsigned flags_of(const struct twix_file *f)
{
	return f->flags & O_NONBLOCK ? TWZIO_NONBLOCK : 0;
}

static ssize_t socket_read(struct twix_file *f, void *buf, size_t n)
{
	size_t full;

	return twix_socket_receive(f, buf, n, flags_of(f), &full);
}

static ssize_t socket_write(struct twix_file *f, const void *buf, size_t n)
{
	ssize_t r = twix_socket_send(f, buf, n, flags_of(f));

	if (r == -EPIPE)
		twix_signal_thread(SIGPIPE);
	return r;
}

/* How long a message is stands where only the channel's own functions look. */
static long socket_ioctl(struct twix_file *f, unsigned long request, void *arg)
{
	struct twix_pair *p = twix_pair_of(f);
	const struct bstream_hdr *in;

	if (request != FIONREAD)
		return -ENOTTY;
	if (!p)
		return -EIO;
	if (p->type != SOCK_STREAM)
		return twix_socket_has(p, f) ? -EOPNOTSUPP : (*(int *)arg = 0);
	in = twix_socket_in(p, f);
	*(int *)arg = (int)((atomic_load(&in->head) - atomic_load(&in->tail)) & ((1u << STREAM_BITS) - 1));
	return 0;
}

/* --- waiting */

static bool side_is_ready(struct twix_file *f, struct twix_pair *p, uint64_t type, struct event *ev)
{
	twzobj *o = twix_file_object(f);
	struct bstream_hdr *hdr = type == TWZIO_EVENT_READ ? twix_socket_in(p, f) : twix_socket_out(p, f);

	if (p->type == SOCK_STREAM)
		return bstream_hdr_poll(o, hdr, type, ev) != 0;
	return dgram_hdr_poll(o, twix_socket_channel(p), (int)f->offset, type, ev) != 0;
}

static short look(struct twix_file *f, short events, struct event *evs, size_t *n)
{
	struct twix_pair *p = twix_pair_of(f);
	short ready = 0;
	bool no_more, no_sending;

	if (!p)
		return POLLERR;
	if (side_is_ready(f, p, TWZIO_EVENT_READ, &evs[*n]))
		ready |= POLLIN | POLLRDNORM;
	else
		(*n)++;
	if (side_is_ready(f, p, TWZIO_EVENT_WRITE, &evs[*n]))
		ready |= POLLOUT | POLLWRNORM | POLLWRBAND;
	else if (events & (POLLOUT | POLLWRNORM))
		(*n)++;
	no_more = closed(p, f, true);
	no_sending = closed(p, f, false);
	if (p->type == SOCK_DGRAM)
		no_sending = __atomic_load_n(&p->silent, __ATOMIC_ACQUIRE) >> f->offset & 1;
	ready |= no_more ? POLLRDHUP : 0;
	ready |= no_more && no_sending ? POLLHUP : 0;
	ready |= __atomic_load_n(&p->reset[f->offset != 0], __ATOMIC_ACQUIRE) ? POLLERR : 0;
	return ready & (short)(events | POLLERR | POLLHUP);
}

const struct twix_ops twix_socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.ioctl = socket_ioctl,
	.last = last,
	.look = look,
	.mode = S_IFSOCK | 0777,
};

/* --- making */

static int init_pair(twzobj *o, int type)
{
	struct twix_pair *p = twz_object_base(o);
	int r;

	p->type = type;
	if (type != SOCK_STREAM)
		return dgram_obj_init(o, twix_socket_channel(p), MESSAGE_BITS, MESSAGE_MAX);
	r = bstream_obj_init(o, stream(p, 0), STREAM_BITS);
	return r < 0 ? r : bstream_obj_init(o, stream(p, 1), STREAM_BITS);
}

static int make_pair(int type, objid_t *id)
{
	twzobj o;
	int r = twix_child_object(twix_shared_id(), 0, id);

	if (r == 0)
		r = twz_object_init_guid(&o, *id, FE_READ | FE_WRITE);
	if (r < 0)
		return r;
	r = init_pair(&o, type);
	twz_object_release(&o);
	return r;
}

long twix_socketpair(const long a[6])
{
	int type = (int)a[1] & 0xf;
	long r = twix_socket_check((int)a[0], (int)a[1], (int)a[2]);
	unsigned flags = O_RDWR | ((int)a[1] & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	struct twix_file *ends[2];
	objid_t id;

	if (r == 0 && !twix_can_write((void *)a[3], 2 * sizeof(int)))
		r = -EFAULT;
	if (r == 0)
		r = make_pair(type, &id);
	if (r < 0)
		return r;
	ends[0] = twix_file_new(TWIX_SOCKET, id, flags);
	ends[1] = ends[0] ? twix_file_new(TWIX_SOCKET, id, flags) : NULL;
	if (ends[1])
		ends[1]->offset = 1;
	if (ends[1])
		return twix_install_pair(ends[0], ends[1], (int)a[1] & SOCK_CLOEXEC, (int *)a[3]);
	if (ends[0])
		twix_file_put(ends[0]);
	twz_object_tie_guid(twix_shared_id(), id, TIE_UNTIE);
	return -ENFILE;
}
