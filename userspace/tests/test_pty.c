// SPDX-License-Identifier: BSD-3-Clause
/* Terminals: editing, echo, signals, ends of file, newlines, sizes; who sleeps is woken. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/obj/bstream.h>
#include <twz/obj/pty.h>

static twzobj server, client;

static bool begin(void)
{
	CHECK_EQ(new_object(&server), 0);
	CHECK_EQ(new_object(&client), 0);
	CHECK_EQ(pty_obj_init_server(&server, NULL), 0);
	CHECK_EQ(pty_obj_init_client(&client, NULL, twz_object_base(&server)), 0);
	return server.base && client.base;
}

static void end(void)
{
	drop_object(&client);
	drop_object(&server);
}

static ssize_t type(const char *keys)
{
	return pty_write_server(&server, keys, strlen(keys), TWZIO_NONBLOCK);
}

static ssize_t print(const char *text)
{
	return pty_write_client(&client, text, strlen(text), TWZIO_NONBLOCK);
}

/* Whether the program reads exactly this next. */
static bool reads(const char *text)
{
	char got[2048] = { 0 };
	ssize_t n = pty_read_client(&client, got, sizeof(got) - 1, TWZIO_NONBLOCK);

	if (n == (ssize_t)strlen(text) && strcmp(got, text) == 0)
		return true;
	ktap_note("the program reads %ld: %s", (long)n, got);
	return false;
}

static bool reads_nothing(void)
{
	char c;

	return pty_read_client(&client, &c, 1, TWZIO_NONBLOCK) == -EAGAIN;
}

/* Whether the screen has been told exactly this. */
static bool shows(const char *text)
{
	char got[8192] = { 0 };
	size_t fill = 0;
	ssize_t n;

	while ((n = pty_read_server(&server, got + fill, sizeof(got) - 1 - fill, TWZIO_NONBLOCK)) > 0)
		fill += (size_t)n;
	if (fill == strlen(text) && strcmp(got, text) == 0)
		return true;
	ktap_note("the screen shows %ld: %s", (long)fill, got);
	return false;
}

/* Let it be told whatever it is told. */
static void look_away(void)
{
	char got[256];

	while (pty_read_server(&server, got, sizeof(got), TWZIO_NONBLOCK) > 0)
		;
}

/* Change the local and the input flags. */
static void set_flags(uint32_t on, uint32_t off, uint32_t iflag)
{
	struct termios t;

	CHECK_EQ(pty_ioctl_client(&client, TCGETS, (long)&t), 0);
	t.c_lflag = (t.c_lflag | on) & ~off;
	t.c_iflag |= iflag;
	CHECK_EQ(pty_ioctl_client(&client, TCSETS, (long)&t), 0);
}

/* ---- Lines ---- */

static void lines(void)
{
	NEED(begin());
	CHECK_EQ(type("ab"), 2);
	CHECK(shows("ab"));
	CHECK(reads_nothing());
	CHECK_EQ(type("c\rde\n"), 5);
	CHECK(shows("c\r\nde\r\n"));
	CHECK(reads("abc\n"));
	CHECK(reads("de\n"));
	CHECK(reads_nothing());
	/* in pieces */
	char c[3];
	CHECK_EQ(type("xyz\n"), 4);
	CHECK_EQ(pty_read_client(&client, c, 3, 0), 3);
	CHECK(memcmp(c, "xyz", 3) == 0);
	CHECK_EQ(pty_read_client(&client, c, 3, 0), 1);
	CHECK_EQ(c[0], '\n');
	CHECK(reads_nothing());
	CHECK_EQ(pty_read_client(&client, c, 0, 0), 0);
	CHECK_EQ(pty_read_client(&client, c, 1, 2), -EINVAL);
	CHECK_EQ(pty_write_server(&server, c, 1, 2), -EINVAL);
	end();
}

static void editing(void)
{
	NEED(begin());
	type("ab\177c\n");
	CHECK(shows("ab\b \bc\r\n"));
	CHECK(reads("ac\n"));
	type("\177\177one two  \027x\n");
	CHECK(shows("one two  \b \b\b \b\b \b\b \b\b \bx\r\n"));
	CHECK(reads("one x\n"));
	type("gone\025kept\n");
	CHECK(shows("gone\b \b\b \b\b \b\b \bkept\r\n"));
	CHECK(reads("kept\n"));
	type("\027\025\n");
	CHECK(reads("\n"));
	look_away();
	/* without ECHOE the editing keys are seen, with ECHOK a kill begins a line */
	set_flags(ECHOK, ECHOE, 0);
	type("ab\177\025c\n");
	CHECK(shows("ab\177\025\r\nc\r\n"));
	CHECK(reads("c\n"));
	end();
}

static void characters_of_many_bytes(void)
{
	NEED(begin());
	type("a\xe2\x82\xac\177b\n");
	CHECK(reads("a\xe2\x82""b\n"));
	look_away();
	set_flags(0, 0, IUTF8);
	type("a\xe2\x82\xac\xc3\xa4\177\177b\n");
	CHECK(reads("ab\n"));
	CHECK(shows("a\xe2\x82\xac\xc3\xa4\b \b\b \bb\r\n"));
	/* only bytes that continue, and nothing that they do */
	type("\x82\x82\x82\177x\n");
	CHECK(reads("x\n"));
	end();
}

static void echoes(void)
{
	NEED(begin());
	set_flags(0, ECHO, 0);
	type("secret\n");
	CHECK(shows(""));
	CHECK(reads("secret\n"));
	set_flags(ECHONL, 0, 0);
	type("secret\177\n");
	CHECK(shows("\r\n"));
	CHECK(reads("secre\n"));
	set_flags(ECHO | ECHOCTL, 0, 0);
	type("\001\t\033\177z\n");
	CHECK(shows("^A\t^[\b \b\b \bz\r\n"));
	CHECK(reads("\001\tz\n"));
	end();
}

static void long_lines(void)
{
	static char line[PTY_BUFFER_SZ + 100], got[PTY_BUFFER_SZ + 100];
	ssize_t n;

	NEED(begin());
	memset(line, 'x', sizeof(line));
	CHECK_EQ(pty_write_server(&server, line, PTY_BUFFER_SZ - 1, TWZIO_NONBLOCK), PTY_BUFFER_SZ - 1);
	look_away();
	CHECK_EQ(type("yy"), 2);
	CHECK(shows("\a\a"));
	CHECK_EQ(type("\177z\n"), 3);
	n = pty_read_client(&client, got, sizeof(got), TWZIO_NONBLOCK);
	CHECK_EQ(n, PTY_BUFFER_SZ);
	CHECK(got[PTY_BUFFER_SZ - 2] == 'z' && got[PTY_BUFFER_SZ - 1] == '\n');
	end();
}

/* ---- Ends of file ---- */

static void ends_of_file(void)
{
	char c;

	NEED(begin());
	type("\004");
	CHECK_EQ(pty_read_client(&client, &c, 1, 0), 0);
	CHECK(reads_nothing());
	/* behind a line, and before the next */
	type("a\n\004b\n");
	CHECK(reads("a\n"));
	CHECK(reads(""));
	CHECK(reads("b\n"));
	/* in a line it ends it, and is no end of file */
	type("abc\004");
	CHECK(reads("abc"));
	CHECK(reads_nothing());
	type("abc\004d\n\004\004");
	CHECK(reads("abc"));
	CHECK(reads("d\n"));
	CHECK(reads(""));
	CHECK(reads(""));
	CHECK(reads_nothing());
	/* taken to the last byte: still no end of file */
	type("x\004");
	CHECK_EQ(pty_read_client(&client, &c, 1, 0), 1);
	CHECK(reads_nothing());
	type("x\004\004");
	CHECK_EQ(pty_read_client(&client, &c, 1, 0), 1);
	CHECK(reads(""));
	CHECK(reads_nothing());
	/* more of them than are remembered: the rest is dropped with a bell */
	look_away();
	for (int i = 0; i < 20; i++)
		type("\004");
	CHECK(shows("\a\a\a\a"));
	for (int i = 0; i < 16; i++)
		CHECK(reads(""));
	CHECK(reads_nothing());
	end();
}

static void hangup(void)
{
	char c;

	NEED(begin());
	type("left\n");
	look_away();
	CHECK_EQ(print("x"), 1);
	CHECK_EQ(pty_hangup(&server), 0);
	CHECK(reads("left\n"));
	CHECK_EQ(pty_read_client(&client, &c, 1, 0), 0);
	CHECK_EQ(pty_read_client(&client, &c, 1, 0), 0);
	CHECK_EQ(pty_write_client(&client, "x", 1, 0), -EPIPE);
	CHECK_EQ(pty_write_server(&server, "x", 1, 0), -EPIPE);
	CHECK_EQ(pty_poll_client(&client, TWZIO_EVENT_READ, NULL), 1);
	end();
}

/* ---- Raw ---- */

static void raw(void)
{
	struct termios t;

	NEED(begin());
	type("kept so far");
	set_flags(0, ICANON | ECHO | ISIG, 0);
	CHECK(reads("kept so far"));
	CHECK(reads_nothing());
	look_away();
	CHECK_EQ(type("\177\003\004\r"), 4);
	CHECK(reads("\177\003\004\n"));
	CHECK(shows(""));
	CHECK_EQ(pty_ioctl_server(&server, TCGETS, (long)&t), 0);
	t.c_iflag = 0;
	t.c_cc[VMIN] = 0;
	CHECK_EQ(pty_ioctl_server(&server, TCSETSW, (long)&t), 0);
	type("\r");
	CHECK(reads("\r"));
	/* VMIN 0: a read that finds nothing gives 0, at once or after VTIME */
	char c;
	CHECK_EQ(pty_read_client(&client, &c, 1, 0), 0);
	t.c_cc[VTIME] = 1;
	CHECK_EQ(pty_ioctl_server(&server, TCSETS, (long)&t), 0);
	uint64_t before = twz_clock_ns();
	CHECK_EQ(pty_read_client(&client, &c, 1, 0), 0);
	CHECK(twz_clock_ns() - before >= 100 * NS_PER_MS);
	CHECK(reads_nothing());
	t.c_iflag = IGNCR;
	CHECK_EQ(pty_ioctl_server(&server, TCSETS, (long)&t), 0);
	type("a\rb");
	CHECK(reads("ab"));
	t.c_iflag = INLCR;
	CHECK_EQ(pty_ioctl_server(&server, TCSETS, (long)&t), 0);
	type("a\nb");
	CHECK(reads("a\rb"));
	end();
}

/* ---- Signals ---- */

static uint64_t signals(void)
{
	struct event ev;

	CHECK(pty_poll_client(&client, PTY_EVENT_SIG, &ev) >= 0);
	return event_clear(ev.hdr, PTY_EVENT_SIG);
}

static void signal_keys(void)
{
	struct termios t;

	NEED(begin());
	CHECK_EQ(pty_poll_client(&client, PTY_EVENT_SIG, NULL), 0);
	CHECK_EQ(signals(), 0);
	type("unread\nhalf\003");
	CHECK_EQ(pty_poll_client(&client, PTY_EVENT_SIG, NULL), 1);
	CHECK_EQ(pty_poll_client(&client, PTY_EVENT_QUIT, NULL), 0);
	CHECK_EQ(signals(), PTY_EVENT_INT);
	CHECK_EQ(signals(), 0);
	CHECK(reads_nothing());
	type("x\n\034\032");
	CHECK_EQ(signals(), PTY_EVENT_QUIT | PTY_EVENT_SUSP);
	CHECK(reads_nothing());
	/* what was typed stays with NOFLSH */
	set_flags(NOFLSH | ECHOCTL, 0, 0);
	look_away();
	type("ab\003c\n");
	CHECK(shows("ab^Cc\r\n"));
	CHECK(reads("abc\n"));
	CHECK_EQ(signals(), PTY_EVENT_INT);
	/* another key, or none */
	CHECK_EQ(pty_ioctl_client(&client, TCGETS, (long)&t), 0);
	t.c_cc[VINTR] = 'q';
	t.c_cc[VQUIT] = 0;
	CHECK_EQ(pty_ioctl_client(&client, TCSETSF, (long)&t), 0);
	CHECK_EQ(pty_write_server(&server, "\003q\0", 3, TWZIO_NONBLOCK), 3);
	CHECK_EQ(signals(), PTY_EVENT_INT);
	CHECK_EQ(pty_poll_client(&client, PTY_EVENT_SIG | TWZIO_EVENT_READ, NULL), -ENOTSUP);
	CHECK_EQ(pty_poll_client(&client, 0, NULL), -ENOTSUP);
	end();
}

/* ---- Output ---- */

static void output(void)
{
	struct termios t;

	NEED(begin());
	CHECK_EQ(print("a\nb\r\n"), 5);
	CHECK(shows("a\r\nb\r\r\n"));
	CHECK_EQ(pty_ioctl_client(&client, TCGETS, (long)&t), 0);
	t.c_oflag = OPOST | OCRNL;
	CHECK_EQ(pty_ioctl_client(&client, TCSETS, (long)&t), 0);
	print("a\rb\n");
	CHECK(shows("a\nb\n"));
	t.c_oflag = ONLCR;
	CHECK_EQ(pty_ioctl_client(&client, TCSETS, (long)&t), 0);
	print("a\n");
	CHECK(shows("a\n"));
	end();
}

/* The output fills up in the middle of a newline: its other half comes all the same, once. */
static void half_a_newline(void)
{
	static char fill[4094], got[4096];
	char c;

	NEED(begin());
	memset(fill, 'x', sizeof(fill));
	CHECK_EQ(pty_write_client(&client, fill, sizeof(fill), TWZIO_NONBLOCK), sizeof(fill));
	CHECK_EQ(print("\n"), 1);
	CHECK_EQ(pty_poll_client(&client, TWZIO_EVENT_WRITE, NULL), 0);
	CHECK_EQ(print("y"), -EAGAIN);
	type("echoed");
	CHECK_EQ(pty_read_server(&server, got, 4095, 0), 4095);
	CHECK_EQ(got[4094], '\r');
	CHECK_EQ(print("z"), 1);
	CHECK(shows("\nz"));
	CHECK_EQ(pty_read_server(&server, &c, 1, TWZIO_NONBLOCK), -EAGAIN);
	end();
}

/* ---- Full ---- */

/* A program that does not read: input is kept up to a line, then refused; nothing of it is lost. */
static void unread_input(void)
{
	static char line[1000], got[1024];
	size_t typed = 0, taken = 0;
	ssize_t n;

	NEED(begin());
	set_flags(0, ECHO, 0);
	memset(line, 'x', sizeof(line));
	line[999] = '\n';
	while ((n = pty_write_server(&server, line + typed % 1000, 1000 - typed % 1000, TWZIO_NONBLOCK)) > 0)
		typed += (size_t)n;
	CHECK_EQ(n, -EAGAIN);
	CHECK_EQ(typed, 5000);
	CHECK_EQ(pty_poll_server(&server, TWZIO_EVENT_WRITE, NULL), 0);
	while ((n = pty_read_client(&client, got, sizeof(got), TWZIO_NONBLOCK)) > 0)
		taken += (size_t)n;
	CHECK_EQ(taken, typed);
	/* a signal comes through when nothing else does */
	while (pty_write_server(&server, line, 1000, TWZIO_NONBLOCK) > 0)
		;
	CHECK_EQ(type("\003"), 1);
	CHECK_EQ(signals(), PTY_EVENT_INT);
	CHECK(reads_nothing());
	CHECK_EQ(type("on\n"), 3);
	CHECK(reads("on\n"));
	end();
}

/* ---- Settings ---- */

static void settings(void)
{
	struct winsize w = { 50, 132, 1, 2 }, got;
	struct event ev;
	struct termios t;
	int pgrp;

	NEED(begin());
	CHECK_EQ(pty_ioctl_client(&client, TCGETS, (long)&t), 0);
	CHECK_EQ(t.c_iflag, ICRNL);
	CHECK_EQ(t.c_oflag, OPOST | ONLCR);
	CHECK_EQ(t.c_lflag, ICANON | ECHO | ECHOE | ECHOK | ECHOKE | ISIG | IEXTEN);
	CHECK_EQ(t.c_cflag, CS8);
	CHECK_EQ(pty_ioctl_client(&client, TIOCGWINSZ, (long)&got), 0);
	CHECK(got.ws_row == 25 && got.ws_col == 80);
	CHECK_EQ(pty_poll_client(&client, PTY_EVENT_WINCH, &ev), 0);
	CHECK_EQ(twzio_ioctl(&server, TIOCSWINSZ, &w), 0);
	CHECK_EQ(pty_poll_client(&client, PTY_EVENT_WINCH, NULL), 1);
	event_clear(ev.hdr, PTY_EVENT_WINCH);
	CHECK_EQ(twzio_ioctl(&server, TIOCSWINSZ, &w), 0);
	CHECK_EQ(pty_poll_client(&client, PTY_EVENT_WINCH, NULL), 0);
	CHECK_EQ(twzio_ioctl(&client, TIOCGWINSZ, &got), 0);
	CHECK(memcmp(&w, &got, sizeof(w)) == 0);
	CHECK_EQ(twzio_ioctl(&client, 0x540f, &pgrp), -ENOTSUP);
	type("lost\nlost");
	CHECK_EQ(twzio_ioctl(&client, TCSETSF, &t), 0);
	CHECK(reads_nothing());
	type("\n");
	CHECK(reads("\n"));
	end();
}

/* T55 */
static void as_io_objects(void)
{
	struct pty_hdr *h;
	char got[8];

	NEED(begin());
	h = twz_object_base(&server);
	CHECK(twz_object_getext(&server, TWZIO_METAEXT_TAG) == &h->io);
	CHECK(twz_object_getext(&server, PTY_METAEXT_TAG) == h);
	CHECK_EQ(twzio_write(&server, "ab\n", 3, 0, TWZIO_NONBLOCK), 3);
	CHECK_EQ(twzio_poll(&client, TWZIO_EVENT_READ, NULL), 1);
	CHECK_EQ(twzio_read(&client, got, 8, 0, TWZIO_NONBLOCK), 3);
	CHECK_EQ(twzio_poll(&client, TWZIO_EVENT_READ, NULL), 0);
	CHECK_EQ(twzio_poll(&client, TWZIO_EVENT_WRITE, NULL), 1);
	CHECK_EQ(twzio_poll(&server, TWZIO_EVENT_READ, NULL), 1);
	CHECK_EQ(twzio_read(&server, got, 8, 0, 0), 4);
	CHECK_EQ(twzio_poll(&server, TWZIO_EVENT_READ, NULL), 0);
	CHECK_EQ(twzio_write(&client, "x", 1, 0, 0), 1);
	CHECK_EQ(twzio_read(&server, got, 8, 0, 0), 1);
	end();
}

/* ---- Sleeping ---- */

static atomic_ulong bad;

#define LINES 300

/* A program that says every line again, until the end of file. */
static void repeat(void *arg)
{
	char line[64];
	ssize_t n;

	(void)arg;
	while ((n = pty_read_client(&client, line, sizeof(line), 0)) > 0)
		for (ssize_t done = 0, r; done < n; done += r) {
			r = pty_write_client(&client, line + done, (size_t)(n - done), 0);
			if (r <= 0) {
				bad++;
				return;
			}
		}
	if (n < 0)
		bad++;
}

static void there_and_back(void)
{
	struct thread t;
	char got[4];

	NEED(begin());
	bad = 0;
	set_flags(0, ECHO, 0);
	NEED(run_thread(&t, repeat, NULL) == 0);
	for (int i = 0; i < LINES; i++) {
		CHECK_EQ(pty_write_server(&server, "a\r", 2, 0), 2);
		for (size_t n = 0; n < 3;) {
			ssize_t r = pty_read_server(&server, got + n, 3 - n, 0);

			NEED(r > 0);
			n += (size_t)r;
		}
		CHECK(memcmp(got, "a\r\n", 3) == 0);
	}
	CHECK_EQ(pty_write_server(&server, "\004", 1, 0), 1);
	CHECK_EQ(finish_thread(&t), 0);
	CHECK_EQ(bad, 0);
	end();
}

/* Both directions full of it: everybody sleeps now and then, and nothing is lost. */
static void pour(void *arg)
{
	static const char text[] = "0123456789012345678901234567890123456789\n";

	(void)arg;
	for (int i = 0; i < 800; i++)
		for (size_t done = 0; done < sizeof(text) - 1;) {
			ssize_t r = pty_write_server(&server, text + done, sizeof(text) - 1 - done, 0);

			if (r <= 0) {
				bad++;
				return;
			}
			done += (size_t)r;
		}
	if (pty_write_server(&server, "\004", 1, 0) != 1)
		bad++;
}

static void floods(void)
{
	struct thread in, program;
	size_t shown = 0, want = 800 * 42;
	char got[512];

	NEED(begin());
	bad = 0;
	set_flags(0, ECHO, 0);
	NEED(run_thread(&program, repeat, NULL) == 0);
	NEED(run_thread(&in, pour, NULL) == 0);
	while (shown < want) {
		ssize_t r = pty_read_server(&server, got, sizeof(got), 0);

		NEED(r > 0);
		for (ssize_t i = 0; i < r; i++, shown++) {
			size_t at = shown % 42;

			if (got[i] != (at == 40 ? '\r' : at == 41 ? '\n' : (char)('0' + at % 10)))
				bad++;
		}
	}
	CHECK_EQ(finish_thread(&in), 0);
	CHECK_EQ(finish_thread(&program), 0);
	CHECK_EQ(bad, 0);
	CHECK_EQ(pty_read_server(&server, got, 1, TWZIO_NONBLOCK), -EAGAIN);
	end();
}

/* Who polls and waits is told of lines, of ends of file and of signals. */
static void tell(void *arg)
{
	(void)arg;
	twz_sleep_ns(2 * NS_PER_MS);
	type("a\n");
	while (pty_poll_client(&client, TWZIO_EVENT_READ, NULL))
		twz_sleep_ns(NS_PER_MS);
	type("\004");
	while (pty_poll_client(&client, TWZIO_EVENT_READ, NULL))
		twz_sleep_ns(NS_PER_MS);
	type("\003");
}

static void waiting(void)
{
	struct event ev[2];
	struct thread t;
	char got[4];

	NEED(begin());
	NEED(run_thread(&t, tell, NULL) == 0);
	for (int i = 0; i < 2; i++) {
		while (pty_poll_client(&client, TWZIO_EVENT_READ, &ev[0]) == 0)
			event_wait(1, ev);
		CHECK_EQ(pty_read_client(&client, got, 4, TWZIO_NONBLOCK), i ? 0 : 2);
	}
	while (pty_poll_client(&client, PTY_EVENT_SIG, &ev[1]) == 0)
		CHECK_EQ(event_wait(1, &ev[1]), 1);
	CHECK_EQ(signals(), PTY_EVENT_INT);
	CHECK_EQ(finish_thread(&t), 0);
	end();
}

/* ---- What is no terminal ---- */

static void refuses_all(void)
{
	struct termios t;
	char c = 'x';

	CHECK_EQ(pty_read_client(&client, &c, 1, TWZIO_NONBLOCK), -EINVLOBJ);
	CHECK_EQ(pty_write_client(&client, &c, 1, TWZIO_NONBLOCK), -EINVLOBJ);
	CHECK_EQ(pty_ioctl_client(&client, TCGETS, (long)&t), -EINVLOBJ);
	CHECK_EQ(pty_poll_client(&client, TWZIO_EVENT_READ, NULL), -EINVLOBJ);
}

static void hostile(void)
{
	struct pty_hdr *h, good;
	struct pty_client_hdr *c;
	char byte;

	NEED(begin());
	h = twz_object_base(&server);
	c = twz_object_base(&client);
	CHECK_EQ(pty_read_server(&client, &byte, 1, TWZIO_NONBLOCK), -EINVLOBJ);
	good = *h;
	h->stoc = NULL;
	refuses_all();
	h->stoc = (void *)(OBJ_TOPDATA - 64);
	refuses_all();
	h->stoc = (void *)(1ul << OBJ_SHIFT | 0x2000);
	refuses_all();
	h->stoc = (void *)((uintptr_t)good.stoc + 4);
	refuses_all();
	h->stoc = good.ctos;
	refuses_all();
	*h = good;
	h->io.type = 0;
	refuses_all();
	*h = good;
	((struct bstream_hdr *)twz_object_lea(&server, h->ctos))->nbits = 13;
	refuses_all();
	((struct bstream_hdr *)twz_object_lea(&server, h->ctos))->nbits = 12;
	h->bufpos = 1ull << 40;
	CHECK_EQ(type("ok\n"), 3);
	CHECK(reads("ok\n"));
	c->server = NULL;
	refuses_all();
	c->server = (void *)(OBJ_TOPDATA - 8);
	refuses_all();
	end();
}

static uint64_t noise_state = 88172645463325252ull;

static uint64_t noise(void)
{
	noise_state ^= noise_state << 13;
	noise_state ^= noise_state >> 7;
	noise_state ^= noise_state << 17;
	return noise_state;
}

/* State and streams at random, settings too: an answer each time. */
static void noise_everywhere(void)
{
	char got[256];

	NEED(begin());
	for (int n = 0; n < 2000; n++) {
		struct pty_hdr *h = twz_object_base(&server), good = *h;
		uint64_t *words = twz_object_base(&server);

		for (uint64_t i = noise() % 64; i > 0; i--)
			words[noise() % (1600 / 8)] = noise() >> noise() % 64;
		h->stoc = good.stoc;
		h->ctos = good.ctos;
		h->io = good.io;
		h->buffer_lock = (struct mutex)MUTEX_INIT;
		type("a\177\027\025b\004\n\r\003\032x\n");
		print("a\n\r");
		pty_read_client(&client, got, sizeof(got), TWZIO_NONBLOCK);
		pty_read_server(&server, got, sizeof(got), TWZIO_NONBLOCK);
		pty_poll_client(&client, TWZIO_EVENT_READ, NULL);
	}
	CHECK_EQ(pty_obj_init_server(&server, NULL), 0);
	CHECK_EQ(type("ok\n"), 3);
	CHECK(reads("ok\n"));
	end();
}

static const struct ktap_case cases[] = {
	{ "lines", lines },
	{ "editing", editing },
	{ "characters of many bytes", characters_of_many_bytes },
	{ "echoes", echoes },
	{ "long lines", long_lines },
	{ "ends of file", ends_of_file },
	{ "hanging up", hangup },
	{ "raw input", raw },
	{ "signals", signal_keys },
	{ "output", output },
	{ "half a newline", half_a_newline },
	{ "input that is not read", unread_input },
	{ "settings", settings },
	{ "as io objects", as_io_objects },
	{ "there and back", there_and_back },
	{ "floods", floods },
	{ "waiting for events", waiting },
	{ "what is no terminal", hostile },
	{ "noise", noise_everywhere },
};

int main(void)
{
	return KTAP_RUN(cases);
}
