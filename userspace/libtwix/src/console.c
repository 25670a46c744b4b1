// SPDX-License-Identifier: BSD-3-Clause
/*
 * Between the first terminal and the machine's console: two threads of the first program. And how the
 * size of the console's window is found: by a question that a terminal answers like a keyboard.
 */
#include "twix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <twz/obj/pty.h>
#include <twz/sys/kec.h>
#include <twz/sys/sync.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>

#define PIECE 512
#define ANSWER_MAX 16
#define ESC 27

static twzobj server, client; /* of the first program */
static struct thread typing, showing;

/* --- signals that were typed */

static uint64_t take_signals(twzobj *side)
{
	struct event event;

	return pty_poll_server(side, PTY_EVENT_SIG, &event) > 0 ? event_clear(event.hdr, PTY_EVENT_SIG) : 0;
}

void twix_terminal_typed(struct twix_terminal *t, twzobj *side)
{
	static const struct {
		uint64_t event;
		int sig;
	} known[] = { { PTY_EVENT_INT, SIGINT }, { PTY_EVENT_QUIT, SIGQUIT }, { PTY_EVENT_SUSP, SIGTSTP } };
	uint64_t came = take_signals(side);

	twix_activity();
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (came & known[i].event && t->foreground)
			twix_signal_group(-t->foreground, known[i].sig);
}

/* --- the size of the window */

static uint32_t asking; /* atomic: the question was put, and nothing was typed since */

/* Go to where no window ends, tell where that is, come back. The answer is ESC [ rows ; columns R. */
long twix_console_ask(const struct twix_terminal *t)
{
	static const char question[] = "\0337\033[r\033[999;999H\033[6n\0338";

	if (t != twix_terminal() || !twix_self()->first)
		return -ENOTTY;
	__atomic_store_n(&asking, 1, __ATOMIC_RELEASE);
	return kec_write(question, sizeof(question) - 1);
}

/* What may be the beginning of an answer. */
struct answer {
	char text[ANSWER_MAX];
	size_t len;
	unsigned number[2], count; /* of them */
};

/* Whether c can come next; then it is kept. */
static bool continues(struct answer *a, char c)
{
	bool ok = a->len < ANSWER_MAX;

	if (a->len < 2)
		ok = c == (a->len ? '[' : ESC);
	else if (c >= '0' && c <= '9')
		a->number[a->count] = a->number[a->count] * 10 + (unsigned)(c - '0');
	else if (c == ';' && a->count == 0)
		a->count = 1;
	else
		ok = ok && c == 'R' && a->count == 1;
	if (ok)
		a->text[a->len++] = c;
	return ok;
}

static void set_size(const struct answer *a)
{
	struct winsize size = { .ws_row = (unsigned short)a->number[0], .ws_col = (unsigned short)a->number[1] };

	if (size.ws_row && size.ws_col)
		twix_terminal_control(twix_terminal(), pty_ioctl_server, &server, TIOCSWINSZ, &size);
}

/* Whether c belongs to the answer. The first that does not ends the asking: it and what was kept was
 * typed by somebody. */
static bool is_answer(struct answer *a, char c)
{
	if (!__atomic_load_n(&asking, __ATOMIC_ACQUIRE))
		return false;
	if (continues(a, c)) {
		if (c == 'R') {
			__atomic_store_n(&asking, 0, __ATOMIC_RELEASE);
			set_size(a);
			memset(a, 0, sizeof(*a));
		}
		return true;
	}
	__atomic_store_n(&asking, 0, __ATOMIC_RELEASE);
	return false;
}

/* --- the two threads */

static void pass_on(const char *text, size_t n)
{
	ssize_t r;

	for (size_t done = 0; done < n; done += (size_t)r) {
		r = pty_write_server(&server, text + done, n - done, 0);
		if (r <= 0)
			return;
		twix_terminal_typed(twix_terminal(), &server);
	}
}

/* While the size is asked for each byte may be of the answer; what comes together stays so otherwise: a
 * key may be several bytes. */
static void take(struct answer *answer, const char *text, size_t n)
{
	while (n && __atomic_load_n(&asking, __ATOMIC_ACQUIRE)) {
		if (!is_answer(answer, *text))
			break;
		text++;
		n--;
	}
	if (!n)
		return;
	pass_on(answer->text, answer->len);
	memset(answer, 0, sizeof(*answer));
	pass_on(text, n);
}

static void type(void *unused)
{
	struct answer answer = { .len = 0 };
	char text[PIECE];
	long n;

	(void)unused;
	while ((n = sys_kec_read(text, sizeof(text), 0)) > 0)
		take(&answer, text, (size_t)n);
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

/* Shown is what was taken, before that is said; so whoever sees nothing left, nor anybody showing, may rely on it. */
static void set_showing(bool on)
{
	struct twix_terminal *t = twix_terminal();

	__atomic_fetch_add(&t->showing, (t->showing & 1) != on, __ATOMIC_SEQ_CST);
	if (!on)
		twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&t->showing, (uint64_t)-1, NULL);
}

static void show(void *unused)
{
	char buf[2 * PIECE];
	bool pending = false;
	struct event event;
	ssize_t n;

	(void)unused;
	for (;;) {
		while (pty_poll_server(&server, TWZIO_EVENT_READ, &event) == 0)
			event_wait(1, &event);
		set_showing(true);
		while ((n = pty_read_server(&server, buf, PIECE, TWZIO_NONBLOCK)) > 0)
			kec_write(buf, without_returns(buf, (size_t)n, &pending));
		set_showing(false);
		if (n != -EAGAIN)
			return;
	}
}

long twix_console_drain(struct twix_terminal *t, twzobj *side)
{
	int left = 0;

	if (t != twix_terminal())
		return 0;
	for (;;) {
		uint64_t showing = __atomic_load_n(&t->showing, __ATOMIC_SEQ_CST);

		if (pty_ioctl_client(side, TIOCOUTQ, (long)&left) < 0 ||
		    (!left && !(showing & 1) && showing == __atomic_load_n(&t->showing, __ATOMIC_SEQ_CST)))
			return 0;
		if (twix_sleep_on(&t->showing, showing, UINT64_MAX) == -EINTR)
			return -EINTR;
	}
}

/* --- its life */

static void set_console_settings(void)
{
	struct winsize size = { .ws_row = 25, .ws_col = 80 };
	struct termios t;

	pty_ioctl_server(&server, TCGETS, (long)&t);
	t.c_iflag |= IUTF8;
	pty_ioctl_server(&server, TCSETS, (long)&t);
	pty_ioctl_server(&server, TIOCSWINSZ, (long)&size);
}

int twix_terminal_make(void)
{
	struct thrd_spawn_args typist = { .start_func = (uintptr_t)type };
	struct thrd_spawn_args screen = { .start_func = (uintptr_t)show };
	struct twix_terminal *t = twix_terminal();
	int r = twix_terminal_init(t, &server, &client);

	if (r < 0)
		return r;
	set_console_settings();
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
