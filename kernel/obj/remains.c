// SPDX-License-Identifier: BSD-3-Clause
/*
 * What is left of objects that nobody uses any more. A small one is given back at once; the pages
 * of a large one go in batches, so that no CPU is kept for long: by who deleted it before the call
 * returns, by whoever lacks memory, and by CPUs that have nothing else to do.
 */
#define LOG_PREFIX "object"

#include <abi/errno.h>
#include <log.h>
#include <obj/private.h>

#define BATCH_NODES 8u         /* of 64 pages in memory */
#define BATCH_TRANSACTIONS 32u /* of up to 19 pages in a store, or a run */

static struct spinlock lock;
static struct list waiting = LIST_INIT(waiting); /* struct object.end_link; guarded by lock */
static _Atomic unsigned int waiting_count;

/* True: everything is given back. */
static bool free_from_store(struct object *object)
{
	int more = 1;

	for (unsigned int i = 0; more == 1 && i < BATCH_TRANSACTIONS; i++)
		more = store_free_more(object->store, &object->stored, &object->freeing);
	if (more < 0)
		log_error("freeing " IDFMT " in the store failed (%d)", IDPR(object->id), more);
	return more != 1;
}

static bool free_batch(struct object *object)
{
	if (object->persistent)
		return !object->leaving || free_from_store(object);
	return object_pages_free_some(object, BATCH_NODES);
}

void object_dissolve(struct object *object)
{
	if (free_batch(object)) {
		slab_free(&object_cache, object);
		return;
	}
	spin_lock(&lock);
	list_push_back(&waiting, &object->end_link);
	atomic_fetch_add_explicit(&waiting_count, 1, memory_order_relaxed);
	spin_unlock(&lock);
}

bool object_remains_step(void)
{
	if (atomic_load_explicit(&waiting_count, memory_order_relaxed) == 0)
		return false;
	spin_lock(&lock);
	struct list *node = list_pop_front(&waiting);
	if (node)
		atomic_fetch_sub_explicit(&waiting_count, 1, memory_order_relaxed);
	spin_unlock(&lock);
	if (node)
		object_dissolve(list_entry(node, struct object, end_link));
	return node != NULL;
}
