// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which slot an entry of an object's FOT leads to. A cache is a chain of blocks that only grows;
 * lookups take no lock. Each entry owns a reference to its slot, so what was looked up once
 * stays mapped until the cache is dropped.
 *
 * Entry: bit 63 valid, bits 40–62 FOT index, bits 32–39 access flags, bits 0–31 slot.
 */
#include "runtime.h"

#define ENTRIES 62
#define PROBES 8

struct fotcache {
	struct fotcache *_Atomic next;
	_Atomic uint64_t slots_used;
	_Atomic uint64_t entries[ENTRIES];
};

_Static_assert(sizeof(struct fotcache) == 512, "eight blocks a page");

static struct mutex free_lock;
static struct fotcache *free_blocks; /* guarded by free_lock */

static struct fotcache *block_new(void)
{
	struct fotcache *b;

	mutex_acquire(&free_lock);
	if (!free_blocks) {
		b = __twz_pages(TWZ_PAGE_SIZE);
		for (size_t i = 0; b && i < TWZ_PAGE_SIZE / sizeof(*b); i++) {
			b[i].next = free_blocks;
			free_blocks = &b[i];
		}
	}
	b = free_blocks;
	if (b)
		free_blocks = b->next;
	mutex_release(&free_lock);
	if (b)
		memset(b, 0, sizeof(*b));
	return b;
}

static void block_free(struct fotcache *b)
{
	mutex_acquire(&free_lock);
	b->next = free_blocks;
	free_blocks = b;
	mutex_release(&free_lock);
}

static uint64_t key_of(uint64_t fote, uint32_t flags)
{
	return (1ull << 63 | fote << 40 | (uint64_t)flags << 32) >> 32;
}

/* The entry with this key in one block, or the free one where it would go, or NULL. */
static _Atomic uint64_t *probe(struct fotcache *b, uint64_t key)
{
	for (unsigned i = 0; i < PROBES; i++) {
		_Atomic uint64_t *e = &b->entries[((key ^ key >> 8) + i) % ENTRIES];
		uint64_t v = atomic_load_explicit(e, memory_order_acquire);

		if (!v || v >> 32 == key)
			return e;
	}
	return NULL;
}

ssize_t __twz_fotcache_find(struct fotcache *_Atomic *head, uint64_t fote, uint32_t flags)
{
	uint64_t key = key_of(fote, flags);

	for (struct fotcache *b = atomic_load(head); b; b = atomic_load(&b->next)) {
		_Atomic uint64_t *e = probe(b, key);

		if (e) {
			uint64_t v = atomic_load_explicit(e, memory_order_acquire);

			return v >> 32 == key ? (ssize_t)(uint32_t)v : -1;
		}
	}
	return -1;
}

/* The next block of a chain, made if need be. */
static struct fotcache *block_at(struct fotcache *_Atomic *link)
{
	struct fotcache *b = atomic_load(link), *none = NULL;

	if (b)
		return b;
	b = block_new();
	if (b && !atomic_compare_exchange_strong(link, &none, b)) {
		block_free(b);
		b = none;
	}
	return b;
}

int __twz_fotcache_add(struct fotcache *_Atomic *head, uint64_t fote, uint32_t flags, size_t slot)
{
	uint64_t key = key_of(fote, flags);
	struct fotcache *_Atomic *link = head;
	struct fotcache *b;

	while ((b = block_at(link))) {
		_Atomic uint64_t *e;

		while ((e = probe(b, key))) {
			uint64_t old = 0;

			if (atomic_compare_exchange_strong(e, &old, key << 32 | slot))
				return 0;
			if (old >> 32 == key)
				return -EEXIST;
		}
		link = &b->next;
	}
	return -ENOMEM;
}

/* Drop the reference of one entry; a slot that falls gives its own cache to the list. */
static void drop_entry(uint64_t v, struct fotcache **pending)
{
	size_t slot = (uint32_t)v;
	struct fotcache *_Atomic *cache;
	objid_t id;
	uint32_t flags;

	twz_view_get(NULL, slot, &id, &flags);
	if (!__twz_slot_unref(NULL, id, flags, slot))
		return;
	cache = __twz_fotcache_of_slot(slot);
	if (cache) {
		struct fotcache *b = atomic_exchange(cache, NULL), *last = b;

		while (last && last->next)
			last = last->next;
		if (last) {
			last->next = *pending;
			*pending = b;
		}
	}
}

/* A list, not recursion: caches may form chains as long as there are slots. */
void __twz_fotcache_drop(struct fotcache *_Atomic *head)
{
	struct fotcache *pending = atomic_exchange(head, NULL);

	while (pending) {
		struct fotcache *b = pending;

		pending = b->next;
		for (unsigned i = 0; i < ENTRIES; i++)
			if (b->entries[i])
				drop_entry(b->entries[i], &pending);
		block_free(b);
	}
}

struct fotcache *_Atomic *__twz_fotcache_of_slot(size_t slot)
{
	static struct fotcache *_Atomic *_Atomic by_slot;
	struct fotcache *_Atomic *t = atomic_load(&by_slot), *_Atomic *none = NULL;

	if (!t) {
		t = __twz_pages(twz_nslots() * sizeof(*t));
		/* Losing the race costs unwritten pages, which are nothing. */
		if (t && !atomic_compare_exchange_strong(&by_slot, &none, t))
			t = none;
	}
	return t ? &t[slot] : NULL;
}
