// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reading the trace. The kernel writes on meanwhile: see abi/trace.h for how a copy is known to be
 * whole.
 */
#include "runtime.h"

#include <twz/sys/sys.h>
#include <twz/sys/trace.h>

static uint64_t load(const uint64_t *word)
{
	return atomic_load_explicit((const _Atomic uint64_t *)word, memory_order_acquire);
}

int twz_trace_open(struct twz_trace_reader *r, unsigned int cpu)
{
	int error = twz_object_init_guid(&r->obj, TWZ_TRACE_ID(cpu), FE_READ);

	if (error < 0)
		return error;
	r->trace = (const void *)((const char *)twz_object_base(&r->obj) + TWZ_TRACE_OFFSET);
	if (r->trace->version != TWZ_TRACE_VERSION ||
	    r->trace->record_size != sizeof(struct twz_trace_record)) {
		twz_object_release(&r->obj);
		return -ENOTSUP;
	}
	r->next = load(&r->trace->next);
	r->lost = 0;
	return 0;
}

void twz_trace_close(struct twz_trace_reader *r)
{
	twz_object_release(&r->obj);
}

/* The earliest record that is there and not about to be overwritten. */
static uint64_t earliest(const struct twz_trace *trace)
{
	uint64_t next = load(&trace->next), first = load(&trace->first);
	uint64_t capacity = load(&trace->capacity);
	uint64_t kept = next >= capacity ? next - capacity + 1 : 0;

	return kept > first ? kept : first;
}

/* Whether the copy is record number n, and whole. */
static bool copy_record(const struct twz_trace_reader *r, uint64_t n, struct twz_trace_record *to)
{
	const struct twz_trace_record *records =
	    (const void *)((const char *)twz_object_base((twzobj *)&r->obj) + TWZ_TRACE_RECORDS);

	memcpy(to, &records[n & (load(&r->trace->capacity) - 1)], sizeof(*to));
	atomic_thread_fence(memory_order_acquire);
	return to->number == (uint32_t)n && n >= earliest(r->trace);
}

bool twz_trace_read(struct twz_trace_reader *r, struct twz_trace_record *record)
{
	uint64_t from = earliest(r->trace);

	if (r->next < from) {
		r->lost += from - r->next;
		r->next = from;
	}
	while (r->next < load(&r->trace->next)) {
		bool whole = copy_record(r, r->next++, record);

		if (whole)
			return true;
		r->lost++;
	}
	return false;
}

long twz_trace_control(uint64_t classes_and_order)
{
	return twz_root_action(KACTION_CMD_ROOT_TRACE, classes_and_order);
}

int twz_cpu_stats(unsigned int cpu, struct twz_cpu_stats *stats)
{
	const struct twz_cpu_stats *all;
	twzobj o;
	int r;

	if (cpu >= twz_sysinfo()->ncpus)
		return -EINVAL;
	r = twz_object_init_guid(&o, TWZ_CPUS_ID, FE_READ);
	if (r < 0)
		return r;
	all = (const void *)((const char *)twz_object_base(&o) + TWZ_CPUS_OFFSET);
	*stats = all[cpu];
	twz_object_release(&o);
	return 0;
}
