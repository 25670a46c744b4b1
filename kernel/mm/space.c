// SPDX-License-Identifier: BSD-3-Clause
/*
 * Address spaces: their tables, their mappings, their ASIDs, and dropping what a view no longer says.
 */
#include <abi/errno.h>
#include <abi/kso.h>
#include <base/bits.h>
#include <base/string.h>
#include <cpu.h>
#include <mm/kmap.h>
#include <mm/phys.h>
#include <mm/slab.h>
#include <mm/space.h>
#include <mm/space_private.h>
#include <panic.h>
#include <sec/context.h>

static struct slab_cache space_cache = SLAB_CACHE("address space", struct addrspace);
static struct slab_cache mapping_cache = SLAB_CACHE("mapping", struct mapping);

/* ---- ASIDs: a bitmap. 0 is shared by the spaces that got none; it is flushed at each switch. ---- */

#define ASID_MAX 65536u
#define ASID_MAP_ORDER 1u /* pages of the bitmap, as a power of two */
_Static_assert(ASID_MAX / 8 == PAGE_SIZE << ASID_MAP_ORDER, "the bitmap fits");

static struct {
	struct spinlock lock;
	/* Guarded by lock. */
	uint64_t *used; /* one bit an ASID */
	uint32_t hint;  /* word to look at first */
} asids;

void spaces_init(void)
{
	asids.used = pages_alloc(ASID_MAP_ORDER);
	if (!asids.used)
		panic("no memory for the address space numbers");
	memset(asids.used, 0, ASID_MAX / 8);
	asids.used[0] = 1;
}

static uint32_t asid_alloc(void)
{
	uint32_t words = div_round_up(MIN(arch_mmu.asid_count, ASID_MAX), 64);
	uint32_t asid = 0;

	spin_lock(&asids.lock);
	for (uint32_t i = 0; i < words; i++) {
		uint32_t word = (asids.hint + i) % words;
		if (asids.used[word] == ~0ull)
			continue;
		uint32_t bit = bit_lowest(~asids.used[word]);
		if (word * 64 + bit >= arch_mmu.asid_count)
			continue;
		asids.used[word] |= 1ull << bit;
		asids.hint = word;
		asid = word * 64 + bit;
		break;
	}
	spin_unlock(&asids.lock);
	return asid;
}

/* The caller has flushed everything tagged with it. */
static void asid_free(uint32_t asid)
{
	if (asid == 0)
		return;
	spin_lock(&asids.lock);
	asids.used[asid / 64] &= ~(1ull << (asid % 64));
	spin_unlock(&asids.lock);
}

/* ---- Tables above the objects' subtrees ---- */

/* The level-2 table that holds the link of `slot`; NULL when absent or, with `make`, out of memory. */
static pte_t *link_table(struct addrspace *space, uint32_t slot, bool make)
{
	uintptr_t va = (uintptr_t)slot << OBJ_SHIFT;
	pte_t *table = space->root;

	for (unsigned int level = arch_mmu.levels - 1; level > 2; level--) {
		pte_t *entry = &table[PT_INDEX(va, level)];
		if (!arch_pte_valid(*entry)) {
			void *lower = make ? page_alloc_zero() : NULL;
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
	pte_t *table = link_table(space, slot, true);
	pte_t *subtree = object_subtree(object, prot);
	struct mapping *mapping = slab_alloc(&mapping_cache);

	if (!table || !subtree || !mapping) {
		if (mapping)
			slab_free(&mapping_cache, mapping);
		return -ENOMEM;
	}
	*mapping = (struct mapping){ .space = space, .object = object, .slot = slot, .prot = prot };
	object_ref(object);
	bucket_add(space, mapping);
	list_push_back(&object->mappings, &mapping->object_link);
	object->map_count++;
	arch_pte_set(&table[slot % PT_ENTRIES], arch_pte_table(virt_to_phys(subtree)));
	return 0;
}

/*
 * Take a mapping out of the tables and lists and put it on *dead. Translations may remain until the
 * caller has flushed; only then may mappings_free() run. Space lock held.
 */
static void unlink_mapping(struct addrspace *space, struct mapping *mapping, struct mapping **dead)
{
	struct object *object = mapping->object;
	pte_t *table = link_table(space, mapping->slot, false);

	arch_pte_set(&table[mapping->slot % PT_ENTRIES], 0);
	bucket_remove(space, mapping);
	spin_lock(&object->lock);
	list_remove(&mapping->object_link);
	object->map_count--;
	spin_unlock(&object->lock);
	mapping->next = *dead;
	*dead = mapping;
}

/* No lock held: dropping an object may free it. */
static void mappings_free(struct mapping *dead)
{
	while (dead) {
		struct mapping *next = dead->next;
		object_put(dead->object);
		slab_free(&mapping_cache, dead);
		dead = next;
	}
}

/* Unlink every mapping of slots first … last: by slot when few, else by going through all. */
static struct mapping *unlink_range(struct addrspace *space, uint64_t first, uint64_t last)
{
	struct mapping *dead = NULL;

	if (last - first < space->mapping_count) {
		for (uint64_t slot = first; slot <= last; slot++) {
			struct mapping *mapping = space_mapping(space, slot);
			if (mapping)
				unlink_mapping(space, mapping, &dead);
		}
		return dead;
	}
	for (unsigned int i = 0; i < 1u << space->bucket_order; i++) {
		struct mapping *next;
		for (struct mapping *mapping = space->buckets[i]; mapping; mapping = next) {
			next = mapping->next;
			if (mapping->slot >= first && mapping->slot <= last)
				unlink_mapping(space, mapping, &dead);
		}
	}
	return dead;
}

void space_invalidate(struct addrspace *space, uint64_t first, uint64_t last)
{
	spin_lock(&space->lock);
	space->generation++;
	struct mapping *dead = unlink_range(space, first, last);
	if (dead)
		arch_tlb_flush_asid(space->asid, 0, 0);
	spin_unlock(&space->lock);
	mappings_free(dead);
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
	space->asid = asid_alloc();
	space->buckets = space->inline_buckets;
	space->bucket_order = ilog2(SPACE_INLINE_BUCKETS);
	space->view = view;
	space->context = seccontext_ref(context);
	atomic_init(&space->refs, 1);
	return space;
}

static void space_free(struct addrspace *space)
{
	unsigned int top = arch_mmu.levels - 1;
	unsigned int entries = arch_mmu.shared_root ? PT_ENTRIES / 2 : PT_ENTRIES;

	spin_lock(&space->lock);
	struct mapping *dead = unlink_range(space, 0, UINT32_MAX);
	spin_unlock(&space->lock);
	/* Nobody runs here, but a walker may have cached upper entries under this ASID. */
	arch_tlb_flush_asid(space->asid, 0, 0);
	mappings_free(dead);
	asid_free(space->asid);
	free_tables(space->root, top, entries);
	buckets_free(space->buckets, space->bucket_order);
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

/* Find the space, or enter `fresh` if there is one. NULL: neither. View lock held. */
static struct addrspace *find_or_enter(struct object *view, struct seccontext *context, struct addrspace *fresh)
{
	struct addrspace *space = find_space(view, context);

	if (space) {
		atomic_fetch_add_explicit(&space->refs, 1, memory_order_relaxed);
	} else if (fresh) {
		object_ref(view);
		view->kso_type = KSO_VIEW;
		struct list *last = view->spaces.prev;
		fresh->number = last == &view->spaces ? 0 : list_entry(last, struct addrspace, view_link)->number + 1;
		list_push_back(&view->spaces, &fresh->view_link);
		space = fresh;
	}
	return space;
}

int space_get(struct object *view, struct seccontext *context, struct addrspace **out)
{
	struct addrspace *fresh = NULL;

	for (;;) {
		spin_lock(&view->lock);
		bool view_like = view->kso_type == KSO_NONE || view->kso_type == KSO_VIEW;
		struct addrspace *space = view_like ? find_or_enter(view, context, fresh) : NULL;
		spin_unlock(&view->lock);
		if (space || !view_like) {
			if (fresh && fresh != space)
				space_free(fresh);
			*out = space;
			return space ? 0 : -EBUSY;
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

void space_put(struct addrspace *space)
{
	struct object *view = space->view;

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
	cpu->space = space;
	arch_mmu_switch(space ? virt_to_phys(space->root) : 0, space ? space->asid : 0);
	if (old)
		space_put(old);
}
