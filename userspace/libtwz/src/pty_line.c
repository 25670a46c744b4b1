// SPDX-License-Identifier: BSD-3-Clause
/*
 * What happens between the two sides of a terminal: editing, echo, signals, newlines. The caller
 * holds the lock, so that nobody else writes into the streams: room that was seen stays.
 */
#include "pty.h"

#define BEL 7
#define DEL 127

bool __pty_has(const struct pty *p, tcflag_t flag)
{
	return p->settings.c_lflag & flag;
}

/* Whether c is the control character of that index; 0 is none. */
bool __pty_is_cc(const struct pty *p, uint8_t c, unsigned index)
{
	return c != 0 && p->settings.c_cc[index] == c;
}

/* Bytes of the line so far. Somebody may be changing the number meanwhile: it is read once for every
 * use, and never leads out of the buffer. */
uint32_t __pty_filled(const struct pty *p)
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
		out[0] = '\n';
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
void __pty_show(struct pty *p, const char *text, size_t n)
{
	if (__pty_pay(p) && room(p->out) >= n)
		put_out(p, text, n);
}

/* Columns that a character takes when it is echoed. */
unsigned __pty_columns(const struct pty *p, uint8_t c)
{
	return __pty_has(p, ECHOCTL) && (c < ' ' || c == DEL) && c != '\t' ? 2 : 1;
}

void __pty_echo(struct pty *p, uint8_t c)
{
	char shown[2] = { (char)c };

	if (c == '\n' && (__pty_has(p, ICANON) || !__pty_has(p, ECHOCTL))) {
		if ((__pty_has(p, ECHO) || (__pty_has(p, ECHONL) && __pty_has(p, ICANON))) && room(p->out) >= 2)
			__pty_print(p, &c, 1);
		return;
	}
	if (!__pty_has(p, ECHO))
		return;
	if (__pty_columns(p, c) == 2) {
		shown[0] = '^';
		shown[1] = (char)(c ^ 64);
	}
	__pty_show(p, shown, __pty_columns(p, c));
}

void __pty_show_key(struct pty *p, unsigned index)
{
	char key = (char)p->settings.c_cc[index];

	if (key)
		__pty_show(p, &key, 1);
}

void __pty_stop(struct pty *p, bool stop)
{
	uint32_t flags = p->state->flags;

	if (stop)
		event_clear(&p->state->ev, PTY_EVENT_FLOW);
	__atomic_store_n(&p->state->flags, stop ? flags | PTY_STOPPED : flags & ~PTY_STOPPED, __ATOMIC_RELEASE);
	if (flags & PTY_STOPPED && !stop)
		event_wake(&p->state->ev, PTY_EVENT_FLOW, -1);
	else if (stop) /* whoever reads looks again */
		event_wake(&p->out->ev, TWZIO_EVENT_READ, -1);
}

/* --- towards the program */

static void push_mark(struct pty *p, uint64_t flag)
{
	struct pty_state *s = p->state;

	if (s->marks_count == PTY_MARKS) {
		__pty_show(p, "\a", 1);
		return;
	}
	s->marks[(s->marks_first + s->marks_count++) % PTY_MARKS] = s->written | flag;
	event_wake(&p->in->ev, TWZIO_EVENT_READ, -1);
}

void __pty_push(struct pty *p)
{
	push_mark(p, 0);
}

/* Pass on what fits of a complete line; whether there is none left. */
static bool pass_line(struct pty *p)
{
	struct pty_hdr *h = p->hdr;
	struct pty_state *s = p->state;
	uint32_t passed, end;

	if (!s->ended)
		return true;
	while ((passed = __atomic_load_n(&s->passed, __ATOMIC_RELAXED)) < (end = __pty_filled(p))) {
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
	if (!p->state->ended && __pty_filled(p)) {
		p->state->ended = PTY_ENDED_LINE;
		pass_line(p);
	}
}

/* A stream holds no more than so many bytes, whatever its header says. */
static void empty(struct pty *p, struct bstream_hdr *stream)
{
	uint8_t scratch[256];

	for (unsigned i = 0; i <= (1u << PTY_STREAM_BITS) / sizeof(scratch); i++)
		if (bstream_hdr_read(p->o, stream, scratch, sizeof(scratch), TWZIO_NONBLOCK) <= 0)
			break;
}

void __pty_discard_output(struct pty *p)
{
	empty(p, p->out);
}

void __pty_discard(struct pty *p)
{
	struct pty_state *s = p->state;

	p->hdr->bufpos = 0;
	s->passed = 0;
	s->ended = PTY_ENDED_NOT;
	s->marks_first = s->marks_count = 0;
	empty(p, p->in);
	s->read = s->written;
}

static uint64_t signal_of(const struct pty *p, uint8_t c)
{
	if (!__pty_has(p, ISIG))
		return 0;
	if (__pty_is_cc(p, c, VINTR))
		return PTY_EVENT_INT;
	if (__pty_is_cc(p, c, VQUIT))
		return PTY_EVENT_QUIT;
	return __pty_is_cc(p, c, VSUSP) ? PTY_EVENT_SUSP : 0;
}

static void raise_signal(struct pty *p, uint8_t c, uint64_t signal)
{
	if (!__pty_has(p, NOFLSH)) {
		__pty_discard(p);
		__pty_discard_output(p);
	}
	if (p->settings.c_iflag & IXON)
		__pty_stop(p, false);
	__pty_echo(p, c);
	event_wake(&p->state->ev, signal, -1);
}

/* --- what was typed */

static void type_eof(struct pty *p)
{
	if (__pty_filled(p) == 0) {
		push_mark(p, PTY_MARK_EOF);
		return;
	}
	p->state->ended = PTY_ENDED_BY_EOF;
	pass_line(p);
}

/* The last byte of the buffer is for what ends the line. */
static void append(struct pty *p, uint8_t c, bool ends)
{
	uint32_t n = __pty_filled(p);

	if (n >= PTY_BUFFER_SZ - (ends ? 0 : 1)) {
		__pty_show(p, "\a", 1);
		return;
	}
	p->hdr->buffer[n] = c;
	p->hdr->bufpos = n + 1;
	__pty_echo(p, c);
	if (ends) {
		p->state->ended = PTY_ENDED_LINE;
		pass_line(p);
	}
}

static void type_in_line(struct pty *p, uint8_t c)
{
	bool second = __pty_has(p, IEXTEN) && __pty_is_cc(p, c, VEOL2);

	if (__pty_edits(p, c))
		return;
	if (__pty_is_cc(p, c, VEOF))
		type_eof(p);
	else
		append(p, c, c == '\n' || second || __pty_is_cc(p, c, VEOL));
}

static bool type_raw(struct pty *p, uint8_t c)
{
	if (bstream_hdr_write(p->o, p->in, &c, 1, TWZIO_NONBLOCK) != 1)
		return false;
	p->state->written++;
	__pty_echo(p, c);
	return true;
}

/* Whether c only holds output, or lets it go. Any key lets it go with IXANY. */
static bool is_flow(struct pty *p, uint8_t c)
{
	tcflag_t flags = p->settings.c_iflag;
	bool start = __pty_is_cc(p, c, VSTART), stop = __pty_is_cc(p, c, VSTOP);

	if (!(flags & IXON))
		return false;
	if (start || stop)
		__pty_stop(p, !start);
	else if (flags & IXANY)
		__pty_stop(p, false);
	return start || stop;
}

/* The key behind VLNEXT; whether there was room. */
static bool type_literally(struct pty *p, uint8_t c)
{
	if (!pass_line(p))
		return false;
	p->state->flags &= ~PTY_LITERAL;
	if (!__pty_has(p, ICANON))
		return type_raw(p, c);
	append(p, c, false);
	return true;
}

static bool type_key(struct pty *p, uint8_t c)
{
	tcflag_t flags = p->settings.c_iflag;

	if (!pass_line(p))
		return false;
	if (c == '\r' && flags & IGNCR)
		return true;
	if (c == '\r' && flags & ICRNL)
		c = '\n';
	else if (c == '\n' && flags & INLCR)
		c = '\r';
	if (!__pty_has(p, ICANON))
		return type_raw(p, c);
	type_in_line(p, c);
	return true;
}

bool __pty_type(struct pty *p, uint8_t c)
{
	uint64_t signal;

	if (p->settings.c_iflag & ISTRIP)
		c &= 0x7f;
	if (p->state->flags & PTY_LITERAL)
		return type_literally(p, c);
	if (is_flow(p, c))
		return true;
	signal = signal_of(p, c);
	if (signal)
		raise_signal(p, c, signal);
	return signal || type_key(p, c);
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
		if (bytes[n++] == '\n' || __pty_is_cc(p, bytes[n - 1], VEOL) || __pty_is_cc(p, bytes[n - 1], VEOL2))
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
	n = __pty_has(p, ICANON) ? take_line(p, bytes, len) : take_bytes(p, bytes, len);
	if (n > 0) {
		s->read += (uint64_t)n;
		skip_marks(s);
		pass_line(p);
	}
	return n;
}
