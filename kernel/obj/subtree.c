// SPDX-License-Identifier: BSD-3-Clause
/*
 * An object's translations: per protection one level-1 table with level-0 tables below, shared by every
 * address space that maps the object so. A page entered here is present in all of them at once.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <mm/phys.h>
#include <obj/object.h>
#include <obj/private.h>

unsigned char zero_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static const unsigned int prot_bits[OBJ_PROT_COUNT] = {
	[OBJ_PROT_R] = PTE_R | PTE_USER,
	[OBJ_PROT_RW] = PTE_R | PTE_W | PTE_USER,
	[OBJ_PROT_RX] = PTE_R | PTE_X | PTE_USER,
	[OBJ_PROT_X] = PTE_X | PTE_USER,
};

pte_t *object_subtree(struct object *object, enum object_prot prot)
{
	if (!object->subtree[prot])
		object->subtree[prot] = page_alloc_zero();
	return object->subtree[prot];
}

static pte_t *leaf_table(pte_t *subtree, uint64_t pgnr)
{
	pte_t entry = subtree[pgnr / PT_ENTRIES];

	return arch_pte_valid(entry) ? phys_to_virt(arch_pte_addr(entry)) : NULL;
}

static pte_t page_entry(const void *page, enum object_prot prot)
{
	if (page == zero_page)
		return arch_pte_leaf(image_to_phys(zero_page), 0, prot_bits[prot] & ~PTE_W);
	return arch_pte_leaf(virt_to_phys(page), 0, prot_bits[prot]);
}

/* A hole that was read through the zero page has become a page: no table may keep the old entry. */
static void replace_zero_page(struct object *object, uint64_t pgnr)
{
	bool found = false;

	for (unsigned int prot = 0; prot < OBJ_PROT_COUNT; prot++) {
		pte_t *table = object->subtree[prot] ? leaf_table(object->subtree[prot], pgnr) : NULL;
		pte_t *slot = table ? &table[pgnr % PT_ENTRIES] : NULL;

		if (slot && arch_pte_valid(*slot) &&
		    arch_pte_addr(*slot) == image_to_phys(zero_page)) {
			arch_pte_set(slot, 0);
			found = true;
		}
	}
	/* Break before make: the old translation is gone everywhere before the new one is entered. */
	if (found)
		arch_tlb_flush_all();
}

struct fill {
	pte_t *table;
	enum object_prot prot;
};

static int fill_entry(void *arg, uint64_t pgnr, void *page)
{
	struct fill *fill = arg;

	fill->table[pgnr % PT_ENTRIES] = page_entry(page, fill->prot);
	return 0;
}

/*
 * A new level-0 table, filled with what is resident in its 2 MiB before it is linked. Executable
 * pages are made fetchable one by one instead, as they are touched.
 */
static pte_t *leaf_table_make(struct object *object, enum object_prot prot, uint64_t pgnr)
{
	struct fill fill = { page_alloc_zero(), prot };
	uint64_t first = align_down(pgnr, PT_ENTRIES);

	if (!fill.table)
		return NULL;
	if (prot == OBJ_PROT_R || prot == OBJ_PROT_RW)
		object_pages_walk(object, first, first + PT_ENTRIES, fill_entry, &fill);
	arch_pte_set(&object->subtree[prot][pgnr / PT_ENTRIES],
		     arch_pte_table(virt_to_phys(fill.table)));
	return fill.table;
}

int object_map_page(struct object *object, enum object_prot prot, uint64_t pgnr, bool write)
{
	pte_t *subtree = object_subtree(object, prot);
	void *page;

	if (!subtree)
		return -ENOMEM;
	int error = object_page(object, pgnr, false, &page);
	if (error)
		return error;
	if (!page && object->persistent && !write) {
		page = zero_page;
	} else if (!page) {
		error = object_page(object, pgnr, true, &page);
		if (error)
			return error;
		if (object->persistent)
			replace_zero_page(object, pgnr);
	}
	pte_t *table = leaf_table(subtree, pgnr);
	if (!table)
		table = leaf_table_make(object, prot, pgnr);
	if (!table)
		return -ENOMEM;
	pte_t *slot = &table[pgnr % PT_ENTRIES];
	if (!arch_pte_valid(*slot)) {
		if (prot == OBJ_PROT_RX || prot == OBJ_PROT_X)
			arch_sync_code(page, PAGE_SIZE);
		arch_pte_set(slot, page_entry(page, prot));
	}
	return 0;
}

static void subtree_free(pte_t *subtree)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (arch_pte_valid(subtree[i]))
			page_free(phys_to_virt(arch_pte_addr(subtree[i])));
	page_free(subtree);
}

void object_subtrees_free(struct object *object)
{
	for (unsigned int prot = 0; prot < OBJ_PROT_COUNT; prot++)
		if (object->subtree[prot])
			subtree_free(object->subtree[prot]);
}
