// SPDX-License-Identifier: BSD-3-Clause
/* The settings of terminals, and what else is asked and told by ioctl. */
#include "pty.h"

static size_t bytes_in(const struct bstream_hdr *s)
{
	uint32_t mask = (1u << PTY_STREAM_BITS) - 1;

	return (atomic_load(&s->head) - atomic_load(&s->tail)) & mask;
}

static void keep(struct pty *p, const void *at, size_t len)
{
	__twz_obj_flush(p->o, at, len);
	__twz_obj_fence(p->o);
}

/* What was written is on its way as it is to be shown: there is nothing to wait for. */
static void set_termios(struct pty *p, const struct termios *new, bool discard)
{
	bool lines;

	__pty_lock(p);
	if (discard)
		__pty_discard(p);
	lines = new->c_lflag & ~p->settings.c_lflag & ICANON;
	p->hdr->termios = *new;
	keep(p, &p->hdr->termios, sizeof(*new));
	p->settings = *new;
	if (!(new->c_lflag & ICANON))
		__pty_end_line(p);
	else if (lines && bytes_in(p->in))
		__pty_push(p);
	if (!(new->c_iflag & IXON))
		__pty_stop(p, false);
	__pty_unlock(p);
}

static void set_winsize(struct pty *p, const struct winsize *new)
{
	bool other;

	__pty_lock(p);
	other = memcmp(&p->hdr->winsize, new, sizeof(*new)) != 0;
	p->hdr->winsize = *new;
	keep(p, &p->hdr->winsize, sizeof(*new));
	__pty_unlock(p);
	if (other)
		event_wake(&p->state->ev, PTY_EVENT_WINCH, -1);
}

static void get_settings(struct pty *p, struct termios *t, struct winsize *w)
{
	__pty_lock(p);
	*t = p->hdr->termios;
	*w = p->hdr->winsize;
	__pty_unlock(p);
}

/* What the other side has written. */
static void count(const struct pty *p, const struct bstream_hdr *s, int *n)
{
	uint64_t pending = s == p->in && p->state->ended ? p->hdr->bufpos - p->state->passed : 0;

	*n = (int)(bytes_in(s) + (pending <= PTY_BUFFER_SZ ? pending : 0));
}

static int discard(struct pty *p, bool input, bool output)
{
	__pty_lock(p);
	if (input)
		__pty_discard(p);
	if (output)
		__pty_discard_output(p);
	__pty_unlock(p);
	return 0;
}

/* from is the side that asks. */
static int flush(struct pty *p, long what, bool from_server)
{
	if (what < TCIFLUSH || what > TCIOFLUSH)
		return -EINVAL;
	if (from_server && what != TCIOFLUSH)
		what = TCOFLUSH - what;
	return discard(p, what != TCOFLUSH, what != TCIFLUSH);
}

static int control_flow(struct pty *p, long what)
{
	if (what < TCOOFF || what > TCION)
		return -EINVAL;
	__pty_lock(p);
	if (what == TCOOFF || what == TCOON)
		__pty_stop(p, what == TCOOFF);
	else
		__pty_show_key(p, what == TCIOFF ? VSTOP : VSTART);
	__pty_unlock(p);
	return 0;
}

/* The caller's structures are copied without the lock: a bad pointer faults with nothing held. */
static int control(struct pty *p, int req, void *arg, bool from_server)
{
	struct termios t;
	struct winsize w;

	switch (req) {
	case TCGETS:
		get_settings(p, &t, &w);
		memcpy(arg, &t, sizeof(t));
		return 0;
	case TIOCGWINSZ:
		get_settings(p, &t, &w);
		memcpy(arg, &w, sizeof(w));
		return 0;
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		memcpy(&t, arg, sizeof(t));
		set_termios(p, &t, req == TCSETSF);
		return 0;
	case TIOCSWINSZ:
		memcpy(&w, arg, sizeof(w));
		set_winsize(p, &w);
		return 0;
	case TIOCINQ:
		count(p, from_server ? p->out : p->in, arg);
		return 0;
	case TIOCOUTQ:
		count(p, from_server ? p->in : p->out, arg);
		return 0;
	case TCFLSH:
		return flush(p, (long)arg, from_server);
	case TCXONC:
		return control_flow(p, (long)arg);
	default:
		return -ENOTSUP;
	}
}

int __pty_server_ioctl(twzobj *o, void *hdr, int req, long arg)
{
	struct pty p;
	int r = __pty_open_server(&p, o, hdr);

	return r < 0 ? r : control(&p, req, (void *)arg, true);
}

int __pty_client_ioctl(twzobj *o, void *hdr, int req, long arg)
{
	twzobj server;
	struct pty p;
	int r = __pty_open_client(&p, &server, o, hdr);

	return r < 0 ? r : control(&p, req, (void *)arg, false);
}
