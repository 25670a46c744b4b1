// SPDX-License-Identifier: BSD-3-Clause
/* The lines that storm prints about operations, each in one piece. */
#include "storm.h"

#include <base/printf.h>
#include <twz/sys/kec.h>

void announce(struct worker *w, const char *format, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	w->seq++;
	w->acknowledged = false;
	kec_printf("try %u %u %s\n", w->number, w->seq, text);
	if (w->request->lie && text[0] != 'c' && text[0] != 'y' && text[0] != 's')
		acknowledge(w);
}

void acknowledge(struct worker *w)
{
	if (!w->acknowledged)
		kec_printf("ack %u %u\n", w->number, w->seq);
	w->acknowledged = true;
}

void acknowledge_id(struct worker *w, objid_t id)
{
	kec_printf("ack %u %u " IDFMT "\n", w->number, w->seq, IDPR(id));
}

void acknowledge_value(struct worker *w, uint64_t value)
{
	kec_printf("ack %u %u %lu\n", w->number, w->seq, (unsigned long)value);
}

void refuse(struct worker *w, int error)
{
	kec_printf("nak %u %u %d\n", w->number, w->seq, -error);
}

void finish(struct worker *w, int error)
{
	if (error < 0)
		refuse(w, error);
	else
		acknowledge(w);
}
