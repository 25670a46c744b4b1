// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory of libtwz itself: pieces of powers of two, cut from pages that are never given back. Every
 * list is sound between any two stores, so that a thread killed in here costs a piece at most.
 */
#include "pool.h"

#include "locks.h"
#include "runtime.h"

#define LEAST_SHIFT 6
#define CLASSES LOCKS_POOL

struct piece {
	struct piece *next;
};

static struct piece *classes[CLASSES]; /* each guarded by its lock */

static struct mutex *lock_of(unsigned c)
{
	return &__twz_locks[LOCK_POOL + c];
}

static unsigned class_of(size_t bytes)
{
	unsigned c = 0;

	while (c < CLASSES && (1ul << (c + LEAST_SHIFT)) < bytes)
		c++;
	return c;
}

size_t __twz_pool_size(size_t bytes)
{
	return 1ul << (class_of(bytes) + LEAST_SHIFT);
}

/* Cut a page into pieces. Caller holds the lock. */
static void cut_page(unsigned c)
{
	size_t size = 1ul << (c + LEAST_SHIFT);
	char *page = __twz_pages(TWZ_PAGE_SIZE);

	for (size_t at = 0; page && at < TWZ_PAGE_SIZE; at += size) {
		struct piece *p = (void *)(page + at);

		p->next = classes[c];
		classes[c] = p;
	}
}

void *__twz_pool_get(size_t bytes)
{
	unsigned c = class_of(bytes);
	struct piece *p;

	if (c == CLASSES)
		return NULL;
	mutex_acquire(lock_of(c));
	if (!classes[c] && (1ul << (c + LEAST_SHIFT)) < TWZ_PAGE_SIZE)
		cut_page(c);
	p = classes[c];
	if (p)
		classes[c] = p->next;
	mutex_release(lock_of(c));
	if (p)
		return memset(p, 0, bytes);
	return (1ul << (c + LEAST_SHIFT)) < TWZ_PAGE_SIZE ? NULL : __twz_pages(1ul << (c + LEAST_SHIFT));
}

void __twz_pool_put(void *p, size_t bytes)
{
	unsigned c = class_of(bytes);
	struct piece *piece = p;

	if (!p || c == CLASSES)
		return;
	mutex_acquire(lock_of(c));
	piece->next = classes[c];
	classes[c] = piece;
	mutex_release(lock_of(c));
}
