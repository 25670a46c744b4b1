// SPDX-License-Identifier: BSD-3-Clause
/* Editing the line that is being typed. The caller holds the lock. */
#include "pty.h"

/* Whoever types may be changing the line meanwhile through the object: see __pty_filled. */
static uint8_t byte_at(const struct pty *p, uint32_t n)
{
	return p->hdr->buffer[n < PTY_BUFFER_SZ ? n : PTY_BUFFER_SZ - 1];
}

static bool is_continuation(const struct pty *p, uint8_t c)
{
	return p->settings.c_iflag & IUTF8 && (c & 0xc0) == 0x80;
}

/* Where the last character of the line begins: with IUTF8 it has its first byte, and those that
 * continue it. */
static uint32_t last_begins(const struct pty *p)
{
	uint32_t n = __pty_filled(p);

	while (n && is_continuation(p, byte_at(p, --n)) && n)
		;
	return n;
}

static void wipe(struct pty *p, unsigned columns)
{
	while (columns--)
		__pty_show(p, "\b \b", 3);
}

static bool is_control(uint8_t c)
{
	return (c < ' ' || c == 127) && c != '\t';
}

/* Take the last character off the line, which has one. */
static void erase_one(struct pty *p, uint32_t begins, bool shown_as_key)
{
	uint8_t c = byte_at(p, begins);

	p->hdr->bufpos = begins;
	if (__pty_has(p, ECHO) && !shown_as_key)
		wipe(p, is_control(c) && !__pty_has(p, ECHOCTL) ? 0 : __pty_columns(p, c));
}

static void erase_character(struct pty *p)
{
	bool as_key = !__pty_has(p, ECHOE);

	if (!__pty_filled(p))
		return;
	erase_one(p, last_begins(p), as_key);
	if (as_key)
		__pty_echo(p, p->settings.c_cc[VERASE]);
}

static bool is_in_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

/* The last letters and digits, and what stands behind them. */
static void erase_word(struct pty *p)
{
	bool seen = false;

	while (__pty_filled(p)) {
		uint32_t begins = last_begins(p);
		bool in_word = is_in_word(byte_at(p, begins));

		if (seen && !in_word)
			break;
		seen = seen || in_word;
		erase_one(p, begins, false);
	}
}

/* Wiped where ECHOK, ECHOKE and ECHOE are all on; else the key is seen. */
static void erase_line(struct pty *p)
{
	if (!__pty_filled(p))
		return;
	if (__pty_has(p, ECHO) && __pty_has(p, ECHOK) && __pty_has(p, ECHOKE) && __pty_has(p, ECHOE)) {
		while (__pty_filled(p))
			erase_one(p, last_begins(p), false);
		return;
	}
	p->hdr->bufpos = 0;
	__pty_echo(p, p->settings.c_cc[VKILL]);
	if (__pty_has(p, ECHO) && __pty_has(p, ECHOK))
		__pty_echo(p, '\n');
}

/* The line as it stands, once more. */
static void show_again(struct pty *p, uint8_t key)
{
	__pty_echo(p, key);
	__pty_echo(p, '\n');
	for (uint32_t n = 0; n < __pty_filled(p); n++)
		__pty_echo(p, byte_at(p, n));
}

bool __pty_edits(struct pty *p, uint8_t c)
{
	bool extended = __pty_has(p, IEXTEN);

	if (__pty_is_cc(p, c, VERASE)) {
		erase_character(p);
	} else if (__pty_is_cc(p, c, VKILL)) {
		erase_line(p);
	} else if (extended && __pty_is_cc(p, c, VWERASE)) {
		erase_word(p);
	} else if (extended && __pty_is_cc(p, c, VLNEXT)) {
		p->state->flags |= PTY_LITERAL;
		if (__pty_has(p, ECHO) && __pty_has(p, ECHOCTL))
			__pty_show(p, "^\b", 2);
	} else if (extended && __pty_has(p, ECHO) && __pty_is_cc(p, c, VREPRINT)) {
		show_again(p, c);
	} else {
		return false;
	}
	return true;
}
