// SPDX-License-Identifier: BSD-3-Clause
/*
 * Slab caches, see mm/slab.h. A slab is one naturally aligned block of pages, so an object's
 * slab is found by its address. Slabs with something free are on the cache's list, full ones on
 * none. Lock order: cache lock, then page lock.
 */
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <mm/slab.h>
#include <panic.h>

#define MAX_ORDER 3
#define WANTED_OBJECTS 8 /* a slab, if MAX_ORDER allows */
#define KEPT_EMPTY 1     /* wholly free slabs that a cache keeps */

struct slab {
	struct list link; /* in cache->partial while something is free */
	struct slab_cache *cache;
	struct free_object *free;
	unsigned int used;
};

/* A free object; the mark, if there is room for one, makes a double free worth a closer look. */
struct free_object {
	struct free_object *next;
	uintptr_t mark;
};

#define FREE_MARK 0x6672656520736c62ul

static size_t slab_bytes(const struct slab_cache *cache)
{
	return PAGE_SIZE << cache->order;
}

static size_t first_object(const struct slab_cache *cache)
{
	return align_up(sizeof(struct slab), cache->align);
}

/* Lock held. */
static void make_ready(struct slab_cache *cache)
{
	cache->size = (uint32_t)align_up(cache->size, cache->align);
	while (cache->order < MAX_ORDER &&
	       slab_bytes(cache) - first_object(cache) < (size_t)WANTED_OBJECTS * cache->size)
		cache->order++;
	if (first_object(cache) + cache->size > slab_bytes(cache))
		panic("slab: %s is too large, %u bytes", cache->name, cache->size);
	list_init(&cache->partial);
	cache->ready = true;
}

static bool has_mark(const struct slab_cache *cache)
{
	return cache->size >= sizeof(struct free_object);
}

static void push_free(struct slab *slab, struct free_object *object)
{
	object->next = slab->free;
	if (has_mark(slab->cache))
		object->mark = FREE_MARK ^ (uintptr_t)object;
	slab->free = object;
}

/* Lock held. */
static struct slab *add_slab(struct slab_cache *cache)
{
	struct slab *slab = pages_alloc(cache->order);

	if (slab == NULL)
		return NULL;
	*slab = (struct slab){ .cache = cache };
	/* From the end, so that objects are handed out in ascending order. */
	size_t count = (slab_bytes(cache) - first_object(cache)) / cache->size;
	while (count-- > 0)
		push_free(slab, (void *)((char *)slab + first_object(cache) + count * cache->size));
	list_push_front(&cache->partial, &slab->link);
	cache->pages += 1ull << cache->order;
	cache->empty++;
	return slab;
}

void *slab_alloc(struct slab_cache *cache)
{
	struct free_object *object = NULL;
	struct slab *slab;

	spin_lock(&cache->lock);
	if (!cache->ready)
		make_ready(cache);
	slab = list_empty(&cache->partial) ? add_slab(cache) :
					     list_entry(cache->partial.next, struct slab, link);
	if (slab != NULL) {
		object = slab->free;
		slab->free = object->next;
		if (has_mark(cache))
			object->mark = 0;
		cache->empty -= slab->used++ == 0;
		cache->used++;
		if (slab->free == NULL)
			list_remove(&slab->link);
	}
	spin_unlock(&cache->lock);
	return object;
}

void *slab_alloc_zero(struct slab_cache *cache)
{
	void *object = slab_alloc(cache);

	if (object != NULL)
		memset(object, 0, cache->size);
	return object;
}

/* Lock held. */
static void check_object(struct slab_cache *cache, struct slab *slab, struct free_object *object)
{
	size_t offset = (size_t)((char *)object - (char *)slab);

	if (slab->cache != cache || offset < first_object(cache) ||
	    (offset - first_object(cache)) % cache->size != 0)
		panic("slab: %p is no %s", (void *)object, cache->name);
#ifdef CONFIG_DEBUG
	if (has_mark(cache) && object->mark != (FREE_MARK ^ (uintptr_t)object))
		return;
	for (struct free_object *f = slab->free; f != NULL; f = f->next) {
		if (f == object)
			panic("slab: %s %p is freed twice", cache->name, (void *)object);
	}
#endif
}

/* The slab has no object in use. Lock held. */
static void retire(struct slab_cache *cache, struct slab *slab)
{
	if (cache->empty < KEPT_EMPTY) {
		cache->empty++;
		return;
	}
	list_remove(&slab->link);
	cache->pages -= 1ull << cache->order;
	pages_free(slab, cache->order);
}

void slab_free(struct slab_cache *cache, void *object)
{
	struct slab *slab = (void *)align_down((uintptr_t)object, slab_bytes(cache));

	spin_lock(&cache->lock);
	check_object(cache, slab, object);
	if (slab->free == NULL)
		list_push_front(&cache->partial, &slab->link);
	push_free(slab, object);
	cache->used--;
	if (--slab->used == 0)
		retire(cache, slab);
	spin_unlock(&cache->lock);
}
