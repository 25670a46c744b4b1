// SPDX-License-Identifier: BSD-3-Clause
/* How the two sides of a terminal read, and how long they wait. */
#include "pty.h"

#define DECISECOND 100000000l

/* Of look(): the read is over with nothing; -EAGAIN is that it may go on. */
#define NOTHING_YET (-4096)

/* --- the program */

/* A read: without ICANON it ends with VMIN bytes, or VTIME after the last of them; with VMIN 0 at the first,
 * or VTIME after its beginning. */
struct reading {
	uint8_t *bytes;
	size_t len, got;
	bool canonical;
	unsigned least, patience; /* VMIN, VTIME */
};

static void note_settings(struct reading *r, const struct termios *t)
{
	r->canonical = t->c_lflag & ICANON;
	r->least = t->c_cc[VMIN];
	r->patience = t->c_cc[VTIME];
}

static bool is_enough(const struct reading *r)
{
	return r->got && (r->canonical || r->got == r->len || r->got >= r->least);
}

/* How long there may be nothing; NULL: for ever. */
static const struct timespec *timeout_of(const struct reading *r, struct timespec *time)
{
	if (r->canonical || (r->least && !(r->got && r->patience)))
		return NULL;
	time->tv_sec = r->patience / 10;
	time->tv_nsec = r->patience % 10 * DECISECOND;
	return time;
}

/* What a read gives when nothing more came: r says why. */
static ssize_t result_of(const struct reading *r, ssize_t why)
{
	return r->got ? (ssize_t)r->got : why == -ETIMEDOUT ? 0 : why;
}

/* With the lock. -EAGAIN: not done yet; any other value is the call's. */
static ssize_t look(struct pty *p, struct reading *r, bool nonblock)
{
	ssize_t n = __pty_take(p, r->bytes + r->got, r->len - r->got);

	note_settings(r, &p->settings);
	if (n > 0)
		r->got += (size_t)n;
	if (is_enough(r) || (n <= 0 && n != -EAGAIN))
		return result_of(r, n);
	if (!r->canonical && !r->least && !r->patience)
		return 0;
	return nonblock ? result_of(r, NOTHING_YET) : -EAGAIN;
}

ssize_t __pty_client_read(twzobj *o, void *hdr, void *buf, size_t len, unsigned flags)
{
	struct reading reading = { .bytes = buf, .len = len < PTY_SIZE ? len : PTY_SIZE };
	struct timespec time;
	twzobj server;
	struct pty p;
	ssize_t n;
	int r = flags & ~TWZIO_NONBLOCK ? -EINVAL : __pty_open_client(&p, &server, o, hdr);

	if (r < 0 || len == 0)
		return r;
	__stream_touch_writable(buf, reading.len); /* there cannot be more */
	for (;;) {
		__pty_lock(&p);
		n = look(&p, &reading, flags & TWZIO_NONBLOCK);
		if (n != -EAGAIN) {
			__pty_unlock(&p);
			return n == NOTHING_YET ? -EAGAIN : n;
		}
		r = __pty_unlock_and_wait(&p, p.in, TWZIO_EVENT_READ, timeout_of(&reading, &time));
		if (r < 0)
			return result_of(&reading, r);
	}
}

/* --- the screen */

static bool is_stopped(const struct pty *p)
{
	return __atomic_load_n(&p->state->flags, __ATOMIC_ACQUIRE) & PTY_STOPPED;
}

int __pty_output_poll(struct pty *p, struct event *event)
{
	if (!is_stopped(p))
		return bstream_hdr_poll(p->o, p->out, TWZIO_EVENT_READ, event);
	if (event)
		event_init(event, &p->state->ev, PTY_EVENT_FLOW);
	return 0;
}

/* One look: -EAGAIN when there is nothing to show, or it is held. */
static ssize_t take_output(struct pty *p, void *buf, size_t len)
{
	return is_stopped(p) ? -EAGAIN : bstream_hdr_read(p->o, p->out, buf, len, TWZIO_NONBLOCK);
}

ssize_t __pty_server_read(twzobj *o, void *hdr, void *buf, size_t len, unsigned flags)
{
	struct event event;
	struct pty p;
	int r = flags & ~TWZIO_NONBLOCK ? -EINVAL : __pty_open_server(&p, o, hdr);
	ssize_t n = r;

	while (r >= 0 && (n = take_output(&p, buf, len)) == -EAGAIN && !(flags & TWZIO_NONBLOCK)) {
		r = __pty_output_poll(&p, &event);
		if (r == 0)
			r = event_wait(1, &event, NULL);
		n = r;
	}
	if (n > 0 && __atomic_load_n(&p.state->owed, __ATOMIC_RELAXED)) {
		__pty_lock(&p);
		__pty_pay(&p);
		__pty_unlock(&p);
	}
	return n;
}
