// SPDX-License-Identifier: BSD-3-Clause
/*
 * Terminals, as programs have them: the client sides of pty objects. Which groups of processes may use
 * one is known here; what happens to the bytes in the pty.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <twz/obj/pty.h>

static unsigned flags_of(const struct twix_file *f)
{
	return f->flags & O_NONBLOCK ? TWZIO_NONBLOCK : 0;
}

static struct twix_terminal *terminal_of(const struct twix_file *f)
{
	return twix_terminal_number((unsigned)f->offset);
}

/* --- who may */

/* Nobody outside of a group could continue it if it were stopped. */
static bool is_orphaned(int group)
{
	struct twix_process *p, *parent;

	for (unsigned n = 0; (p = twix_process_next(&n));) {
		if (p->state != TWIX_RUNNING || p->group != group)
			continue;
		parent = twix_process_of(p->parent);
		if (parent && parent->group != group && parent->session == p->session)
			return false;
	}
	return true;
}

/* Who is in the background and wants what the foreground has is stopped: -EINTR. 0: go on. */
static long check_foreground(const struct twix_terminal *t, int sig)
{
	const struct twix_process *p = twix_self();

	if (t->session != p->session || !t->foreground || t->foreground == p->group)
		return 0;
	if (twix_signal_is_ignored(sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (is_orphaned(p->group))
		return -EIO;
	twix_signal_group(-p->group, sig);
	return -EINTR;
}

/* --- reading and writing */

static ssize_t terminal_read(struct twix_file *f, void *buf, size_t n)
{
	twzobj *o = twix_file_object(f);
	long r = o ? check_foreground(terminal_of(f), SIGTTIN) : -EIO;

	return r < 0 ? r : pty_read_client(o, buf, n, flags_of(f));
}

static bool stops_writers(twzobj *o)
{
	struct termios t;

	return pty_ioctl_client(o, TCGETS, (long)&t) == 0 && t.c_lflag & TOSTOP;
}

static ssize_t terminal_write(struct twix_file *f, const void *buf, size_t n)
{
	const struct twix_terminal *t = terminal_of(f);
	twzobj *o = twix_file_object(f);
	size_t done = 0;
	ssize_t r = 0;

	if (!o)
		return -EIO;
	if (t->foreground != twix_self()->group && stops_writers(o))
		r = check_foreground(t, SIGTTOU);
	if (r < 0)
		return r;
	while (done < n && (r = pty_write_client(o, (const char *)buf + done, n - done, flags_of(f))) > 0)
		done += (size_t)r;
	return done ? (ssize_t)done : r == -EPIPE ? -EIO : r;
}

static int terminal_poll(struct twix_file *f, uint64_t type, struct event *event)
{
	twzobj *o = twix_file_object(f);

	return o ? pty_poll_client(o, type, event) : -EIO;
}

/* --- settings */

static long get(const struct twix_terminal *t, int32_t value, int *out)
{
	if (!t->session || t->session != twix_self()->session)
		return -ENOTTY;
	*out = value;
	return 0;
}

static bool is_leader(const struct twix_process *p)
{
	return p->session == p->pid;
}

/* Its terminal goes from a session. */
static void give_up(struct twix_terminal *t)
{
	int group = t->foreground;

	t->session = t->foreground = 0;
	if (group) {
		twix_signal_group(-group, SIGHUP);
		twix_signal_group(-group, SIGCONT);
	}
}

static struct twix_terminal *terminal_of_session(int session)
{
	struct twix_terminal *t;

	for (unsigned n = 0; session && (t = twix_terminal_number(n)); n++)
		if (t->client && t->session == session)
			return t;
	return NULL;
}

struct twix_terminal *twix_terminal_own(void)
{
	return terminal_of_session(twix_self()->session);
}

void twix_terminal_take(struct twix_terminal *t)
{
	const struct twix_process *p = twix_self();

	if (!is_leader(p) || t->session || twix_terminal_own())
		return;
	t->session = p->session;
	t->foreground = p->group;
}

void twix_terminal_leader_ended(const struct twix_process *p)
{
	struct twix_terminal *t = is_leader(p) ? terminal_of_session(p->session) : NULL;

	if (t)
		give_up(t);
}

/* steal: from the session that has it. */
static long set_own(struct twix_terminal *t, bool steal)
{
	const struct twix_process *p = twix_self();

	if (is_leader(p) && t->session == p->session)
		return 0;
	if (!is_leader(p) || twix_terminal_own() || (t->session && !steal))
		return -EPERM;
	t->session = t->foreground = 0;
	twix_terminal_take(t);
	return 0;
}

static long leave(struct twix_terminal *t)
{
	if (t->session != twix_self()->session)
		return -ENOTTY;
	if (is_leader(twix_self()))
		give_up(t);
	return 0;
}

/* The session of a group of processes; 0: there is none. */
static int session_of(int group)
{
	struct twix_process *p;

	for (unsigned n = 0; (p = twix_process_next(&n));)
		if (p->state != TWIX_NO_PROCESS && p->group == group)
			return p->session;
	return 0;
}

static long set_foreground(struct twix_terminal *t, int group)
{
	long r = check_foreground(t, SIGTTOU);

	if (r < 0)
		return r == -EIO ? -ENOTTY : r;
	if (!t->session || t->session != twix_self()->session)
		return -ENOTTY;
	if (group < 0)
		return -EINVAL;
	if (!session_of(group))
		return -ESRCH;
	if (session_of(group) != t->session)
		return -EPERM;
	t->foreground = group;
	return 0;
}

static bool changes_settings(unsigned long request)
{
	return request == TCSETS || request == TCSETSW || request == TCSETSF || request == TCFLSH ||
	       request == TCXONC || request == TCSBRK || request == TCSBRKP;
}

/*
 * The settings as the call has them, which are shorter than the C library's: what it has behind them is
 * not touched, for another library may have something else there.
 */

_Static_assert(TWIX_SETTINGS_SIZE == offsetof(struct termios, c_cc) + 19, "19 characters end it");

static int settings(int (*ioctl)(twzobj *, int, long), twzobj *o, int request, void *arg)
{
	struct termios t;
	int r = ioctl(o, TCGETS, (long)&t);

	if (r == 0 && request == TCGETS)
		memcpy(arg, &t, TWIX_SETTINGS_SIZE);
	else if (r == 0)
		memcpy(&t, arg, TWIX_SETTINGS_SIZE);
	return r == 0 && request != TCGETS ? ioctl(o, request, (long)&t) : r;
}

static bool has_settings(unsigned long request)
{
	return request == TCGETS || request == TCSETS || request == TCSETSW || request == TCSETSF;
}

/* What both sides know. */
long twix_terminal_control(struct twix_terminal *t, int (*ioctl)(twzobj *, int, long), twzobj *o,
    unsigned long request, void *arg)
{
	struct winsize before;
	long r;

	if (request == TCSBRK || request == TCSBRKP)
		return twix_console_drain(t, o);
	if (request == TIOCSWINSZ)
		ioctl(o, TIOCGWINSZ, (long)&before);
	r = has_settings(request) ? settings(ioctl, o, (int)request, arg) : ioctl(o, (int)request, (long)arg);
	if (r == 0 && request == TIOCSWINSZ && memcmp(&before, arg, sizeof(before)) && t->foreground)
		twix_signal_group(-t->foreground, SIGWINCH);
	return r == -ENOTSUP ? -ENOTTY : r;
}

static long terminal_ioctl(struct twix_file *f, unsigned long request, void *arg)
{
	struct twix_terminal *t = terminal_of(f);
	twzobj *o = twix_file_object(f);
	long r;

	if (!o)
		return -EIO;
	switch (request) {
	case TIOCGPGRP:
		return get(t, t->foreground, arg);
	case TIOCSPGRP:
		return set_foreground(t, *(int *)arg);
	case TIOCGSID:
		return get(t, t->session, arg);
	case TIOCSCTTY:
		return set_own(t, (long)arg == 1);
	case TIOCNOTTY:
		return leave(t);
	case TWIX_TIOCASK:
		return twix_console_ask(t);
	default:
		r = changes_settings(request) ? check_foreground(t, SIGTTOU) : 0;
		return r < 0 ? r : twix_terminal_control(t, pty_ioctl_client, o, request, arg);
	}
}

const struct twix_ops twix_terminal_ops = {
	.read = terminal_read,
	.write = terminal_write,
	.ioctl = terminal_ioctl,
	.poll = terminal_poll,
	.last = twix_terminal_closed,
	.mode = S_IFCHR | 0620,
};
