// SPDX-License-Identifier: BSD-3-Clause
/* Events as lines: time in microseconds, CPU, thread (the end of its ID), what happened. */
#include <stddef.h>

#include <twz/sys/kec.h>

#include "trace.h"

#define MAX_ERROR 4095

static void begin(unsigned int cpus)
{
	(void)cpus;
	kec_printf("%12s cpu %8s  event\n", "us", "thread");
}

static void end(void)
{
}

static void print_result(int64_t result)
{
	if (result == TWZ_TRACE_PARKED_RESULT)
		kec_printf(" sleeps or starts over\n");
	else if (result < 0 && result >= -MAX_ERROR)
		kec_printf(" = %ld\n", (long)result);
	else
		kec_printf(" = 0x%lx\n", (unsigned long)result);
}

static void print_call(const struct twz_trace_record *r)
{
	const char *name = syscall_name(r->code);

	kec_printf("%s %s", r->event == TWZ_EVENT_SYSCALL ? "call  " : "return", name ? name : "?");
	if (r->event == TWZ_EVENT_SYSCALL)
		kec_printf("(0x%lx …)\n", (unsigned long)r->argument);
	else
		print_result((int64_t)r->argument);
}

static void print_interrupt(const struct twz_trace_record *r)
{
	if (r->code == TWZ_INTERRUPT_TIMER)
		kec_printf("interrupt: timer\n");
	else if (r->code == TWZ_INTERRUPT_CALL)
		kec_printf("interrupt: from another CPU\n");
	else
		kec_printf("interrupt: line %lu\n", (unsigned long)r->argument);
}

static void print_fault(const struct twz_trace_record *r)
{
	kec_printf("fault: %s 0x%lx\n",
	    r->code == 1 ? "reading" : r->code == 2 ? "writing" : "executing",
	    (unsigned long)r->argument);
}

static void print_event(const struct event *e)
{
	const struct twz_trace_record *r = &e->record;

	kec_printf("%8lu.%03lu %3u %08lx  ", (unsigned long)(e->ns / 1000),
	    (unsigned long)(e->ns % 1000), e->cpu, (unsigned long)(r->thread & 0xffffffff));
	switch (r->event) {
	case TWZ_EVENT_SYSCALL:
	case TWZ_EVENT_RETURN:
		print_call(r);
		break;
	case TWZ_EVENT_SWITCH:
		kec_printf("runs\n");
		break;
	case TWZ_EVENT_IDLE:
		kec_printf("idle\n");
		break;
	case TWZ_EVENT_FAULT:
		print_fault(r);
		break;
	case TWZ_EVENT_EXCEPTION:
		kec_printf("exception %u\n", r->code);
		break;
	case TWZ_EVENT_INTERRUPT:
		print_interrupt(r);
		break;
	case TWZ_EVENT_WAKE:
		kec_printf("wakes %08lx\n", (unsigned long)(r->argument & 0xffffffff));
		break;
	default:
		kec_printf("event %u\n", r->event);
	}
}

const struct printer text_printer = { begin, print_event, end };
