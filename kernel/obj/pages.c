// SPDX-License-Identifier: BSD-3-Clause
/*
 * The pages of an object: a radix tree in memory for volatile objects, the store for persistent
 * ones.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <mm/slab.h>
#include <obj/hash.h>
#include <obj/object.h>
#include <obj/pages.h>
#include <obj/persist.h>
#include <obj/private.h>

static struct slab_cache node_cache = SLAB_CACHE("page node", struct page_node);

static unsigned int index_at(uint64_t pgnr, unsigned int level)
{
	return (pgnr >> (PAGE_NODE_BITS * level)) & (PAGE_NODE_ENTRIES - 1);
}

/* The entry for a page number; with `make`, nodes on the way are made. NULL: none, or no memory. */
static void **tree_entry(struct object *object, uint64_t pgnr, bool make)
{
	void **slot = (void **)&object->pages;

	if (pgnr == OBJ_META_PGNR)
		return &object->metapage;
	for (unsigned int level = PAGE_NODE_LEVELS; level-- > 0;) {
		if (!*slot) {
			if (!make)
				return NULL;
			*slot = slab_alloc_zero(&node_cache);
			if (!*slot)
				return NULL;
		}
		struct page_node *node = *slot;
		if (make)
			node->there |= 1ull << index_at(pgnr, level);
		slot = &node->entry[index_at(pgnr, level)];
	}
	return slot;
}

static int volatile_page(struct object *object, uint64_t pgnr, bool alloc, void **page)
{
	void **entry = tree_entry(object, pgnr, alloc);

	if (!entry) {
		*page = NULL;
		return alloc ? -ENOMEM : 0;
	}
	if (!*entry && alloc) {
		*entry = page_alloc_zero();
		if (!*entry)
			return -ENOMEM;
		object->page_count++;
	}
	*page = *entry;
	return 0;
}

static int persistent_page(struct object *object, uint64_t pgnr, bool alloc, void **page)
{
	int error = store_page_get(object->store, &object->stored, pgnr, page);

	if (!error && object->hash)
		return hash_check_page(object, pgnr, page);
	if (error || *page || !alloc)
		return error;
	error = store_page_alloc(object->store, &object->stored, pgnr, NULL, page);
	if (!error)
		object->page_count++;
	return error;
}

int object_page(struct object *object, uint64_t pgnr, bool alloc, void **page)
{
	*page = NULL;
	if (pgnr == 0 || pgnr >= OBJ_MAXPAGES)
		return -EINVAL;
	/* Registers are no memory: nothing but an instruction of the driver touches them. */
	if (object->mmio_pages && pgnr >= OBJ_MMIO_PGNR && pgnr != OBJ_META_PGNR)
		return -EINVAL;
	return object->persistent ? persistent_page(object, pgnr, alloc, page)
				  : volatile_page(object, pgnr, alloc, page);
}

int object_page_unchecked(struct object *object, uint64_t pgnr, void **page)
{
	return object->persistent ? store_page_get(object->store, &object->stored, pgnr, page)
				  : volatile_page(object, pgnr, false, page);
}

/* This object's share of a page. */
static void page_drop(void *page)
{
	if (!page_unshare(page))
		page_free(page);
}

bool object_page_shared(struct object *object, uint64_t pgnr, const void *page)
{
	if (object->persistent)
		return store_page_shared(object->store, &object->stored, pgnr) == 1;
	return page_is_shared(page);
}

/*
 * The volatile page in *entry is shared: go on with a copy. The old one is let go last: from then
 * on the others may write it in place, which nobody must see through this object.
 */
static int break_sharing(struct object *object, uint64_t pgnr, void **entry)
{
	void *old = *entry;
	void *copy = page_alloc();

	if (!copy)
		return -ENOMEM;
	memcpy(copy, old, PAGE_SIZE);
	*entry = copy;
	object_unmap_page(object, pgnr);
	page_drop(old);
	return 0;
}

static int volatile_page_write(struct object *object, uint64_t pgnr, void **page)
{
	int error = volatile_page(object, pgnr, true, page);

	if (error || !page_is_shared(*page))
		return error;
	void **entry = tree_entry(object, pgnr, false);
	error = break_sharing(object, pgnr, entry);
	*page = *entry;
	return error;
}

/*
 * A hole that follows a page at the start of 2 MiB: the object grows upwards, and gets a run if
 * there is one. Anything else, and the store decides page by page.
 */
static bool try_run(struct object *object, uint64_t pgnr, void **page)
{
	struct store *store = object->store;
	void *before;

	if (pgnr % STORE_RUN_PAGES || pgnr < STORE_RUN_PAGES)
		return false;
	if (store_page_get(store, &object->stored, pgnr - 1, &before) != 0 || !before)
		return false;
	return store_run_alloc(store, &object->stored, pgnr, page) == 0;
}

/*
 * Fill a hole. It may be mapped as the page of zeroes: that translation goes before the page comes.
 */
static int fill_hole(struct object *object, uint64_t pgnr, void **page)
{
	if (try_run(object, pgnr, page)) {
		object->page_count += STORE_RUN_PAGES;
		object_unmap_block(object, pgnr);
		return 0;
	}
	int error = persistent_page(object, pgnr, true, page);
	if (!error)
		object_unmap_page(object, pgnr);
	return error;
}

static int persistent_page_write(struct object *object, uint64_t pgnr, void **page)
{
	int error = persistent_page(object, pgnr, false, page);

	if (error)
		return error;
	if (!*page)
		return fill_hole(object, pgnr, page);
	if (!object_page_shared(object, pgnr, *page))
		return 0;
	object_unmap_page(object, pgnr);
	return store_page_unshare(object->store, &object->stored, pgnr, page);
}

int object_page_write(struct object *object, uint64_t pgnr, void **page)
{
	*page = NULL;
	if (pgnr == 0 || pgnr >= OBJ_MAXPAGES)
		return -EINVAL;
	return object->persistent ? persistent_page_write(object, pgnr, page)
				  : volatile_page_write(object, pgnr, page);
}

int object_page_insert(struct object *object, uint64_t pgnr, void *page)
{
	if (pgnr == 0 || pgnr >= OBJ_MAXPAGES)
		return -EINVAL;
	void **entry = tree_entry(object, pgnr, true);
	if (!entry)
		return -ENOMEM;
	if (*entry)
		return -EEXIST;
	*entry = page;
	object->page_count++;
	return 0;
}

int object_page_replace(struct object *object, uint64_t pgnr, void *page)
{
	void **entry = tree_entry(object, pgnr, page != NULL);
	void *old = entry ? *entry : NULL;

	if (!entry)
		return page ? -ENOMEM : 0;
	*entry = page;
	object->page_count += (page != NULL) - (old != NULL);
	if (old) {
		object_unmap_page(object, pgnr);
		page_drop(old);
	}
	return 0;
}

int object_page_store(struct object *object, uint64_t pgnr, const void *content)
{
	void *page;

	/* The old page may be another's as soon as it is replaced. */
	object_unmap_page(object, pgnr);
	return store_page_replace(object->store, &object->stored, pgnr, content, &page);
}

int object_make_hole(struct object *object, uint64_t pgnr)
{
	return object->persistent ? object_page_store(object, pgnr, NULL)
				  : object_page_replace(object, pgnr, NULL);
}

struct holes {
	struct object *object;
	uint64_t next;
	unsigned int left;
};

static int make_one_hole(void *arg, uint64_t pgnr, void *page)
{
	struct holes *holes = arg;

	(void)page;
	holes->next = pgnr;
	if (holes->left == 0)
		return 1;
	holes->left--;
	return object_make_hole(holes->object, pgnr);
}

int object_make_holes(struct object *object, uint64_t *first, uint64_t end, unsigned int most)
{
	struct holes holes = { .object = object, .left = most };
	int error = object_pages_walk(object, *first, end, make_one_hole, &holes);

	*first = error == 1 ? holes.next : end;
	return error;
}

/* The first page number after pgnr that the missing node at `level` does not cover. */
static uint64_t skip_node(uint64_t pgnr, unsigned int level)
{
	uint64_t span = 1ull << (PAGE_NODE_BITS * level);

	return align_down(pgnr, span) + span;
}

/*
 * The page at *pgnr, below the metadata's; if there is none, NULL, and *pgnr moves on to where there
 * may be one again.
 */
static void *seek_page(struct object *object, uint64_t *pgnr)
{
	void *node = object->pages;
	unsigned int level = PAGE_NODE_LEVELS;

	while (node && level > 0) {
		const struct page_node *upper = node;
		unsigned int at = index_at(*pgnr, --level);
		uint64_t rest = upper->there >> at;
		if (!rest) {
			node = NULL;
			level++;
			break;
		}
		unsigned int step = rest & 1 ? 0 : bit_lowest(rest);
		if (step)
			*pgnr = align_down(*pgnr, 1ull << (PAGE_NODE_BITS * level)) +
				((uint64_t)step << (PAGE_NODE_BITS * level));
		node = upper->entry[at + step];
	}
	if (!node)
		*pgnr = MIN(skip_node(*pgnr, level), (uint64_t)OBJ_META_PGNR);
	return node;
}

static int volatile_walk(struct object *object, uint64_t first, uint64_t end,
			 int (*fn)(void *arg, uint64_t pgnr, void *page), void *arg)
{
	uint64_t pgnr = first;

	while (pgnr < end) {
		bool last = pgnr == OBJ_META_PGNR;
		void *page = last ? object->metapage : seek_page(object, &pgnr);
		if (!page && !last)
			continue;
		int result = page && pgnr < end ? fn(arg, pgnr, page) : 0;
		if (result)
			return result;
		pgnr++;
	}
	return 0;
}

static int persistent_walk(struct object *object, uint64_t first, uint64_t end,
			   int (*fn)(void *arg, uint64_t pgnr, void *page), void *arg)
{
	uint64_t pgnr = first;
	void *page;
	int result = 0;

	while (!result && pgnr < end) {
		int found = store_page_next(object->store, &object->stored, &pgnr, &page);
		if (found != 1 || pgnr >= end)
			return found < 0 ? found : 0;
		result = fn(arg, pgnr++, page);
	}
	return result;
}

/* Pages that have to be verified are asked for one by one: one that is lost is noticed, too. */
static int checked_walk(struct object *object, uint64_t first, uint64_t end,
			int (*fn)(void *arg, uint64_t pgnr, void *page), void *arg)
{
	int result = 0;

	for (uint64_t pgnr = first; !result && pgnr < end; pgnr++) {
		void *page;
		pgnr = hash_next_covered(object, pgnr);
		if (pgnr >= end)
			break;
		result = object_page(object, pgnr, false, &page);
		if (!result && page)
			result = fn(arg, pgnr, page);
	}
	return result;
}

int object_pages_walk(struct object *object, uint64_t first, uint64_t end,
		      int (*fn)(void *arg, uint64_t pgnr, void *page), void *arg)
{
	end = MIN(end, (uint64_t)OBJ_MAXPAGES);
	if (object->persistent && object->hash)
		return checked_walk(object, first, end, fn, arg);
	return object->persistent ? persistent_walk(object, first, end, fn, arg)
				  : volatile_walk(object, first, end, fn, arg);
}

static void free_leaf(struct page_node *leaf)
{
	for (uint64_t rest = leaf->there; rest; rest &= rest - 1) {
		void *page = leaf->entry[bit_lowest(rest)];
		if (page)
			page_drop(page);
	}
	slab_free(&node_cache, leaf);
}

/* Free a node above leaves, and at most *left of those. False: some are left. */
static bool free_middle(struct page_node *node, unsigned int *left)
{
	for (; node->there; node->there &= node->there - 1) {
		struct page_node *leaf = node->entry[bit_lowest(node->there)];
		if (!leaf)
			continue;
		if (*left == 0)
			return false;
		--*left;
		free_leaf(leaf);
	}
	slab_free(&node_cache, node);
	return true;
}

bool object_pages_free_some(struct object *object, unsigned int nodes)
{
	struct page_node *root = object->pages;

	for (; root && root->there; root->there &= root->there - 1) {
		struct page_node *node = root->entry[bit_lowest(root->there)];
		if (node && !free_middle(node, &nodes))
			return false;
	}
	if (root)
		slab_free(&node_cache, root);
	if (object->metapage)
		page_drop(object->metapage);
	object->pages = NULL;
	object->metapage = NULL;
	object->page_count = 0;
	return true;
}

void object_pages_free(struct object *object)
{
	object_pages_free_some(object, UINT32_MAX);
}

int object_read(struct object *object, uint64_t offset, void *to, size_t length)
{
	if (!range_within(offset, length, OBJ_MAXSIZE))
		return -EINVAL;
	while (length) {
		size_t in_page = offset % PAGE_SIZE;
		size_t part = MIN(length, PAGE_SIZE - in_page);
		void *page;

		spin_lock(&object->lock);
		int error = object_page(object, offset / PAGE_SIZE, false, &page);
		if (!error && page) {
			object_cache_settle(object, offset / PAGE_SIZE, page);
			memcpy(to, (char *)page + in_page, part);
		}
		spin_unlock(&object->lock);
		if (error)
			return error;
		if (!page)
			memset(to, 0, part);
		to = (char *)to + part;
		offset += part;
		length -= part;
	}
	return 0;
}

int object_write(struct object *object, uint64_t offset, const void *from, size_t length)
{
	if (!range_within(offset, length, OBJ_MAXSIZE))
		return -EINVAL;
	while (length) {
		size_t in_page = offset % PAGE_SIZE;
		size_t part = MIN(length, PAGE_SIZE - in_page);
		void *page;

		spin_lock(&object->lock);
		int error = object_page_write(object, offset / PAGE_SIZE, &page);
		if (!error) {
			object_cache_settle(object, offset / PAGE_SIZE, page);
			memcpy((char *)page + in_page, from, part);
			object_cache_settle(object, offset / PAGE_SIZE, page);
		}
		spin_unlock(&object->lock);
		if (error)
			return error;
		from = (const char *)from + part;
		offset += part;
		length -= part;
	}
	return 0;
}

struct sync_range {
	uint64_t start, end; /* object offsets */
};

static int sync_page(void *arg, uint64_t pgnr, void *page)
{
	struct sync_range *range = arg;
	uint64_t page_start = pgnr * PAGE_SIZE;
	uint64_t from = MAX(range->start, page_start) - page_start;
	uint64_t to = MIN(range->end, page_start + PAGE_SIZE) - page_start;

	persist_flush((char *)page + from, to - from);
	return 0;
}

void object_sync(struct object *object, uint64_t offset, uint64_t length)
{
	struct sync_range range = { offset, offset + length };

	if (!object->persistent || length == 0)
		return;
	spin_lock(&object->lock);
	object_pages_walk(object, offset / PAGE_SIZE, div_round_up(range.end, PAGE_SIZE), sync_page,
			  &range);
	spin_unlock(&object->lock);
	persist_fence();
}
