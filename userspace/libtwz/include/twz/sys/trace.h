// SPDX-License-Identifier: BSD-3-Clause
/* Reading the trace of a CPU (abi/trace.h) where it stands, and its counters. */
#ifndef TWZ_SYS_TRACE_H
#define TWZ_SYS_TRACE_H

#include <abi/trace.h>
#include <twz/obj.h>

#ifdef __cplusplus
extern "C" {
#endif

struct twz_trace_reader {
	const struct twz_trace *trace;
	uint64_t next; /* number of the record to be read next; may be set */
	uint64_t lost; /* records that were gone before they were read */
	twzobj obj;
};

/*
 * Open the trace of a CPU; reading begins with what is recorded from now on. 0 or a negative error.
 */
int twz_trace_open(struct twz_trace_reader *r, unsigned int cpu);
void twz_trace_close(struct twz_trace_reader *r);

/* Copy the next record. False: there is none yet. */
bool twz_trace_read(struct twz_trace_reader *r, struct twz_trace_record *record);

/* Record these classes (TWZ_TRACE_*, 0 = nothing) from now on, or a negative error. */
long twz_trace_control(uint64_t classes_and_order);

/* The counters of a CPU as they are now. 0 or a negative error; -EINVAL no such CPU. */
int twz_cpu_stats(unsigned int cpu, struct twz_cpu_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
