// SPDX-License-Identifier: BSD-3-Clause
/*
 * What happens between the two sides of a terminal: editing, echo, signals, newlines. The caller
 * holds the lock, so that nobody else writes into the streams: room that was seen stays.
 */
#include "pty.h"

#define BEL 7
#define DEL 127

static bool has(const struct pty *p, tcflag_t flag)
{
	return p->settings.c_lflag & flag;
}

/* Whether c is the control character of that index; 0 is none. */
static bool is_cc(const struct pty *p, uint8_t c, unsigned index)
{
	return c != 0 && p->settings.c_cc[index] == c;
}

/* Bytes of the line so far. Somebody may be changing the number meanwhile: it is read once for every
 * use, and never leads out of the buffer. */
static uint32_t filled(const struct pty *p)
{
	uint64_t n = __atomic_load_n(&p->hdr->bufpos, __ATOMIC_RELAXED);

	return n < PTY_BUFFER_SZ ? (uint32_t)n : PTY_BUFFER_SZ;
}

/* --- towards the screen */

/* Bytes that fit into a stream; 0 also if it is damaged. */
static size_t room(const struct bstream_hdr *s)
{
	uint32_t mask = (1u << PTY_STREAM_BITS) - 1;
	uint32_t head = atomic_load(&s->head), tail = atomic_load(&s->tail);

	return head > mask || tail > mask ? 0 : mask - ((head - tail) & mask);
}

static void put_out(struct pty *p, const void *bytes, size_t n)
{
	bstream_hdr_write(p->o, p->out, bytes, n, TWZIO_NONBLOCK);
}

bool __pty_pay(struct pty *p)
{
	if (p->state->owed && room(p->out) > 0) {
		__atomic_store_n(&p->state->owed, 0, __ATOMIC_RELAXED);
		put_out(p, "\n", 1);
	}
	return !p->state->owed;
}

/* What a byte looks like on the screen: 1 or 2 bytes. */
static size_t processed(const struct pty *p, uint8_t c, uint8_t out[2])
{
	tcflag_t flags = p->settings.c_oflag;

	out[0] = c;
	if (!(flags & OPOST))
		return 1;
	if (c == '\r' && flags & OCRNL)
		c = out[0] = '\n';
	if (c != '\n' || !(flags & ONLCR))
		return 1;
	out[0] = '\r';
	out[1] = '\n';
	return 2;
}

/*
 * If only half of a newline fits, the other half is owed: whoever polls was told that there is room,
 * and must get on. It is owed before the first half can be seen, for its reader to pay.
 */
size_t __pty_print(struct pty *p, const uint8_t *bytes, size_t len)
{
	uint8_t chunk[256], out[2];
	size_t left, fill = 0, n = 0;

	if (!__pty_pay(p))
		return 0;
	left = room(p->out);
	left = left < sizeof(chunk) ? left : sizeof(chunk);
	for (; n < len && fill < left; n++) {
		size_t size = processed(p, bytes[n], out);

		if (size > left - fill) {
			if (left == sizeof(chunk))
				break;
			__atomic_store_n(&p->state->owed, 1, __ATOMIC_RELAXED);
			size = 1;
		}
		memcpy(chunk + fill, out, size);
		fill += size;
	}
	put_out(p, chunk, fill);
	return n;
}

/* What is echoed and does not fit is not seen; nobody waits for it. */
static void show(struct pty *p, const char *text, size_t n)
{
	if (__pty_pay(p) && room(p->out) >= n)
		put_out(p, text, n);
}

/* Columns that a character takes when it is echoed. */
static unsigned columns(const struct pty *p, uint8_t c)
{
	return has(p, ECHOCTL) && (c < ' ' || c == DEL) && c != '\t' ? 2 : 1;
}

static void echo(struct pty *p, uint8_t c)
{
	char shown[2] = { (char)c };

	if (c == '\n') {
		if (has(p, ECHO | ECHONL) && room(p->out) >= 2)
			__pty_print(p, &c, 1);
		return;
	}
	if (!has(p, ECHO))
		return;
	if (columns(p, c) == 2) {
		shown[0] = '^';
		shown[1] = (char)(c ^ 64);
	}
	show(p, shown, columns(p, c));
}

/* --- towards the program */

static void push_mark(struct pty *p, uint64_t flag)
{
	struct pty_state *s = p->state;

	if (s->marks_count == PTY_MARKS) {
		show(p, "\a", 1);
		return;
	}
	s->marks[(s->marks_first + s->marks_count++) % PTY_MARKS] = s->written | flag;
	event_wake(&p->in->ev, TWZIO_EVENT_READ, -1);
}

/* Pass on what fits of a complete line; whether there is none left. */
static bool pass_line(struct pty *p)
{
	struct pty_hdr *h = p->hdr;
	struct pty_state *s = p->state;
	uint32_t passed, end;

	if (!s->ended)
		return true;
	while ((passed = __atomic_load_n(&s->passed, __ATOMIC_RELAXED)) < (end = filled(p))) {
		ssize_t n = bstream_hdr_write(p->o, p->in, h->buffer + passed, end - passed,
		    TWZIO_NONBLOCK);

		if (n <= 0)
			return false;
		s->passed = passed + (uint32_t)n;
		s->written += (uint64_t)n;
	}
	if (s->ended == PTY_ENDED_BY_EOF)
		push_mark(p, 0);
	h->bufpos = 0;
	s->passed = 0;
	s->ended = PTY_ENDED_NOT;
	return true;
}

void __pty_end_line(struct pty *p)
{
	if (!p->state->ended && filled(p)) {
		p->state->ended = PTY_ENDED_LINE;
		pass_line(p);
	}
}

void __pty_discard(struct pty *p)
{
	struct pty_state *s = p->state;
	uint8_t scratch[256];

	p->hdr->bufpos = 0;
	s->passed = 0;
	s->ended = PTY_ENDED_NOT;
	s->marks_first = s->marks_count = 0;
	/* A stream holds no more than so many bytes, whatever its header says. */
	for (unsigned i = 0; i <= (1u << PTY_STREAM_BITS) / sizeof(scratch); i++)
		if (bstream_hdr_read(p->o, p->in, scratch, sizeof(scratch), TWZIO_NONBLOCK) <= 0)
			break;
	s->read = s->written;
}

static uint64_t signal_of(const struct pty *p, uint8_t c)
{
	if (!has(p, ISIG))
		return 0;
	if (is_cc(p, c, VINTR))
		return PTY_EVENT_INT;
	if (is_cc(p, c, VQUIT))
		return PTY_EVENT_QUIT;
	return is_cc(p, c, VSUSP) ? PTY_EVENT_SUSP : 0;
}

static void raise_signal(struct pty *p, uint8_t c, uint64_t signal)
{
	if (!has(p, NOFLSH))
		__pty_discard(p);
	echo(p, c);
	event_wake(&p->state->ev, signal, -1);
}

/* --- editing */

static void wipe(struct pty *p, unsigned n)
{
	while (has(p, ECHO) && has(p, ECHOE) && n--)
		show(p, "\b \b", 3);
}

/* Take the last byte off the line, which has one. */
static uint8_t drop_byte(struct pty *p)
{
	uint32_t n = filled(p) - 1;

	p->hdr->bufpos = n;
	return p->hdr->buffer[n];
}

/* With IUTF8 a character is its first byte and those that continue it. */
static void erase_one(struct pty *p)
{
	uint8_t last;

	if (!filled(p))
		return;
	last = drop_byte(p);
	while (p->settings.c_iflag & IUTF8 && (last & 0xc0) == 0x80 && filled(p))
		last = drop_byte(p);
	wipe(p, columns(p, last));
}

/* The last byte of the line; -1: it is empty. */
static int last_byte(const struct pty *p)
{
	uint32_t n = filled(p);

	return n ? p->hdr->buffer[n - 1] : -1;
}

static bool ends_with_blank(const struct pty *p)
{
	return last_byte(p) == ' ' || last_byte(p) == '\t';
}

static void erase_word(struct pty *p)
{
	while (ends_with_blank(p))
		erase_one(p);
	while (last_byte(p) >= 0 && !ends_with_blank(p))
		erase_one(p);
}

static void erase_line(struct pty *p)
{
	while (filled(p))
		erase_one(p);
	if (has(p, ECHOK) && !has(p, ECHOE))
		echo(p, '\n');
}

/* Whether c edits the line; then it has. */
static bool edits(struct pty *p, uint8_t c)
{
	bool one = is_cc(p, c, VERASE), word = is_cc(p, c, VWERASE), line = is_cc(p, c, VKILL);

	if (!one && !word && !line)
		return false;
	if (!has(p, ECHOE))
		echo(p, c);
	if (one)
		erase_one(p);
	else if (word)
		erase_word(p);
	else
		erase_line(p);
	return true;
}

static void type_eof(struct pty *p)
{
	if (filled(p) == 0) {
		push_mark(p, PTY_MARK_EOF);
		return;
	}
	p->state->ended = PTY_ENDED_BY_EOF;
	pass_line(p);
}

static void type_in_line(struct pty *p, uint8_t c)
{
	uint32_t n;
	bool ends = c == '\n' || is_cc(p, c, VEOL) || is_cc(p, c, VEOL2);

	if (edits(p, c))
		return;
	if (is_cc(p, c, VEOF)) {
		type_eof(p);
		return;
	}
	n = filled(p); /* the last byte is for what ends the line */
	if (n >= PTY_BUFFER_SZ - (ends ? 0 : 1)) {
		show(p, "\a", 1);
		return;
	}
	p->hdr->buffer[n] = c;
	p->hdr->bufpos = n + 1;
	echo(p, c);
	if (ends) {
		p->state->ended = PTY_ENDED_LINE;
		pass_line(p);
	}
}

static bool type_raw(struct pty *p, uint8_t c)
{
	if (bstream_hdr_write(p->o, p->in, &c, 1, TWZIO_NONBLOCK) != 1)
		return false;
	p->state->written++;
	echo(p, c);
	return true;
}

bool __pty_type(struct pty *p, uint8_t c)
{
	uint64_t signal = signal_of(p, c);
	tcflag_t flags = p->settings.c_iflag;

	if (signal) {
		raise_signal(p, c, signal);
		return true;
	}
	if (!pass_line(p))
		return false;
	if (c == '\r' && flags & IGNCR)
		return true;
	if (c == '\r' && flags & ICRNL)
		c = '\n';
	else if (c == '\n' && flags & INLCR)
		c = '\r';
	if (!has(p, ICANON))
		return type_raw(p, c);
	type_in_line(p, c);
	return true;
}

/* --- what the program gets */

static void drop_mark(struct pty_state *s)
{
	s->marks_first = (s->marks_first + 1) % PTY_MARKS;
	s->marks_count--;
}

/* Bytes up to the next mark; UINT64_MAX: there is none. */
static uint64_t to_mark(const struct pty_state *s)
{
	return s->marks_count ? (s->marks[s->marks_first] & ~PTY_MARK_EOF) - s->read : UINT64_MAX;
}

static bool next_is_eof(const struct pty_state *s)
{
	return s->marks[s->marks_first] & PTY_MARK_EOF;
}

/* Marks behind what was read, which only noise makes, and ends of lines just there, say nothing. */
static void skip_marks(struct pty_state *s)
{
	while (s->marks_count && ((to_mark(s) == 0 && !next_is_eof(s)) || to_mark(s) > UINT32_MAX))
		drop_mark(s);
}

bool __pty_at_end(struct pty *p)
{
	skip_marks(p->state);
	return to_mark(p->state) == 0;
}

static ssize_t take_bytes(struct pty *p, uint8_t *bytes, size_t len)
{
	return bstream_hdr_read(p->o, p->in, bytes, len, TWZIO_NONBLOCK);
}

/* One line at most. */
static ssize_t take_line(struct pty *p, uint8_t *bytes, size_t len)
{
	size_t n = 0;
	ssize_t r = 0;

	while (n < len) {
		r = take_bytes(p, bytes + n, 1);
		if (r <= 0)
			break;
		if (bytes[n++] == '\n' || is_cc(p, bytes[n - 1], VEOL) || is_cc(p, bytes[n - 1], VEOL2))
			break;
	}
	return n ? (ssize_t)n : r;
}

ssize_t __pty_take(struct pty *p, uint8_t *bytes, size_t len)
{
	struct pty_state *s = p->state;
	uint64_t most;
	ssize_t n;

	if (__pty_at_end(p)) {
		drop_mark(s);
		return 0;
	}
	most = to_mark(s);
	if (len > most)
		len = most;
	n = has(p, ICANON) ? take_line(p, bytes, len) : take_bytes(p, bytes, len);
	if (n > 0) {
		s->read += (uint64_t)n;
		skip_marks(s);
		pass_line(p);
	}
	return n;
}
