// SPDX-License-Identifier: BSD-3-Clause
/* The reserve of pages, see mm/reserve.h. */
#include <mm/phys.h>
#include <mm/reserve.h>
#include <sched/thread.h>
#include <spinlock.h>

#define RESERVE_PAGES 64u
/*
 * What a thread may have of it in its life. The first before it is told: who takes memory needs more at
 * once, who does not stays alive. The others are for its handler: enough to tell of its end.
 */
#define PAGES_UNTOLD 8u
#define PAGES_A_THREAD 32u
/* It is filled when so much is free: whoever gave memory back is to find it. */
#define PLENTY (4 * RESERVE_PAGES)

static struct spinlock lock = SPINLOCK_INIT;
static void *pages[RESERVE_PAGES]; /* guarded by lock */
static _Atomic uint32_t count;     /* written under lock */

bool reserve_take(struct thread *thread)
{
	void *page = NULL;
	uint32_t had = thread->reserve++;

	if (had == PAGES_UNTOLD || had > PAGES_A_THREAD)
		return false;
	spin_lock(&lock);
	uint32_t left = atomic_load_explicit(&count, memory_order_relaxed);
	if (left) {
		page = pages[left - 1];
		atomic_store_explicit(&count, left - 1, memory_order_relaxed);
	}
	spin_unlock(&lock);
	if (page)
		page_free(page);
	return page != NULL;
}

void reserve_fill(void)
{
	if (atomic_load_explicit(&count, memory_order_relaxed) == RESERVE_PAGES || phys_stats().free < PLENTY)
		return;
	spin_lock(&lock);
	uint32_t have = atomic_load_explicit(&count, memory_order_relaxed);
	while (have < RESERVE_PAGES && (pages[have] = page_alloc()))
		have++;
	atomic_store_explicit(&count, have, memory_order_relaxed);
	spin_unlock(&lock);
}
