// SPDX-License-Identifier: BSD-3-Clause
/*
 * Priority inheritance, see sched/lend.h.
 *
 * Chains need no walk: a holder that sleeps itself is woken for nothing when its level rises,
 * sleeps again, and so lends on what it was lent.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <sched/lend.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sys/machine.h>

#define BUCKET_ORDER 10u

/*
 * Guards the table and everything about lending in all threads, and keeps a thread that it finds
 * from going away. Taken with no lock held, or a thread object's; timers and run queues are taken
 * within.
 */
static struct spinlock lend_lock;
static struct thread *chains[1u << BUCKET_ORDER]; /* chains of struct thread.lend_next */

/* With the boot code: a word that was held when the power went names nobody, whoever runs again. */
static uint64_t name_of(const struct thread *thread)
{
	return ID_LO(thread->id) >> 2 ^ machine_boot_code();
}

static struct thread **chain_of(uint64_t name)
{
	return &chains[name * 0x9e3779b97f4a7c15ull >> (64 - BUCKET_ORDER)];
}

void lend_enter(struct thread *thread)
{
	struct thread **chain = chain_of(name_of(thread));

	list_init(&thread->lenders);
	spin_lock(&lend_lock);
	thread->lend_next = *chain;
	*chain = thread;
	spin_unlock(&lend_lock);
}

/* Lock held. */
static struct thread *find(uint64_t name)
{
	struct thread *thread = *chain_of(name);

	while (thread && name_of(thread) != name)
		thread = thread->lend_next;
	return thread;
}

/* What a holder has been lent by now. Lock held. */
static void count_again(struct thread *holder)
{
	uint32_t level = LEVEL_NONE;

	list_for_each(node, &holder->lenders)
		level = MAX(level, sched_level(list_entry(node, struct thread, lend_link)));
	uint32_t before = atomic_load(&holder->lent);
	if (level == before)
		return;
	atomic_store(&holder->lent, level);
	sched_refresh(holder);
	if (level > before)
		sync_requeue(holder);
}

int lend_begin(struct thread *thread, uint64_t holder)
{
	spin_lock(&lend_lock);
	struct thread *to = find(holder);
	if (to && to != thread) {
		thread->lends_to = to;
		list_push_back(&to->lenders, &thread->lend_link);
		count_again(to);
	}
	spin_unlock(&lend_lock);
	return to ? 0 : -EOWNERDEAD;
}

void lend_end(struct thread *thread)
{
	if (!__atomic_load_n(&thread->lends_to, __ATOMIC_RELAXED))
		return;
	spin_lock(&lend_lock);
	struct thread *to = thread->lends_to;
	if (to) {
		thread->lends_to = NULL;
		list_remove(&thread->lend_link);
		count_again(to);
	}
	spin_unlock(&lend_lock);
}

void lend_leave(struct thread *thread)
{
	struct list *node;

	lend_end(thread);
	spin_lock(&lend_lock);
	struct thread **link = chain_of(name_of(thread));
	while (*link != thread)
		link = &(*link)->lend_next;
	*link = thread->lend_next;
	while ((node = list_pop_front(&thread->lenders))) {
		struct thread *lender = list_entry(node, struct thread, lend_link);
		lender->lends_to = NULL;
		sync_requeue(lender);
	}
	spin_unlock(&lend_lock);
	/* It may have been woken to take the mutex, and ended before it could. */
	if (thread->wanted_object)
		sync_wake(thread->wanted_object, thread->wanted_offset, 1);
}
