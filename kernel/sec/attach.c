// SPDX-License-Identifier: BSD-3-Clause
/*
 * The set of contexts attached to a thread. Most threads have none, and then no set.
 */
#include <abi/errno.h>
#include <base/string.h>
#include <mm/slab.h>
#include <mm/space.h>
#include <obj/object.h>
#include <sec/attach.h>
#include <sec/check.h>
#include <sec/context.h>

#include "set.h"

static struct slab_cache set_cache = SLAB_CACHE("attached contexts", struct sec_set);

/* ---- The set ---- */

static struct sec_set *set_of(struct thread *thread)
{
	return atomic_load_explicit(&thread->attached, memory_order_acquire);
}

/* The thread's set, made if need be; another CPU may be making it, too. */
static struct sec_set *set_make(struct thread *thread)
{
	struct sec_set *set = set_of(thread);
	struct sec_set *fresh;

	if (set)
		return set;
	fresh = slab_alloc_zero(&set_cache);
	if (!fresh)
		return NULL;
	if (atomic_compare_exchange_strong(&thread->attached, &set, fresh))
		return fresh;
	slab_free(&set_cache, fresh);
	return set;
}

struct seccontext *sec_attached_at(struct thread *thread, unsigned int place)
{
	struct sec_set *set = set_of(thread);

	if (!set)
		return NULL;
	spin_lock(&set->lock);
	struct seccontext *context = set->contexts[place];
	if (context)
		seccontext_ref(context);
	spin_unlock(&set->lock);
	return context;
}

/* The place of a context, or -1. Lock held. */
static int place_of(const struct sec_set *set, objid_t id)
{
	for (int i = 0; i < TWZ_THRD_MAX_SCS; i++)
		if (set->contexts[i] && set->contexts[i]->object->id == id)
			return i;
	return -1;
}

struct seccontext *sec_attached_by_id(struct thread *thread, objid_t id)
{
	struct sec_set *set = set_of(thread);
	struct seccontext *context = NULL;

	if (!set)
		return NULL;
	spin_lock(&set->lock);
	int place = place_of(set, id);
	if (place >= 0)
		context = seccontext_ref(set->contexts[place]);
	spin_unlock(&set->lock);
	return context;
}

/* Lock held; the context need not exist any more. */
static bool holds(const struct sec_set *set, const struct seccontext *context)
{
	for (int i = 0; i < TWZ_THRD_MAX_SCS; i++)
		if (set->contexts[i] == context)
			return true;
	return false;
}

/* The first place that is free, or -1. Lock held. */
static int free_place(const struct sec_set *set)
{
	for (int i = 0; i < TWZ_THRD_MAX_SCS; i++)
		if (!set->contexts[i] && !set->away[i])
			return i;
	return -1;
}

int sec_add(struct thread *thread, struct seccontext *context)
{
	struct sec_set *set = set_make(thread);

	if (!set)
		return -ENOMEM;
	spin_lock(&set->lock);
	int there = place_of(set, context->object->id);
	int place = there >= 0 ? -1 : free_place(set);
	if (there >= 0)
		set->late[there] = (struct sec_late){ 0 };
	if (place >= 0) {
		set->contexts[place] = seccontext_ref(context);
		set->fresh |= 1u << place;
	}
	spin_unlock(&set->lock);
	return there >= 0 ? 1 : place < 0 ? -ENOSPC : 0;
}

/* Lock held; the reference becomes the caller's. */
static struct seccontext *take_out(struct sec_set *set, int place)
{
	struct seccontext *context = set->contexts[place];

	set->contexts[place] = NULL;
	set->late[place] = (struct sec_late){ 0 };
	set->fresh &= ~(1u << place);
	return context;
}

unsigned int sec_remove(struct thread *thread, objid_t id, struct seccontext *removed[])
{
	struct sec_set *set = set_of(thread);
	unsigned int count = 0;

	if (!set)
		return 0;
	spin_lock(&set->lock);
	for (int i = 0; i < TWZ_THRD_MAX_SCS; i++)
		if (set->contexts[i] && (id == 0 || set->contexts[i]->object->id == id))
			removed[count++] = take_out(set, i);
	spin_unlock(&set->lock);
	return count;
}

bool sec_shed(struct thread *thread, objid_t id)
{
	struct seccontext *removed[TWZ_THRD_MAX_SCS];
	unsigned int count = sec_remove(thread, id, removed);

	for (unsigned int i = 0; i < count; i++)
		seccontext_put(removed[i]);
	return count > 0;
}

bool sec_covers(struct thread *thread, struct thread *target)
{
	struct sec_set *own = set_of(thread);
	struct sec_set *others = set_of(target);
	struct seccontext *contexts[TWZ_THRD_MAX_SCS]; /* to be compared, nothing else */
	bool covers = true;

	if (thread == target || !own)
		return true;
	if (!others)
		return false;
	spin_lock(&others->lock);
	memcpy(contexts, others->contexts, sizeof(contexts));
	spin_unlock(&others->lock);
	spin_lock(&own->lock);
	for (int i = 0; covers && i < TWZ_THRD_MAX_SCS; i++)
		covers = !contexts[i] || holds(own, contexts[i]);
	spin_unlock(&own->lock);
	return covers;
}

uint32_t sec_fresh(struct thread *thread)
{
	struct sec_set *set = set_of(thread);

	spin_lock(&set->lock);
	uint32_t fresh = set->fresh;
	spin_unlock(&set->lock);
	return fresh;
}

void sec_fresh_settled(struct thread *thread, uint32_t places)
{
	struct sec_set *set = set_of(thread);

	spin_lock(&set->lock);
	set->fresh &= ~places;
	spin_unlock(&set->lock);
}

int sec_make_set(struct thread *thread)
{
	return set_make(thread) ? 0 : -ENOMEM;
}

int sec_inherit(struct thread *thread)
{
	struct thread *parent = current_thread();

	if (!parent || !sec_has_attached(parent))
		return 0;
	struct sec_set *set = set_make(thread);
	if (!set)
		return -ENOMEM;
	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS; i++)
		set->contexts[i] = sec_attached_at(parent, i);
	return 0;
}

void sec_release(struct thread *thread)
{
	struct sec_set *set = set_of(thread);

	if (!set)
		return;
	for (int i = 0; i < TWZ_THRD_MAX_SCS; i++) {
		if (set->contexts[i])
			seccontext_put(set->contexts[i]);
		if (set->away[i])
			seccontext_put(set->away[i]);
	}
	slab_free(&set_cache, set);
	atomic_store_explicit(&thread->attached, NULL, memory_order_relaxed);
}
