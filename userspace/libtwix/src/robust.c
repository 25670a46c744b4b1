// SPDX-License-Identifier: BSD-3-Clause
/*
 * Robust mutexes: a list, kept by the C library in each thread, of those that the thread holds. Whoever
 * waits for one that a thread took into its end is told so. The layout is Linux's (linux/futex.h).
 */
#include "twix.h"

#include <errno.h>
#include <twz/sys/sync.h>

#define LIST_MAX 2048 /* a list that is longer is one that was written over */
#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u
#define OWNER 0x3fffffffu

struct entry {
	struct entry *next; /* bit 0: of a mutex that lends its holder priority */
};

struct twix_robust {
	struct entry first;    /* the last leads back here */
	long offset;           /* of the word, from an entry */
	struct entry *pending; /* about to be entered or taken out; or NULL */
};

static struct entry *pointer(struct entry *e)
{
	return (struct entry *)((uintptr_t)e & ~1ul);
}

static void wake_one(uint32_t *word)
{
	twz_thread_sync32(THREAD_SYNC_WAKE, (atomic_uint_least32_t *)word, 1, NULL);
}

/* What a thread has not got any more, or not yet, stays as it is. */
static void release(uint32_t *word, uint32_t owner, bool pending)
{
	uint32_t seen;

	if ((uintptr_t)word % sizeof(*word) || !twix_can_write(word, sizeof(*word)))
		return;
	seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	if (pending && !seen)
		wake_one(word); /* it was given up, and who waits may not have been told */
	while ((seen & OWNER) == owner)
		if (__atomic_compare_exchange_n(word, &seen, (seen & WAITERS) | OWNER_DIED, false, __ATOMIC_SEQ_CST,
			__ATOMIC_ACQUIRE)) {
			if (seen & WAITERS)
				wake_one(word);
			return;
		}
}

void twix_robust_release(void)
{
	struct twix_robust *list = twix_me->robust;
	struct entry *pending, *next;

	twix_me->robust = NULL;
	if (!list || !twix_can_read(list, sizeof(*list)))
		return;
	pending = pointer(list->pending);
	next = pointer(list->first.next);
	for (int n = 0; next != &list->first && n < LIST_MAX; n++) {
		struct entry *e = next;

		if (!twix_can_read(e, sizeof(*e)))
			return;
		next = pointer(e->next); /* who is woken may free it */
		if (e != pending)
			release((uint32_t *)((char *)e + list->offset), (uint32_t)twix_me->tid, false);
	}
	if (pending)
		release((uint32_t *)((char *)pending + list->offset), (uint32_t)twix_me->tid, true);
}

long twix_set_robust_list(const long a[6])
{
	if ((size_t)a[1] != sizeof(struct twix_robust))
		return -EINVAL;
	twix_me->robust = (struct twix_robust *)a[0];
	return 0;
}

/* Of a thread of this process; 0: the calling one. */
long twix_get_robust_list(const long a[6])
{
	struct twix_thread *t = a[0] ? twix_thread_of((int)a[0]) : twix_me;

	if (!t)
		return twix_process_of((int)a[0]) ? -EPERM : -ESRCH;
	*(struct twix_robust **)a[1] = t->robust;
	*(size_t *)a[2] = sizeof(struct twix_robust);
	return 0;
}
