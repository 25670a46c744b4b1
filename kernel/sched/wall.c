// SPDX-License-Identifier: BSD-3-Clause
/*
 * The wall clock. What it consists of stands in the time object, which programs map and read while
 * it
 * changes: the sequence number beside it is odd for that long.
 *
 * The latest time on record (the store's clock mark) is the one thing known of the time when the
 * machine has no real-time clock, or one whose battery is empty; so time goes on record where it is
 * set and where the machine is left in order.
 */
#include <stdatomic.h>

#include <abi/clock.h>
#include <abi/errno.h>
#include <base/bits.h>
#include <dev/rtc.h>
#include <log.h>
#include <obj/data.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <panic.h>
#include <sched/time.h>
#include <sched/wall.h>
#include <spinlock.h>

#define LOG_PREFIX "clock"

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define YEAR_2000_NS (946684800ull * NS_PER_S) /* a clock that says less has lost count */

static struct spinlock lock = SPINLOCK_INIT; /* held to change the clock */
static struct twz_time *shared;              /* in the time object */

/* ---- The record ---- */

/* The latest time on record, as the first instant that is not before it; 0 = none. */
static uint64_t recorded_ns(void)
{
	return MIN(persist_clock_mark(), (TWZ_CLOCK_REAL_MAX_NS - 1) / NS_PER_MS) * NS_PER_MS;
}

/* Rounded up, so that the clock starts no earlier than it was. */
static int record(uint64_t ns)
{
	return persist_set_clock_mark((ns + NS_PER_MS - 1) / NS_PER_MS);
}

void wall_record(void)
{
	if (!persist_writable() || wall_source() < TWZ_REAL_RTC)
		return;
	int error = record(wall_now_ns());
	if (error)
		log_warn("the time cannot be put on record (%d)", error);
}

/* ---- Reading and changing ---- */

static void change(int64_t offset, uint32_t source)
{
	_Atomic uint32_t *sequence = (_Atomic uint32_t *)&shared->sequence;
	uint32_t before = atomic_load_explicit(sequence, memory_order_relaxed);

	atomic_store_explicit(sequence, before + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit((_Atomic int64_t *)&shared->real_offset, offset, memory_order_relaxed);
	atomic_store_explicit((_Atomic uint32_t *)&shared->real_source, source, memory_order_relaxed);
	atomic_store_explicit(sequence, before + 2, memory_order_release);
}

/* The offset is one aligned word, whole at any instant. */
uint64_t wall_now_ns(void)
{
	int64_t offset = atomic_load_explicit((_Atomic int64_t *)&shared->real_offset,
					      memory_order_relaxed);

	return time_now_ns() + (uint64_t)offset;
}

uint32_t wall_source(void)
{
	return atomic_load_explicit((_Atomic uint32_t *)&shared->real_source, memory_order_relaxed);
}

bool wall_has_rtc(void)
{
	return rtc() != NULL;
}

int wall_set_ns(uint64_t ns)
{
	int error = 0;

	if (ns >= TWZ_CLOCK_REAL_MAX_NS || ns < recorded_ns())
		return -EINVAL;
	spin_lock(&lock);
	change((int64_t)(ns - time_now_ns()), TWZ_REAL_SET);
	if (rtc() && rtc()->write)
		rtc()->write(ns);
	spin_unlock(&lock);
	if (persist_writable())
		error = record(ns);
	if (error)
		log_warn("the new time cannot be put on record (%d)", error);
	return 0;
}

/* ---- The start ---- */

/* What the real-time clock says, if that can be: 0 = nothing. */
static uint64_t rtc_time(void)
{
	uint64_t ns;

	if (!rtc())
		return 0;
	ns = rtc()->read();
	if (ns >= YEAR_2000_NS && ns < TWZ_CLOCK_REAL_MAX_NS)
		return ns;
	log_warn("%s says %lu seconds since 1970, which cannot be right", rtc()->name,
		 (unsigned long)(ns / NS_PER_S));
	return 0;
}

static void start_from(uint64_t ns, uint32_t source)
{
	change((int64_t)(ns - time_now_ns()), source);
}

static void start_clock(void)
{
	uint64_t record_ns = recorded_ns(), rtc_ns = rtc_time();

	if (rtc_ns && rtc_ns >= record_ns) {
		start_from(rtc_ns, TWZ_REAL_RTC);
	} else if (record_ns) {
		if (rtc_ns)
			log_warn("%s is %lu seconds behind the latest time on record", rtc()->name,
				 (unsigned long)((record_ns - rtc_ns) / NS_PER_S));
		start_from(record_ns, TWZ_REAL_RECORDED);
	} else {
		start_from(0, TWZ_REAL_UNKNOWN);
	}
	if (wall_source() < TWZ_REAL_RTC)
		log_notice("the time is not known until it is set");
}

void wall_init(const void *fdt)
{
	struct object *object = data_object_create(TWZ_TIME_ID, "time");

	if (!object)
		panic("out of memory for the time object");
	shared = (struct twz_time *)((char *)data_object_page(object, 1) + TWZ_TIME_OFFSET);
	object_put(object);
	time_describe(shared);
	rtc_init(fdt);
	start_clock();
}
