// SPDX-License-Identifier: BSD-3-Clause
/*
 * Address spaces: their tables, their mappings, their ASIDs, and dropping what a view no longer
 * says.
 */
#include <abi/errno.h>
#include <abi/kso.h>
#include <base/bits.h>
#include <base/string.h>
#include <cpu.h>
#include <kso/type.h>
#include <mm/kmap.h>
#include <mm/phys.h>
#include <mm/slab.h>
#include <mm/space.h>
#include <mm/space_private.h>
#include <panic.h>
#include <sec/context.h>

static struct slab_cache space_cache = SLAB_CACHE("address space", struct addrspace);
static struct slab_cache mapping_cache = SLAB_CACHE("mapping", struct mapping);

/* ---- Tables above the objects' subtrees ---- */

/* The level-2 table that holds the link of `slot`, made if need be; NULL when out of memory. */
static pte_t *link_table(struct addrspace *space, uint32_t slot)
{
	uintptr_t va = (uintptr_t)slot << OBJ_SHIFT;
	pte_t *table = space->root;

	for (unsigned int level = arch_mmu.levels - 1; level > 2; level--) {
		pte_t *entry = &table[PT_INDEX(va, level)];
		if (!arch_pte_valid(*entry)) {
			void *lower = page_alloc_zero();
			if (!lower)
				return NULL;
			arch_pte_set(entry, arch_pte_table(virt_to_phys(lower)));
		}
		table = phys_to_virt(arch_pte_addr(*entry));
	}
	return table;
}

/* Free the tables of the user half from `level` down to the level-2 tables; the links are gone. */
static void free_tables(pte_t *table, unsigned int level, unsigned int entries)
{
	for (unsigned int i = 0; level > 2 && i < entries; i++)
		if (arch_pte_valid(table[i]))
			free_tables(phys_to_virt(arch_pte_addr(table[i])), level - 1, PT_ENTRIES);
	page_free(table);
}

/* ---- The mappings of a space, by slot ---- */

static struct mapping **bucket_of(struct addrspace *space, uint32_t slot)
{
	return &space->buckets[slot & ((1u << space->bucket_order) - 1)];
}

struct mapping *space_mapping(struct addrspace *space, uint32_t slot)
{
	struct mapping *mapping = *bucket_of(space, slot);

	while (mapping && mapping->slot != slot)
		mapping = mapping->next;
	return mapping;
}

#define BUCKETS_PAGE_ORDER 9u /* a page of buckets */
#define BUCKETS_MAX_ORDER 18u

static void buckets_free(struct mapping **buckets, unsigned int order)
{
	if (order >= BUCKETS_PAGE_ORDER)
		pages_free(buckets, order - BUCKETS_PAGE_ORDER);
}

/* Eight times the buckets, a page at least. Without memory chains just get longer. */
static void buckets_grow(struct addrspace *space)
{
	unsigned int old_order = space->bucket_order;
	unsigned int order = MIN(MAX(old_order + 3, BUCKETS_PAGE_ORDER), BUCKETS_MAX_ORDER);
	struct mapping **old = space->buckets;
	struct mapping **buckets = pages_alloc(order - BUCKETS_PAGE_ORDER);

	if (!buckets)
		return;
	memset(buckets, 0, sizeof(*buckets) << order);
	space->buckets = buckets;
	space->bucket_order = order;
	for (unsigned int i = 0; i < 1u << old_order; i++) {
		struct mapping *next;
		for (struct mapping *mapping = old[i]; mapping; mapping = next) {
			next = mapping->next;
			struct mapping **bucket = bucket_of(space, mapping->slot);
			mapping->next = *bucket;
			*bucket = mapping;
		}
	}
	buckets_free(old, old_order);
}

static void bucket_add(struct addrspace *space, struct mapping *mapping)
{
	if (space->mapping_count > 2u << space->bucket_order &&
	    space->bucket_order < BUCKETS_MAX_ORDER)
		buckets_grow(space);
	struct mapping **bucket = bucket_of(space, mapping->slot);
	mapping->next = *bucket;
	*bucket = mapping;
	space->mapping_count++;
}

static void bucket_remove(struct addrspace *space, struct mapping *mapping)
{
	struct mapping **link = bucket_of(space, mapping->slot);

	while (*link != mapping)
		link = &(*link)->next;
	*link = mapping->next;
	space->mapping_count--;
}

int space_link(struct addrspace *space, struct object *object, uint32_t slot, enum object_prot prot)
{
	pte_t *table = link_table(space, slot);
	pte_t *subtree = object_subtree(object, prot);
	struct mapping *mapping = slab_alloc(&mapping_cache);

	if (!table || !subtree || !mapping) {
		if (mapping)
			slab_free(&mapping_cache, mapping);
		return -ENOMEM;
	}
	*mapping = (struct mapping){
		.space = space, .object = object, .link = &table[slot % PT_ENTRIES], .slot = slot, .prot = prot,
	};
	object_ref(object);
	bucket_add(space, mapping);
	list_push_back(&object->mappings, &mapping->object_link);
	object->map_count++;
	arch_pte_set(mapping->link, arch_pte_table(virt_to_phys(subtree)));
	return 0;
}

/*
 * Take a mapping out of the tables and put it on *dead. Translations may remain until the caller
 * has flushed the space; only then may mappings_free() run. Until then it stays in the object's
 * list, by which others find out whom to tell. Space lock held.
 */
static void unlink_mapping(struct addrspace *space, struct mapping *mapping, struct mapping **dead)
{
	arch_pte_set(mapping->link, 0);
	bucket_remove(space, mapping);
	mapping->next = *dead;
	*dead = mapping;
}

/* No lock held: dropping an object may free it. */
static void mappings_free(struct mapping *dead)
{
	while (dead) {
		struct mapping *next = dead->next;
		struct object *object = dead->object;
		spin_lock(&object->lock);
		list_remove(&dead->object_link);
		object->map_count--;
		spin_unlock(&object->lock);
		object_put(object);
		slab_free(&mapping_cache, dead);
		dead = next;
	}
}

/* A walk over the mappings of slots first … last, in steps between which the lock is let go. */
struct sweep {
	uint64_t first, last;
	uint64_t at;        /* slot or bucket to go on with */
	unsigned int order; /* of the buckets, when the walk over them began; 0: goes by slot */
};

#define SWEEP_STEP 64u /* slots or buckets looked at with the lock held */

/* By slot when they are few, else through all buckets. Space lock held. */
static struct sweep sweep_begin(struct addrspace *space, uint64_t first, uint64_t last)
{
	bool by_slot = last - first < space->mapping_count;

	return (struct sweep){ first, last, by_slot ? first : 0, by_slot ? 0 : space->bucket_order };
}

static void sweep_bucket(struct addrspace *space, struct sweep *sweep, struct mapping **dead)
{
	struct mapping *next;

	for (struct mapping *mapping = space->buckets[sweep->at]; mapping; mapping = next) {
		next = mapping->next;
		if (mapping->slot >= sweep->first && mapping->slot <= sweep->last)
			unlink_mapping(space, mapping, dead);
	}
}

/* One step; *dead: what it unlinked. True: there is more. Space lock held. */
static bool sweep_step(struct addrspace *space, struct sweep *sweep, struct mapping **dead)
{
	unsigned int n = SWEEP_STEP;

	if (!sweep->order) {
		for (; n && sweep->at <= sweep->last; n--, sweep->at++) {
			struct mapping *mapping = space_mapping(space, sweep->at);
			if (mapping)
				unlink_mapping(space, mapping, dead);
		}
		return sweep->at <= sweep->last;
	}
	/* They moved: from the start. There are few sizes that they can grow to. */
	if (sweep->order != space->bucket_order) {
		sweep->order = space->bucket_order;
		sweep->at = 0;
	}
	for (; n && sweep->at < 1u << sweep->order; n--, sweep->at++)
		sweep_bucket(space, sweep, dead);
	return sweep->at < 1u << sweep->order;
}

void space_invalidate(struct addrspace *space, uint64_t first, uint64_t last)
{
	bool more = true;

	spin_lock(&space->lock);
	space->generation++;
	struct sweep sweep = sweep_begin(space, first, last);
	while (more) {
		struct mapping *dead = NULL;
		more = sweep_step(space, &sweep, &dead);
		if (dead)
			space_flush(space, 0, 0);
		spin_unlock(&space->lock);
		mappings_free(dead);
		if (more)
			spin_lock(&space->lock);
	}
}

/* ---- Lifetime ---- */

static struct addrspace *space_new(struct object *view, struct seccontext *context)
{
	struct addrspace *space = slab_alloc_zero(&space_cache);

	if (!space)
		return NULL;
	space->root = page_alloc_zero();
	if (!space->root) {
		slab_free(&space_cache, space);
		return NULL;
	}
	if (arch_mmu.shared_root)
		kmap_share(space->root);
	/*
	 * No CPU has seen the root: each drops what it has under the space's number when it enters
	 * it first.
	 */
	atomic_init(&space->stale, ~0ull);
	space->buckets = space->inline_buckets;
	space->bucket_order = ilog2(SPACE_INLINE_BUCKETS);
	space->view = view;
	space->context = seccontext_ref(context);
	list_init(&space->context_link);
	atomic_init(&space->refs, 1);
	return space;
}

/*
 * Nobody runs here, and nobody will: what CPUs still hold under the space's number is dropped
 * before the number is given to another (asid.c), so nothing is flushed.
 */
static void space_free(struct addrspace *space)
{
	unsigned int top = arch_mmu.levels - 1;
	unsigned int entries = arch_mmu.shared_root ? PT_ENTRIES / 2 : PT_ENTRIES;

	for (unsigned int i = 0; i < 1u << space->bucket_order; i++)
		mappings_free(space->buckets[i]);
	free_tables(space->root, top, entries);
	buckets_free(space->buckets, space->bucket_order);
	seccontext_space_removed(space->context, space);
	seccontext_put(space->context);
	slab_free(&space_cache, space);
}

/* The view's space for the context, or NULL. View lock held. */
static struct addrspace *find_space(struct object *view, struct seccontext *context)
{
	list_for_each_entry(struct addrspace, space, &view->spaces, view_link)
		if (space->context == context)
			return space;
	return NULL;
}

/*
 * Find the space, or enter `fresh` if there is one. *out NULL: neither. -EBUSY, -ENOMEM. View lock
 * held.
 */
static int find_or_enter(struct object *view, struct seccontext *context, struct addrspace *fresh,
			 struct addrspace **out)
{
	*out = find_space(view, context);
	if (*out)
		atomic_fetch_add_explicit(&(*out)->refs, 1, memory_order_relaxed);
	if (*out || !fresh)
		return 0;
	int error = kso_claim(view, KSO_VIEW);
	if (error)
		return error;
	object_ref(view);
	struct list *last = view->spaces.prev;
	fresh->number = last == &view->spaces ? 0 : list_entry(last, struct addrspace, view_link)->number + 1;
	list_push_back(&view->spaces, &fresh->view_link);
	seccontext_space_added(context, fresh);
	*out = fresh;
	return 0;
}

int space_get(struct object *view, struct seccontext *context, struct addrspace **out)
{
	struct addrspace *fresh = NULL;

	for (;;) {
		spin_lock(&view->lock);
		int error = find_or_enter(view, context, fresh, out);
		spin_unlock(&view->lock);
		if (error || *out) {
			if (fresh && fresh != *out)
				space_free(fresh);
			return error;
		}
		fresh = space_new(view, context);
		if (!fresh)
			return -ENOMEM;
	}
}

/* The view's first space with a number of at least `from`, with a reference; NULL: no more. */
static struct addrspace *space_from(struct object *view, uint64_t from)
{
	struct addrspace *found = NULL;

	spin_lock(&view->lock);
	list_for_each_entry(struct addrspace, space, &view->spaces, view_link) {
		if (space->number >= from) {
			atomic_fetch_add_explicit(&space->refs, 1, memory_order_relaxed);
			found = space;
			break;
		}
	}
	spin_unlock(&view->lock);
	return found;
}

void view_invalidate(struct object *view, uint64_t first, uint64_t last)
{
	struct addrspace *space;

	/* What is entered meanwhile sees the view as it is now. */
	for (uint64_t from = 0; (space = space_from(view, from));) {
		from = space->number + 1;
		space_invalidate(space, first, last);
		space_put(space);
	}
}

/* Drop a reference that is not the last without any lock. */
static bool put_not_last(struct addrspace *space)
{
	uint32_t refs = atomic_load_explicit(&space->refs, memory_order_relaxed);

	while (refs > 1)
		if (atomic_compare_exchange_weak_explicit(&space->refs, &refs, refs - 1,
							  memory_order_release, memory_order_relaxed))
			return true;
	return false;
}

void space_put(struct addrspace *space)
{
	struct object *view = space->view;

	if (put_not_last(space))
		return;
	/* Under the view's lock, so that space_get() never revives a dying space. */
	spin_lock(&view->lock);
	bool last = atomic_fetch_sub_explicit(&space->refs, 1, memory_order_acq_rel) == 1;
	if (last)
		list_remove(&space->view_link);
	spin_unlock(&view->lock);
	if (!last)
		return;
	space_free(space);
	object_put(view);
}

void space_install(struct addrspace *space)
{
	struct cpu *cpu = this_cpu();
	struct addrspace *old = cpu->space;

	if (space == old)
		return;
	/* The CPU holds a reference, so that tables are never freed under a walker. */
	if (space)
		atomic_fetch_add_explicit(&space->refs, 1, memory_order_relaxed);
	space_switch(old, space);
	cpu->space = space;
	if (old)
		space_put(old);
}
