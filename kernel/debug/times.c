// SPDX-License-Identifier: BSD-3-Clause
/*
 * How long locks are held and the kernel is not left: see abi/times.h. Measured in debug builds,
 * all the time.
 *
 * Records are written where programs read them. A place that takes locks gets one when it first
 * lets go of one; what comes when there are no more, or before the object is there, is not counted.
 */
#include <abi/times.h>
#include <arch/time.h>
#include <arch/upcall.h>
#include <base/string.h>
#include <cpu.h>
#include <debug.h>
#include <obj/data.h>
#include <obj/object.h>
#include <spinlock.h>
#include <sys/wrapped.h>

#define PER_PAGE (PAGE_SIZE / sizeof(struct twz_hold))
#define FIRST_PAGE (1 + TWZ_TIMES_RECORDS / PAGE_SIZE)

/* The records that are there from the start: one for each call, then these. */
enum { FAULT_RECORD = SYSCALL_COUNT, RETURN_RECORD, FIRST_LOCK };

static struct twz_hold *pages[TWZ_TIMES_MAX / PER_PAGE]; /* set at boot */
static _Atomic uint64_t *used;                           /* of the header */

static struct twz_hold *record_at(uint64_t number)
{
	return &pages[number / PER_PAGE][number % PER_PAGE];
}

static void add(struct twz_hold *record, uint64_t ticks)
{
	_Atomic uint64_t *worst = (_Atomic uint64_t *)&record->worst;
	uint64_t seen = atomic_load_explicit(worst, memory_order_relaxed);

	atomic_fetch_add_explicit((_Atomic uint64_t *)&record->total, ticks, memory_order_relaxed);
	atomic_fetch_add_explicit((_Atomic uint64_t *)&record->count, 1, memory_order_relaxed);
	while (ticks > seen &&
	       !atomic_compare_exchange_weak_explicit(worst, &seen, ticks, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

/* A record for a place. NULL: there are no more. Two CPUs may make two; both count. */
static struct twz_hold *claim(struct lock_site *site)
{
	uint64_t number = atomic_fetch_add(used, 1);

	if (number >= TWZ_TIMES_MAX) {
		atomic_store(used, TWZ_TIMES_MAX);
		return NULL;
	}
	struct twz_hold *record = record_at(number);
	record->kind = TWZ_TIME_LOCK;
	strlcpy(record->where, site->function, sizeof(record->where));
	strlcpy(record->lock, site->lock, sizeof(record->lock));
	atomic_store(&site->record, record);
	return record;
}

static void lock_held(struct lock_site *site, uint64_t ticks)
{
	struct twz_hold *record = atomic_load_explicit(&site->record, memory_order_relaxed);

	if (!record)
		record = claim(site);
	if (record)
		add(record, ticks);
}

uint64_t stay_begin(void)
{
	return arch_counter();
}

void stay_end_fault(uint64_t since)
{
	if (used)
		add(record_at(FAULT_RECORD), arch_counter() - since);
}

void stay_end_return(uint64_t since)
{
	if (used)
		add(record_at(RETURN_RECORD), arch_counter() - since);
}

/* ---- System calls: a table of their own ---- */

static long timed(unsigned int number, SYS_ARGS)
{
	uint64_t since = arch_counter();
	long result = syscall_table[number](a0, a1, a2, a3, a4, a5);

	if (used)
		add(record_at(number), arch_counter() - since);
	return result;
}

SYSCALLS_WRAPPED(timed)
const syscall_fn timed_syscall_table[SYSCALL_COUNT] = SYSCALL_WRAPPED_TABLE(timed);

/* ---- The object ---- */

void times_init(void)
{
	struct object *object = data_object_create(TWZ_TIMES_ID, "times");
	char *first = object ? data_object_page(object, 1) : NULL;

	if (!first)
		return;
	for (unsigned int i = 0; i < TWZ_TIMES_MAX / PER_PAGE; i++) {
		pages[i] = data_object_page(object, FIRST_PAGE + i);
		if (!pages[i])
			return;
	}
	object_put(object);
	for (unsigned int i = 0; i < FIRST_LOCK; i++) {
		record_at(i)->kind = i < SYSCALL_COUNT ? TWZ_TIME_CALL :
				     i == FAULT_RECORD ? TWZ_TIME_FAULT : TWZ_TIME_RETURN;
		record_at(i)->code = i < SYSCALL_COUNT ? i : 0;
	}
	struct twz_times *header = (struct twz_times *)(first + TWZ_TIMES_OFFSET);
	header->record_size = sizeof(struct twz_hold);
	header->count = FIRST_LOCK;
	used = (_Atomic uint64_t *)&header->count;
	lock_observer = lock_held;
}
