// SPDX-License-Identifier: BSD-3-Clause
/* The run queue of sched/queue.h. */
#include <base/bits.h>
#include <panic.h>
#include <sched/queue.h>
#include <sched/thread.h>

#define FIND_LIMIT 64 /* threads of a list that queue_find() looks at */

_Static_assert(LEVEL_COUNT <= 128, "a bit for each level");

void queue_init(struct run_queue *queue)
{
	*queue = (struct run_queue){ 0 };
	for (unsigned int level = 0; level < LEVEL_COUNT; level++)
		list_init(&queue->lists[level]);
}

static bool has_fair(const struct run_queue *queue)
{
	return !heap_empty(&queue->anywhere) || !heap_empty(&queue->bound);
}

/* The highest level below `limit` (at most 128) at which somebody waits. */
static uint32_t top_below(const struct run_queue *queue, uint32_t limit)
{
	uint64_t high = limit > 64 ? queue->map[1] & ~(~0ull << (limit - 64)) : 0;
	uint64_t low = limit < 64 ? queue->map[0] & ~(~0ull << limit) : queue->map[0];

	if (high)
		return 64 + ilog2(high);
	if (low >> LEVEL_RT(1))
		return ilog2(low);
	if (limit > LEVEL_NORMAL && has_fair(queue))
		return LEVEL_NORMAL;
	return low ? LEVEL_IDLE : LEVEL_NONE;
}

static struct heap *heap_for(struct run_queue *queue, const struct thread *thread)
{
	return thread->bound ? &queue->bound : &queue->anywhere;
}

void queue_insert(struct run_queue *queue, struct thread *thread, uint32_t level, bool front)
{
	thread->queued_level = level;
	atomic_store_explicit(&thread->queue, queue, memory_order_relaxed);
	if (level == LEVEL_NORMAL) {
		/* What heap it is in must not change under it: the affinity can. */
		thread->bound = atomic_load_explicit(&thread->affinity, memory_order_relaxed) != AFFINITY_ALL;
		heap_insert(heap_for(queue, thread), &thread->fair_link, thread->virtual_time);
	} else {
		struct list *list = &queue->lists[level];
		if (front)
			list_push_front(list, &thread->run_link);
		else
			list_push_back(list, &thread->run_link);
		queue->map[level / 64] |= 1ull << (level % 64);
	}
	atomic_fetch_add_explicit(&queue->count, 1, memory_order_relaxed);
	if (level > atomic_load_explicit(&queue->top, memory_order_relaxed))
		atomic_store(&queue->top, level);
}

void queue_remove(struct run_queue *queue, struct thread *thread)
{
	uint32_t level = thread->queued_level;

	assert(atomic_load_explicit(&thread->queue, memory_order_relaxed) == queue);
	if (level == LEVEL_NORMAL) {
		heap_remove(heap_for(queue, thread), &thread->fair_link);
	} else {
		list_remove(&thread->run_link);
		if (list_empty(&queue->lists[level]))
			queue->map[level / 64] &= ~(1ull << (level % 64));
	}
	atomic_store_explicit(&thread->queue, NULL, memory_order_relaxed);
	uint32_t left = atomic_fetch_sub_explicit(&queue->count, 1, memory_order_relaxed) - 1;
	if (left == 0)
		atomic_store_explicit(&queue->top, LEVEL_NONE, memory_order_relaxed);
	else if (level == atomic_load_explicit(&queue->top, memory_order_relaxed))
		atomic_store_explicit(&queue->top, top_below(queue, LEVEL_COUNT), memory_order_relaxed);
}

static struct thread *fair_thread(struct heap_node *node)
{
	return container_of(node, struct thread, fair_link);
}

static struct thread *first_fair(const struct run_queue *queue)
{
	struct heap_node *a = heap_min(&queue->anywhere);
	struct heap_node *b = heap_min(&queue->bound);

	return fair_thread(!b || (a && a->key <= b->key) ? a : b);
}

struct thread *queue_first(const struct run_queue *queue)
{
	uint32_t level = atomic_load_explicit(&queue->top, memory_order_relaxed);

	if (level == LEVEL_NONE)
		return NULL;
	if (level == LEVEL_NORMAL)
		return first_fair(queue);
	return list_entry(queue->lists[level].next, struct thread, run_link);
}

static bool may_run(const struct thread *thread, uint64_t cpus)
{
	return atomic_load_explicit(&thread->affinity, memory_order_relaxed) & cpus;
}

static struct thread *find_in_list(const struct list *list, uint64_t cpus)
{
	unsigned int seen = 0;

	list_for_each(node, list) {
		struct thread *thread = list_entry(node, struct thread, run_link);
		if (may_run(thread, cpus))
			return thread;
		if (++seen == FIND_LIMIT)
			break;
	}
	return NULL;
}

/*
 * The heap is a tree whose order does not matter here: the children of the root, and theirs in
 * turn.
 */
static struct thread *find_in_heap(const struct heap *heap, uint64_t cpus)
{
	struct heap_node *open[FIND_LIMIT];
	unsigned int count = 0, seen = 0;

	if (heap->root)
		open[count++] = heap->root;
	while (count > 0 && seen++ < FIND_LIMIT) {
		struct heap_node *node = open[--count];
		if (may_run(fair_thread(node), cpus))
			return fair_thread(node);
		if (node->sibling && count < FIND_LIMIT)
			open[count++] = node->sibling;
		if (node->child && count < FIND_LIMIT)
			open[count++] = node->child;
	}
	return NULL;
}

struct thread *queue_find(const struct run_queue *queue, uint32_t above, uint64_t cpus)
{
	uint32_t level = LEVEL_COUNT;

	while ((level = top_below(queue, level)) > above) {
		struct thread *thread = NULL;
		if (level != LEVEL_NORMAL)
			thread = find_in_list(&queue->lists[level], cpus);
		else if (!heap_empty(&queue->anywhere))
			thread = fair_thread(heap_min(&queue->anywhere));
		else
			thread = find_in_heap(&queue->bound, cpus);
		if (thread)
			return thread;
	}
	return NULL;
}

uint64_t queue_least(const struct run_queue *queue)
{
	return has_fair(queue) ? first_fair(queue)->virtual_time : UINT64_MAX;
}
