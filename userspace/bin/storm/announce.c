// SPDX-License-Identifier: BSD-3-Clause
/*
 * The lines that storm prints about operations. The line that ends one operation and the line that
 * begins the next leave in one piece: nothing happens between them, and the console is slow.
 */
#include "storm.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/sys/kec.h>

static void add(struct worker *w, const char *format, va_list ap)
{
	size_t room = sizeof(w->said) - w->said_length;
	int n = vsnprintf(w->said + w->said_length, room, format, ap);

	if (n > 0)
		w->said_length += (size_t)n < room ? (size_t)n : room - 1;
}

static void say(struct worker *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct worker *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(w, format, ap);
	va_end(ap);
}

void flush_said(struct worker *w)
{
	if (w->said_length)
		kec_write(w->said, w->said_length);
	w->said_length = 0;
}

void announce(struct worker *w, const char *format, ...)
{
	va_list ap;

	w->seq++;
	w->acknowledged = false;
	say(w, "try %u %u ", w->number, w->seq);
	va_start(ap, format);
	add(w, format, ap);
	va_end(ap);
	say(w, "\n");
	if (w->request->lie && !strchr("bcys", format[0]))
		acknowledge(w);
	flush_said(w);
}

void acknowledge(struct worker *w)
{
	if (!w->acknowledged)
		say(w, "ack %u %u\n", w->number, w->seq);
	w->acknowledged = true;
}

void acknowledge_id(struct worker *w, objid_t id)
{
	say(w, "ack %u %u " IDFMT "\n", w->number, w->seq, IDPR(id));
}

void acknowledge_value(struct worker *w, uint64_t value)
{
	say(w, "ack %u %u %lu\n", w->number, w->seq, (unsigned long)value);
}

void refuse(struct worker *w, int error)
{
	say(w, "nak %u %u %d\n", w->number, w->seq, -error);
}

void finish(struct worker *w, int error)
{
	if (error < 0)
		refuse(w, error);
	else
		acknowledge(w);
}
