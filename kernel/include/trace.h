// SPDX-License-Identifier: BSD-3-Clause
/*
 * The trace of what the CPUs do, in the layout that programs read (abi/trace.h), and their
 * counters.
 *
 * While nothing is traced an event costs a load and a branch that is not taken; a system call costs
 * nothing at all, because the tracing ones are another table. Each CPU writes its own ring with
 * interrupts masked: no locks. Context: any.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdatomic.h>
#include <stdint.h>

#include <abi/trace.h>
#include <cpu.h>

/* Make the objects. Boot CPU, once there are objects and CPUs are counted. */
void trace_init(void);

/*
 * What KACTION_CMD_ROOT_TRACE does: -EINVAL, -ENOMEM, -EBUSY (more room is asked for while
 * tracing).
 */
int trace_control(uint64_t argument);

extern _Atomic uint32_t trace_classes; /* TWZ_TRACE_*: what is recorded now */

/*
 * Record an event of this CPU, of a thread by the low half of its ID or (trace_write) of the
 * current one.
 */
void trace_write_of(uint64_t thread, unsigned int event, unsigned int code, uint64_t argument);
void trace_write(unsigned int event, unsigned int code, uint64_t argument);

#define TRACE(classes, ...)                                                                        \
	do {                                                                                       \
		if (__builtin_expect(atomic_load_explicit(&trace_classes, memory_order_relaxed) &  \
				     (classes), 0))                                                \
			trace_write(__VA_ARGS__);                                                  \
	} while (0)

/* This CPU's counters. */
static inline struct twz_cpu_stats *cpu_stats(void)
{
	return this_cpu()->stats;
}

#endif
