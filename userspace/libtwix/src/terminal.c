// SPDX-License-Identifier: BSD-3-Clause
/*
 * The terminal of all programs that come from one another: a pty object. In the first of them two
 * threads stand between its server's side and the machine's console.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <twz/obj/pty.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>

#define PIECE 512

static twzobj server, client; /* of the first program */
static struct thread typing, showing;

static unsigned flags_of(const struct twix_file *f)
{
	return f->flags & O_NONBLOCK ? TWZIO_NONBLOCK : 0;
}

/* Who is in the background and wants what the foreground has is stopped. */
static bool in_background(void)
{
	struct twix_terminal *t = twix_terminal();

	return t->session == twix_self()->session && t->foreground && t->foreground != twix_self()->group;
}

static ssize_t terminal_read(struct twix_file *f, void *buf, size_t n)
{
	twzobj *o = twix_file_object(f);

	if (!o)
		return -EIO;
	if (in_background()) {
		twix_signal_group(0, SIGTTIN);
		return -EINTR;
	}
	return pty_read_client(o, buf, n, flags_of(f));
}

static ssize_t terminal_write(struct twix_file *f, const void *buf, size_t n)
{
	twzobj *o = twix_file_object(f);
	size_t done = 0;
	ssize_t r = 0;

	if (!o)
		return -EIO;
	while (done < n && (r = pty_write_client(o, (const char *)buf + done, n - done, flags_of(f))) > 0)
		done += (size_t)r;
	return done ? (ssize_t)done : r == -EPIPE ? -EIO : r;
}

static long take_terminal(void)
{
	struct twix_terminal *t = twix_terminal();

	if (twix_self()->session != twix_self()->pid)
		return -EPERM;
	t->session = twix_self()->session;
	t->foreground = twix_self()->group;
	return 0;
}

static long set_foreground(int group)
{
	struct twix_terminal *t = twix_terminal();

	if (group <= 0)
		return -EINVAL;
	if (t->session != twix_self()->session)
		return -ENOTTY;
	t->foreground = group;
	return 0;
}

static long terminal_ioctl(struct twix_file *f, unsigned long request, void *arg)
{
	twzobj *o = twix_file_object(f);
	long r;

	if (!o)
		return -EIO;
	switch (request) {
	case TIOCGPGRP:
		*(int *)arg = twix_terminal()->foreground;
		return 0;
	case TIOCSPGRP:
		return set_foreground(*(int *)arg);
	case TIOCGSID:
		*(int *)arg = twix_terminal()->session;
		return 0;
	case TIOCSCTTY:
		return take_terminal();
	case TCSBRK:
	case TCFLSH:
		return 0;
	default:
		r = pty_ioctl_client(o, (int)request, (long)arg);
		return r == -ENOTSUP ? -ENOTTY : r;
	}
}

static int terminal_poll(struct twix_file *f, uint64_t type, struct event *event)
{
	twzobj *o = twix_file_object(f);

	return o ? pty_poll_client(o, type, event) : -EIO;
}

const struct twix_ops twix_terminal_ops = {
	.read = terminal_read,
	.write = terminal_write,
	.ioctl = terminal_ioctl,
	.poll = terminal_poll,
	.mode = S_IFCHR | 0620,
};

/* --- between the terminal and the console */

static void pass_signals(void)
{
	static const struct {
		uint64_t event;
		int sig;
	} known[] = { { PTY_EVENT_INT, SIGINT }, { PTY_EVENT_QUIT, SIGQUIT }, { PTY_EVENT_SUSP, SIGTSTP } };
	struct event ev;

	if (pty_poll_client(&client, PTY_EVENT_SIG, &ev) <= 0)
		return;
	uint64_t came = event_clear(ev.hdr, PTY_EVENT_SIG);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (came & known[i].event && twix_terminal()->foreground)
			twix_signal_group(-twix_terminal()->foreground, known[i].sig);
}

static void type(void *unused)
{
	int c;

	(void)unused;
	while ((c = kec_getchar()) >= 0) {
		char text = (char)c;

		pty_write_server(&server, &text, 1, 0);
		pass_signals();
	}
}

/* The console puts a carriage return before each newline itself. */
static size_t without_returns(char *buf, size_t n, bool *pending)
{
	char out[2 * PIECE];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (*pending && buf[i] != '\n')
			out[len++] = '\r';
		*pending = buf[i] == '\r';
		if (!*pending)
			out[len++] = buf[i];
	}
	memcpy(buf, out, len);
	return len;
}

static void show(void *unused)
{
	char buf[2 * PIECE];
	bool pending = false;
	ssize_t n;

	(void)unused;
	while ((n = pty_read_server(&server, buf, PIECE, 0)) > 0)
		kec_write(buf, without_returns(buf, (size_t)n, &pending));
}

/* An object that lives as long as any of the programs. */
static int make(twzobj *o)
{
	objid_t id;
	int r = twix_child_object(twix_shared_id(), 0, &id);

	return r < 0 ? r : twz_object_init_guid(o, id, FE_READ | FE_WRITE);
}

int twix_terminal_make(void)
{
	struct thrd_spawn_args typist = { .start_func = (uintptr_t)type };
	struct thrd_spawn_args screen = { .start_func = (uintptr_t)show };
	struct twix_terminal *t = twix_terminal();
	int r = make(&server);

	if (r == 0)
		r = pty_obj_init_server(&server, NULL);
	if (r == 0)
		r = make(&client);
	if (r == 0)
		r = pty_obj_init_client(&client, NULL, twz_object_base(&server));
	if (r < 0)
		return r;
	t->client = twz_object_guid(&client);
	t->session = twix_self()->session;
	t->foreground = twix_self()->group;
	r = twz_thread_spawn(&typing, &typist);
	return r < 0 ? r : twz_thread_spawn(&showing, &screen);
}

/* The first program ends: what was written is shown, and the console is somebody else's. */
void twix_terminal_end(void)
{
	if (!server.base)
		return;
	sys_thrd_ctl2(typing.tid, THRD_CTL_KILL, 0);
	pty_hangup(&server);
	twz_thread_join(&showing, NULL, 0);
}
