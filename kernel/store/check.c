// SPDX-License-Identifier: BSD-3-Clause
/*
 * The checker: walks everything there is and compares what is reachable with what the bitmap and
 * the counters say. No recursion (a tree is three levels deep); circles end where a page is met
 * twice.
 */
#include "internal.h"

#define CHECK_LINES 64u

struct check {
	struct store *st;
	uint64_t *used;     /* a bit per page: reached */
	uint64_t faults;
	uint64_t objects;   /* inodes reached */
	uint64_t deleted;   /* of those in chains, marked deleted */
	uint64_t allocated; /* set bits in the bitmap, for pages that exist */
};

size_t store_check_scratch(const struct store *st)
{
	return (st->pages + 63) / 64 * 8;
}

static void fault(struct check *c, const char *what, uint64_t where, uint64_t detail)
{
	if (c->faults++ < CHECK_LINES)
		store_log(STORE_LOG_ERROR, "check: %s at 0x%llx (0x%llx)", what,
			  (unsigned long long)where, (unsigned long long)detail);
}

static bool used(const struct check *c, uint64_t page)
{
	return c->used[page / 64] >> page % 64 & 1;
}

/* Note that `page`, named by the word at `from`, is in use. False: it cannot be. */
static bool claim(struct check *c, uint64_t page, uint64_t from)
{
	if (page < c->st->first_data || page >= c->st->pages) {
		fault(c, "page number out of range", from, page);
		return false;
	}
	if (used(c, page)) {
		fault(c, "page used twice", from, page);
		return false;
	}
	c->used[page / 64] |= 1ull << page % 64;
	return true;
}

/* A sealed word's payload; 0 with a fault if it is damaged. */
static uint64_t word(struct check *c, uint64_t offset)
{
	uint64_t raw = store_raw(c->st, offset);
	uint64_t payload;

	if (store_unseal(raw, &payload))
		return payload;
	fault(c, "word fails its check", offset, raw);
	return 0;
}

static void check_zero(struct check *c, const char *what, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += 8) {
		if (*store_word_at(c->st, at))
			fault(c, what, at, *store_word_at(c->st, at));
	}
}

/* ---- Superblocks, log, reserved pages ---- */

static void check_super(struct check *c, uint64_t page)
{
	const struct super_header *super = store_page_at(c->st, page);
	struct super_header expected;

	if (!store_super_sound(super, page)) {
		fault(c, "superblock fails its check", page * STORE_PAGE_SIZE, super->sum);
		return;
	}
	store_geometry(&expected, c->st->pages);
	expected.compat = super->compat;
	expected.ro_compat = super->ro_compat;
	memcpy(expected.uuid, c->st->salt, sizeof(expected.uuid));
	expected.self = page;
	expected.sum = super->sum;
	if (memcmp(super, &expected, sizeof(expected)))
		fault(c, "superblock contradicts the store", page * STORE_PAGE_SIZE, 0);
	check_zero(c, "reserved superblock bytes in use",
		   page * STORE_PAGE_SIZE + STATE_OFFSET + 8 * STATE_WORDS,
		   (page + 1) * STORE_PAGE_SIZE);
}

static void check_state(struct check *c)
{
	for (unsigned i = 0; i < STATE_WORDS; i++) {
		uint64_t a = word(c, state_offset(SUPER_A_PAGE, i));
		uint64_t b = word(c, state_offset(SUPER_B_PAGE, i));

		if (a != b)
			fault(c, "superblock copies differ, state word", i, a ^ b);
	}
}

static void check_fixed(struct check *c)
{
	check_super(c, SUPER_A_PAGE);
	check_super(c, SUPER_B_PAGE);
	check_state(c);
	if (!c->st->rdonly && !store_log_sound(c->st))
		fault(c, "log record fails its check", LOG_PAGE * STORE_PAGE_SIZE, 0);
	check_zero(c, "reserved log bytes in use",
		   LOG_PAGE * STORE_PAGE_SIZE + sizeof(struct log_record),
		   (LOG_PAGE + 1) * STORE_PAGE_SIZE);
	check_zero(c, "reserved page in use", (LOG_PAGE + LOG_PAGES) * STORE_PAGE_SIZE,
		   SUPER_B_PAGE * STORE_PAGE_SIZE);
}

/* ---- Objects ---- */

/* The page named by a word of an object's tree, claimed and counted; 0 for none. */
static uint64_t tree_page(struct check *c, uint64_t offset, uint64_t *count)
{
	uint64_t page = word(c, offset);

	if (!page || !claim(c, page, offset))
		return 0;
	(*count)++;
	return page;
}

static void check_leaf(struct check *c, uint64_t leaf, uint64_t first, uint64_t *count)
{
	for (unsigned i = 0; i < PAGE_WORDS; i++) {
		uint64_t offset = leaf * STORE_PAGE_SIZE + 8ull * i;
		uint64_t page = tree_page(c, offset, count);

		if (page && (first + i < DIRECT_PAGES || first + i >= FIRST_HIGH))
			fault(c, "leaf names a page that the inode should", offset, page);
	}
}

static void check_node(struct check *c, uint64_t node, uint64_t *count)
{
	for (unsigned i = 0; i < PAGE_WORDS; i++) {
		uint64_t leaf = tree_page(c, node * STORE_PAGE_SIZE + 8ull * i, count);

		if (leaf)
			check_leaf(c, leaf, (uint64_t)i * PAGE_WORDS, count);
	}
}

static void check_tree(struct check *c, uint64_t inode)
{
	uint64_t count = 1;

	for (unsigned i = INODE_LOW; i < INODE_DIRECT_END; i++) {
		if (tree_page(c, inode_word(inode, i), &count) && i == INODE_LOW)
			fault(c, "object has a null page", inode_word(inode, i), inode);
	}
	uint64_t node = tree_page(c, inode_word(inode, INODE_NODE), &count);

	if (node)
		check_node(c, node, &count);
	uint64_t said = word(c, inode_word(inode, INODE_PAGES));

	if (said != count)
		fault(c, "object's page count is wrong", inode_word(inode, INODE_PAGES), count);
}

static bool header_sound(struct check *c, uint64_t inode)
{
	const struct inode_header *header = store_page_at(c->st, inode);

	if (header->magic == INODE_MAGIC && header->self == inode &&
	    header->sum == store_inode_sum(c->st, header))
		return true;
	fault(c, "inode header fails its check", inode * STORE_PAGE_SIZE, header->sum);
	return false;
}

/* Everything about one inode but the list it is on. Returns its flags. */
static uint64_t check_inode(struct check *c, uint64_t inode)
{
	uint64_t flags = word(c, inode_word(inode, INODE_FLAGS));

	c->objects++;
	header_sound(c, inode);
	if (flags & ~INODE_FLAGS_ALL || flags == INODE_FLAGS_ALL)
		fault(c, "unknown inode flags", inode_word(inode, INODE_FLAGS), flags);
	check_zero(c, "reserved inode bytes in use", inode_word(inode, INODE_NAMED_END),
		   inode_word(inode, INODE_LOW));
	check_zero(c, "reserved inode bytes in use", inode_word(inode, INODE_DIRECT_END),
		   (inode + 1) * STORE_PAGE_SIZE);
	check_tree(c, inode);
	return flags;
}

static void check_place(struct check *c, uint64_t inode, uint64_t bucket)
{
	const struct inode_header *header = store_page_at(c->st, inode);
	objid_t id = MKID(header->id_hi, header->id_lo);
	struct chain chain;

	if (!header_sound(c, inode))
		return;
	if (!id || store_bucket(c->st, id) != bucket)
		fault(c, "object in the wrong chain", inode * STORE_PAGE_SIZE, bucket);
	else if (store_chain_find(c->st, id, &chain) == 0 && chain.page != inode)
		fault(c, "two objects of one ID", inode * STORE_PAGE_SIZE,
		      chain.page * STORE_PAGE_SIZE);
}

static void check_chain(struct check *c, uint64_t bucket)
{
	uint64_t link = bucket, inode;

	while ((inode = word(c, link)) != 0 && claim(c, inode, link)) {
		uint64_t flags = check_inode(c, inode);

		if (flags & INODE_HIDDEN)
			fault(c, "hidden object in a chain", inode * STORE_PAGE_SIZE, flags);
		if (flags & INODE_DELETED)
			c->deleted++;
		else if (word(c, inode_word(inode, INODE_ORPHAN_NEXT)) |
			 word(c, inode_word(inode, INODE_ORPHAN_PREV)))
			fault(c, "live object with orphan links", inode * STORE_PAGE_SIZE, 0);
		check_place(c, inode, bucket);
		link = inode_word(inode, INODE_NEXT);
	}
}

/* One element of the orphan list. False: the list cannot be followed further. */
static bool check_orphan(struct check *c, uint64_t inode, uint64_t prev, uint64_t *linked)
{
	if (inode < c->st->first_data || inode >= c->st->pages) {
		fault(c, "orphan list leads nowhere", prev * STORE_PAGE_SIZE, inode);
		return false;
	}
	if (word(c, inode_word(inode, INODE_ORPHAN_PREV)) != prev) {
		fault(c, "orphan list is broken", inode_word(inode, INODE_ORPHAN_PREV), prev);
		return false;
	}
	uint64_t flags = word(c, inode_word(inode, INODE_FLAGS));

	if (flags == INODE_DELETED && used(c, inode)) {
		++*linked;
		return true;
	}
	if (flags != INODE_HIDDEN)
		fault(c, "object on the orphan list is in no chain", inode * STORE_PAGE_SIZE,
		      flags);
	if (!claim(c, inode, inode_word(prev, INODE_ORPHAN_NEXT)))
		return false;
	check_inode(c, inode);
	if (word(c, inode_word(inode, INODE_NEXT)))
		fault(c, "hidden object with a chain link", inode_word(inode, INODE_NEXT), 0);
	return true;
}

static void check_orphans(struct check *c)
{
	uint64_t prev = 0, linked = 0;
	uint64_t inode = word(c, state_offset(SUPER_A_PAGE, STATE_ORPHANS));

	while (inode && linked <= c->deleted && check_orphan(c, inode, prev, &linked)) {
		prev = inode;
		inode = word(c, inode_word(inode, INODE_ORPHAN_NEXT));
	}
	if (linked != c->deleted)
		fault(c, "deleted objects missing from the orphan list", linked, c->deleted);
}

/* ---- The bitmap and the counters against what was reached ---- */

static void check_map_word(struct check *c, uint64_t index)
{
	uint64_t offset = c->st->bitmap + 8 * index;
	uint64_t bits = word(c, offset);

	if (bits > MAP_FULL)
		fault(c, "bitmap word with unknown bits", offset, bits);
	for (unsigned bit = 0; bit < MAP_PAGES; bit++) {
		uint64_t page = index * MAP_PAGES + bit;
		bool marked = bits >> bit & 1;
		bool in_use = page >= c->st->pages || used(c, page);

		if (marked && !in_use)
			fault(c, "leaked page", offset, page);
		if (!marked && in_use)
			fault(c, "page in use is marked free", offset, page);
		if (marked && page < c->st->pages)
			c->allocated++;
	}
}

static void check_counts(struct check *c)
{
	struct store *st = c->st;
	uint64_t free_pages = word(c, state_offset(SUPER_A_PAGE, STATE_FREE));
	uint64_t objects = word(c, state_offset(SUPER_A_PAGE, STATE_OBJECTS));

	if (free_pages != st->pages - c->allocated)
		fault(c, "free page count is wrong", free_pages, st->pages - c->allocated);
	if (objects != c->objects)
		fault(c, "object count is wrong", objects, c->objects);
}

static void check_all(struct check *c)
{
	struct store *st = c->st;
	uint64_t map_end = st->bitmap + 8 * st->bitmap_words;

	check_fixed(c);
	for (uint64_t page = 0; page < st->first_data; page++)
		c->used[page / 64] |= 1ull << page % 64;
	for (uint64_t i = 0; i <= st->bucket_mask; i++)
		check_chain(c, st->buckets + 8 * i);
	check_orphans(c);
	for (uint64_t i = 0; i < st->bitmap_words; i++)
		check_map_word(c, i);
	check_zero(c, "reserved bitmap bytes in use", map_end, st->buckets);
	check_counts(c);
}

uint64_t store_check(struct store *st, void *scratch)
{
	struct check c = { .st = st, .used = scratch };

	memset(scratch, 0, store_check_scratch(st));
	store_lock_acquire(&st->lock);
	check_all(&c);
	store_lock_release(&st->lock);
	return c.faults;
}
