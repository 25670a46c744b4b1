// SPDX-License-Identifier: BSD-3-Clause
/*
 * Prints how long the kernel has kept CPUs and locks since boot, the worst first.
 */
#include <abi/times.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>

#define SHOWN 16u

static uint64_t ns_of(uint64_t ticks)
{
	return ticks * 1000 / (twz_sysinfo()->timer_hz / 1000000);
}

static void print(const struct twz_hold *t)
{
	unsigned long worst = ns_of(t->worst), mean = ns_of(t->total / (t->count ? t->count : 1));

	if (t->kind == TWZ_TIME_LOCK)
		kec_printf("%10lu %10lu %10lu  lock %s in %s\n", worst, mean, (unsigned long)t->count, t->lock, t->where);
	else if (t->kind == TWZ_TIME_CALL)
		kec_printf("%10lu %10lu %10lu  call %#x\n", worst, mean, (unsigned long)t->count, SYS_BASE + t->code);
	else
		kec_printf("%10lu %10lu %10lu  %s\n", worst, mean, (unsigned long)t->count,
		    t->kind == TWZ_TIME_FAULT ? "fault" : "return");
}

/* The one with the worst time below `limit`, or among equals the next after `last`. NULL: none. */
static const struct twz_hold *next_worst(const struct twz_hold *all, uint64_t count, const struct twz_hold *last)
{
	const struct twz_hold *found = NULL;

	for (const struct twz_hold *t = all; t < all + count; t++) {
		if (last && (t->worst > last->worst || (t->worst == last->worst && t <= last)))
			continue;
		if (t->count && (!found || t->worst > found->worst))
			found = t;
	}
	return found;
}

int main(void)
{
	static struct twz_hold copy[TWZ_TIMES_MAX];
	const struct twz_times *header;
	const struct twz_hold *t = NULL;
	uint64_t count, left = SHOWN;
	twzobj o;

	if (twz_object_init_guid(&o, TWZ_TIMES_ID, FE_READ) < 0 || twz_sysinfo()->timer_hz < 1000000)
		return 1;
	header = (void *)((char *)twz_object_base(&o) + TWZ_TIMES_OFFSET);
	count = header->count < TWZ_TIMES_MAX ? header->count : TWZ_TIMES_MAX;
	if (count == 0) {
		kec_printf("times: this kernel does not measure\n");
		return 1;
	}
	for (uint64_t i = 0; i < count; i++)
		copy[i] = ((const struct twz_hold *)((char *)twz_object_base(&o) + TWZ_TIMES_RECORDS))[i];
	kec_printf("  worst ns    mean ns      count  where\n");
	while (left-- > 0 && (t = next_worst(copy, count, t)))
		print(t);
	return 0;
}
