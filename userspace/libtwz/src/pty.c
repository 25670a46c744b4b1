// SPDX-License-Identifier: BSD-3-Clause
/* Terminals: making them, their calls from both sides. The other pty_*.c do the rest. */
#include "pty.h"

#define ACCESS (FE_READ | FE_WRITE)

/* --- making */

static const struct termios usual = {
	.c_iflag = ICRNL,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = CS8,
	.c_lflag = ICANON | ECHO | ECHOE | ECHOK | ECHOKE | ISIG | IEXTEN,
	.c_cc = { [VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1,
		  [VSUSP] = 26, [VWERASE] = 23 },
};

int pty_obj_init_server(twzobj *o, struct pty_hdr *hdr)
{
	char *at = (char *)(hdr ? hdr : twz_object_base(o));
	struct pty_state *state = (void *)(at + PTY_STATE_OFFSET);

	hdr = (void *)at;
	if (!hdr || !__stream_in(o, hdr) || !__stream_fits(hdr, PTY_SIZE))
		return -EINVAL;
	memset(hdr, 0, sizeof(*hdr));
	memset(state, 0, sizeof(*state));
	state->boot = __twz_rt.sysinfo.boot_code;
	hdr->stoc = (void *)twz_ptr_local(at + PTY_STOC_OFFSET);
	hdr->ctos = (void *)twz_ptr_local(at + PTY_CTOS_OFFSET);
	hdr->io.type = TWZIO_TYPE_PTY_SERVER;
	hdr->termios = usual;
	hdr->winsize = (struct winsize){ .ws_row = 25, .ws_col = 80 };
	__bstream_make(o, (void *)(at + PTY_STOC_OFFSET), PTY_STREAM_BITS);
	__bstream_make(o, (void *)(at + PTY_CTOS_OFFSET), PTY_STREAM_BITS);
	__twz_obj_flush(o, hdr, PTY_STATE_OFFSET + sizeof(*state)); /* a fence comes with the extension */
	return __stream_register_two(o, PTY_METAEXT_TAG, hdr, &hdr->io);
}

int pty_obj_init_client(twzobj *o, struct pty_client_hdr *hdr, struct pty_hdr *server)
{
	int r;

	hdr = hdr ? hdr : twz_object_base(o);
	if (!hdr || !__stream_in(o, hdr) || !__stream_fits(hdr, sizeof(*hdr)) ||
	    !__stream_fits(server, PTY_SIZE))
		return -EINVAL;
	memset(hdr, 0, sizeof(*hdr));
	hdr->io.type = TWZIO_TYPE_PTY_CLIENT;
	__twz_obj_flush(o, hdr, sizeof(*hdr));
	r = twz_ptr_store_guid(o, &hdr->server, NULL, server, ACCESS);
	return r < 0 ? r : __stream_register_two(o, PTY_METAEXT_TAG, hdr, &hdr->io);
}

/* --- opening for a call */

/* A stream of the terminal: of this object, and of the one size there is. */
static struct bstream_hdr *stream(twzobj *o, struct bstream_hdr **place)
{
	struct bstream_hdr *p = __atomic_load_n(place, __ATOMIC_RELAXED), *s;

	if (!p || !twz_ptr_islocal(p))
		return NULL;
	s = twz_object_lea(o, p);
	if (!__stream_fits(s, PTY_STREAM_SIZE) ||
	    __atomic_load_n(&s->nbits, __ATOMIC_RELAXED) != PTY_STREAM_BITS)
		return NULL;
	return s;
}

int __pty_open_server(struct pty *p, twzobj *o, void *hdr)
{
	if (!__stream_fits(hdr, PTY_SIZE))
		return -EINVLOBJ;
	p->o = o;
	p->hdr = hdr;
	if (__atomic_load_n(&p->hdr->io.type, __ATOMIC_RELAXED) != TWZIO_TYPE_PTY_SERVER)
		return -EINVLOBJ;
	p->state = (void *)((char *)hdr + PTY_STATE_OFFSET);
	p->in = stream(o, &p->hdr->stoc);
	p->out = stream(o, &p->hdr->ctos);
	return p->in && p->out && p->in != p->out ? 0 : -EINVLOBJ;
}

/* The terminal that a client leads to, through a handle for the call. */
int __pty_open_client(struct pty *p, twzobj *server, twzobj *o, struct pty_client_hdr *hdr)
{
	struct pty_hdr *at;

	if (!__stream_fits(hdr, sizeof(*hdr)) ||
	    __atomic_load_n(&hdr->io.type, __ATOMIC_RELAXED) != TWZIO_TYPE_PTY_CLIENT)
		return -EINVLOBJ;
	at = twz_object_lea(o, __atomic_load_n(&hdr->server, __ATOMIC_RELAXED));
	if (!at)
		return -EINVLOBJ;
	twz_object_init_ptr(server, at);
	return __pty_open_server(p, server, at);
}

/* Input and output from before a reset are gone, and what a cut left of them. */
static void begin_anew(struct pty *p)
{
	uint8_t scratch[256];

	memset(p->state, 0, sizeof(*p->state));
	p->state->boot = __twz_rt.sysinfo.boot_code;
	__pty_discard(p);
	for (unsigned i = 0; i <= (1u << PTY_STREAM_BITS) / sizeof(scratch); i++)
		if (bstream_hdr_read(p->o, p->out, scratch, sizeof(scratch), TWZIO_NONBLOCK) <= 0)
			break;
}

void __pty_lock(struct pty *p)
{
	struct pty_state *s = p->state;

	mutex_acquire(&p->hdr->buffer_lock);
	p->settings = p->hdr->termios;
	if (s->boot != __twz_rt.sysinfo.boot_code)
		begin_anew(p);
	if (p->hdr->bufpos > PTY_BUFFER_SZ || s->passed > p->hdr->bufpos ||
	    s->ended > PTY_ENDED_BY_EOF || (p->hdr->bufpos == PTY_BUFFER_SZ && !s->ended) ||
	    s->marks_first >= PTY_MARKS || s->marks_count > PTY_MARKS)
		__pty_discard(p);
}

void __pty_unlock(struct pty *p)
{
	mutex_release(&p->hdr->buffer_lock);
}

/* --- reading and writing */

int __pty_unlock_and_wait(struct pty *p, struct bstream_hdr *s, uint64_t type,
    const struct timespec *timeout)
{
	struct event event;
	int r = bstream_hdr_poll(p->o, s, type, &event);

	__pty_unlock(p);
	if (r != 0)
		return r < 0 ? r : 0;
	r = event_wait(1, &event, timeout);
	return r == 0 && timeout ? -ETIMEDOUT : r < 0 ? r : 0;
}

/* The bytes taken; -EAGAIN none, -EPIPE. */
static ssize_t type_all(struct pty *p, const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	if (__atomic_load_n(&p->in->flags, __ATOMIC_RELAXED))
		return -EPIPE;
	while (n < len && __pty_type(p, bytes[n]))
		n++;
	return n ? (ssize_t)n : -EAGAIN;
}

static ssize_t print_all(struct pty *p, const uint8_t *bytes, size_t len)
{
	size_t n = 0, done;

	if (__atomic_load_n(&p->out->flags, __ATOMIC_RELAXED))
		return -EPIPE;
	while (n < len && (done = __pty_print(p, bytes + n, len - n)) > 0)
		n += done;
	return n ? (ssize_t)n : -EAGAIN;
}

/* Write from either side; s is where it goes in the end. */
static ssize_t write_side(struct pty *p, struct bstream_hdr *s,
    ssize_t (*put)(struct pty *, const uint8_t *, size_t), const void *buf, size_t len, unsigned flags)
{
	ssize_t n;
	int r;

	if (flags & ~TWZIO_NONBLOCK)
		return -EINVAL;
	len = len < PTY_SIZE ? len : PTY_SIZE; /* no more would fit */
	if (len == 0)
		return 0;
	__stream_touch(buf, len);
	for (;;) {
		__pty_lock(p);
		n = put(p, buf, len);
		if (n != -EAGAIN || flags & TWZIO_NONBLOCK) {
			__pty_unlock(p);
			return n;
		}
		r = __pty_unlock_and_wait(p, s, TWZIO_EVENT_WRITE, NULL);
		if (r < 0)
			return r;
	}
}

ssize_t __pty_server_write(twzobj *o, void *hdr, const void *buf, size_t len, unsigned flags)
{
	struct pty p;
	int r = __pty_open_server(&p, o, hdr);

	return r < 0 ? r : write_side(&p, p.in, type_all, buf, len, flags);
}

ssize_t __pty_client_write(twzobj *o, void *hdr, const void *buf, size_t len, unsigned flags)
{
	twzobj server;
	struct pty p;
	int r = __pty_open_client(&p, &server, o, hdr);

	return r < 0 ? r : write_side(&p, p.out, print_all, buf, len, flags);
}

/* --- polling */

/* The events of the terminal itself. */
static int poll_events(struct pty *p, uint64_t type, struct event *event)
{
	if (!type || type & ~(PTY_EVENT_SIG | PTY_EVENT_WINCH))
		return -ENOTSUP;
	if (event)
		event_init(event, &p->state->ev, type);
	return event_poll(&p->state->ev, type) != 0;
}

int __pty_server_poll(twzobj *o, void *hdr, uint64_t type, struct event *event)
{
	struct pty p;
	int r = __pty_open_server(&p, o, hdr);

	if (r < 0)
		return r;
	if (type != TWZIO_EVENT_READ && type != TWZIO_EVENT_WRITE)
		return poll_events(&p, type, event);
	return type == TWZIO_EVENT_READ ? __pty_output_poll(&p, event) :
					  bstream_hdr_poll(o, p.in, type, event);
}

/* An end of file is no byte in the stream: its event is set here. */
static int poll_input(struct pty *p, struct event *event)
{
	bool end;
	int r;

	__pty_lock(p);
	end = __pty_at_end(p);
	r = bstream_hdr_poll(p->o, p->in, TWZIO_EVENT_READ, event);
	if (end && r == 0)
		event_wake(&p->in->ev, TWZIO_EVENT_READ, -1);
	__pty_unlock(p);
	return r < 0 ? r : r || end;
}

int __pty_client_poll(twzobj *o, void *hdr, uint64_t type, struct event *event)
{
	twzobj server;
	struct pty p;
	int r = __pty_open_client(&p, &server, o, hdr);

	if (r < 0)
		return r;
	if (type == TWZIO_EVENT_READ)
		return poll_input(&p, event);
	if (type == TWZIO_EVENT_WRITE)
		return bstream_hdr_poll(p.o, p.out, type, event);
	return poll_events(&p, type, event);
}

/* --- the end */

int pty_hangup(twzobj *o)
{
	struct pty p;
	int r = __pty_open_server(&p, o, twz_object_base(o));

	if (r == 0) {
		__pty_lock(&p);
		__pty_stop(&p, false);
		__pty_unlock(&p);
		r = bstream_close(o, p.in, BSTREAM_WCLOSED);
	}
	return r < 0 ? r : bstream_close(o, p.out, BSTREAM_WCLOSED | BSTREAM_RCLOSED);
}

/* --- with the header at the base */

ssize_t pty_read_client(twzobj *o, void *buf, size_t len, unsigned flags)
{
	return __pty_client_read(o, twz_object_base(o), buf, len, flags);
}

ssize_t pty_write_client(twzobj *o, const void *buf, size_t len, unsigned flags)
{
	return __pty_client_write(o, twz_object_base(o), buf, len, flags);
}

ssize_t pty_read_server(twzobj *o, void *buf, size_t len, unsigned flags)
{
	return __pty_server_read(o, twz_object_base(o), buf, len, flags);
}

ssize_t pty_write_server(twzobj *o, const void *buf, size_t len, unsigned flags)
{
	return __pty_server_write(o, twz_object_base(o), buf, len, flags);
}

ssize_t pty_ioread_client(twzobj *o, void *buf, size_t len, size_t off, unsigned flags)
{
	(void)off;
	return pty_read_client(o, buf, len, flags);
}

ssize_t pty_iowrite_client(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags)
{
	(void)off;
	return pty_write_client(o, buf, len, flags);
}

ssize_t pty_ioread_server(twzobj *o, void *buf, size_t len, size_t off, unsigned flags)
{
	(void)off;
	return pty_read_server(o, buf, len, flags);
}

ssize_t pty_iowrite_server(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags)
{
	(void)off;
	return pty_write_server(o, buf, len, flags);
}

int pty_poll_client(twzobj *o, uint64_t type, struct event *event)
{
	return __pty_client_poll(o, twz_object_base(o), type, event);
}

int pty_poll_server(twzobj *o, uint64_t type, struct event *event)
{
	return __pty_server_poll(o, twz_object_base(o), type, event);
}

int pty_ioctl_client(twzobj *o, int req, long arg)
{
	return __pty_client_ioctl(o, twz_object_base(o), req, arg);
}

int pty_ioctl_server(twzobj *o, int req, long arg)
{
	return __pty_server_ioctl(o, twz_object_base(o), req, arg);
}
