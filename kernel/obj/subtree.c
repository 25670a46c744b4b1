// SPDX-License-Identifier: BSD-3-Clause
/*
 * An object's translations: per protection one level-1 table with level-0 tables below, shared by
 * every address space that maps the object so. A page entered here is present in all of them at
 * once.
 */
#include <abi/errno.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <obj/hash.h>
#include <obj/object.h>
#include <obj/private.h>

unsigned char zero_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* Entries of a level-1 table that share a bit of object->subtree_tables. */
#define SUBTREE_PART (PT_ENTRIES / 64)

static const unsigned int prot_bits[OBJ_PROT_COUNT] = {
	[OBJ_PROT_R] = PTE_R | PTE_USER,
	[OBJ_PROT_RW] = PTE_R | PTE_W | PTE_USER,
	[OBJ_PROT_RX] = PTE_R | PTE_X | PTE_USER,
	[OBJ_PROT_X] = PTE_X | PTE_USER,
	[OBJ_PROT_EITHER] = PTE_R | PTE_USER, /* and what the access needs */
};

pte_t *object_subtree(struct object *object, enum object_prot prot)
{
	if (!object->subtree[prot])
		object->subtree[prot] = page_alloc_zero();
	return object->subtree[prot];
}

/* The level-0 table for a page, or NULL: there is none, or its 2 MiB are mapped in one piece. */
static pte_t *leaf_table(pte_t *subtree, uint64_t pgnr)
{
	pte_t entry = subtree[pgnr / PT_ENTRIES];

	return arch_pte_is_table(entry, 1) ? phys_to_virt(arch_pte_addr(entry)) : NULL;
}

/* The entry that maps the page's 2 MiB in one piece, or NULL. */
static pte_t *block_slot(struct object *object, unsigned int prot, uint64_t pgnr)
{
	pte_t *slot = object->subtree[prot] ? &object->subtree[prot][pgnr / PT_ENTRIES] : NULL;

	return slot && arch_pte_valid(*slot) && !arch_pte_is_table(*slot, 1) ? slot : NULL;
}

/* The entry for a page; without `writable` a read-write subtree holds it read-only. */
static pte_t page_entry(const struct object *object, uint64_t pgnr, const void *page, enum object_prot prot,
			bool writable)
{
	paddr_t address = page == zero_page ? image_to_phys(zero_page) : virt_to_phys(page);
	unsigned int type = object_memory_type(object, pgnr, prot == OBJ_PROT_RX || prot == OBJ_PROT_X);

	return arch_pte_leaf(address, 0, (writable ? prot_bits[prot] : prot_bits[prot] & ~PTE_W) | type);
}

static pte_t *leaf_slot(struct object *object, unsigned int prot, uint64_t pgnr)
{
	pte_t *table = object->subtree[prot] ? leaf_table(object->subtree[prot], pgnr) : NULL;

	return table ? &table[pgnr % PT_ENTRIES] : NULL;
}

/*
 * What translates the page in one protection: an entry of its own, or its block's. NULL: nothing.
 */
static pte_t *translation(struct object *object, unsigned int prot, uint64_t pgnr)
{
	pte_t *slot = leaf_slot(object, prot, pgnr);

	if (slot)
		return arch_pte_valid(*slot) ? slot : NULL;
	return block_slot(object, prot, pgnr);
}

void object_unmap_page(struct object *object, uint64_t pgnr)
{
	uint64_t pages = 0; /* that what was found translates */

	for (unsigned int prot = 0; prot < OBJ_PROT_COUNT; prot++) {
		pte_t *slot = translation(object, prot, pgnr);
		if (slot) {
			bool block = slot == block_slot(object, prot, pgnr);
			pages = MAX(pages, block ? (uint64_t)PT_ENTRIES : 1);
			arch_pte_set(slot, 0);
		}
	}
	/* Break before make: the old translation is gone everywhere before another is entered. */
	if (pages)
		object_flush(object, align_down(pgnr, pages), pages);
}

/* The tables go too, so that the 2 MiB may be mapped in one piece afterwards. */
void object_unmap_block(struct object *object, uint64_t pgnr)
{
	pte_t *tables[OBJ_PROT_COUNT];
	bool found = false;

	for (unsigned int prot = 0; prot < OBJ_PROT_COUNT; prot++) {
		pte_t *subtree = object->subtree[prot];
		tables[prot] = subtree ? leaf_table(subtree, pgnr) : NULL;
		if (subtree && arch_pte_valid(subtree[pgnr / PT_ENTRIES])) {
			arch_pte_set(&subtree[pgnr / PT_ENTRIES], 0);
			found = true;
		}
	}
	if (found)
		object_flush(object, align_down(pgnr, PT_ENTRIES), PT_ENTRIES);
	for (unsigned int prot = 0; prot < OBJ_PROT_COUNT; prot++)
		if (tables[prot])
			page_free(tables[prot]);
}

static bool protect(struct object *object, enum object_prot prot, uint64_t pgnr)
{
	pte_t *slot = translation(object, prot, pgnr);

	if (!slot || !arch_pte_writable(*slot))
		return false;
	unsigned int level = slot == block_slot(object, prot, pgnr);
	arch_pte_set(slot, arch_pte_leaf(arch_pte_addr(*slot), level, PTE_R | PTE_USER));
	return true;
}

bool object_protect_page(struct object *object, uint64_t pgnr)
{
	bool found = protect(object, OBJ_PROT_RW, pgnr);

	return protect(object, OBJ_PROT_EITHER, pgnr) || found;
}

void object_unmap_all(struct object *object)
{
	bool found = false;

	for (unsigned int prot = 0; prot < OBJ_PROT_COUNT; prot++) {
		pte_t *subtree = object->subtree[prot];
		for (unsigned int i = 0; subtree && i < PT_ENTRIES; i++) {
			if (!arch_pte_valid(subtree[i]))
				continue;
			if (arch_pte_is_table(subtree[i], 1))
				memset(phys_to_virt(arch_pte_addr(subtree[i])), 0, PAGE_SIZE);
			else
				arch_pte_set(&subtree[i], 0);
			found = true;
		}
	}
	if (found)
		object_flush(object, 0, OBJ_MAXPAGES);
}

struct fill {
	struct object *object;
	pte_t *table;
	enum object_prot prot;
};

static int fill_entry(void *arg, uint64_t pgnr, void *page)
{
	struct fill *fill = arg;

	fill->table[pgnr % PT_ENTRIES] =
		page_entry(fill->object, pgnr, page, fill->prot, !object_page_shared(fill->object, pgnr, page));
	return 0;
}

/*
 * A new level-0 table, filled with what is resident in its 2 MiB before it is linked. Executable
 * pages are made fetchable one by one instead, as they are touched.
 */
static pte_t *leaf_table_make(struct object *object, enum object_prot prot, uint64_t pgnr)
{
	struct fill fill = { object, page_alloc_zero(), prot };
	uint64_t first = align_down(pgnr, PT_ENTRIES);

	if (!fill.table)
		return NULL;
	/* Nor are pages that would have to be verified, each at some cost. */
	if ((prot == OBJ_PROT_R || prot == OBJ_PROT_RW) && !object->mmio_pages &&
	    !object->cache_ranges && (!object->hash || hash_block_checked(object, pgnr)))
		object_pages_walk(object, first, first + PT_ENTRIES, fill_entry, &fill);
	arch_pte_set(&object->subtree[prot][pgnr / PT_ENTRIES],
		     arch_pte_table(virt_to_phys(fill.table)));
	object->subtree_tables[prot] |= 1ull << (pgnr / PT_ENTRIES / SUBTREE_PART);
	return fill.table;
}

/*
 * The page to enter: made if the access needs it; a hole that is only read in the store is the zero
 * page.
 */
static int page_to_map(struct object *object, uint64_t pgnr, bool write, void **page)
{
	if (write)
		return object_page_write(object, pgnr, page);
	int error = object_page(object, pgnr, false, page);
	if (error || *page)
		return error;
	if (!object->persistent)
		return object_page(object, pgnr, true, page);
	*page = zero_page;
	return 0;
}

/*
 * Map the page's 2 MiB in one piece, if they lie so and nothing is mapped there page by page. A
 * block that was left from a run that is none any more is dropped. True: done.
 */
static bool map_block(struct object *object, enum object_prot prot, uint64_t pgnr)
{
	pte_t *slot = &object->subtree[prot][pgnr / PT_ENTRIES];
	void *run;

	if (!object->persistent || arch_pte_is_table(*slot, 1))
		return false;
	if (object->hash && !hash_block_checked(object, pgnr))
		return false;
	if (store_run_get(object->store, &object->stored, pgnr, &run) != 1) {
		if (arch_pte_valid(*slot)) {
			arch_pte_set(slot, 0);
			object_flush(object, align_down(pgnr, PT_ENTRIES), PT_ENTRIES);
		}
		return false;
	}
	if (prot == OBJ_PROT_RX || prot == OBJ_PROT_X)
		arch_sync_code(run, PT_SIZE(1));
	arch_pte_set(slot, arch_pte_leaf(virt_to_phys(run), 1, prot_bits[prot]));
	return true;
}

/* Registers of a device: memory that is not ours, never cached, and never executed. */
static int map_registers(struct object *object, enum object_prot prot, uint64_t pgnr)
{
	uint64_t number = pgnr - OBJ_MMIO_PGNR;
	pte_t *table;

	if (number >= object->mmio_pages || prot > OBJ_PROT_RW)
		return -EINVAL;
	table = leaf_table(object->subtree[prot], pgnr);
	if (!table)
		table = leaf_table_make(object, prot, pgnr);
	if (!table)
		return -ENOMEM;
	arch_pte_set(&table[pgnr % PT_ENTRIES], arch_pte_leaf(object->mmio_base + number * PAGE_SIZE, 0,
							      prot_bits[prot] | PTE_DEVICE));
	return 0;
}

int object_map_page(struct object *object, enum object_prot prot, uint64_t pgnr, bool write)
{
	pte_t *subtree = object_subtree(object, prot);
	void *page;

	if (!subtree)
		return -ENOMEM;
	if (object->mmio_pages && pgnr >= OBJ_MMIO_PGNR && pgnr != OBJ_META_PGNR)
		return map_registers(object, prot, pgnr);
	if (object->mmio_pages && write)
		return -EACCES;
	int error = page_to_map(object, pgnr, write, &page);
	if (error)
		return error;
	if (map_block(object, prot, pgnr))
		return 0;
	pte_t *table = leaf_table(subtree, pgnr);
	if (!table)
		table = leaf_table_make(object, prot, pgnr);
	if (!table)
		return -ENOMEM;
	pte_t *slot = &table[pgnr % PT_ENTRIES];
	/* What is to be written is this object's alone by now. */
	bool writable = !object->mmio_pages &&
			(write || (page != zero_page && !object_page_shared(object, pgnr, page)));
	if (arch_pte_valid(*slot) && (!write || arch_pte_writable(*slot)))
		return 0;
	if (prot == OBJ_PROT_RX || prot == OBJ_PROT_X)
		arch_sync_code(page, PAGE_SIZE);
	object_cache_settle(object, pgnr, page);
	/*
	 * A valid entry is replaced only by one that allows more for the same page: no break
	 * needed.
	 */
	arch_pte_set(slot, page_entry(object, pgnr, page, prot, writable));
	return 0;
}

int object_map_either(struct object *object, uint64_t pgnr, unsigned int access)
{
	pte_t *subtree = object_subtree(object, OBJ_PROT_EITHER);
	bool write = access & ACCESS_WRITE, exec = access & ACCESS_EXEC;
	void *page;

	if (!subtree)
		return -ENOMEM;
	if (object->mmio_pages)
		return -EACCES;
	int error = page_to_map(object, pgnr, write, &page);
	if (error)
		return error;
	pte_t *table = leaf_table(subtree, pgnr);
	if (!table)
		table = leaf_table_make(object, OBJ_PROT_EITHER, pgnr);
	if (!table)
		return -ENOMEM;
	pte_t *slot = &table[pgnr % PT_ENTRIES];
	if (arch_pte_valid(*slot) && (!write || arch_pte_writable(*slot)) && (!exec || arch_pte_executable(*slot)))
		return 0;
	/* What it allowed is over on all CPUs before it allows the other. */
	if (arch_pte_valid(*slot) && (arch_pte_writable(*slot) || arch_pte_executable(*slot))) {
		arch_pte_set(slot, 0);
		object_flush(object, pgnr, 1);
	}
	if (exec)
		arch_sync_code(page, PAGE_SIZE);
	object_cache_settle(object, pgnr, page);
	paddr_t address = page == zero_page ? image_to_phys(zero_page) : virt_to_phys(page);
	unsigned int bits = prot_bits[OBJ_PROT_EITHER] | (write ? PTE_W : 0) | (exec ? PTE_X : 0);
	arch_pte_set(slot, arch_pte_leaf(address, 0, bits | object_memory_type(object, pgnr, exec)));
	return 0;
}

static void subtree_free(pte_t *subtree, uint64_t parts)
{
	for (; parts; parts &= parts - 1) {
		pte_t *part = &subtree[bit_lowest(parts) * SUBTREE_PART];
		for (unsigned int i = 0; i < SUBTREE_PART; i++)
			if (arch_pte_is_table(part[i], 1))
				page_free(phys_to_virt(arch_pte_addr(part[i])));
	}
	page_free(subtree);
}

void object_subtrees_free(struct object *object)
{
	for (unsigned int prot = 0; prot < OBJ_PROT_COUNT; prot++)
		if (object->subtree[prot])
			subtree_free(object->subtree[prot], object->subtree_tables[prot]);
}
