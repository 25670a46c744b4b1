// SPDX-License-Identifier: BSD-3-Clause
/*
 * Runs a program and prints what the CPUs did meanwhile.
 *
 *   trace [-e CLASSES] [-b ORDER] [-o] [--json] PROGRAM ARGS...
 *
 * -e: of syscalls, switches, faults, interrupts, wakes, with commas (default: all); -b: keep
 * 2^ORDER records for each CPU; -o: only the program's own first thread; --json: for trace viewers.
 */
#include <base/string.h>
#include <twz/obj/hier.h>
#include <twz/sys/kec.h>
#include <twz/sys/program.h>
#include <twz/sys/sys.h>
#include <twz/sys/trace.h>

#include "trace.h"

#define MAX_CPUS 64

struct options {
	uint64_t classes;
	uint64_t order;
	bool own;
	const struct printer *printer;
	char **program;
	int words;
};

/* One CPU's trace, and its next record if there is one. */
struct source {
	struct twz_trace_reader reader;
	struct event event;
	bool have;
};

static struct source sources[MAX_CPUS];
static unsigned int cpus;

static int usage(void)
{
	kec_printf("usage: trace [-e CLASSES] [-b ORDER] [-o] [--json] PROGRAM ARGS...\n"
		   "CLASSES: syscalls,switches,faults,interrupts,wakes\n");
	return 2;
}

/* ---- The command line ---- */

static bool parse_classes(const char *s, uint64_t *classes)
{
	static const char *const names[] = { "syscalls", "switches", "faults", "interrupts", "wakes" };

	*classes = 0;
	while (*s) {
		const char *comma = strchr(s, ',');
		size_t n = comma ? (size_t)(comma - s) : strlen(s);
		unsigned int i = 0;

		while (i < 5 && !(strlen(names[i]) == n && memcmp(names[i], s, n) == 0))
			i++;
		if (i == 5)
			return false;
		*classes |= 1u << i;
		s += n + !!comma;
	}
	return *classes != 0;
}

static bool parse_order(const char *s, uint64_t *order)
{
	*order = 0;
	for (; *s >= '0' && *s <= '9' && *order < 100; s++)
		*order = *order * 10 + (uint64_t)(*s - '0');
	return !*s && *order >= TWZ_TRACE_MIN_ORDER && *order <= TWZ_TRACE_MAX_ORDER;
}

static bool parse(int argc, char **argv, struct options *o)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-o") == 0)
			o->own = true;
		else if (strcmp(argv[i], "--json") == 0)
			o->printer = &json_printer;
		else if (strcmp(argv[i], "-e") == 0 && i + 1 < argc) {
			if (!parse_classes(argv[++i], &o->classes))
				return false;
		} else if (strcmp(argv[i], "-b") == 0 && i + 1 < argc) {
			if (!parse_order(argv[++i], &o->order))
				return false;
		} else {
			return false;
		}
	}
	o->program = argv + i;
	o->words = argc - i;
	return i < argc;
}

/* ---- Running ---- */

static int find_program(const char *name, objid_t *id)
{
	struct twz_name_ent ent;
	twzobj pack;
	int r = twz_object_init_guid(&pack, twz_program_packroot(), FE_READ);

	if (r < 0)
		return r;
	r = twz_hier_resolve_name(&pack, name, 0, &ent);
	twz_object_release(&pack);
	*id = ent.id;
	return r;
}

static int open_sources(void)
{
	cpus = twz_sysinfo()->ncpus;
	for (unsigned int i = 0; i < cpus; i++) {
		int r = twz_trace_open(&sources[i].reader, i);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Run the program while the trace is on. */
static int run_traced(const struct options *o, objid_t id, objid_t *tid)
{
	struct thread t;
	uint64_t status = 0;
	int r = (int)twz_trace_control(o->classes | TWZ_TRACE_ORDER(o->order));

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < cpus; i++)
		sources[i].reader.next = sources[i].reader.trace->next;
	r = twz_program_spawn(id, o->words, o->program, NULL, &t);
	if (r == 0) {
		*tid = t.tid;
		r = twz_program_wait(&t, &status);
	}
	twz_trace_control(0);
	if (r == 0 && status)
		kec_printf("trace: %s: exit status %lu\n", o->program[0], (unsigned long)status);
	return r;
}

/* ---- Printing ---- */

static void refill(struct source *s)
{
	s->have = twz_trace_read(&s->reader, &s->event.record);
}

/* The CPU whose next record is the earliest, NULL: all are done. */
static struct source *earliest(void)
{
	struct source *best = NULL;

	for (unsigned int i = 0; i < cpus; i++)
		if (sources[i].have &&
		    (!best || sources[i].event.record.ticks < best->event.record.ticks))
			best = &sources[i];
	return best;
}

static void print_all(const struct options *o, objid_t tid)
{
	uint64_t start = 0;
	struct source *s;

	for (unsigned int i = 0; i < cpus; i++) {
		sources[i].event.cpu = i;
		refill(&sources[i]);
	}
	o->printer->begin(cpus);
	while ((s = earliest())) {
		if (!start)
			start = s->event.record.ticks;
		s->event.ns = twz_ns_from_ticks(s->event.record.ticks - start);
		if (!o->own || s->event.record.thread == ID_LO(tid))
			o->printer->event(&s->event);
		refill(s);
	}
	o->printer->end();
	for (unsigned int i = 0; i < cpus; i++)
		if (sources[i].reader.lost)
			kec_printf("trace: CPU %u: %lu records lost\n", i,
			    (unsigned long)sources[i].reader.lost);
}

int main(int argc, char **argv)
{
	struct options o = { .classes = TWZ_TRACE_ALL, .printer = &text_printer };
	objid_t id, tid = 0;
	int r;

	if (!parse(argc, argv, &o))
		return usage();
	r = find_program(o.program[0], &id);
	if (r == 0)
		r = open_sources();
	if (r == 0)
		r = run_traced(&o, id, &tid);
	if (r < 0) {
		kec_printf("trace: %s cannot be traced (error %d)\n", o.program[0], -r);
		return 1;
	}
	print_all(&o, tid);
	return 0;
}
