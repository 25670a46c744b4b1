// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the CPUs do, for programs to read: counters, and a trace.
 *
 * Counters: at TWZ_CPUS_OFFSET + n * sizeof(struct twz_cpu_stats) from the base of object
 * TWZ_CPUS_ID, which everybody may map read-only, stand those of CPU n. Each CPU writes its own, as
 * single words.
 *
 * The trace: what happens on CPU n is recorded in object TWZ_TRACE_ID(n), which nobody has a right
 * to by default, as it tells what all programs do. KACTION_CMD_ROOT_TRACE switches it. At
 * TWZ_TRACE_OFFSET from the base stands a struct twz_trace; from TWZ_TRACE_RECORDS on, `capacity`
 * records. Record n, counted from 0 since boot, stands in place n % capacity until record n +
 * capacity comes.
 *
 * To read record n without a lock: n < next (acquire), and n >= first; copy it; fence; then it is
 * whole if its `number` is (uint32_t)n, and `next` is still at most n + capacity - 1.
 */
#ifndef ABI_TRACE_H
#define ABI_TRACE_H

#include <abi/types.h>

/* ---- Counters ---- */

#define TWZ_CPUS_ID ((objid_t)5)
#define TWZ_CPUS_OFFSET 1088u

struct twz_cpu_stats {
	uint64_t timer;      /* timer interrupts */
	uint64_t calls;      /* interrupts from other CPUs */
	uint64_t interrupts; /* of devices */
	uint64_t switches;   /* threads put on this CPU */
	uint64_t idle_ticks; /* of the counter, with nothing to run; the present idle period is not in it */
	uint64_t idles;      /* how often it had nothing to run */
	uint64_t reserved[2];
};

/* ---- The trace ---- */

#define TWZ_TRACE_ID(cpu) ((objid_t)(0x100u + (cpu)))
#define TWZ_TRACE_OFFSET 1088u
#define TWZ_TRACE_RECORDS 4096u
#define TWZ_TRACE_VERSION 1u

struct twz_trace {
	uint32_t version;     /* TWZ_TRACE_VERSION */
	uint32_t record_size; /* sizeof(struct twz_trace_record) */
	uint64_t capacity;    /* records that are kept; 0 before the first trace */
	uint64_t first;       /* records before this one are gone */
	uint64_t next;        /* atomic: number of the next record */
};

struct twz_trace_record {
	uint64_t ticks;  /* the machine's counter; abi/clock.h makes a time of it */
	uint32_t number; /* the low half of the record's number */
	uint16_t event;  /* TWZ_EVENT_* */
	uint16_t code;
	uint64_t thread; /* the low half of the ID of the thread that this CPU runs, 0 = none */
	uint64_t argument;
};

/* Events, with their code and argument. */
#define TWZ_EVENT_SYSCALL 1u   /* number of the call - SYS_BASE; first argument */
#define TWZ_EVENT_RETURN 2u    /* the same; result, or TWZ_TRACE_PARKED_RESULT: the thread sleeps or starts over */
#define TWZ_EVENT_SWITCH 3u    /* 0; 0: the thread was put on this CPU */
#define TWZ_EVENT_IDLE 4u      /* 0; 0: nothing to run */
#define TWZ_EVENT_FAULT 5u     /* access: 1 read, 2 write, 4 execute; address */
#define TWZ_EVENT_EXCEPTION 6u /* FAULT_EXCEPTION_* ; the machine's cause */
#define TWZ_EVENT_INTERRUPT 7u /* TWZ_INTERRUPT_*; line of a device */
#define TWZ_EVENT_WAKE 8u      /* 0; low half of the ID of the thread that may run again */

#define TWZ_TRACE_PARKED_RESULT (-4096)

#define TWZ_INTERRUPT_TIMER 0u
#define TWZ_INTERRUPT_CALL 1u
#define TWZ_INTERRUPT_DEVICE 2u

/*
 * Argument of KACTION_CMD_ROOT_TRACE: what to record, 0 = nothing, and in bits 32 … 39 how many
 * records to keep for each CPU, as a power of 2 (TWZ_TRACE_MIN_ORDER … _MAX_ORDER; 0 = what there
 * is room for, at first TWZ_TRACE_DEFAULT_ORDER). Memory once given to the trace stays with it.
 */
#define TWZ_TRACE_SYSCALLS 1u
#define TWZ_TRACE_SWITCHES 2u
#define TWZ_TRACE_FAULTS 4u
#define TWZ_TRACE_INTERRUPTS 8u
#define TWZ_TRACE_WAKES 0x10u
#define TWZ_TRACE_ALL 0x1fu
#define TWZ_TRACE_ORDER(order) ((uint64_t)(order) << 32)
#define TWZ_TRACE_MIN_ORDER 7u
#define TWZ_TRACE_DEFAULT_ORDER 13u
#define TWZ_TRACE_MAX_ORDER 16u

_Static_assert(sizeof(struct twz_cpu_stats) == 64, "cpu stats");
_Static_assert(offsetof(struct twz_trace, next) == 24, "trace next");
_Static_assert(offsetof(struct twz_trace_record, event) == 12, "trace event");
_Static_assert(offsetof(struct twz_trace_record, thread) == 16, "trace thread");
_Static_assert(sizeof(struct twz_trace_record) == 32, "trace record");

#endif
