// SPDX-License-Identifier: BSD-3-Clause
/*
 * Making terminals, opening them by name, and the server's side as a file: /dev/ptmx makes a terminal
 * whose client side is /dev/pts/N. Number 0 is the console's.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <twz/obj/bstream.h>
#include <twz/obj/pty.h>

#define HAS_SERVER 1u /* somebody has its server's side */
#define LOCKED 2u     /* it cannot be opened yet */
#define WAS_OPEN 4u   /* a program has had it open */

static const struct termios usual = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = { [VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1, [VSTART] = 17,
		  [VSTOP] = 19, [VSUSP] = 26, [VREPRINT] = 18, [VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22 },
};

static struct twix_terminal *terminal_of(const struct twix_file *f)
{
	return twix_terminal_number((unsigned)f->offset);
}

/* An object that lives as long as any of the programs. */
static int make_object(twzobj *o)
{
	objid_t id;
	int r = twix_child_object(twix_shared_id(), 0, &id);

	return r < 0 ? r : twz_object_init_guid(o, id, FE_READ | FE_WRITE);
}

int twix_terminal_init(struct twix_terminal *t, twzobj *server, twzobj *client)
{
	struct winsize unknown = { 0 };
	struct termios settings = usual;
	int r = make_object(server);

	if (r == 0)
		r = pty_obj_init_server(server, NULL);
	if (r == 0)
		r = make_object(client);
	if (r == 0)
		r = pty_obj_init_client(client, NULL, twz_object_base(server));
	if (r < 0)
		return r;
	pty_ioctl_server(server, TCSETS, (long)&settings);
	pty_ioctl_server(server, TIOCSWINSZ, (long)&unknown);
	t->server = twz_object_guid(server);
	t->client = twz_object_guid(client);
	t->state = HAS_SERVER;
	return 0;
}

/* --- closing */

/* Nobody has either side any more. With the terminals' lock. */
static void forget(struct twix_terminal *t)
{
	twz_object_tie_guid(twix_shared_id(), t->client, TIE_UNTIE);
	twz_object_tie_guid(twix_shared_id(), t->server, TIE_UNTIE);
	memset(t, 0, sizeof(*t));
}

/* Whoever waits for output looks again. */
static void wake_server(objid_t id)
{
	struct bstream_hdr *out;
	struct pty_hdr *hdr;
	twzobj o;

	if (twz_object_init_guid(&o, id, FE_READ | FE_WRITE) < 0)
		return;
	hdr = twz_object_base(&o);
	out = twz_object_lea(&o, hdr->ctos);
	event_wake(&out->ev, TWZIO_EVENT_READ, -1);
	twz_object_release(&o);
}

void twix_terminal_closed(struct twix_file *f)
{
	struct twix_terminal *t = terminal_of(f);

	mutex_acquire(&twix_terminals()->lock);
	if (t->client == f->id && --t->programs == 0) {
		if (t->state & HAS_SERVER)
			wake_server(t->server);
		else
			forget(t);
	}
	mutex_release(&twix_terminals()->lock);
}

static void server_closed(struct twix_file *f)
{
	struct twix_terminal *t = terminal_of(f);
	int session = t->session, group = t->foreground;
	twzobj *o = twix_file_object(f);

	if (o)
		pty_hangup(o);
	mutex_acquire(&twix_terminals()->lock);
	t->state &= ~HAS_SERVER;
	t->session = t->foreground = 0;
	if (!t->programs)
		forget(t);
	mutex_release(&twix_terminals()->lock);
	if (session && twix_process_of(session) && session != group)
		twix_signal_send(twix_process_of(session), SIGHUP);
	if (group) {
		twix_signal_group(-group, SIGHUP);
		twix_signal_group(-group, SIGCONT);
	}
}

/* --- the server's side */

/* No program will write any more, unless another opens it. */
static bool is_left(const struct twix_terminal *t)
{
	return t->state & WAS_OPEN && !t->programs;
}

static ssize_t server_read(struct twix_file *f, void *buf, size_t n)
{
	twzobj *o = twix_file_object(f);
	struct event event;
	ssize_t r = -EIO;

	while (o && (r = pty_read_server(o, buf, n, TWZIO_NONBLOCK)) == -EAGAIN) {
		if (is_left(terminal_of(f)))
			return -EIO;
		if (f->flags & O_NONBLOCK)
			break;
		r = pty_poll_server(o, TWZIO_EVENT_READ, &event);
		if (r == 0 && !is_left(terminal_of(f)))
			r = event_wait(1, &event, NULL);
		if (r < 0)
			break;
	}
	return r;
}

static ssize_t server_write(struct twix_file *f, const void *buf, size_t n)
{
	twzobj *o = twix_file_object(f);
	unsigned flags = f->flags & O_NONBLOCK ? TWZIO_NONBLOCK : 0;
	size_t done = 0;
	ssize_t r = o ? 0 : -EIO;

	while (o && done < n && (r = pty_write_server(o, (const char *)buf + done, n - done, flags)) > 0) {
		done += (size_t)r;
		twix_terminal_typed(terminal_of(f), o);
	}
	return done ? (ssize_t)done : r == -EPIPE ? -EIO : r;
}

static int server_poll(struct twix_file *f, uint64_t type, struct event *event)
{
	twzobj *o = twix_file_object(f);
	int r = o ? pty_poll_server(o, type, event) : -EIO;

	return r == 0 && type == TWZIO_EVENT_READ && is_left(terminal_of(f)) ? 1 : r;
}

static long set_lock(struct twix_terminal *t, bool locked)
{
	mutex_acquire(&twix_terminals()->lock);
	t->state = locked ? t->state | LOCKED : t->state & ~LOCKED;
	mutex_release(&twix_terminals()->lock);
	return 0;
}

static long server_ioctl(struct twix_file *f, unsigned long request, void *arg)
{
	struct twix_terminal *t = terminal_of(f);
	twzobj *o = twix_file_object(f);

	if (!o)
		return -EIO;
	switch (request) {
	case TIOCGPTN:
		*(unsigned *)arg = (unsigned)f->offset;
		return 0;
	case TIOCSPTLCK:
		return set_lock(t, *(int *)arg != 0);
	case TIOCGPTLCK:
		*(int *)arg = (t->state & LOCKED) != 0;
		return 0;
	case TIOCGPGRP:
		*(int *)arg = t->foreground;
		return 0;
	case TIOCGSID:
		if (!t->session)
			return -ENOTTY;
		*(int *)arg = t->session;
		return 0;
	default:
		return twix_terminal_control(t, pty_ioctl_server, o, request, arg);
	}
}

const struct twix_ops twix_ptmx_ops = {
	.read = server_read,
	.write = server_write,
	.ioctl = server_ioctl,
	.poll = server_poll,
	.last = server_closed,
	.mode = S_IFCHR | 0666,
};

/* --- opening */

static struct twix_file *open_client(unsigned n, unsigned flags, int *error)
{
	struct twix_terminal *t = twix_terminal_number(n);
	struct twix_file *f = NULL;

	mutex_acquire(&twix_terminals()->lock);
	*error = !t || !t->client ? -ENOENT : t->state & LOCKED || !(t->state & HAS_SERVER) ? -EIO : 0;
	if (*error == 0 && !(f = twix_file_new(TWIX_TERMINAL, t->client, flags)))
		*error = -ENFILE;
	if (f) {
		f->offset = n;
		t->programs++;
		t->state |= WAS_OPEN;
	}
	mutex_release(&twix_terminals()->lock);
	if (f && !(flags & O_NOCTTY))
		twix_terminal_take(t);
	return f;
}

/* Make one in a place that is free. */
static struct twix_file *make(struct twix_terminal *t, unsigned flags, int *error)
{
	struct twix_file *f = NULL;
	twzobj server, client;

	*error = twix_terminal_init(t, &server, &client);
	if (*error < 0)
		return NULL;
	twz_object_release(&client);
	twz_object_release(&server);
	t->state |= LOCKED;
	f = twix_file_new(TWIX_PTMX, t->server, flags);
	if (!f) {
		forget(t);
		*error = -ENFILE;
	}
	return f;
}

static struct twix_file *open_server(unsigned flags, int *error)
{
	struct twix_terminal *t;
	struct twix_file *f = NULL;
	unsigned n = 1;

	*error = -ENOSPC;
	mutex_acquire(&twix_terminals()->lock);
	while ((t = twix_terminal_number(n)) && t->client)
		n++;
	if (t)
		f = make(t, flags, error);
	if (f)
		f->offset = n;
	mutex_release(&twix_terminals()->lock);
	return f;
}

/* The number behind "pts/"; one that is too large if there is none. */
static unsigned number_of(const char *digits)
{
	unsigned n = 0;

	if (!*digits || (digits[0] == '0' && digits[1]))
		return TWIX_TERMINALS;
	for (; *digits >= '0' && *digits <= '9' && n < TWIX_TERMINALS; digits++)
		n = n * 10 + (unsigned)(*digits - '0');
	return *digits ? TWIX_TERMINALS : n;
}

struct twix_file *twix_terminal_open(const char *name, unsigned flags, int *error)
{
	struct twix_terminal *own;

	if (strcmp(name, "ptmx") == 0 || strcmp(name, "pts/ptmx") == 0)
		return open_server(flags, error);
	if (strcmp(name, "console") == 0)
		return open_client(0, flags, error);
	if (strncmp(name, "pts/", 4) == 0)
		return open_client(number_of(name + 4), flags, error);
	*error = -ENOENT;
	if (strcmp(name, "tty") != 0)
		return NULL;
	own = twix_terminal_own();
	*error = -ENXIO;
	return own ? open_client((unsigned)(own - twix_terminal()), flags, error) : NULL;
}

unsigned twix_terminal_next(unsigned from)
{
	struct twix_terminal *t;

	while ((t = twix_terminal_number(from)) && !t->client)
		from++;
	return from;
}
