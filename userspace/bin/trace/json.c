// SPDX-License-Identifier: BSD-3-Clause
/*
 * Events for trace viewers, in the Trace Event Format that they all read. There is a track for each
 * CPU (process 1), with the threads that it ran, and one for each thread (process 2), with its
 * system calls; everything else is an instant on both kinds of track.
 */
#include <stddef.h>

#include <twz/sys/kec.h>

#include "trace.h"

#define PROCESS_CPUS 1
#define PROCESS_THREADS 2
#define MAX_CPUS 64

static bool running[MAX_CPUS]; /* a slice has been begun on the CPU's track */
static bool first;

static void head(char phase, unsigned int process, uint64_t track, uint64_t ns)
{
	kec_printf("%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%lu,\"ts\":%lu.%03lu", first ? "" : ",\n", phase,
	    process, (unsigned long)track, (unsigned long)(ns / 1000), (unsigned long)(ns % 1000));
	first = false;
}

static void name_process(unsigned int process, const char *name)
{
	head('M', process, 0, 0);
	kec_printf(",\"name\":\"process_name\",\"args\":{\"name\":\"%s\"}}", name);
}

static void begin(unsigned int cpus)
{
	first = true;
	kec_printf("{\"traceEvents\":[\n");
	name_process(PROCESS_CPUS, "CPUs");
	name_process(PROCESS_THREADS, "threads");
	for (unsigned int i = 0; i < cpus; i++) {
		head('M', PROCESS_CPUS, i, 0);
		kec_printf(",\"name\":\"thread_name\",\"args\":{\"name\":\"CPU %u\"}}", i);
	}
}

static void end(void)
{
	kec_printf("\n]}\n");
}

/* Tracks are numbers that a viewer can hold. */
static uint64_t track_of(uint64_t thread)
{
	return thread & 0xffffffff;
}

static void leave_cpu(const struct event *e)
{
	if (e->cpu < MAX_CPUS && running[e->cpu]) {
		head('E', PROCESS_CPUS, e->cpu, e->ns);
		kec_printf("}");
		running[e->cpu] = false;
	}
}

static void enter_cpu(const struct event *e)
{
	leave_cpu(e);
	head('B', PROCESS_CPUS, e->cpu, e->ns);
	kec_printf(",\"name\":\"%08lx\"}", (unsigned long)track_of(e->record.thread));
	if (e->cpu < MAX_CPUS)
		running[e->cpu] = true;
}

static void call(const struct event *e)
{
	const struct twz_trace_record *r = &e->record;
	const char *name = syscall_name(r->code);

	head(r->event == TWZ_EVENT_SYSCALL ? 'B' : 'E', PROCESS_THREADS, track_of(r->thread), e->ns);
	kec_printf(",\"name\":\"%s\",\"args\":{\"%s\":\"0x%lx\"}}", name ? name : "?",
	    r->event == TWZ_EVENT_SYSCALL ? "argument" : "result", (unsigned long)r->argument);
}

static const char *instant_name(const struct twz_trace_record *r)
{
	static const char *const interrupts[] = { "timer", "call", "device" };

	switch (r->event) {
	case TWZ_EVENT_FAULT: return "fault";
	case TWZ_EVENT_EXCEPTION: return "exception";
	case TWZ_EVENT_WAKE: return "wake";
	default: return r->code <= TWZ_INTERRUPT_DEVICE ? interrupts[r->code] : "?";
	}
}

static void instant(const struct event *e)
{
	head('i', PROCESS_CPUS, e->cpu, e->ns);
	kec_printf(",\"s\":\"t\",\"name\":\"%s\",\"args\":{\"argument\":\"0x%lx\",\"code\":%u}}",
	    instant_name(&e->record), (unsigned long)e->record.argument, e->record.code);
}

static void print_event(const struct event *e)
{
	switch (e->record.event) {
	case TWZ_EVENT_SYSCALL:
	case TWZ_EVENT_RETURN:
		call(e);
		break;
	case TWZ_EVENT_SWITCH:
		enter_cpu(e);
		break;
	case TWZ_EVENT_IDLE:
		leave_cpu(e);
		break;
	default:
		instant(e);
	}
}

const struct printer json_printer = { begin, print_event, end };
