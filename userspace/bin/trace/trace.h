// SPDX-License-Identifier: BSD-3-Clause
/* What the parts of the program trace share. */
#ifndef TRACE_TOOL_H
#define TRACE_TOOL_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/trace.h>

struct event {
	struct twz_trace_record record;
	unsigned int cpu;
	uint64_t ns; /* since the trace began */
};

/* The name of a system call, NULL if it has none. */
const char *syscall_name(unsigned int number);

/* One way to print events: begin, each of them in the order of time, end. */
struct printer {
	void (*begin)(unsigned int cpus);
	void (*event)(const struct event *event);
	void (*end)(void);
};

extern const struct printer text_printer; /* a line for each */
extern const struct printer json_printer; /* for trace viewers: the Trace Event Format */

#endif
