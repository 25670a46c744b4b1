// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which function serves an object, by its io header. Of a known type only the type counts: the
 * header is a part of the structure that it belongs to, and no function pointer in it is followed.
 */
#include "stream.h"

#include "pty.h"

#include <twz/obj/bstreamd.h>
#include <twz/obj/dgram.h>
#include <twz/obj/pty.h>

/* A known type: what its io header is a part of, and what serves it. NULL: -ENOTSUP. */
struct kind {
	size_t offset, size;
	ssize_t (*read)(twzobj *o, void *holder, void *buf, size_t len, unsigned flags);
	ssize_t (*write)(twzobj *o, void *holder, const void *buf, size_t len, unsigned flags);
	int (*poll)(twzobj *o, void *holder, uint64_t type, struct event *event);
	int (*ioctl)(twzobj *o, void *holder, int req, long arg);
};

static ssize_t read_bstream(twzobj *o, void *holder, void *buf, size_t len, unsigned flags)
{
	return bstream_hdr_read(o, holder, buf, len, flags);
}

static ssize_t write_bstream(twzobj *o, void *holder, const void *buf, size_t len, unsigned flags)
{
	return bstream_hdr_write(o, holder, buf, len, flags);
}

static int poll_bstream(twzobj *o, void *holder, uint64_t type, struct event *event)
{
	return bstream_hdr_poll(o, holder, type, event);
}

static ssize_t read_bstreamd(twzobj *o, void *holder, void *buf, size_t len, unsigned flags)
{
	return bstreamd_hdr_read(o, holder, BSTREAMD_A, buf, len, flags);
}

static ssize_t write_bstreamd(twzobj *o, void *holder, const void *buf, size_t len, unsigned flags)
{
	return bstreamd_hdr_write(o, holder, BSTREAMD_A, buf, len, flags);
}

static int poll_bstreamd(twzobj *o, void *holder, uint64_t type, struct event *event)
{
	return bstreamd_hdr_poll(o, holder, BSTREAMD_A, type, event);
}

/* The end of the stream is 0, as of all that can be read. */
static ssize_t recv_or_end(twzobj *o, struct dgram_hdr *hdr, int end, void *buf, size_t len,
    unsigned flags)
{
	ssize_t n = dgram_hdr_recv(o, hdr, end, buf, len, flags, NULL);

	return n == -ESHUTDOWN ? 0 : n;
}

static ssize_t read_dgram(twzobj *o, void *holder, void *buf, size_t len, unsigned flags)
{
	return recv_or_end(o, holder, DGRAM_A, buf, len, flags);
}

static ssize_t write_dgram(twzobj *o, void *holder, const void *buf, size_t len, unsigned flags)
{
	return dgram_hdr_send(o, holder, DGRAM_A, buf, len, flags);
}

static int poll_dgram(twzobj *o, void *holder, uint64_t type, struct event *event)
{
	return dgram_hdr_poll(o, holder, DGRAM_A, type, event);
}

/* What every end begins with. */
struct end_hdr {
	void *chan; /* p-ptr */
	uint32_t end;
};

/* The channel behind an end, with a handle of its object. */
struct channel {
	twzobj object;
	void *hdr;
	int end;
};

/*
 * Find it. size and io: of its header, and where in that its io header is. An end that leads to
 * what is no channel of that type, for all its io header says, is not used: nothing else must
 * change.
 */
static int through(twzobj *o, struct end_hdr *e, size_t size, size_t io, uint32_t type,
    struct channel *c)
{
	uint32_t end = __atomic_load_n(&e->end, __ATOMIC_RELAXED);
	char *hdr = twz_object_lea(o, (char *)__atomic_load_n(&e->chan, __ATOMIC_RELAXED));

	if (end > 1 || !hdr || !__stream_fits(hdr, size) ||
	    __atomic_load_n(&((struct twzio_hdr *)(hdr + io))->type, __ATOMIC_RELAXED) != type)
		return -EINVLOBJ;
	c->hdr = hdr;
	c->end = (int)end;
	return twz_object_init_ptr(&c->object, hdr);
}

static int stream_through(twzobj *o, struct end_hdr *e, struct channel *c)
{
	return through(o, e, sizeof(struct bstreamd_hdr), offsetof(struct bstreamd_hdr, io),
	    TWZIO_TYPE_BSTREAMD, c);
}

static ssize_t read_bstreamd_end(twzobj *o, void *holder, void *buf, size_t len, unsigned flags)
{
	struct channel c;
	int r = stream_through(o, holder, &c);

	return r < 0 ? r : bstreamd_hdr_read(&c.object, c.hdr, c.end, buf, len, flags);
}

static ssize_t write_bstreamd_end(twzobj *o, void *holder, const void *buf, size_t len,
    unsigned flags)
{
	struct channel c;
	int r = stream_through(o, holder, &c);

	return r < 0 ? r : bstreamd_hdr_write(&c.object, c.hdr, c.end, buf, len, flags);
}

static int poll_bstreamd_end(twzobj *o, void *holder, uint64_t type, struct event *event)
{
	struct channel c;
	int r = stream_through(o, holder, &c);

	return r < 0 ? r : bstreamd_hdr_poll(&c.object, c.hdr, c.end, type, event);
}

static int messages_through(twzobj *o, struct end_hdr *e, struct channel *c)
{
	return through(o, e, sizeof(struct dgram_hdr), offsetof(struct dgram_hdr, io),
	    TWZIO_TYPE_DGRAM, c);
}

static ssize_t read_dgram_end(twzobj *o, void *holder, void *buf, size_t len, unsigned flags)
{
	struct channel c;
	int r = messages_through(o, holder, &c);

	return r < 0 ? r : recv_or_end(&c.object, c.hdr, c.end, buf, len, flags);
}

static ssize_t write_dgram_end(twzobj *o, void *holder, const void *buf, size_t len, unsigned flags)
{
	struct channel c;
	int r = messages_through(o, holder, &c);

	return r < 0 ? r : dgram_hdr_send(&c.object, c.hdr, c.end, buf, len, flags);
}

static int poll_dgram_end(twzobj *o, void *holder, uint64_t type, struct event *event)
{
	struct channel c;
	int r = messages_through(o, holder, &c);

	return r < 0 ? r : dgram_hdr_poll(&c.object, c.hdr, c.end, type, event);
}

_Static_assert(offsetof(struct end_hdr, end) == offsetof(struct bstreamd_end_hdr, end), "end");
_Static_assert(offsetof(struct end_hdr, end) == offsetof(struct dgram_end_hdr, end), "end");

#define KIND(holder, name, ioctl)                                                                \
	{ offsetof(struct holder, io), sizeof(struct holder), read_##name, write_##name,         \
	    poll_##name, ioctl }

#define PTY(holder, side)                                                                        \
	{ offsetof(struct holder, io), sizeof(struct holder), __pty_##side##_read,               \
	    __pty_##side##_write, __pty_##side##_poll, __pty_##side##_ioctl }

static const struct kind kinds[] = {
	[TWZIO_TYPE_BSTREAM] = KIND(bstream_hdr, bstream, NULL),
	[TWZIO_TYPE_PTY_CLIENT] = PTY(pty_client_hdr, client),
	[TWZIO_TYPE_PTY_SERVER] = PTY(pty_hdr, server),
	[TWZIO_TYPE_BSTREAMD] = KIND(bstreamd_hdr, bstreamd, NULL),
	[TWZIO_TYPE_BSTREAMD_END] = KIND(bstreamd_end_hdr, bstreamd_end, NULL),
	[TWZIO_TYPE_DGRAM] = KIND(dgram_hdr, dgram, NULL),
	[TWZIO_TYPE_DGRAM_END] = KIND(dgram_end_hdr, dgram_end, NULL),
};

/* What serves an object: a known kind and the structure, or else the header's own functions. */
struct served {
	struct twzio_hdr *io;
	const struct kind *kind;
	void *holder;
};

static int find(twzobj *o, struct served *s)
{
	uint32_t type;
	char *at;

	if (!twz_object_getext(o, TWZIO_METAEXT_TAG))
		return -ENOTSUP;
	s->io = __stream_ext(o, TWZIO_METAEXT_TAG, sizeof(*s->io));
	if (!s->io)
		return -EINVLOBJ;
	type = __atomic_load_n(&s->io->type, __ATOMIC_RELAXED);
	s->kind = type < sizeof(kinds) / sizeof(*kinds) && kinds[type].size ? &kinds[type] : NULL;
	if (!s->kind)
		return 0;
	at = (char *)s->io - s->kind->offset;
	s->holder = at;
	return __stream_in(o, at) && __stream_fits(at, s->kind->size) ? 0 : -EINVLOBJ;
}

/* What entries with TWZ_NAME_RESOLVER_SOFN find without more ado, as "libtwz::" and the name. */
static const struct {
	const char *name;
	void *fn;
} own[] = {
	{ "libtwz::bstream_ioread", (void *)bstream_ioread },
	{ "libtwz::bstream_iowrite", (void *)bstream_iowrite },
	{ "libtwz::bstream_poll", (void *)bstream_poll },
	{ "libtwz::pty_ioread_client", (void *)pty_ioread_client },
	{ "libtwz::pty_iowrite_client", (void *)pty_iowrite_client },
	{ "libtwz::pty_ioctl_client", (void *)pty_ioctl_client },
	{ "libtwz::pty_poll_client", (void *)pty_poll_client },
	{ "libtwz::pty_ioread_server", (void *)pty_ioread_server },
	{ "libtwz::pty_iowrite_server", (void *)pty_iowrite_server },
	{ "libtwz::pty_ioctl_server", (void *)pty_ioctl_server },
	{ "libtwz::pty_poll_server", (void *)pty_poll_server },
};

/* Twice is as good as once. What does not fit into memory shows when it is looked for. */
static void register_own(void)
{
	static atomic_bool done;

	if (atomic_load_explicit(&done, memory_order_acquire))
		return;
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		twz_sofn_register(own[i].name, own[i].fn);
	atomic_store_explicit(&done, true, memory_order_release);
}

/* The function behind a p-ptr, NULL if there is none; the lea throws if it leads nowhere. */
static void *function(twzobj *o, const void *p)
{
	if (!p)
		return NULL;
	register_own();
	return __twz_object_lea(o, p, ~0u);
}

/* The same for a place in the header, which is read once. */
#define FUNCTION(o, place) \
	((__typeof__(place))function((o), __atomic_load_n((void **)&(place), __ATOMIC_RELAXED)))

ssize_t twzio_read(twzobj *o, void *buf, size_t len, size_t off, unsigned flags)
{
	__typeof__(((struct twzio_hdr *)0)->read) read;
	struct served s;
	int r = find(o, &s);

	if (r < 0)
		return r;
	if (s.kind)
		return s.kind->read(o, s.holder, buf, len, flags);
	read = FUNCTION(o, s.io->read);
	return read ? read(o, buf, len, off, flags) : -ENOTSUP;
}

ssize_t twzio_write(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags)
{
	__typeof__(((struct twzio_hdr *)0)->write) write;
	struct served s;
	int r = find(o, &s);

	if (r < 0)
		return r;
	if (s.kind)
		return s.kind->write(o, s.holder, buf, len, flags);
	write = FUNCTION(o, s.io->write);
	return write ? write(o, buf, len, off, flags) : -ENOTSUP;
}

ssize_t(twzio_ioctl)(twzobj *o, int req, long arg)
{
	__typeof__(((struct twzio_hdr *)0)->ioctl) ioctl;
	struct served s;
	int r = find(o, &s);

	if (r < 0)
		return r;
	if (s.kind)
		return s.kind->ioctl ? s.kind->ioctl(o, s.holder, req, arg) : -ENOTSUP;
	ioctl = FUNCTION(o, s.io->ioctl);
	return ioctl ? ioctl(o, req, arg) : -ENOTSUP;
}

int twzio_poll(twzobj *o, uint64_t type, struct event *event)
{
	__typeof__(((struct twzio_hdr *)0)->poll) poll;
	struct served s;
	int r = find(o, &s);

	if (r < 0)
		return r;
	if (type != TWZIO_EVENT_READ && type != TWZIO_EVENT_WRITE && type != TWZIO_EVENT_IOCTL)
		return -ENOTSUP;
	if (s.kind)
		return s.kind->poll(o, s.holder, type, event);
	poll = FUNCTION(o, s.io->poll);
	return poll ? poll(o, type, event) : -ENOTSUP;
}
