// SPDX-License-Identifier: BSD-3-Clause
/*
 * The rings of the trace, one a CPU.
 *
 * A ring only ever gets more pages, and a CPU that writes while it grows uses the old or the new
 * size, for both of which there are pages; the records of the two do not fit together, so growing
 * counts all earlier ones as gone.
 */
#include <abi/errno.h>
#include <abi/object.h>
#include <arch/time.h>
#include <arch/upcall.h>
#include <debug.h>
#include <log.h>
#include <mm/phys.h>
#include <obj/data.h>
#include <obj/object.h>
#include <panic.h>
#include <sched/thread.h>
#include <spinlock.h>
#include <sys/dispatch.h>
#include <trace.h>

#include "syscalls.h"

#define LOG_PREFIX "trace"

#define RECORDS_PER_PAGE (PAGE_SIZE / sizeof(struct twz_trace_record))
#define MAX_PAGES ((1u << TWZ_TRACE_MAX_ORDER) / RECORDS_PER_PAGE)

_Static_assert(MAX_PAGES * sizeof(void *) <= PAGE_SIZE, "a page holds the list of pages");
_Static_assert((1u << TWZ_TRACE_MIN_ORDER) == RECORDS_PER_PAGE, "the smallest ring is a page");
_Static_assert(TWZ_CPUS_OFFSET + CONFIG_MAX_CPUS * sizeof(struct twz_cpu_stats) <= 3 * PAGE_SIZE,
	       "counters");

struct trace_ring {
	struct object *object;
	struct twz_trace *head;
	struct twz_trace_record **pages; /* a page of pointers; those below capacity are set */
};

static struct trace_ring rings[CONFIG_MAX_CPUS];

static struct spinlock lock = SPINLOCK_INIT; /* held to switch the trace */
_Atomic uint32_t trace_classes;

/* ---- Recording ---- */

static struct twz_trace_record *place(const struct trace_ring *ring, uint64_t number)
{
	uint64_t capacity = atomic_load_explicit((_Atomic uint64_t *)&ring->head->capacity,
						 memory_order_acquire);

	number &= capacity - 1;
	return &ring->pages[number / RECORDS_PER_PAGE][number % RECORDS_PER_PAGE];
}

void trace_write_of(uint64_t thread, unsigned int event, unsigned int code, uint64_t argument)
{
	const struct trace_ring *ring = &rings[this_cpu()->id];
	uint64_t number = ring->head->next;
	struct twz_trace_record *record = place(ring, number);

	/* A reader that sees any of this record sees that the one before it is complete. */
	atomic_thread_fence(memory_order_release);
	record->ticks = arch_counter();
	record->number = (uint32_t)number;
	record->event = (uint16_t)event;
	record->code = (uint16_t)code;
	record->thread = thread;
	record->argument = argument;
	atomic_store_explicit((_Atomic uint64_t *)&ring->head->next, number + 1, memory_order_release);
}

void trace_write(unsigned int event, unsigned int code, uint64_t argument)
{
	const struct thread *thread = this_cpu()->current;

	trace_write_of(thread ? ID_LO(thread->id) : 0, event, code, argument);
}

/* ---- Switching ---- */

static bool add_pages(struct trace_ring *ring, uint64_t records)
{
	for (unsigned int i = 0; i < records / RECORDS_PER_PAGE; i++) {
		if (!ring->pages[i])
			ring->pages[i] = data_object_page(ring->object, 2 + i);
		if (!ring->pages[i])
			return false;
	}
	return true;
}

/* All rings grow, or none. Lock held, nothing traced. */
static int grow(uint64_t records)
{
	for (unsigned int i = 0; i < cpu_count; i++)
		if (!add_pages(&rings[i], records))
			return -ENOMEM;
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct twz_trace *head = rings[i].head;
		head->first = atomic_load((_Atomic uint64_t *)&head->next);
		atomic_store_explicit((_Atomic uint64_t *)&head->capacity, records,
				      memory_order_release);
	}
	return 0;
}

/* Room as asked for, at least. Lock held. */
static int make_room(unsigned int order)
{
	uint64_t have = rings[0].head->capacity;
	uint64_t want = 1ull << (order ? order : TWZ_TRACE_DEFAULT_ORDER);

	if (have >= want || (have && !order))
		return 0;
	return atomic_load(&trace_classes) ? -EBUSY : grow(want);
}

static void set_classes(uint32_t classes)
{
	const syscall_fn *table = classes & TWZ_TRACE_SYSCALLS ? traced_syscall_table : untraced_syscall_table;

	dispatch_use(table);
	atomic_store(&trace_classes, classes);
}

int trace_control(uint64_t argument)
{
	uint64_t order = argument >> 32;
	uint32_t classes = (uint32_t)argument;
	int error = 0;

	if ((classes & ~TWZ_TRACE_ALL) || order > TWZ_TRACE_MAX_ORDER ||
	    (order && order < TWZ_TRACE_MIN_ORDER))
		return -EINVAL;
	spin_lock(&lock);
	if (classes)
		error = make_room((unsigned int)order);
	if (!error)
		set_classes(classes);
	spin_unlock(&lock);
	return error;
}

/* ---- The objects ---- */

static void init_stats(void)
{
	static struct twz_cpu_stats spare[CONFIG_MAX_CPUS]; /* nobody sees them */
	struct object *object = data_object_create(TWZ_CPUS_ID, "CPU counters");

	for (unsigned int i = 0; object && i < cpu_count; i++) {
		uint64_t at = TWZ_CPUS_OFFSET + i * sizeof(struct twz_cpu_stats);
		char *page = data_object_page(object, 1 + at / PAGE_SIZE);
		if (page)
			cpus[i].stats = (struct twz_cpu_stats *)(page + at % PAGE_SIZE);
	}
	for (unsigned int i = 0; i < cpu_count; i++)
		if (!cpus[i].stats)
			cpus[i].stats = &spare[i];
	object_put(object);
}

static void init_ring(struct trace_ring *ring, unsigned int cpu)
{
	char name[32] = "trace of CPU 00";
	char *page;

	name[13] = (char)('0' + cpu / 10);
	name[14] = (char)('0' + cpu % 10);
	ring->object = data_object_create(TWZ_TRACE_ID(cpu), name);
	ring->pages = page_alloc_zero();
	page = ring->object ? data_object_page(ring->object, 1) : NULL;
	if (!page || !ring->pages)
		panic("out of memory for the trace");
	/* It tells what all programs do. */
	ring->object->p_flags = 0;
	ring->head = (struct twz_trace *)(page + TWZ_TRACE_OFFSET);
	ring->head->version = TWZ_TRACE_VERSION;
	ring->head->record_size = sizeof(struct twz_trace_record);
}

void trace_init(void)
{
	init_stats();
	for (unsigned int i = 0; i < cpu_count; i++)
		init_ring(&rings[i], i);
	set_classes(0);
}
